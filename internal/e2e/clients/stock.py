"""Drives the Cat's Python client, unmodified, and prints what it met as JSON.

The plan comes on standard input, as in stock.mjs: settings, calls, text.
"""

import json
import queue
import sys

from cheshire_cat_api import CatClient, Config
from cheshire_cat_api.exceptions import ApiException

CALLS = {
    "home": lambda c: c.status.home_without_preload_content(),
    "history": lambda c: c.memory.get_conversation_history_without_preload_content(),
    "plugins": lambda c: c.plugins.get_available_plugins_without_preload_content(),
    "collections": lambda c: c.memory.get_collections_without_preload_content(),
    "recall": lambda c: c.memory.recall_memories_from_text_without_preload_content("tea"),
}


def call(client, name):
    try:
        answer = CALLS[name](client)
        body = answer.data
        status = answer.status
    except ApiException as refused:
        body, status = refused.body, refused.status
    try:
        body = json.loads(body)
    except (TypeError, ValueError):
        body = None
    return {"ok": status == 200, "status": status, "body": body}


def chat(plan):
    heard = queue.Queue()
    client = CatClient(
        Config(**plan["settings"]),
        on_open=lambda: client.send(plan["text"]),
        on_message=lambda message: heard.put({"reply": json.loads(message)}),
        on_error=lambda error: heard.put({"error": str(error)}),
    )
    client.connect_ws()
    try:
        while True:
            said = heard.get(timeout=8)
            if "error" in said or said["reply"].get("type") == "chat":
                return said
    except queue.Empty:
        return {"error": "nothing heard"}
    finally:
        client.close()


def main():
    plan = json.load(sys.stdin)
    client = CatClient(Config(**plan["settings"]))
    result = {"calls": {name: call(client, name) for name in plan.get("calls", [])}, "ws": None}
    if plan.get("text"):
        result["ws"] = chat(plan)
    print(json.dumps(result))


main()
