package soak

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Figures are what a Catflap says of its own process.
type Figures struct {
	Goroutines, Descriptors                int
	Resident, Heap, HeapIdle, Stacks, Live float64 // KiB
}

// Measure reads the metrics at an admin address.
func Measure(ctx context.Context, admin string) (Figures, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/metrics", nil)
	if err != nil {
		return Figures{}, err
	}
	req.Close = true // it must not count itself the next time
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Figures{}, err
	}
	defer resp.Body.Close()
	values := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] = v
		}
	}
	if values["go_goroutines"] == 0 || values["process_open_fds"] == 0 {
		return Figures{}, fmt.Errorf("no figures of the process: status %d", resp.StatusCode)
	}
	kib := func(name string) float64 { return values[name] / 1024 }
	return Figures{
		Goroutines: int(values["go_goroutines"]), Descriptors: int(values["process_open_fds"]),
		Resident: kib("process_resident_memory_bytes"), Heap: kib("go_memstats_heap_inuse_bytes"), Live: kib("go_memstats_heap_alloc_bytes"),
		HeapIdle: kib("go_memstats_heap_idle_bytes") - kib("go_memstats_heap_released_bytes"), Stacks: kib("go_memstats_stack_inuse_bytes"),
	}, nil
}

// How many goroutines and descriptors may come and go by themselves: those of kept
// connections to the Cat, of timers, and of kept connections to Redis.
const (
	spare      = 6
	redisConns = 20
)

// Settled waits until a Catflap holds no more than before, and returns what is left
// over if it does not.
func Settled(ctx context.Context, admin string, before Figures, within time.Duration) (Figures, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		now, err := Measure(ctx, admin)
		if err == nil && now.Goroutines <= before.Goroutines+spare && now.Descriptors <= before.Descriptors+spare+redisConns {
			return now, nil
		}
		select {
		case <-ctx.Done():
			if err != nil {
				return now, err
			}
			return now, fmt.Errorf("left over: goroutines %d, before %d; descriptors %d, before %d", now.Goroutines, before.Goroutines, now.Descriptors, before.Descriptors)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
