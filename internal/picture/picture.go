// Package picture knows the pictures that our own pages may show.
//
// The rule it guards: the type of a picture is said by its content alone, and by one
// reader for all who ask. The browser is told not to guess, so that a type which is
// wrong shows nothing, and a file that is no picture is never served.
package picture

import (
	"bytes"
	"encoding/xml"
	"io"
)

const (
	// MaxBytes bounds a picture.
	MaxBytes = 256 << 10
	// Kinds names the kinds that are known, for people.
	Kinds = "PNG, JPEG, GIF, WebP or SVG"
	// SVG is the media type of a drawing, which is a document.
	SVG = "image/svg+xml"
)

// Type returns the media type, or "" for what is no picture of a known kind. It knows
// pictures by their first bytes, and SVG by its outermost element.
func Type(b []byte) string {
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
		return SVG
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
