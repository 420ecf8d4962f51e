"""A Qdrant in memory, as far as the Cat 1.9.2 and its plugins use one: models that take
values of their types alone, and filters as the client's local mode evaluates them."""

from types import ModuleType, SimpleNamespace

from pydantic import BaseModel, ConfigDict, StrictBool, StrictInt, StrictStr


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MatchValue(Model):
    value: StrictBool | StrictInt | StrictStr


class MatchAny(Model):
    any: list[StrictStr] | list[StrictInt]


class FieldCondition(Model):
    key: str
    match: MatchValue | MatchAny


class PayloadField(Model):
    key: str


class IsEmptyCondition(Model):
    is_empty: PayloadField


class Filter(Model):
    must: list["FieldCondition | IsEmptyCondition | Filter"] | None = None
    should: list["FieldCondition | IsEmptyCondition | Filter"] | None = None
    must_not: list["FieldCondition | IsEmptyCondition | Filter"] | None = None


class QuantizationSearchParams(Model):
    ignore: bool
    rescore: bool
    oversampling: float


class SearchParams(Model):
    quantization: QuantizationSearchParams


def models():
    module = ModuleType("qdrant_client.http.models")
    for one in (MatchValue, MatchAny, FieldCondition, PayloadField, IsEmptyCondition, Filter,
                QuantizationSearchParams, SearchParams):
        setattr(module, one.__name__, one)
    return module


def values(payload, path):
    for name in path.split("."):
        if not isinstance(payload, dict) or name not in payload:
            return None
        payload = payload[name]
    return payload if isinstance(payload, list) else [payload]


def fits(condition, payload):
    if isinstance(condition, Filter):
        return (
            all(fits(c, payload) for c in condition.must or [])
            and (not condition.should or any(fits(c, payload) for c in condition.should))
            and not any(fits(c, payload) for c in condition.must_not or [])
        )
    if isinstance(condition, IsEmptyCondition):
        found = values(payload, condition.is_empty.key)
        return not found or all(v is None for v in found)
    wanted = condition.match.any if isinstance(condition.match, MatchAny) else [condition.match.value]
    return any(type(v) is type(w) and v == w for v in values(payload, condition.key) or [] for w in wanted)


class Client:
    def __init__(self):
        self.points = []
        self.broken = False

    def upsert(self, collection_name, points):
        self.points += points

    def query_points(self, collection_name, query, query_filter, limit, score_threshold=None, with_payload=True,
                     with_vectors=True, search_params=None):
        if self.broken:
            raise RuntimeError("the store fails")
        found = [p for p in self.points if query_filter is None or fits(query_filter, p.payload)]
        points = [SimpleNamespace(**vars(p), score=1.0 if p.vector == query else 0.8) for p in found]
        points = [p for p in points if score_threshold is None or p.score >= score_threshold]
        return SimpleNamespace(points=sorted(points, key=lambda p: -p.score)[:limit])
