"""Who somebody is, as Catflap has signed it. For the folder of a Cat v1 plugin; see docs/attributes.md."""

import os
import time
from contextvars import ContextVar

import jwt  # PyJWT with cryptography: the Cat has both

from cat.log import log
from cat.looking_glass.cheshire_cat import CheshireCat
from cat.mad_hatter.decorators import hook

HEADER, KEY = b"x-catflap-attributes", "catflap_attributes"
keys = jwt.PyJWKClient(os.environ.get("CATFLAP_JWKS", "http://127.0.0.1:9090/.well-known/jwks.json"), timeout=5)


def attributes(cat):
    """The verified attributes of the person for whom the Cat works; {} if nothing is known."""
    token, came = remembered().get()
    if token is None:
        return {}
    try:
        if jwt.get_unverified_header(token).get("typ") != "catflap-attributes+jwt":
            raise jwt.InvalidTokenError("another kind of token")
        claims = jwt.decode(
            token, keys.get_signing_key_from_jwt(token).key, algorithms=["EdDSA"], audience="cheshire-cat",
            leeway=5 + time.time() - came,  # it was good when it came: an upload may take long
            options={"require": ["exp", "iat", "sub", "aud"]})
        if claims["sub"] != cat.user_id:
            raise jwt.InvalidTokenError("it is another person's")
        return claims
    except Exception as e:  # nothing known is nothing granted
        log.error(f"catflap attributes: {type(e).__name__}: {e}")
        return {}


told = ContextVar(KEY, default=(None, 0))


def remembered():
    """The one place for all plugins that have this file."""
    return getattr(CheshireCat().fastapi_app.state, KEY, told)


class Remember:
    """Stands before the Cat's application, and remembers the header for all that a request sets off."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        found = [value.decode("latin-1") for name, value in scope.get("headers", []) if name == HEADER]
        told.set((found[0] if scope["type"] == "http" and len(found) == 1 else None, time.time()))
        await self.app(scope, receive, send)


@hook(priority=1000)
def after_cat_bootstrap(cat):
    app = cat.fastapi_app
    if not hasattr(app.state, KEY):  # once, whichever plugins have this file
        setattr(app.state, KEY, told)
        app.middleware_stack = Remember(app.middleware_stack)


@hook(priority=1000)
def fast_reply(reply, cat):
    token = cat.working_memory.user_message_json.model_extra.pop(KEY, None)  # out of the history
    if isinstance(token, str):
        remembered().set((token, time.time()))
