from __future__ import annotations

from collections.abc import Sequence

from annotation.rubrics.difference import difference
from annotation.rubrics.document import checked

BEFORE = checked(["First?", "Second?", "Third?"])


def changes(after: Sequence[object]) -> list[tuple[str, str]]:
    return [(change.id, change.change) for change in difference(BEFORE, checked(list(after)))]


def test_nothing_changed_says_nothing() -> None:
    assert changes(list(BEFORE)) == []


def test_what_was_added_changed_and_removed_is_named() -> None:
    after = [{**BEFORE[0], "text": "First of all?", "kind": "hard"}, BEFORE[1], "Fourth?"]
    assert changes(after) == [("first", "changed"), ("fourth", "added"), ("third", "removed")]
    fields = {one.field: (one.before, one.after) for one in difference(BEFORE, checked(after))[0].fields}
    assert fields == {"text": ("First?", "First of all?"), "kind": ("principle", "hard")}


def test_only_what_was_moved_is_called_moved() -> None:
    assert changes([BEFORE[2], BEFORE[0], BEFORE[1]]) == [("third", "moved")]
    assert changes(["Zeroth?", *BEFORE]) == [("zeroth", "added")]
