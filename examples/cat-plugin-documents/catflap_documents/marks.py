"""Whose a document is: the mark on each of its chunks, and who may see it.

The rule: a mark is made here of the user id that the Cat believes, and nothing that a
client sends is taken over into it unverified. What a filter compares is a value of a
model, never a piece of text put together.
"""

from qdrant_client.http import models

MARK = "catflap"  # the key of the mark in a chunk's metadata
WISH = "catflap_group"  # the key by which an upload names a group's folder
OWN, GROUP = "own", "group"


class Refused(Exception):
    """An upload that must not be stored. Its text is for the person."""


def make(user_id, wish, groups, document):
    """The mark of a chunk. The wish is what the client asks for: a group's folder."""
    mark = {**document, "owner": user_id, "folder": OWN}
    if wish is None or wish == "":
        return mark
    if not isinstance(wish, str) or wish not in groups:
        raise Refused("This document was not stored: you are not in the group that it was meant for.")
    return {**mark, "folder": GROUP, "group": wish}


def may_see(mark, user_id, groups, unmarked):
    """Whether a person may see a chunk with this mark; None means that it has none."""
    if mark is None:
        return unmarked
    if not isinstance(mark, dict) or not user_id:
        return False
    if mark.get("folder") == OWN:
        return mark.get("owner") == user_id
    return mark.get("folder") == GROUP and isinstance(mark.get("group"), str) and mark["group"] in groups


def own(user_id):
    """The Cat's own form of a filter: the person's documents, and no group's."""
    return {"owner": user_id, "folder": OWN}


def nothing():
    """The Cat's own form of a filter that no document fits."""
    return {"folder": "none"}


def visible(user_id, groups, unmarked):
    """A condition that holds for all that a person may see."""

    def field(name, match):
        return models.FieldCondition(key=f"metadata.{MARK}.{name}", match=match)

    either = [
        models.Filter(
            must=[field("folder", models.MatchValue(value=OWN)), field("owner", models.MatchValue(value=user_id))]
        )
    ]
    if groups:
        either.append(
            models.Filter(
                must=[field("folder", models.MatchValue(value=GROUP)), field("group", models.MatchAny(any=groups))]
            )
        )
    if unmarked:
        either.append(models.IsEmptyCondition(is_empty=models.PayloadField(key=f"metadata.{MARK}")))
    return models.Filter(should=either)


def precise():
    """How the Cat itself searches."""
    quantization = models.QuantizationSearchParams(ignore=False, rescore=True, oversampling=2.0)
    return models.SearchParams(quantization=quantization)
