package session

import "github.com/redis/go-redis/v9"

// Client is the connection pool, for what else the Catflaps share in the same Redis:
// it asks for nothing twice, and every wait is bounded. The store closes it.
func (r *Redis) Client() *redis.Client { return r.client }
