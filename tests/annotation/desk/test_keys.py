"""Which key does what: defaults, own bindings, clashes, what cannot be bound."""

from __future__ import annotations

from itertools import combinations

import pytest
from django.test import Client

from accounts.models import User
from annotation.desk.keys import ACTIONS, KeysRefused, bind_keys, default_keys, key_named, keys_of, reset_keys
from annotation.kinds._base import kinds
from annotation.models import KeyBindings


def test_no_two_actions_of_a_desk_share_a_default_key() -> None:
    shared = [(a.name, b.name) for a, b in combinations(ACTIONS, 2) if a.key == b.key and a.meets(b)]
    assert shared == []
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)


def test_every_default_key_is_named_as_a_person_would_have_to() -> None:
    assert [action.name for action in ACTIONS if key_named(action.key) != action.key] == []


def test_actions_name_kinds_that_exist() -> None:
    named = {kind for action in ACTIONS for kind in action.kinds}
    assert named - {"rating", "rubric", "ranking"} <= set(kinds())


def test_a_key_is_bound_and_the_others_stay(annotator: User) -> None:
    bind_keys(user=annotator, keys={"skip": "q"})
    assert keys_of(annotator) == default_keys() | {"skip": "q"}
    assert KeyBindings.objects.get().bindings == {"skip": "q"}


def test_a_clash_names_the_action_and_changes_nothing(annotator: User) -> None:
    with pytest.raises(KeysRefused) as refused:
        bind_keys(user=annotator, keys={"skip": "f", "diff": "q"})
    assert refused.value.fields == {"skip": "f is the key of “Flag for the curator” already"}
    assert keys_of(annotator) == default_keys()


def test_two_keys_are_swapped_at_once(annotator: User) -> None:
    bind_keys(user=annotator, keys={"skip": "f", "flag": "s"})
    assert {name: keys_of(annotator)[name] for name in ("skip", "flag")} == {"skip": "f", "flag": "s"}


def test_kinds_that_never_meet_may_share_a_key(annotator: User) -> None:
    bind_keys(user=annotator, keys={"yes": "g"})
    with pytest.raises(KeysRefused):
        bind_keys(user=annotator, keys={"yes": "5"})


def test_a_reset_is_refused_where_its_key_is_taken_by_now(annotator: User) -> None:
    bind_keys(user=annotator, keys={"skip": "q"})
    bind_keys(user=annotator, keys={"flag": "s"})
    with pytest.raises(KeysRefused) as refused:
        reset_keys(user=annotator, action="skip")
    assert "Flag for the curator" in refused.value.fields["skip"]
    assert reset_keys(user=annotator) == default_keys() == keys_of(annotator)


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("h", "h"), ("H", "Shift+H"), ("shift+h", "Shift+H"), ("Shift+H", "Shift+H"), (" ", "Space"),
        ("space", "Space"), ("Shift+Space", "Shift+Space"),
        ("+", "+"), ("é", "é"), ("Ö", "Shift+Ö"), ("я", "я"), ("=", "="), (" j ", "j"),
    ],
)  # fmt: skip
def test_a_key_has_one_name(written: str, named: str) -> None:
    assert key_named(written) == named


@pytest.mark.parametrize(
    "written",
    ["", "Enter", "Esc", "Escape", "Tab", "Ctrl+Enter", "Ctrl+s", "Alt+f", "Meta+a", "Backspace", "?", "F5", "Shift+1",
     "ab", "Ctrl+Shift+T", "ArrowUp", "\0"],
)  # fmt: skip
def test_what_others_need_cannot_be_bound(annotator: User, written: str) -> None:
    with pytest.raises(KeysRefused) as refused:
        bind_keys(user=annotator, keys={"skip": written})
    assert refused.value.fields["skip"]


def test_an_unknown_action_is_refused(annotator: User) -> None:
    with pytest.raises(KeysRefused):
        bind_keys(user=annotator, keys={"dance": "q"})


def test_the_page_takes_keys_and_says_what_clashes(client: Client, annotator: User) -> None:
    client.force_login(annotator)
    assert b"Side by side" in client.get("/keys/").content
    assert client.post("/keys/", default_keys() | {"diff": "e"}).status_code == 302
    refused = client.post("/keys/", default_keys() | {"diff": "e", "raw": "e"})
    assert refused.status_code == 422
    assert "e is the key of “Mark the differences” already" in refused.content.decode()
    assert keys_of(annotator)["raw"] == "m"
    assert client.post("/keys/", {"reset": "diff"}).status_code == 302
    assert keys_of(annotator) == default_keys()


def test_the_desk_lists_the_persons_own_keys(client: Client, annotator: User, campaign: object) -> None:
    bind_keys(user=annotator, keys={"skip": "q"})
    client.force_login(annotator)
    page = client.get(f"/p/demo/campaigns/{getattr(campaign, 'id', 0)}/judge/").content.decode()
    assert '{"action": "skip", "keys": ["q"]}' in page
    assert "<dt><kbd>q</kbd></dt><dd>Skip, with a reason</dd>" in page
    assert "Yes" not in page.split('id="keys-dialog"')[1]


def test_nobody_has_no_keys_to_change(client: Client, db: None) -> None:
    assert client.get("/keys/").status_code == 302
