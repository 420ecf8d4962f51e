package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/catflap/catflap/config"
	"github.com/catflap/catflap/internal/app"
	"github.com/catflap/catflap/proxy/cat"
)

// accountsTimeout bounds one request to the Cat, which hashes a password for
// seconds while it makes a user.
const accountsTimeout = 30 * time.Second

func accountsCommand() command {
	return command{
		name: "cat-accounts create", args: "(--config FILE | --cat-url URL) [--api-key-env NAME]",
		short: "make the Cat's service accounts for credential: minted",
		long: `
Makes three users at the Cat, through its own API and with its HTTP key, and prints
the lines for the configuration: one that may chat, one that may also read
memories, and one that may do everything. With --config there is one more for each
set of permissions that people can have by that file's rules, so that plugins see
of each person's rights exactly what was granted. Accounts that exist already with
the same permissions are used again, so that the command can be repeated. Their
passwords are random and told to nobody.

The HTTP key comes from the configuration's cat.api_key or, where there is none,
from the variable that --api-key-env names. The accounts that a file names need
not exist yet.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			file := f.String("config", "", "take the Cat's address, and its key if there is one, from this `FILE`")
			at := f.String("cat-url", "", "the Cat's `URL`, such as http://127.0.0.1:1865")
			keyEnv := f.String("api-key-env", "CCAT_API_KEY", "the environment variable `NAME` that holds the Cat's HTTP key")
			names := make([]*string, len(accountKinds))
			for i, k := range accountKinds {
				names[i] = f.String(k.flag, "catflap-service-"+k.flag, "the `NAME` of the account that "+k.purpose)
			}
			return func(ctx context.Context, args []string) error {
				if err := noArguments("cat-accounts create", args); err != nil {
					return err
				}
				a, c, err := accountsAt(e, *file, *at, *keyEnv)
				if err != nil {
					return err
				}
				kinds := slices.Clone(accountKinds[:])
				for i := range kinds {
					kinds[i].name = *names[i]
				}
				if c != nil {
					if kinds, err = withPolicy(kinds, c); err != nil {
						return err
					}
				}
				return createAccounts(ctx, e, a, kinds)
			}
		},
	}
}

// accountsAt finds the Cat and its key, and the configuration if a file is named.
func accountsAt(e *env, file, at, keyEnv string) (*cat.Accounts, *config.Config, error) {
	const own = "the Cat's own CCAT_API_KEY"
	key := ""
	var c *config.Config
	switch {
	case (file == "") == (at == ""):
		return nil, nil, &usageError{"cat-accounts create needs either --config or --cat-url", "catflap cat-accounts create --cat-url http://127.0.0.1:1865"}
	case file != "":
		var err error
		if c, err = app.LoadForAccounts(file, e.handlers); err != nil {
			return nil, nil, &hintedError{err, "mend the file, or name the Cat with --cat-url and its key with --api-key-env"}
		}
		if len(c.Cat.URLs) > 0 {
			return nil, nil, &usageError{"the file names several Cats, and each has users of its own", "name one with --cat-url, and its key with --api-key-env"}
		}
		at = c.Cat.URL
		if !c.Cat.APIKey.IsZero() {
			secret, err := c.Cat.APIKey.Read()
			if err != nil {
				return nil, nil, err
			}
			key = string(secret)
		}
	}
	if key = cmp.Or(key, os.Getenv(keyEnv)); key == "" {
		return nil, nil, &hintedError{errors.New("the Cat's HTTP key is not known"), "set the environment variable " + keyEnv + " to " + own}
	}
	base, err := url.Parse(at)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, nil, &usageError{"--cat-url is no address of a Cat", "--cat-url http://127.0.0.1:1865"}
	}
	var roots *x509.CertPool
	if c != nil {
		if roots, err = c.Cat.CAFile.Certificates(); err != nil {
			return nil, nil, fmt.Errorf("cat.ca_file: %w", err)
		}
	}
	// The key must reach the Cat and nobody else: no proxy, no redirect.
	client := &http.Client{
		Timeout: accountsTimeout, Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &cat.Accounts{Base: base, HTTP: client, Credentials: cat.NewKeys(key, "")}, c, nil
}
