"""Answers are only added, the sample ends whole, and what it found stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from accounts.problems import NotFound
from curation.audits.answer import (
    AlreadyAnswered,
    AuditIsClosed,
    NotAllAnswered,
    UnknownAnswer,
    answer_item,
    cancel_audit,
    finish_audit,
    undo_answer,
)
from curation.audits.bounds import lower_bound
from curation.models import Audit, AuditAnswer
from tests.curation.audits.conftest import Check

Draw = Callable[..., Audit]


def test_an_answer_sent_twice_is_one_and_another_one_is_refused(draw: Draw, curator: User, owner: User) -> None:
    audit = draw()
    for _ in range(2):
        answer_item(audit=audit, position=0, answer="a", by=curator)
    for answer, by in (("b", curator), ("a", owner)):
        with pytest.raises(AlreadyAnswered):
            answer_item(audit=audit, position=0, answer=answer, by=by)
    assert AuditAnswer.objects.count() == 1


def test_undo_takes_back_ones_own_newest_answer_and_keeps_it(draw: Draw, curator: User, owner: User) -> None:
    audit = draw()
    answer_item(audit=audit, position=0, answer="a", by=curator)
    answer_item(audit=audit, position=1, answer="b", by=owner)
    item = undo_answer(audit=audit, by=curator)
    assert item is not None and item.position == 0
    answer_item(audit=audit, position=0, answer="b", by=curator)
    kept = [(each.answer, each.undone_at is None) for each in AuditAnswer.objects.order_by("pk")]
    assert kept == [("a", False), ("b", True), ("b", True)]
    assert undo_answer(audit=audit, by=User.objects.create(email="x@example.org")) is None


def test_a_part_of_the_sample_shows_nothing(draw: Draw, curator: User) -> None:
    audit = draw()
    answer_item(audit=audit, position=0, answer="a", by=curator)
    with pytest.raises(NotAllAnswered, match="19"):
        finish_audit(audit=audit, by=curator)
    audit.refresh_from_db()
    assert audit.findings == {}


def test_what_was_found_is_counted_by_hand(draw: Draw, check: Check) -> None:
    found = check(draw(), wrong=14).findings
    assert (found["n"], found["wrong"], found["rate"]) == (20, 14, 0.7)
    assert found["bound"] == lower_bound(14, 20) and found["confidence"] == 0.95
    assert sum(band["n"] for band in found["bands"]) == 20 == found["first"]["n"]
    assert [source["source"] for source in found["sources"]] == ["hh"]


@pytest.mark.parametrize("doubt", ["tie", "unsure"])
def test_doubt_counts_as_not_wrong(draw: Draw, check: Check, doubt: str) -> None:
    found = check(draw(), wrong=10, other=doubt).findings
    assert (found["n"], found["wrong"]) == (20, 10)
    assert found["ties"] + found["unsure"] == 10 and found["first"]["n"] == 10


def test_whoever_draws_again_is_held_to_more(draw: Draw, check: Check) -> None:
    check(draw(seed=1), wrong=14)
    again = check(draw(seed=2), wrong=14).findings
    assert again["confidence"] == 0.975 and again["bound"] == lower_bound(14, 20, 0.025)


def test_a_closed_audit_stays_as_it_is(draw: Draw, check: Check, curator: User) -> None:
    audit = check(draw(), wrong=3)
    assert finish_audit(audit=audit, by=curator).findings == audit.findings
    acts: list[Callable[[], object]] = [
        lambda: undo_answer(audit=audit, by=curator),
        lambda: cancel_audit(audit=audit, by=curator),
        lambda: answer_item(audit=audit, position=0, answer="a", by=curator),
    ]
    for act in acts:
        with pytest.raises(AuditIsClosed):
            act()


def test_a_cancelled_audit_makes_room_and_is_not_counted(draw: Draw, check: Check, curator: User) -> None:
    audit = draw(seed=1)
    cancel_audit(audit=audit, by=curator)
    assert cancel_audit(audit=audit, by=curator).findings == {}
    assert check(draw(seed=2), wrong=3).findings["confidence"] == 0.95


def test_what_is_not_an_answer_is_refused(draw: Draw, curator: User) -> None:
    audit = draw()
    with pytest.raises(UnknownAnswer):
        answer_item(audit=audit, position=0, answer="both", by=curator)
    with pytest.raises(NotFound):
        answer_item(audit=audit, position=999, answer="a", by=curator)
