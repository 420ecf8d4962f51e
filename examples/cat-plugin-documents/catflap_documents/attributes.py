"""The groups of a person, as Catflap has signed them for the Cat.

The rule: no valid token, no groups. A token is Catflap's own, about this very person,
and short-lived; it comes in a header of each HTTP request and under a key of each
message. A hook is not given the request, so that a listener keeps the header for it. The
Cat may read a large upload for longer than a token lasts: what counts is whether it was
valid when the request came.
"""

import json
import threading
import time
import urllib.request
from contextvars import ContextVar

import jwt
from cat.log import log

HEADER = b"x-catflap-attributes"
KEY = "catflap_attributes"
AUDIENCE = "cheshire-cat"
TYPE = "catflap-attributes+jwt"

MOST = 64 << 10  # bytes of a set of keys
FRESH = 300  # seconds for which a set is not asked for again
PAUSE = 10  # seconds between two attempts
LEEWAY = 5  # seconds by which the clocks may differ

sent = ContextVar("catflap_attributes", default=None)  # the token of a request, and when it came


class Listener:
    """Keeps the header of a request for the hooks that run for it."""

    def __init__(self, inner):
        self.inner = getattr(inner, "inner_of_catflap", inner)  # the plugin was loaded before
        self.inner_of_catflap = self.inner

    async def __call__(self, scope, receive, send):
        values = [v for n, v in scope.get("headers", []) if n.lower() == HEADER] if scope["type"] == "http" else []
        before = sent.set((values[0].decode("latin-1"), time.time()) if len(values) == 1 else None)
        try:
            await self.inner(scope, receive, send)
        finally:
            sent.reset(before)


class Keys:
    """The public keys of Catflap, fetched when they are needed."""

    def __init__(self):
        self.lock = threading.Lock()
        self.url, self.keys, self.asked, self.got = "", {}, 0.0, 0.0

    def find(self, url, kid):
        with self.lock:
            now = time.monotonic()
            if url != self.url:
                self.url, self.keys, self.asked, self.got = url, {}, 0.0, 0.0
            old = kid not in self.keys or now - self.got > FRESH
            if old and (not self.asked or now - self.asked > PAUSE):
                self.asked = now
                self.fetch()
            return self.keys.get(kid)

    def fetch(self):
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                text = answer.read(MOST + 1)
            if len(text) > MOST:
                raise ValueError("the set of keys is too large")
            self.keys = {
                k["kid"]: jwt.PyJWK(k, "EdDSA").key for k in json.loads(text)["keys"] if k.get("kty") == "OKP"
            }
            self.got = time.monotonic()
        except Exception as e:  # the keys that are there stay
            log.error(f"Catflap's keys can't be fetched from {self.url}: {e}")


keys = Keys()


def groups_of(cat, settings):
    """The groups that the person has verifiably; without a valid token none."""
    message = getattr(cat.working_memory, "user_message_json", None)
    token, came = sent.get() or (getattr(message, KEY, None), time.time())
    if not token or not isinstance(token, str) or not settings.jwks_url:
        return []
    try:
        return verified(token, came, cat.user_id, settings)
    except Exception as e:
        log.warning(f"attributes that do not count: {e}")
        return []


def verified(token, came, user_id, settings):
    header = jwt.get_unverified_header(token)
    if header.get("typ") != TYPE:
        raise ValueError("a token of another type")
    key = keys.find(settings.jwks_url, header.get("kid"))
    if key is None:
        raise ValueError("signed with a key that Catflap does not publish")
    claims = jwt.decode(
        token, key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=settings.issuer or None, leeway=LEEWAY,
        options={"require": ["exp", "aud", "sub"], "verify_exp": False},
    )
    if not isinstance(claims["exp"], (int, float)) or claims["exp"] + LEEWAY < came:
        raise ValueError("a token that had expired")
    if claims["sub"] != user_id:
        raise ValueError("the token of another person")
    groups = claims.get("groups", [])
    if not isinstance(groups, list):
        raise ValueError("groups that are no list")
    return [g for g in groups if isinstance(g, str) and g]
