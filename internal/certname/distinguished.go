package certname

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
)

// attribute is one of a name, its value as it is in the certificate.
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// relativeSET is a set of attributes; package asn1 goes by the end of its name.
type relativeSET []attribute

// short is the name of an attribute that has one (RFC 4514 §3), or "".
func short(id asn1.ObjectIdentifier) string {
	switch id.String() {
	case "2.5.4.3":
		return "CN"
	case "2.5.4.6":
		return "C"
	case "2.5.4.7":
		return "L"
	case "2.5.4.8":
		return "ST"
	case "2.5.4.9":
		return "STREET"
	case "2.5.4.10":
		return "O"
	case "2.5.4.11":
		return "OU"
	case "0.9.2342.19200300.100.1.1":
		return "UID"
	case "0.9.2342.19200300.100.1.25":
		return "DC"
	}
	return ""
}

// Units are the organizational units (OU) of the certificate's subject.
func Units(c *x509.Certificate) ([]string, error) { return values(c, "OU") }

// values are those of one attribute of the subject, by its short name.
func values(c *x509.Certificate, of string) ([]string, error) {
	name, err := parse(c.RawSubject)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, set := range name {
		for _, a := range set {
			if short(a.Type) != of {
				continue
			}
			text, ok := a.text()
			if !ok {
				return nil, ErrForm
			}
			found = append(found, text)
		}
	}
	return found, nil
}

func parse(raw []byte) ([]relativeSET, error) {
	var name []relativeSET
	if rest, err := asn1.Unmarshal(raw, &name); err != nil || len(rest) > 0 {
		return nil, ErrForm
	}
	return name, nil
}

// distinguished writes a name as RFC 4514 §2 does: the last part first.
func distinguished(raw []byte) ([]string, error) {
	name, err := parse(raw)
	if err != nil || len(name) == 0 {
		return nil, err
	}
	var parts []string
	for _, set := range slices.Backward(name) {
		var all []string
		for _, a := range set {
			all = append(all, a.String())
		}
		parts = append(parts, strings.Join(all, "+"))
	}
	return []string{strings.Join(parts, ",")}, nil
}

// String writes one attribute. Its value is its text where the attribute has a name of
// its own, and all octets of it otherwise, so that two of them never look alike.
func (a attribute) String() string {
	name := short(a.Type)
	text, ok := a.text()
	if name == "" || !ok {
		return a.Type.String() + "=#" + hex.EncodeToString(a.Value.FullBytes)
	}
	return name + "=" + escape(text)
}

// text is the value, if it is of one of the types that are texts everywhere.
func (a attribute) text() (string, bool) {
	switch a.Value.Tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString:
		return string(a.Value.Bytes), a.Value.Class == asn1.ClassUniversal && readable(a.Value.Bytes)
	}
	return "", false
}

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c == 0:
			b.WriteString(`\00`)
			continue
		case strings.IndexByte(`"+,;<>\`, c) >= 0, c == '#' && i == 0, c == ' ' && (i == 0 || i == len(s)-1):
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}
