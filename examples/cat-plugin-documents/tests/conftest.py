import asyncio
import json
import sys
import threading
import time
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
sys.dont_write_bytecode = True

import fakecat  # noqa: E402

fakecat.install()


class Signer:
    """Catflap, as far as it signs attributes and publishes its keys."""

    def __init__(self):
        self.key = Ed25519PrivateKey.generate()
        x = urlsafe_b64encode(self.key.public_key().public_bytes_raw()).rstrip(b"=").decode()
        answer = json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "one", "use": "sig", "alg": "EdDSA"}]})

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/.well-known/jwks.json"

    def token(self, user_id, groups, key=None, typ="catflap-attributes+jwt", **claims):
        now = int(time.time())
        claims = {"iss": "catflap", "aud": "cheshire-cat", "sub": user_id, "groups": groups, "iat": now, "exp": now + 60} | claims
        return jwt.encode(claims, key or self.key, "EdDSA", headers={"typ": typ, "kid": "one"})


@pytest.fixture(scope="session")
def signer():
    one = Signer()
    yield one
    one.server.shutdown()


@pytest.fixture
def cat(signer, monkeypatch):
    monkeypatch.setenv("CATFLAP_JWKS", signer.url)
    for name in [n for n in sys.modules if n.startswith("catflap_documents")]:
        monkeypatch.delitem(sys.modules, name)
    files = [f.stem for f in (Path(__file__).parent.parent / "catflap_documents").glob("*.py")]
    return fakecat.Cat(fakecat.Plugin("catflap_documents", files))


@pytest.fixture
def request_with(cat):
    """Does some work within a request that carries a header, or several."""

    def run(work, *headers):
        result = []
        cat.work = lambda: result.append(work())
        scope = {"type": "http", "headers": [(b"x-catflap-attributes", h.encode()) for h in headers]}
        asyncio.run(cat.fastapi_app.middleware_stack(scope, None, None))
        return result[0]

    return run
