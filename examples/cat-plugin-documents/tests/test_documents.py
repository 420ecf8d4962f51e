import pytest
from fakecat import CatHook

NAMES = ["bob", 'we"ird', "o'br", "", "a b", "*", "bob ", "BOB", "staff:bob", '{"owner":"bob"}', "$or", "日本", "catflap.owner", "own", "x" * 5000]


def upload(cat, user_id, source, metadata=None, texts=("some text of it",)):
    return cat.store(cat.stray(user_id), source, texts, metadata)


@pytest.mark.parametrize("name", [n for n in NAMES if n])
def test_each_person_recalls_their_own(cat, name):
    for other in NAMES:
        if other != name:
            upload(cat, other, f"of {other}")
    upload(cat, name, "mine")
    assert cat.stray(name).recall("text") == ["mine"]


def test_nobody_recalls_nothing(cat):
    upload(cat, "", "nobody's")
    upload(cat, "bob", "bob's")
    assert cat.points == [p for p in cat.points if p.payload["metadata"]["source"] == "bob's"]
    for who in ("", None, 7, ["bob"], {"owner": "bob"}):
        assert cat.stray(who).recall("text") == []


FORGED = [
    {"catflap": {"owner": "bob", "folder": "own"}},
    {"catflap": {"owner": ["bob", "alice"], "folder": "own"}},
    {"catflap": [{"owner": "bob", "folder": "own"}]},
    {"catflap": "bob"},
    {"catflap": None},
    {"catflap.owner": "bob", "catflap.folder": "own"},
    {"CATFLAP": {"owner": "bob"}},
    {"metadata": {"catflap": {"owner": "bob", "folder": "own"}}},
    {"owner": "bob", "folder": "own", "document": "x"},
    {"source": "bob's", "when": "never"},
    {"source": {"a": ["b"]}},
    {"catflap_group": ""},
    {"catflap_group": None},
]


@pytest.mark.parametrize("metadata", FORGED)
@pytest.mark.parametrize("rule", ["nobody", "everybody"])
def test_what_a_client_sends_is_no_mark(cat, metadata, rule):
    cat.mad_hatter.plugin.settings = {"unmarked": rule}
    (stored,) = upload(cat, "alice", "a.txt", metadata)
    assert stored["catflap"]["owner"] == "alice" and stored["catflap"]["folder"] == "own"
    assert "catflap_group" not in stored
    assert cat.stray("bob").recall("text") == []
    assert len(cat.stray("alice").working_memory.declarative_memories) == 0
    found = cat.stray("alice")
    found.mad_hatter.execute_hook("fast_reply", {}, cat=found)
    config = found.mad_hatter.execute_hook(
        "before_cat_recalls_declarative_memories", {"embedding": [1.0], "k": 3, "threshold": 0.1, "metadata": {}}, cat=found
    )
    assert len(found.memory.vectors.declarative.recall_memories_from_embedding(**config)) == 1


def test_a_mark_says_what_belongs_together(cat):
    stored = upload(cat, "alice", "a.txt", {"source": "renamed"}, ["the first part", "", "the second part", "the third"])
    assert [m["catflap"]["chunk"] for m in stored] == [0, 1, 2]
    assert {m["catflap"]["document"] for m in stored} == {stored[0]["catflap"]["document"]}
    assert {m["catflap"]["source"] for m in stored} == {"renamed"}
    (other,) = upload(cat, "alice", "a.txt")
    assert other["catflap"]["document"] != stored[0]["catflap"]["document"] and other["catflap"]["chunk"] == 0


def test_documents_without_a_mark(cat, signer, request_with):
    for i, mark in enumerate([{}, {"catflap": None}, {"catflap": []}]):
        cat.memory.vectors.declarative.add_point("old text", [4.0], {"source": f"old{i}", **mark})
    old = ["old0", "old1"]  # what is broken is no mark, and is not without one

    def recalled(rule, groups, administrators="admins"):
        cat.mad_hatter.plugin.settings = {"unmarked": rule, "administrators": administrators}
        return request_with(lambda: cat.stray("carol").recall("text"), signer.token("carol", groups))

    assert recalled("nobody", ["admins"]) == []
    assert recalled("administrators", ["admins"]) == old
    assert recalled("administrators", ["others"]) == []
    assert recalled("administrators", [""], "") == []
    assert recalled("everybody", []) == old
    cat.mad_hatter.plugin.settings = {}
    assert cat.stray("carol").recall("text") == []


@pytest.mark.parametrize("settings", [{"unmarked": "all"}, {"unmarked": None}, {"administrators": 7}, None, [], "everybody"])
def test_settings_that_cannot_be_read_show_nothing(cat, settings):
    upload(cat, "alice", "a.txt")
    cat.memory.vectors.declarative.add_point("old text", [4.0], {"source": "old"})
    cat.mad_hatter.plugin.settings = settings
    assert cat.stray("alice").recall("text") == []
    stray = cat.stray("alice")
    assert cat.store(stray, "b.txt", ["text", "more"]) == []
    assert [kind for kind, _ in stray.told] == ["error"]


def test_a_failing_store_shows_nothing_of_others(cat, signer, request_with):
    upload(cat, "bob", "b.txt")
    stray = cat.stray("alice")
    for name in ("settings_of", "rights_of"):
        for one in cat.mad_hatter.hooks:
            if name in one.function.__globals__:
                one.function.__globals__[name] = lambda *_: 1 / 0
    assert stray.recall("text") == []
    assert cat.store(stray, "a.txt", ["text"]) == []


def test_other_plugins_do_not_undo_it(cat):
    upload(cat, "bob", "b.txt")
    upload(cat, "alice", "a.txt")

    def undo(config, cat):
        return {**config, "metadata": {}, "k": 50}

    def add(cat):
        everything = cat.memory.vectors.declarative.recall_memories_from_embedding([1.0], k=50)
        cat.working_memory.declarative_memories = everything

    for priority in (-5, 0, 5, -(10**7)):
        cat.mad_hatter.hooks.append(CatHook("before_cat_recalls_declarative_memories", undo, priority))
    for priority in (-5, 0, 5):
        cat.mad_hatter.hooks.append(CatHook("after_cat_recalls_memories", add, priority))
    assert cat.stray("alice").recall("text") == ["a.txt"]


def test_a_plugins_own_filter_and_number_stay(cat, signer, request_with):
    upload(cat, "alice", "a.txt", {"kind": "letter"})
    upload(cat, "alice", "b.txt", {"kind": "bill"})
    upload(cat, "bob", "c.txt", {"kind": "letter"})

    def letters(config, cat):
        return {**config, "metadata": {"kind": "letter"}, "k": 1}

    cat.mad_hatter.hooks.append(CatHook("before_cat_recalls_declarative_memories", letters, 1))
    assert cat.stray("alice").recall("text") == ["a.txt"]
    assert request_with(lambda: cat.stray("alice").recall("text"), signer.token("alice", ["x"])) == ["a.txt"]


def test_what_a_plugin_reads_for_nobody_stays_unmarked(cat):
    class Nobody:
        mad_hatter = cat.mad_hatter

        def send_ws_message(self, *_):
            raise RuntimeError("nobody listens")

    (stored,) = cat.store(Nobody(), "manual", ["text"], {"catflap": {"owner": "bob", "folder": "own"}})
    assert "catflap" not in stored
    assert cat.store(Nobody(), "manual", ["text"], {"catflap_group": "research"}) == []
    assert cat.stray("bob").recall("text") == []
