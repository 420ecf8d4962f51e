// Package page is what Catflap itself shows to people in a browser: choosing how
// to sign in, signing out, being refused, and something having gone wrong.
//
// The rule it guards: nothing that a stranger can choose (a name, an address, a
// text of the provider's) becomes markup, script or a link to anywhere but the
// web, and a page needs nothing but itself: no script at all, one style sheet, one
// logo, both from here, under a Content-Security-Policy that allows no more. What
// can't be shown whole is not shown at all.
package page
