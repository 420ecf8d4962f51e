package proxy

import (
	"context"
	"errors"
	"net/http"

	"github.com/catflap/catflap/proxy/chat"
	"github.com/catflap/catflap/proxy/refusals"
)

// messageRoute is the Cat's endpoint for a turn over HTTP.
const messageRoute = "POST /message"

// takeTurn waits for a place among the turns at the Cat, if the request is a turn. Without
// a refusal, end must follow.
func (ex *exchange) takeTurn() (end func(), ref *refusal) {
	if ex.user == nil || ex.decision.Route.Pattern != messageRoute {
		return func() {}, nil
	}
	end, err := ex.h.o.Hub.Turn(ex.r.Context(), ex.user.ID)
	switch {
	case err == nil:
		return end, nil
	case errors.Is(err, chat.ErrBusy):
		return nil, &refusal{
			status: http.StatusServiceUnavailable, code: refusals.Busy, public: "Too many people are talking to the Cat", rule: "cat.max_turns",
			hint: "try again in a moment", err: err, retry: 5,
		}
	}
	return nil, ex.explain(context.Cause(ex.r.Context()))
}
