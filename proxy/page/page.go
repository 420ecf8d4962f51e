package page

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/url"
	"regexp"

	"github.com/catflap/catflap/internal/picture"
)

//go:embed files
var files embed.FS

// Theme is how the pages look. The zero Theme is Catflap's own.
type Theme struct {
	// Title is the name of the service, on top of each page and in its title.
	// Empty: [OwnTitle].
	Title string
	// Logo is the image beside the title, of a kind that package picture knows. Without one,
	// Catflap's own stands beside Catflap's own title, and nothing beside another.
	// It is seen on light and on dark ground; an SVG can tell the two apart by
	// prefers-color-scheme.
	Logo []byte
}

// OwnTitle is the title of a service that has no name of its own.
const OwnTitle = "Catflap"

// Pages are the pages in one theme. They are immutable, and safe for concurrent use.
type Pages struct {
	site      site
	assets    []asset
	templates map[string]*template.Template
}

// site is what every page knows.
type site struct {
	Title, Prefix     string
	Style, Logo, Icon string // addresses; Logo may be empty
}

// prefixes keeps the prefix plain: it stands in patterns of http.ServeMux too.
var prefixes = regexp.MustCompile(`^/([A-Za-z0-9_-]+/)*$`)

// New makes the pages. The prefix is the path below which [Pages.Mount] serves
// what they need and the login and logout live, such as /_catflap/.
func New(prefix string, t Theme) (*Pages, error) {
	if !prefixes.MatchString(prefix) {
		return nil, fmt.Errorf("page: the prefix %q is no plain path with a slash at both ends", prefix)
	}
	p := &Pages{
		site:      site{Title: cmp.Or(t.Title, OwnTitle), Prefix: prefix},
		templates: map[string]*template.Template{},
	}
	if err := p.addAssets(t); err != nil {
		return nil, err
	}
	layout, err := template.New("layout.html").Funcs(template.FuncMap{"link": link}).ParseFS(files, "files/layout.html")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"home", "choose", "password", "signout", "signedout", "refused", "problem"} {
		page, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if p.templates[name], err = page.ParseFS(files, "files/"+name+".html"); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// addAssets takes up what the pages load.
func (p *Pages) addAssets(t Theme) error {
	style, err := files.ReadFile("files/page.css")
	if err != nil {
		return err
	}
	icon, err := files.ReadFile("files/catflap.svg")
	if err != nil {
		return err
	}
	p.site.Style = p.add("page.css", "text/css; charset=utf-8", style)
	switch {
	case len(t.Logo) > 0:
		mediaType := picture.Type(t.Logo)
		if mediaType == "" || len(t.Logo) > picture.MaxBytes {
			return fmt.Errorf("page: the logo is no %s of at most %d bytes", picture.Kinds, picture.MaxBytes)
		}
		p.site.Logo = p.add("logo", mediaType, t.Logo)
		p.site.Icon = p.site.Logo
	default:
		// Browsers would ask the Cat for /favicon.ico otherwise.
		p.site.Icon = p.add("icon.svg", picture.SVG, icon)
		if p.site.Title == OwnTitle {
			p.site.Logo = p.site.Icon
		}
	}
	return nil
}

// Icon is the address of the pages' icon, as a path.
func (p *Pages) Icon() string { return p.site.Icon }

// add takes up one asset and returns its address, which changes with its content.
func (p *Pages) add(name, mediaType string, content []byte) string {
	sum := sha256.Sum256(content)
	a := asset{name: name, mediaType: mediaType, content: content, version: hex.EncodeToString(sum[:8])}
	p.assets = append(p.assets, a)
	return p.site.Prefix + name + "?" + url.Values{"v": {a.version}}.Encode()
}
