"""Keeps declarative memory apart by person, and by group for shared folders.

The Cat goes on when a hook fails, with what it had before: everybody's documents. So no
hook here fails. In doubt nothing is stored, and nothing is recalled.
"""

import time
import uuid
from contextvars import ContextVar
from typing import Literal

from cat.log import log
from cat.mad_hatter.decorators import endpoint, hook, plugin
from pydantic import BaseModel, Field

from . import groups, marks

# The Cat calls the hook with the highest priority first, so the last word has the lowest.
FIRST, LAST = 10**6, -(10**6)

upload = ContextVar("catflap_upload", default=None)  # the document that is being read
recall = ContextVar("catflap_recall", default=None)  # how documents are recalled in this turn


class Settings(BaseModel):
    unmarked: Literal["nobody", "administrators", "everybody"] = Field(
        default="nobody", description="Who sees documents without a mark, such as those from before this plugin."
    )
    administrators: str = Field(default="", description="The group that `administrators` means.")


@plugin
def settings_model():
    return Settings


@endpoint.get("/catflap-documents")
def state():
    """Says that the hooks of this file are there. It holds nobody's data."""
    return {"marks": marks.MARK, "version": 1}


def settings_of(cat):
    return Settings.model_validate(cat.mad_hatter.get_plugin().load_settings())


def rights_of(cat):
    """The person, their groups, and whether they see documents without a mark."""
    user_id, settings = cat.user_id, settings_of(cat)
    if not isinstance(user_id, str) or not user_id:
        raise ValueError("nobody is there")
    verified = groups.groups_of(cat)
    everybody = settings.unmarked == "everybody"
    administrator = settings.unmarked == "administrators" and settings.administrators in verified
    return user_id, verified, everybody or administrator


@hook("before_rabbithole_stores_documents", priority=LAST)
def begin(docs, cat):
    upload.set({"document": uuid.uuid4().hex, "when": time.time(), "of": len(docs), "next": 0, "told": False})
    return docs


@hook("before_rabbithole_insert_memory", priority=LAST)
def mark(doc, cat):
    """Writes the mark over whatever the client's metadata had in its place."""
    try:
        wish = doc.metadata.pop(marks.WISH, None)
        doc.metadata.pop(marks.MARK, None)
        if getattr(cat, "user_id", None) is None:
            if wish is not None:
                raise ValueError("a group's folder is asked for, and nobody is there")
            return doc  # a plugin reads it at the start, for nobody: it stays without a mark
        user_id, verified, _ = rights_of(cat)
        doc.metadata[marks.MARK] = marks.make(user_id, wish, verified, next_chunk(doc))
        return doc
    except marks.Refused as e:
        tell(cat, str(e))
    except Exception as e:
        log.error(f"a document was not stored, since it can't be marked: {e}")
        tell(cat, "This document was not stored. The operator finds the reason in the Cat's log.")
    doc.page_content = ""  # the Cat skips it
    return doc


@hook("after_rabbithole_stored_documents", priority=LAST)
def end(source, stored_points, cat):
    upload.set(None)


def next_chunk(doc):
    """What the chunks of one document have in common, and the number of this one."""
    one = upload.get() or {"document": uuid.uuid4().hex, "when": time.time(), "of": 1, "next": 0}
    chunk = {
        "document": one["document"], "when": one["when"], "chunk": one["next"], "of": one["of"],
        "source": str(doc.metadata.get("source", ""))[:1000],
    }
    if doc.page_content != "":
        one["next"] += 1
    return chunk


def tell(cat, text):
    one = upload.get() or {}
    if one.get("told"):
        return
    one["told"] = True
    try:
        cat.send_ws_message(text, "error")
    except Exception as e:
        log.warning(f"a person could not be told: {e}")


@hook("before_cat_recalls_declarative_memories", priority=LAST)
def narrow(config, cat):
    """Lets the Cat itself find the person's own documents only."""
    recall.set(None)
    wanted = dict(config.get("metadata") or {}) if isinstance(config, dict) else {}
    wanted.pop(marks.MARK, None)
    try:
        sees = rights_of(cat)
        recall.set({**config, "metadata": wanted, "sees": sees})
        return {**config, "metadata": {**wanted, marks.MARK: marks.own(sees[0])}}
    except Exception as e:
        log.error(f"no documents are recalled: {e}")
    return {**config, "metadata": {marks.MARK: marks.nothing()}}


@hook("after_cat_recalls_memories", priority=FIRST)
def widen(cat):
    """Adds what is the person's groups', which the Cat's own filter can't say."""
    now = recall.get()
    if now is None:
        return
    _, verified, unmarked = now["sees"]
    if not verified and not unmarked:
        return
    try:
        cat.working_memory.declarative_memories = found(cat.memory.vectors.declarative, now)
    except Exception as e:  # what is the person's own is there already
        log.error(f"documents of groups are not recalled: {e}")


def found(collection, now):
    """What the Cat's recall_memories_from_embedding does, with a filter of models."""
    condition = marks.visible(*now["sees"])
    if now["metadata"]:
        condition.must = collection._qdrant_filter_from_dict(now["metadata"]).must
    points = collection.client.query_points(
        collection_name=collection.collection_name, query=now["embedding"], query_filter=condition,
        with_payload=True, with_vectors=True, limit=now.get("k", 3), score_threshold=now.get("threshold"),
        search_params=marks.precise(),
    ).points
    return [(as_document(p.payload), p.score, p.vector, p.id) for p in points]


def as_document(payload):
    from langchain.docstore.document import Document

    return Document(page_content=payload.get("page_content"), metadata=payload.get("metadata") or {})


@hook("after_cat_recalls_memories", priority=LAST)
def verify(cat):
    """Leaves out whatever the person may not see, however it came here."""
    now = recall.get()
    recall.set(None)
    try:
        memories = cat.working_memory.declarative_memories
        kept = [] if now is None else [m for m in memories if may_see(now, m)]
        if len(kept) != len(memories):
            log.error(f"{len(memories) - len(kept)} recalled documents were not for {cat.user_id}, and are left out")
        cat.working_memory.declarative_memories = kept
    except Exception as e:
        log.error(f"no documents are recalled: {e}")
        cat.working_memory.declarative_memories = []


def may_see(now, memory):
    return marks.may_see(memory[0].metadata.get(marks.MARK), *now["sees"])
