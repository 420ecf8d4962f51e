package page

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var png = []byte("\x89PNG\r\n\x1a\n rest")

func serve(p *Pages, method, target string, header http.Header) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	p.Mount(mux)
	r := httptest.NewRequest(method, target, nil)
	maps.Copy(r.Header, header)
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r)
	return rec
}

func TestAssets(t *testing.T) {
	p := newPages(t, Theme{Logo: png, LogoType: "image/png"})
	page := show(t, func(w http.ResponseWriter) { p.SignedOut(w, SignedOut{}) })
	var style string
	for _, l := range page.all("link") {
		if attribute(l, "rel") == "stylesheet" {
			style = attribute(l, "href")
		}
	}
	logo := attribute(page.all("img")[0], "src")
	for target, mediaType := range map[string]string{style: "text/css; charset=utf-8", logo: "image/png"} {
		rec := serve(p, "GET", target, nil)
		h := rec.Header()
		if rec.Code != 200 || h.Get("Content-Type") != mediaType || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Content-Security-Policy") != "default-src 'none'; style-src 'unsafe-inline'; sandbox" ||
			h.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d %v", target, rec.Code, h)
		}
		again := serve(p, "GET", target, http.Header{"If-None-Match": {h.Get("Etag")}})
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again: %d", target, again.Code)
		}
		path, _, _ := strings.Cut(target, "?")
		for _, other := range []string{path, path + "?v=other"} {
			if got := serve(p, "GET", other, nil); got.Code != 200 || got.Header().Get("Cache-Control") != "no-cache" {
				t.Errorf("%s: %d %v", other, got.Code, got.Header())
			}
		}
		if got := serve(p, "POST", path, nil); got.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, got.Code)
		}
	}
	if got := serve(p, "GET", logo, nil).Body.Bytes(); !bytes.Equal(got, png) {
		t.Errorf("the logo has become %q", got)
	}
	other := newPages(t, Theme{Logo: append([]byte{}, append(png, 'x')...), LogoType: "image/png"})
	if other.site.Logo == logo {
		t.Error("another logo has the same address")
	}
}

// TestWhichLogo: a page without a configured logo has Catflap's own icon, so that
// no browser asks the Cat for one, and no foreign logo beside a configured title.
func TestWhichLogo(t *testing.T) {
	for name, c := range map[string]struct {
		theme      Theme
		logo, icon string
	}{
		"neither": {Theme{}, "icon.svg", "icon.svg"},
		"ours":    {Theme{Title: "Catflap"}, "icon.svg", "icon.svg"}, // as the configuration writes it
		"title":   {Theme{Title: "T"}, "", "icon.svg"},
		"both":    {Theme{Title: "T", Logo: png, LogoType: "image/png"}, "logo", "logo"},
		"logo":    {Theme{Logo: png, LogoType: "image/png"}, "logo", "logo"},
	} {
		p := newPages(t, c.theme)
		page := show(t, func(w http.ResponseWriter) { p.SignedOut(w, SignedOut{}) })
		logo, icon := "", ""
		for _, i := range page.all("img") {
			logo = attribute(i, "src")
		}
		for _, l := range page.all("link") {
			if attribute(l, "rel") == "icon" {
				icon = attribute(l, "href")
			}
		}
		if (logo == "") != (c.logo == "") || !strings.HasPrefix(logo, prefix+c.logo) && logo != "" || !strings.HasPrefix(icon, prefix+c.icon+"?") {
			t.Errorf("%s: logo %q, icon %q", name, logo, icon)
		}
		if rec := serve(p, "GET", icon, nil); rec.Code != 200 {
			t.Errorf("%s: the icon is not there: %d", name, rec.Code)
		}
	}
}

func TestLogoTypes(t *testing.T) {
	for _, c := range []struct {
		logo      []byte
		mediaType string
		wrong     string // in the error; empty: it is taken
	}{
		{png, "image/png", ""},
		{[]byte("\xff\xd8\xff rest"), "image/jpeg", ""},
		{[]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "image/webp", ""},
		{[]byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`), "image/svg+xml", ""},
		{png, "image/jpeg", "looks like image/png"},
		{[]byte("<html>"), "image/png", "looks like text/html"},
		{[]byte("<html>"), "image/svg+xml", "no <svg> element"},
		{png, "text/html", `of the type "text/html"`},
		{png, "image/png\r\nX: y", "of the type"},
		{png, "", "of the type"},
		{nil, "image/png", "without a logo"},
		{append(bytes.Clone(png), make([]byte, MaxLogo)...), "image/png", "at most 524288"},
	} {
		_, err := New(prefix, Theme{Logo: c.logo, LogoType: c.mediaType})
		if c.wrong == "" && err != nil || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%.20q as %q: %v", c.logo, c.mediaType, err)
		}
	}
}
