package config

import (
	"errors"

	"github.com/catflap/catflap/config/value"
	"github.com/catflap/catflap/internal/picture"
)

// Pages is how the few pages of Catflap's own look: choosing where to sign in,
// signed out, refused, and something went wrong.
type Pages struct {
	// The name that people read on them, at most 60 letters.
	Title string `yaml:"title" default:"Catflap"`
	// A picture above the title: PNG, JPEG, GIF, WebP or SVG, at most 256KiB.
	LogoFile value.Path `yaml:"logo_file" example:"logo.svg"`
	// Origins whose pictures the Cat's admin panel may show, such as the thumbnails of
	// plugins. Somebody who can have the panel show a picture can tell such a host what
	// stands there.
	PanelImages []string `yaml:"panel_images" example:"[\"https://raw.githubusercontent.com\"]"`
	// Where people go who sign in without coming from a page: the path of one, such as
	// /static/chat.html, or a whole address of one of origins. Name your chat page here.
	// The default is our own small page, which says who is signed in, leads
	// administrators to the Cat's panel, and signs out.
	Home string `yaml:"home" default:"/_catflap/home"`
}

// Logo reads the picture. Without one it returns nothing.
func (p *Pages) Logo() ([]byte, error) {
	if p.LogoFile == "" {
		return nil, nil
	}
	content, err := value.ReadFile(string(p.LogoFile), picture.MaxBytes)
	if err != nil {
		return nil, err
	}
	if picture.Type(content) == "" {
		return nil, errors.New(string(p.LogoFile) + " is no " + picture.Kinds)
	}
	return content, nil
}
