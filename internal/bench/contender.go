package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// contender is one proxy under measurement.
type contender struct {
	name    string
	address string
	process *process
	judges  bool          // it verifies tokens
	up      time.Duration // from its start to its first answer
	rest    int64         // its resident memory before any load, in bytes
}

// run starts a contender, takes the time until it answers, and proves it.
func (l *lab) run(ctx context.Context, name string) (*contender, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	c := &contender{name: name, address: address, judges: name == haproxy || name == catflap || name == separate}
	env, args, err := l.command(name, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Second, fmt.Errorf("%s: no answer within 10 s", name))
	defer cancel()
	begun := time.Now()
	if c.process, err = start(context.WithoutCancel(ctx), l.file(name+".log"), env, args[0], args[1:]...); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err = l.awaitAnswer(ctx, c); err == nil {
		c.up, c.rest = time.Since(begun), c.process.rss()
		err = l.prove(ctx, c)
	}
	if err != nil {
		c.process.stop()
		return nil, fmt.Errorf("%s: %w\n%s", name, err, c.process.said())
	}
	return c, nil
}

// awaitAnswer asks until the contender answers a good request with 200.
func (l *lab) awaitAnswer(ctx context.Context, c *contender) error {
	token := l.tokens.good(1)[0]
	for {
		a, err := ask(ctx, c.address, token)
		if err == nil && a.status == 200 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: last status %d, %w", context.Cause(ctx), a.status, err)
		case <-time.After(500 * time.Microsecond):
		}
	}
}

// command writes a contender's configuration and says how it is started.
func (l *lab) command(name, address string) (env, args []string, err error) {
	switch name {
	case plainProxy:
		return nil, []string{l.self, rolePlain, address, l.behind}, nil
	case tunnel:
		return nil, []string{l.self, roleTunnel, address, l.behind}, nil
	case nginx:
		return nil, []string{"nginx", "-p", l.dir, "-c", l.file("nginx.conf"), "-g", "daemon off;"},
			l.write("nginx.conf", nginxConf, l.file("nginx.pid"), l.dir, l.behind, address)
	case haproxy:
		return nil, []string{"haproxy", "-db", "-f", l.file("haproxy.cfg")}, l.write("haproxy.cfg", haproxyConf, address, l.file("key.pem"), benchIssuer, l.behind)
	case catflap, separate:
		session := "shared"
		if name == separate {
			session = "separate"
		}
		admin, err := freeAddress()
		if err != nil {
			return nil, nil, err
		}
		return []string{"BENCH_KEY=bench-http-key", "BENCH_KEY_WS=bench-ws-key"}, []string{l.catflap, "run", "--config", l.file(name + ".yaml")},
			l.write(name+".yaml", catflapConf, address, admin, l.behind, benchIssuer, session)
	}
	return nil, nil, fmt.Errorf("no contender %q", name)
}

func (l *lab) write(name, format string, values ...any) error {
	return os.WriteFile(l.file(name), fmt.Appendf(nil, format, values...), 0o600)
}
