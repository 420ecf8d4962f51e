package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/catflap/catflap/internal/app"
	"github.com/catflap/catflap/internal/catcloak"
)

func importCommand() command {
	return command{
		name: "import catcloak", args: "FILE [--public-url URL] [--cat-url URL] [--issuer URL]",
		short: "turn the settings of the Cat's plugin Catcloak into a configuration",
		long: `
Reads the settings of Catcloak, as they were sent to the Cat or as
GET /auth_handler/settings/KeycloakAuthHandlerConfig answers them, and prints a
configuration: Keycloak's roles have the same permissions, and people keep the user
ids that they had, and so their memories. The secret is not printed: a note on
standard error says which variable is to hold it. More notes say what is not the
same, and what can't be carried over.

docs/moving-from-catcloak.md is the whole way.`,
		setup: func(f *flag.FlagSet, e *env) func(context.Context, []string) error {
			var o catcloak.Options
			f.StringVar(&o.PublicURL, "public-url", "http://localhost:8080", "the `URL` by which browsers reach Catflap: scheme, host and port")
			f.StringVar(&o.CatURL, "cat-url", "http://127.0.0.1:1865", "the Cat's `URL`")
			f.StringVar(&o.Issuer, "issuer", "", "the realm's `URL` as browsers and tokens name it, where the plugin reaches it by another")
			return func(_ context.Context, args []string) error {
				if len(args) != 1 {
					return &usageError{"import catcloak needs one file with the settings", "catflap import catcloak settings.json > catflap.yaml"}
				}
				return importCatcloak(e, args[0], o)
			}
		},
	}
}

func importCatcloak(e *env, file string, o catcloak.Options) error {
	data, err := readSettings(file)
	if err != nil {
		return err
	}
	r, err := catcloak.Convert(data, o)
	switch {
	case errors.Is(err, catcloak.ErrIssuer):
		return &hintedError{err, "name the realm as it stands in the iss of a token: --issuer https://keycloak.example.com/realms/REALM"}
	case err != nil:
		return &hintedError{fmt.Errorf("%s: %w", file, err), "curl -H \"Authorization: Bearer $CCAT_API_KEY\" http://127.0.0.1:1865/auth_handler/settings/KeycloakAuthHandlerConfig > settings.json"}
	}
	if _, err := app.Parse("the configuration", r.Config, e.handlers); err != nil {
		return &hintedError{err, "mend the settings or the flags, and import again"}
	}
	for _, note := range r.Notes {
		fmt.Fprintf(e.stderr, "note: %s\n", note)
	}
	_, err = e.stdout.Write(r.Config)
	return err
}

// readSettings reads no more than settings can be.
func readSettings(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	return io.ReadAll(io.LimitReader(f, catcloak.MaxSettings+1))
}
