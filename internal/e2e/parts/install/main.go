// Command install brings the foreign programs of the end-to-end tests into the
// ignored folder .cache/e2e of the repository: those that are named, or all. It is
// quick when they are there.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/catflap/catflap/internal/e2e/parts"
)

func main() {
	if err := install(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "parts:", err)
		os.Exit(1)
	}
}

func install(names []string) error {
	here, err := parts.Here()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 12*time.Minute)
	defer cancel()
	if err := here.Install(ctx, os.Stdout, names...); err != nil {
		return err
	}
	fmt.Println("parts: all there")
	return nil
}
