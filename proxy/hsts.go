package proxy

import (
	"strconv"
	"strings"
	"time"
)

// demandTLS tells browsers to come by https alone from now on (RFC 6797 §7), where
// they have come by it. Subdomains are not ours to speak for.
func (ex *exchange) demandTLS() {
	if ex.h.o.HSTS <= 0 || ex.peer.scheme != "https" && !strings.HasPrefix(ex.h.o.PublicURL, "https://") {
		return
	}
	ex.w.Header().Set("Strict-Transport-Security", "max-age="+strconv.FormatInt(int64(ex.h.o.HSTS/time.Second), 10))
}
