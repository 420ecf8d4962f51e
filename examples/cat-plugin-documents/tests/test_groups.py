import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def upload(cat, request_with, user_id, source, group, *headers):
    stray = cat.stray(user_id)
    stored = request_with(lambda: cat.store(stray, source, ["first text", "second text"], {"catflap_group": group}), *headers)
    return stored, stray.told


def test_a_groups_folder(cat, signer, request_with):
    stored, told = upload(cat, request_with, "alice", "shared.txt", "research", signer.token("alice", ["staff", "research"]))
    assert len(stored) == 2 and told == []
    assert stored[0]["catflap"] | {"owner": "alice", "folder": "group", "group": "research"} == stored[0]["catflap"]

    def recalled(user_id, groups):
        headers = [] if groups is None else [signer.token(user_id, groups)]
        return set(request_with(lambda: cat.stray(user_id).recall("text"), *headers))

    assert recalled("bob", ["research"]) == {"shared.txt"}
    assert recalled("bob", ["other", "research", 'we"ird']) == {"shared.txt"}
    for groups in ([], ["Research"], ["research "], ["resear"], ["research", ""][1:], None):
        assert recalled("bob", groups) == set()
        assert recalled("alice", groups) == set()  # who has left the group, too
    cat.store(cat.stray("research"), "of a person.txt", ["text"])  # a person called like the group
    assert recalled("bob", ["research"]) == {"shared.txt"}
    assert recalled("research", None) == {"of a person.txt"}


def refused(signer):
    now = int(time.time())
    other = Ed25519PrivateKey.generate()
    return {
        "no header": [],
        "two headers": [signer.token("alice", ["research"])] * 2,
        "another group": [signer.token("alice", ["sales"])],
        "another person's": [signer.token("bob", ["research"])],
        "another key": [signer.token("alice", ["research"], key=other)],
        "another type": [signer.token("alice", ["research"], typ="JWT")],
        "another audience": [signer.token("alice", ["research"], aud="else")],
        "expired": [signer.token("alice", ["research"], iat=now - 500, exp=now - 60)],
        "groups in a text": [signer.token("alice", "research")],
        "groups in an object": [signer.token("alice", {"research": True})],
        "groups left out": [signer.token("alice", [], left_out=["groups"])],
        "no token": ["research"],
        "an unsigned one": [signer.token("alice", ["research"]).rsplit(".", 1)[0] + "."],
    }


@pytest.mark.parametrize("name", [
    "no header", "two headers", "another group", "another person's", "another key", "another type", "another audience", "expired",
    "groups in a text", "groups in an object", "groups left out", "no token", "an unsigned one",
])
def test_who_may_not_upload_into_it(cat, signer, request_with, name):
    headers = refused(signer)[name]
    stored, told = upload(cat, request_with, "alice", "a.txt", "research", *headers)
    assert stored == [] and cat.points == []
    assert [kind for kind, _ in told] == ["error"]  # once, not for each chunk
    assert "research" not in told[0][1]
    cat.store(cat.stray("carol"), "c.txt", ["text"])
    cat.points[0].payload["metadata"]["catflap"] |= {"folder": "group", "group": "research"}
    assert request_with(lambda: cat.stray("alice").recall("text"), *headers) == []


@pytest.mark.parametrize("group", [["research"], {"research": 1}, 7, True, "Research", "research,staff", "*", "research\x00"])
def test_what_names_no_group(cat, signer, request_with, group):
    stored, told = upload(cat, request_with, "alice", "a.txt", group, signer.token("alice", ["research"]))
    assert stored == [] and len(told) == 1


def test_a_long_upload_outlives_its_token(cat, signer, request_with, monkeypatch):
    token, began = signer.token("alice", ["research"]), time.time()

    def work():
        monkeypatch.setattr(time, "time", lambda: began + 3600)
        return cat.store(cat.stray("alice"), "large.txt", ["text", "more"], {"catflap_group": "research"})

    assert len(request_with(work, token)) == 2


def test_groups_on_a_socket(cat, signer, request_with):
    upload(cat, request_with, "alice", "shared.txt", "research", signer.token("alice", ["research"]))

    def turn(user_id, token):
        stray = cat.stray(user_id, {"catflap_attributes": token})
        return set(stray.recall("text")), stray.working_memory.user_message_json.model_extra

    import contextvars

    def apart(*args):  # as the Cat runs each turn: in a thread with a copy of the context
        return contextvars.copy_context().run(turn, *args)

    assert apart("bob", signer.token("bob", ["research"])) == ({"shared.txt"}, {})
    for token in (signer.token("carol", ["research"]), "research", None, ["research"], {"groups": ["research"]}):
        assert apart("bob", token) == (set(), {})
    assert apart("bob", signer.token("bob", [])) == (set(), {})


def test_a_store_that_fails_for_groups_leaves_ones_own(cat, signer, request_with):
    cat.store(cat.stray("alice"), "a.txt", ["text"])
    upload(cat, request_with, "bob", "shared.txt", "research", signer.token("bob", ["research"]))
    for one in cat.mad_hatter.hooks:
        if "found" in one.function.__globals__:
            one.function.__globals__["found"] = lambda *_: 1 / 0
    assert request_with(lambda: cat.stray("alice").recall("text"), signer.token("alice", ["research"])) == ["a.txt"]
