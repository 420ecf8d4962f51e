package oidc

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"github.com/catflap/catflap/authhandlers"
	"github.com/catflap/catflap/authhandlers/jwt"
)

// grant is what the token endpoint gave.
type grant struct {
	access, refresh, id string
	lasts               time.Duration // 0: it does not say
}

// exchange spends a code (RFC 6749 §4.1.3, RFC 7636 §4.5). x/oauth2 reads at most 1 MiB.
func (h *handler) exchange(ctx context.Context, m *metadata, a authhandlers.LoginAttempt, code string) (*grant, error) {
	ctx, cancel := h.asking(ctx)
	defer cancel()
	t, err := h.oauth(m, a.RedirectURI).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if r, ok := refused(err); ok && r.ends() {
		return nil, failed("the provider does not take the code: %s", jwt.Quote(r.code))
	}
	if err != nil {
		return nil, fault("the code can't be exchanged", err)
	}
	return read(t)
}

// renew spends a refresh token (RFC 6749 §6).
func (h *handler) renew(ctx context.Context, m *metadata, refreshToken string) (*grant, error) {
	ctx, cancel := h.asking(ctx)
	defer cancel()
	t, err := h.oauth(m, "").TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
	if r, ok := refused(err); ok && r.ends() {
		return nil, ended("the provider does not renew it: %s", jwt.Quote(r.code))
	}
	if err != nil {
		return nil, fault("the login can't be renewed", err)
	}
	return read(t)
}

// asking is ctx with our client, and no longer than the provider may take.
func (h *handler) asking(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, h.client), patience)
}

// read takes the tokens. The time that x/oauth2 computes is not by our clock.
func read(t *oauth2.Token) (*grant, error) {
	g := &grant{access: t.AccessToken, refresh: t.RefreshToken}
	if id := t.Extra("id_token"); id != nil {
		var ok bool
		if g.id, ok = id.(string); !ok {
			return nil, errors.New("the provider sent an id_token that is no text")
		}
	}
	if t.ExpiresIn > 0 {
		g.lasts = time.Duration(min(t.ExpiresIn, 1<<31)) * time.Second
	}
	return g, nil
}

func ended(format string, args ...any) error {
	return reject(authhandlers.CodeLoginEnded, "the sign-in has ended; sign in again", format, args...)
}
