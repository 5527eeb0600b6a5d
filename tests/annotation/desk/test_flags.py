"""What annotators tell the curator about an item."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from annotation.desk.assign import claim
from annotation.desk.flags import FlagRefused, open_flags, raise_flag, resolve_flag
from annotation.models import Assignment, Campaign, Flag


@pytest.fixture
def held(campaign: Campaign, annotator: User) -> Assignment:
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None
    return Assignment.objects.get(id=item.assignment_id)


def test_a_flag_is_raised_once_and_resolved_once(held: Assignment, curator: User) -> None:
    flag = raise_flag(assignment=held, reason="It is a duplicate", note=" of the last one ")
    assert raise_flag(assignment=held, reason="It is a duplicate", note="of the last one").pk == flag.pk
    assert [found.note for found in open_flags(held.campaign)] == ["of the last one"]
    assert resolve_flag(flag=flag, by=curator)
    assert not resolve_flag(flag=flag, by=curator)
    assert not open_flags(held.campaign).exists()


def test_a_note_is_reason_enough(held: Assignment) -> None:
    assert raise_flag(assignment=held, note="look at this").reason == "Something else"


@pytest.mark.parametrize("fields", [{}, {"reason": " "}, {"reason": "r" * 201}, {"note": "n" * 2001}, {"note": "a\0b"}])
def test_an_empty_or_overlong_flag_is_refused(held: Assignment, fields: dict[str, Any]) -> None:
    with pytest.raises(FlagRefused):
        raise_flag(assignment=held, **fields)
    assert not Flag.objects.exists()


def test_only_the_holder_flags_an_item(
    api: Any, held: Assignment, annotator: User, stranger: User, owner: User
) -> None:
    path, body = f"assignments/{held.id}/flag", {"reason": "It is a duplicate"}
    assert api(annotator)("POST", path, body).status_code == 201
    assert api(annotator)("POST", path, {}).status_code == 422
    assert api(stranger)("POST", path, body).status_code == 404
    assert api(owner)("POST", path, body).status_code == 404
    assert Flag.objects.count() == 1
