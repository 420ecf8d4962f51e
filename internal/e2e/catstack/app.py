"""The Cat's own server stack with the Cat's own routes, and nothing behind them.

Run it with the versions that the Cat 1.9.2 pins (uvicorn 0.20 with httptools,
FastAPI 0.115, Starlette 0.45). For each request it writes one line of JSON to
standard output: what arrived, byte for byte, and the route that the server took.
So a test can ask what the Cat would have done with bytes that a proxy let
through, instead of believing that it knows.

    python app.py PORT    (0 picks a free one; the first line says which)
"""

import json
import socket
import sys
from urllib.parse import parse_qs

import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, Response

# The routes in the order in which the Cat adds them: where two fit, the first wins.
ROUTES = """
GET /
POST /message
GET /auth/available-permissions
POST /auth/token
GET /auth/login
POST /auth/login
GET /users/
POST /users/
GET /users/{user_id}
PUT /users/{user_id}
DELETE /users/{user_id}
GET /settings/
POST /settings/
GET /settings/{setting_id}
PUT /settings/{setting_id}
DELETE /settings/{setting_id}
GET /llm/settings
GET /llm/settings/{name}
PUT /llm/settings/{name}
GET /embedder/settings
GET /embedder/settings/{name}
PUT /embedder/settings/{name}
GET /plugins/
POST /plugins/upload
POST /plugins/upload/registry
PUT /plugins/toggle/{plugin_id}
GET /plugins/settings
GET /plugins/settings/{plugin_id}
PUT /plugins/settings/{plugin_id}
GET /plugins/{plugin_id}
DELETE /plugins/{plugin_id}
GET /memory/recall
POST /memory/recall
GET /memory/collections
DELETE /memory/collections
DELETE /memory/collections/{collection_id}
GET /memory/collections/{collection_id}/points
POST /memory/collections/{collection_id}/points
PUT /memory/collections/{collection_id}/points/{point_id}
DELETE /memory/collections/{collection_id}/points/{point_id}
DELETE /memory/collections/{collection_id}/points
GET /memory/conversation_history
DELETE /memory/conversation_history
POST /rabbithole/
POST /rabbithole/batch
POST /rabbithole/web
POST /rabbithole/memory
GET /rabbithole/allowed-mimetypes
GET /auth_handler/settings
GET /auth_handler/settings/{name}
PUT /auth_handler/settings/{name}
GET /admin/
GET /admin/{page}
GET /admin/{page}/
"""


class Files:
    """A mount: it takes every path below it, whatever is there."""

    def __init__(self, name):
        self.name = name

    async def __call__(self, scope, receive, send):
        if scope["method"] not in ("GET", "HEAD"):
            await JSONResponse({"detail": "Method Not Allowed"}, 405)(scope, receive, send)
            return
        scope["mount"] = self.name
        await JSONResponse({"mount": self.name})(scope, receive, send)


class Recorder:
    """Writes what arrived and where it went, around everything else."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        status = 0

        async def watch(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            record(scope, status)


def record(scope, status):
    query = scope["query_string"].decode("latin-1")
    headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
    print(
        json.dumps(
            {
                "n": (parse_qs(query).get("n") or [""])[-1],
                "type": scope["type"],
                "method": scope.get("method", "WS"),
                "raw_path": scope.get("raw_path", b"").decode("latin-1"),
                "path": scope["path"],
                "query": query,
                "route": taken(scope, status),
                "status": status,
                "headers": headers,
            }
        ),
        flush=True,
    )


def taken(scope, status):
    """Names the route that served the request, or says why none did."""
    if status in (307, 405):
        return {307: "redirect", 405: "method not allowed"}[status]
    if "mount" in scope:
        return f"{scope['method']} {scope['mount']}/**"
    route = scope.get("route")
    if route is not None:
        return f"{scope.get('method', 'WS')} {route.path}"
    return "none"


async def passed_on(status: int):
    """A plugin's endpoint that passes on another server's answer, with a body where
    there must be none. The body is what an answer looks like."""
    planted = b"HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\nanother's history"
    return Response(planted, status, {"content-length": str(len(planted))})


def build():
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    api.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )

    async def answer(request: Request):
        return {"route": f"{request.method} {request.scope['route'].path}"}

    async def chat(websocket: WebSocket):
        await websocket.accept()
        await websocket.close()

    for line in ROUTES.split("\n"):
        if line:
            method, path = line.split(" ")
            api.add_api_route(path, answer, methods=[method], name=line)
    api.add_api_websocket_route("/ws", chat)
    api.add_api_websocket_route("/ws/{user_id}", chat)
    for name in ("/admin", "/static", "/core-static"):
        api.mount(name + "/", Files(name), name=name)
    for path in ("/docs", "/openapi.json"):
        api.add_api_route(path, answer, methods=["GET"])
    api.add_api_route("/custom/passed-on/{status}", passed_on, methods=["GET"])
    return Recorder(api)


def main():
    # The protocol is named, as only then asyncio takes Nagle's delay off.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(sys.argv[1])))
        print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
        config = uvicorn.Config(build(), http="httptools", loop="asyncio", log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])


main()
