package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// The roles that have a process of their own, so that none holds more descriptors than
// a process may, and so that what one of them costs is not counted as another's.
const (
	RoleCat     = "cat"     // says an Address first; "restart DURATION" and "count" are answered with Heard
	RoleClients = "clients" // takes a Plan, says Idle, takes a line to go on, and says the Report
)

// Address is where a Cat listens.
type Address struct{ Address string }

// Idle is said when the idle tabs are open.
type Idle struct{ Idle bool }

// Play plays a role until it is over or nothing more comes in: one line for each order,
// one JSON value for each answer.
func Play(role string, in io.Reader, out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	lines, answers := bufio.NewReader(in), json.NewEncoder(out)
	switch role {
	case RoleCat:
		return playCat(ctx, lines, answers)
	case RoleClients:
		return playClients(ctx, lines, answers)
	default:
		return fmt.Errorf("soak: no role %q", role)
	}
}

func playCat(ctx context.Context, lines *bufio.Reader, answers *json.Encoder) error {
	c, err := ServeCat("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer c.Close()
	if err := answers.Encode(Address{c.Addr()}); err != nil {
		return err
	}
	for ctx.Err() == nil {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil // nobody needs the Cat any more
		}
		if down, ok := strings.CutPrefix(strings.TrimSpace(line), "restart "); ok {
			d, err := time.ParseDuration(down)
			if err != nil {
				return err
			}
			if err := c.Restart(d); err != nil {
				return err
			}
		}
		if err := answers.Encode(c.Counted()); err != nil {
			return err
		}
	}
	return nil
}

func playClients(ctx context.Context, lines *bufio.Reader, answers *json.Encoder) error {
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	var p Plan
	if err := json.Unmarshal(line, &p); err != nil {
		return err
	}
	r, err := p.Run(ctx, func() error {
		if err := answers.Encode(Idle{true}); err != nil {
			return err
		}
		_, err := lines.ReadString('\n')
		return err
	})
	if err != nil {
		return err
	}
	return answers.Encode(r)
}
