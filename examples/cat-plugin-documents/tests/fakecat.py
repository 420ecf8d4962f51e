"""A Cat that behaves as the Cat 1.9.2 where the plugin meets it: how hooks are called, and
go on when one fails (mad_hatter.py), how documents are stored (rabbit_hole.py), how they
are recalled (stray_cat.py, vector_memory_collection.py)."""

import importlib
import logging
import sys
import time
import uuid
from copy import deepcopy
from inspect import getmembers
from types import ModuleType, SimpleNamespace

import qdrant

log = logging.getLogger("cat")


class Document:
    def __init__(self, page_content, metadata=None):
        self.page_content, self.metadata = page_content, metadata if metadata is not None else {}


class CatHook:
    def __init__(self, name, function, priority):
        self.name, self.function, self.priority = name, function, priority


class Decorated:
    def __init__(self, function):
        self.name, self.function = function.__name__, function


def hook(*args, priority=1):
    def named(name):
        return lambda function: CatHook(name, function, priority)

    if len(args) == 1 and isinstance(args[0], str):
        return named(args[0])
    if len(args) == 1:
        return named(args[0].__name__)(args[0])
    return lambda function: named(function.__name__)(function)


def module(name, **members):
    made = ModuleType(name)
    vars(made).update(members)
    sys.modules[name] = made


class CheshireCat:
    """The one Cat; the plugin's helper asks for it by its class."""

    one = None

    def __new__(cls):
        return cls.one


def install():
    """Puts the modules there that a plugin imports."""
    module("cat")
    module("cat.log", log=log)
    module("cat.mad_hatter")
    module("cat.mad_hatter.decorators", hook=hook, plugin=Decorated,
           endpoint=SimpleNamespace(get=lambda path: lambda function: SimpleNamespace(path=path, function=function)))
    module("cat.looking_glass")
    module("cat.looking_glass.cheshire_cat", CheshireCat=CheshireCat)
    module("qdrant_client")
    module("qdrant_client.http", models=qdrant.models())
    module("langchain")
    module("langchain.docstore")
    module("langchain.docstore.document", Document=Document)


class Plugin:
    def __init__(self, package, files):
        self.settings, self.hooks = {}, []
        for file in files:
            loaded = importlib.import_module(f"{package}.{file}")
            self.hooks += [m for _, m in getmembers(loaded) if isinstance(m, CatHook)]

    def load_settings(self):
        return self.settings


class MadHatter:
    def __init__(self, plugin):
        self.plugin, self.hooks = plugin, list(plugin.hooks)

    def get_plugin(self):
        return self.plugin

    def execute_hook(self, name, *args, cat):
        called = sorted([h for h in self.hooks if h.name == name], key=lambda h: h.priority, reverse=True)
        if not args:
            for one in called:
                try:
                    one.function(cat=cat)
                except Exception as e:
                    log.error(f"Error in plugin {one.name}: {e}")
            return None
        tea_cup = deepcopy(args[0])
        for one in called:
            try:
                tea_spoon = one.function(deepcopy(tea_cup), *deepcopy(args[1:]), cat=cat)
                if tea_spoon is not None:
                    tea_cup = tea_spoon
            except Exception as e:
                log.error(f"Error in plugin {one.name}: {e}")
        return tea_cup


class Collection:
    def __init__(self):
        self.client, self.collection_name = qdrant.Client(), "declarative"

    def _qdrant_filter_from_dict(self, filter):
        if not filter or len(filter) < 1:
            return None
        return qdrant.Filter(must=[c for k, v in filter.items() for c in self._build_condition(k, v)])

    def _build_condition(self, key, value):
        out = []
        if isinstance(value, dict):
            for _key, value in value.items():
                out.extend(self._build_condition(f"{key}.{_key}", value))
        elif isinstance(value, list):
            for _value in value:
                if isinstance(_value, dict):
                    out.extend(self._build_condition(f"{key}[]", _value))
                else:
                    out.extend(self._build_condition(f"{key}", _value))
        else:
            match = qdrant.MatchValue(value=value)
            out.append(qdrant.FieldCondition(key=f"metadata.{key}", match=match))
        return out

    def add_point(self, content, vector, metadata):
        payload = {"page_content": content, "metadata": metadata}
        self.client.upsert(self.collection_name, [SimpleNamespace(id=uuid.uuid4().hex, payload=payload, vector=vector)])

    def recall_memories_from_embedding(self, embedding, metadata=None, k=5, threshold=None):
        points = self.client.query_points(
            self.collection_name, embedding, self._qdrant_filter_from_dict(metadata), k, threshold
        ).points
        return [(Document(p.payload["page_content"], p.payload["metadata"]), p.score, p.vector, p.id) for p in points]


class StrayCat:
    """One person at the Cat: made for each request, and for each socket."""

    def __init__(self, one, user_id, message=None):
        self.user_id, self.mad_hatter, self.memory = user_id, one.mad_hatter, one.memory
        said = SimpleNamespace(model_extra=dict(message or {}))
        self.working_memory = SimpleNamespace(user_message_json=said, declarative_memories=[])
        self.told = []

    def send_ws_message(self, content, msg_type="notification"):
        self.told.append((msg_type, content))

    def recall(self, query):
        self.mad_hatter.execute_hook("fast_reply", {}, cat=self)
        config = {"embedding": [float(len(query))], "k": 3, "threshold": 0.7, "metadata": {}}
        config = self.mad_hatter.execute_hook("before_cat_recalls_declarative_memories", config, cat=self)
        memories = self.memory.vectors.declarative.recall_memories_from_embedding(**config)
        self.working_memory.declarative_memories = memories
        self.mad_hatter.execute_hook("after_cat_recalls_memories", cat=self)
        return sorted(m[0].metadata["source"] for m in self.working_memory.declarative_memories)


class Cat:
    def __init__(self, plugin):
        self.mad_hatter = MadHatter(plugin)
        self.memory = SimpleNamespace(vectors=SimpleNamespace(declarative=Collection()))
        self.fastapi_app = SimpleNamespace(state=SimpleNamespace(), middleware_stack=self.serve)
        self.work = None
        CheshireCat.one = self
        self.mad_hatter.execute_hook("after_cat_bootstrap", cat=self)

    async def serve(self, scope, receive, send):
        """The application itself: whatever a test wants to be done by a request."""
        self.work()

    def stray(self, user_id, message=None):
        return StrayCat(self, user_id, message)

    @property
    def points(self):
        return self.memory.vectors.declarative.client.points

    def store(self, cat, source, texts, metadata=None):
        """RabbitHole.store_documents."""
        docs = [Document(t) for t in texts]
        docs = self.mad_hatter.execute_hook("before_rabbithole_stores_documents", docs, cat=cat)
        stored = []
        for doc in docs:
            doc.metadata["source"] = source
            doc.metadata["when"] = time.time()
            for k, v in (metadata or {}).items():
                doc.metadata[k] = v
            doc = self.mad_hatter.execute_hook("before_rabbithole_insert_memory", doc, cat=cat)
            if doc.page_content != "":
                vector = [float(len(doc.page_content))]
                self.memory.vectors.declarative.add_point(doc.page_content, vector, doc.metadata)
                stored.append(doc.metadata)
        self.mad_hatter.execute_hook("after_rabbithole_stored_documents", source, [], cat=cat)
        return stored
