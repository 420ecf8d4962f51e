package parts

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

const (
	redisSeries  = "7.0."
	redisInstead = "install a redis-server " + redisSeries + "x, so that it is in PATH"
)

func redisPackages() []string { return []string{"redis-server", "redis-tools"} }

// Redis is the Redis server, and what it needs in its environment besides what is
// there. The error wraps ErrMissing or says what the machine lacks.
func (p Parts) Redis() (binary string, env []string, err error) {
	if own := ownRedis(); own != "" {
		return own, nil, nil
	}
	one := p.redisPart()
	if err := one.have(); err != nil {
		return "", nil, err
	}
	binary, env = redisIn(one.dir)
	if !saysVersion(binary, env, "v="+redisSeries) {
		return "", nil, fmt.Errorf("%s does not run: %w", shorten(binary), ErrMissing)
	}
	return binary, env, nil
}

// Redis is Parts.Redis of the repository around the working directory.
func Redis() (binary string, env []string, err error) {
	p, err := Here()
	if err != nil {
		return "", nil, err
	}
	return p.Redis()
}

func (p Parts) redisPart() part {
	dir := filepath.Join(p.dir, "debian", "redis")
	return part{
		name: "redis", what: "redis-server " + redisSeries + "x from Debian " + debian, dir: dir, own: ownRedis,
		stamp: func() (string, error) { return debianStamp(redisPackages(), redisInstead) },
		bring: func(b *bringing) error {
			if err := bringDebian(b, redisPackages()); err != nil {
				return err
			}
			if binary, env := redisIn(dir); !saysVersion(binary, env, "v="+redisSeries) {
				return fmt.Errorf("what came does not say that it is redis-server %sx", redisSeries)
			}
			return nil
		},
	}
}

func redisIn(root string) (binary string, env []string) {
	// redis-server is a link to it, and by the name it was started with it is the server.
	return filepath.Join(root, "usr", "bin", "redis-server"), []string{libraries(root)}
}

// ownRedis is a server of the series that somebody has installed.
func ownRedis() string {
	own, err := exec.LookPath("redis-server")
	if err != nil || !saysVersion(own, nil, "v="+redisSeries) {
		return ""
	}
	return own
}
