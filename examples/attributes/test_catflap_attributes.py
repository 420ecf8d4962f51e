"""The helper believes what Catflap has signed, about this person and now, and nothing else."""

import asyncio
import base64
import contextvars
import importlib
import json
import sys
import time
import types

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

OURS, OTHERS = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


class State:
    pass


class App:
    """FastAPI, as far as the helper knows it."""

    def __init__(self):
        self.state, self.middleware_stack = State(), self.answer
        self.seen = []

    async def answer(self, scope, receive, send):
        # A hook runs in a thread, with a copy of the context, also behind the answer.
        self.seen.append(await asyncio.to_thread(self.hook))


class Stray:
    def __init__(self, user_id, message=None):
        self.user_id = user_id
        self.working_memory = types.SimpleNamespace(user_message_json=types.SimpleNamespace(model_extra=message or {}))


@pytest.fixture
def cat(monkeypatch, tmp_path):
    """The Cat's modules, and the helper as the Cat loads it."""
    public = base64.urlsafe_b64encode(OURS.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).rstrip(b"=").decode()
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "one", "use": "sig", "alg": "EdDSA", "x": public}]}))
    monkeypatch.setenv("CATFLAP_JWKS", jwks.as_uri())
    app, lines = App(), []
    modules = {
        "cat": {}, "cat.looking_glass": {}, "cat.mad_hatter": {},
        "cat.log": {"log": types.SimpleNamespace(error=lines.append)},
        "cat.looking_glass.cheshire_cat": {"CheshireCat": lambda: types.SimpleNamespace(fastapi_app=app)},
        "cat.mad_hatter.decorators": {"hook": lambda **_: lambda f: f},
    }
    for name, members in modules.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.syspath_prepend(__file__.rpartition("/")[0])
    sys.modules.pop("catflap_attributes", None)
    helper = importlib.import_module("catflap_attributes")
    helper.after_cat_bootstrap(types.SimpleNamespace(fastapi_app=app))
    return types.SimpleNamespace(helper=helper, app=app, lines=lines)


def signed(key=OURS, typ="catflap-attributes+jwt", alg="EdDSA", kid="one", **claims):
    now = int(time.time())
    all = {"iss": "catflap", "aud": "cheshire-cat", "sub": "staff:alice", "iat": now, "exp": now + 120, "groups": ["/a"], **claims}
    return jwt.encode({k: v for k, v in all.items() if v is not None}, key, alg, headers={"typ": typ, "kid": kid})


def over_http(cat, *tokens, user_id="staff:alice", kind="http"):
    cat.app.hook = lambda: cat.helper.attributes(Stray(user_id))
    headers = [(b"x-catflap-attributes", t.encode()) for t in tokens]
    asyncio.run(cat.app.middleware_stack({"type": kind, "headers": headers}, None, None))
    return cat.app.seen.pop()


def in_message(cat, token, user_id="staff:alice"):
    def turn():
        stray = Stray(user_id, {"catflap_attributes": token, "more": 1})
        cat.helper.fast_reply({}, stray)
        return cat.helper.attributes(stray), stray.working_memory.user_message_json.model_extra

    return contextvars.copy_context().run(turn)


def test_header_and_message(cat):
    assert over_http(cat, signed())["groups"] == ["/a"]
    found, left = in_message(cat, signed())
    assert found["groups"] == ["/a"] and left == {"more": 1}


def test_nothing_is_kept_for_the_next(cat):
    over_http(cat, signed())
    in_message(cat, signed())
    assert over_http(cat) == {} and cat.helper.attributes(Stray("staff:alice")) == {}
    assert in_message(cat, None)[0] == {} and cat.lines == []


def test_an_upload_that_takes_long(cat, monkeypatch):
    token, now = signed(), time.time()
    cat.app.hook = lambda: monkeypatch.setattr(cat.helper.time, "time", lambda: now + 3600) or cat.helper.attributes(Stray("staff:alice"))
    asyncio.run(cat.app.middleware_stack({"type": "http", "headers": [(b"x-catflap-attributes", token.encode())]}, None, None))
    assert cat.app.seen.pop()["sub"] == "staff:alice"


def test_two_plugins_with_the_file(cat):
    before = cat.app.middleware_stack
    sys.modules.pop("catflap_attributes")
    other = importlib.import_module("catflap_attributes")
    other.after_cat_bootstrap(types.SimpleNamespace(fastapi_app=cat.app))
    assert cat.app.middleware_stack is before
    cat.app.hook = lambda: other.attributes(Stray("staff:alice"))
    asyncio.run(cat.app.middleware_stack({"type": "http", "headers": [(b"x-catflap-attributes", signed().encode())]}, None, None))
    assert cat.app.seen.pop()["sub"] == "staff:alice"


NOT_BELIEVED = {
    "another key": lambda: signed(OTHERS),
    "another person": lambda: signed(sub="staff:bob"),
    "expired": lambda: signed(exp=int(time.time()) - 60),
    "of the future": lambda: signed(iat=int(time.time()) + 600),
    "for others": lambda: signed(aud="catflap"),
    "for nobody": lambda: signed(aud=None),
    "without an end": lambda: signed(exp=None),
    "about nobody": lambda: signed(sub=None),
    "another type": lambda: signed(typ="at+jwt"),
    "no algorithm": lambda: jwt.encode({"sub": "staff:alice"}, None, "none", headers={"kid": "one", "typ": "catflap-attributes+jwt"}),
    "the public key as a secret": lambda: jwt.encode(
        {"sub": "staff:alice", "aud": "cheshire-cat", "iat": 0, "exp": 9999999999}, OURS.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), "HS256",
        headers={"kid": "one", "typ": "catflap-attributes+jwt"}),
    "an unknown key": lambda: signed(kid="two"),
    "no token": lambda: "nonsense",
    "empty": lambda: "",
}


@pytest.mark.parametrize("token", NOT_BELIEVED.values(), ids=NOT_BELIEVED.keys())
def test_not_believed(cat, token):
    assert over_http(cat, token()) == {}
    assert in_message(cat, token())[0] == {}
    assert cat.lines and all("eyJ" not in line for line in cat.lines)


def test_two_headers_are_none(cat):
    assert over_http(cat, signed(), signed()) == {}


def test_a_handshake_tells_nothing(cat):
    assert over_http(cat, signed(), kind="websocket") == {}


def test_no_text(cat):
    for token in (1, {}, [signed()], None):
        assert in_message(cat, token)[0] == {}
