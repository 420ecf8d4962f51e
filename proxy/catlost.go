package proxy

import (
	"errors"
	"net"
	"net/http"

	"github.com/catflap/catflap/proxy/refusals"
)

// refuseLost answers where the Cat has not answered: no connection to it came about, or
// it broke, or took too long.
func refuseLost(err error) *refusal {
	ref := &refusal{
		status: http.StatusBadGateway, code: refusals.CatUnreachable, public: "The Cat can't be reached",
		hint: "try again; the operator finds the cause under the request id", err: err,
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
			ref.rule = "cat.connect_timeout"
			return ref
		}
		ref.status, ref.code, ref.public, ref.rule = http.StatusGatewayTimeout, refusals.CatTimeout, "The Cat took too long to answer", "cat.response_timeout"
	}
	return ref
}
