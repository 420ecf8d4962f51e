package page

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/catflap/catflap/internal/picture"
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
	p := newPages(t, Theme{Logo: png})
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
	other := newPages(t, Theme{Logo: append([]byte{}, append(png, 'x')...)})
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
		"both":    {Theme{Title: "T", Logo: png}, "logo", "logo"},
		"logo":    {Theme{Logo: png}, "logo", "logo"},
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

// TestLogoTypes: the type is read from the content, by which the check has judged it.
func TestLogoTypes(t *testing.T) {
	for _, c := range []struct{ logo, mediaType string }{
		{string(png), "image/png"},
		{"\xff\xd8\xff rest", "image/jpeg"},
		{"GIF89a rest", "image/gif"},
		{"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"},
		{`<?xml version="1.0"?><s:svg xmlns:s="http://www.w3.org/2000/svg"/>`, "image/svg+xml"},
		{"<html>", ""},
		{string(png) + strings.Repeat("x", picture.MaxBytes), ""},
	} {
		p, err := New(prefix, Theme{Logo: []byte(c.logo)})
		if (err == nil) != (c.mediaType != "") {
			t.Errorf("%.20q: %v", c.logo, err)
			continue
		}
		if err == nil {
			if got := serve(p, "GET", p.site.Logo, nil).Header().Get("Content-Type"); got != c.mediaType {
				t.Errorf("%.20q: %s, want %s", c.logo, got, c.mediaType)
			}
		}
	}
}
