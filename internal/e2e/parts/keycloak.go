package parts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/catflap/catflap/internal/e2e/idp"
)

const (
	keycloakVersion = "26.7.3"
	unpackPlugin    = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack"
)

// The administrator of Keycloak's realm master, and the realm of the tests.
const (
	KeycloakAdmin         = "admin"
	KeycloakAdminPassword = "admin"
	KeycloakRealm         = "cat"
)

// HaveKeycloak returns nil if Keycloak and its prepared database are there, or an
// error that wraps ErrMissing or says which program the machine lacks.
func (p Parts) HaveKeycloak() error { return p.keycloakPart().have() }

func (p Parts) keycloakPart() part {
	dir := filepath.Join(p.dir, "keycloak")
	return part{
		name: "keycloak", what: "Keycloak " + keycloakVersion + " from Maven Central, with the tests' realm imported", dir: dir,
		stamp: func() (string, error) {
			return stampOf("java", "-version", []byte(keycloakVersion), idp.Realm)
		},
		bring: func(b *bringing) error {
			if err := b.run("mvn", "-q", "-B", unpackPlugin, "-DoutputDirectory=.",
				"-Dartifact=org.keycloak:keycloak-quarkus-dist:"+keycloakVersion+":zip"); err != nil {
				return err
			}
			return p.prepareKeycloak(b)
		},
	}
}

func (p Parts) keycloakHome() string {
	return filepath.Join(p.dir, "keycloak", "keycloak-"+keycloakVersion)
}

// prepareKeycloak starts the server once: its build, the schema and the import are
// most of the time of a first start.
func (p Parts) prepareKeycloak(b *bringing) error {
	realm := filepath.Join(p.keycloakHome(), "data", "import", "realm.json")
	if err := os.MkdirAll(filepath.Dir(realm), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(realm, idp.Realm, 0o644); err != nil {
		return err
	}
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	cmd := p.keycloak(addr, filepath.Join(p.dir, "keycloak", "prepared"), "--import-realm")
	cmd.Stdout, cmd.Stderr = &b.said, &b.said
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	ready := AwaitKeycloak(b.ctx, addr, exited)
	// The database is locked until the process has ended.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	if ready != nil && errors.Is(ready, errEnded) {
		return ready
	}
	select {
	case <-exited:
	case <-time.After(time.Minute):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		return errors.Join(ready, errors.New("keycloak did not end"))
	}
	return ready
}

// KeycloakServer is a command for a server at the loopback address, on a copy of the
// prepared database in the folder data, which the caller names and removes. It leads
// a process group of its own: kc.sh is a shell that starts Java, and somebody who kills
// the shell alone leaves Java behind.
func (p Parts) KeycloakServer(addr, data string) (*exec.Cmd, error) {
	if err := p.HaveKeycloak(); err != nil {
		return nil, err
	}
	if err := os.CopyFS(data, os.DirFS(filepath.Join(p.dir, "keycloak", "prepared"))); err != nil {
		return nil, fmt.Errorf("copy the prepared database: %w", err)
	}
	return p.keycloak(addr, data), nil
}

func (p Parts) keycloak(addr, data string, more ...string) *exec.Cmd {
	host, port, _ := net.SplitHostPort(addr)
	args := append([]string{filepath.Join(p.keycloakHome(), "bin", "kc.sh"), "start-dev",
		"--http-host=" + host, "--http-port=" + port,
		"--db-url=jdbc:h2:file:" + filepath.Join(data, "keycloakdb") + ";NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE;DB_CLOSE_DELAY=0",
	}, more...)
	cmd := exec.Command("bash", args...)
	cmd.Dir = p.keycloakHome()
	cmd.Env = append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME="+KeycloakAdmin, "KC_BOOTSTRAP_ADMIN_PASSWORD="+KeycloakAdminPassword,
		// The first compiler alone: half the CPU time, for a server that lives minutes.
		"JAVA_OPTS_APPEND=-XX:TieredStopAtLevel=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

var errEnded = errors.New("keycloak ended before it was ready")

// AwaitKeycloak polls until the realm of the tests answers, the process has ended or
// the context has.
func AwaitKeycloak[E any](ctx context.Context, addr string, exited <-chan E) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet,
			"http://"+addr+"/realms/"+KeycloakRealm+"/.well-known/openid-configuration", http.NoBody)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-exited:
			return errEnded
		case <-ctx.Done():
			return fmt.Errorf("keycloak is not ready: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
