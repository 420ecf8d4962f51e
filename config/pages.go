package config

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	"github.com/catflap/catflap/config/value"
)

// Pages is how the few pages of Catflap's own look: choosing where to sign in,
// signed out, refused, and something went wrong.
type Pages struct {
	// The name that people read on them, at most 60 letters.
	Title string `yaml:"title" default:"Catflap"`
	// A picture above the title: PNG, JPEG, GIF, WebP or SVG, at most 256KiB.
	LogoFile value.Path `yaml:"logo_file" example:"logo.svg"`
	// Origins whose pictures the Cat's admin panel may show, such as the thumbnails of
	// plugins. Whoever can have the panel show a picture can tell such a host what
	// stands there.
	PanelImages []string `yaml:"panel_images" example:"[\"https://raw.githubusercontent.com\"]"`
	// Where people go who sign in without coming from a page: the path of one, such as
	// /static/chat.html, or a whole address of one of origins. Name your chat page here.
	// The default is our own small page, which says who is signed in, leads
	// administrators to the Cat's panel, and signs out.
	Home string `yaml:"home" default:"/_catflap/home"`
}

// MaxLogoBytes bounds the file of a logo.
const MaxLogoBytes = 256 << 10

// Logo reads the picture and says which media type it is, by its content alone:
// the browser is told not to guess. Without a logo it returns nothing.
func (p *Pages) Logo() (content []byte, mediaType string, err error) {
	if p.LogoFile == "" {
		return nil, "", nil
	}
	if content, err = value.ReadFile(string(p.LogoFile), MaxLogoBytes); err != nil {
		return nil, "", err
	}
	if mediaType = pictureType(content); mediaType == "" {
		return nil, "", errors.New(string(p.LogoFile) + " is no PNG, JPEG, GIF, WebP or SVG")
	}
	return content, mediaType, nil
}

// pictureType knows pictures by their first bytes, and SVG by its outermost element.
func pictureType(b []byte) string {
	begins := func(s string) bool { return bytes.HasPrefix(b, []byte(s)) }
	switch {
	case begins("\x89PNG\r\n\x1a\n"):
		return "image/png"
	case begins("\xff\xd8\xff"):
		return "image/jpeg"
	case begins("GIF87a"), begins("GIF89a"):
		return "image/gif"
	case begins("RIFF") && len(b) >= 12 && string(b[8:12]) == "WEBP":
		return "image/webp"
	case svg(b):
		return "image/svg+xml"
	}
	return ""
}

func svg(b []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // names of elements are ASCII anyhow
	for {
		t, err := d.Token()
		if err != nil {
			return false
		}
		if e, ok := t.(xml.StartElement); ok {
			return e.Name == xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}
		}
	}
}
