"""The aspects of follow-up scores as recipes and filters read them."""

from __future__ import annotations

from typing import Any

from accounts.models import Project
from curation.life import life_of
from curation.method_fields import ASPECTS, LINES
from curation.models import Signal
from curation.preview import preview
from curation.queries import rows_of
from curation.rules import parse
from curation.wordings.kinds import bundled


def test_every_bundled_aspect_has_its_field() -> None:
    assert list(ASPECTS) == [aspect["name"] for aspect in bundled("follow_ups")["aspects"]]
    assert set(ASPECTS) <= {name for name, *_ in LINES["follow_up"]}


def test_an_aspect_is_b_less_a_and_missing_where_it_was_not_asked_for(
    project: Project, corpus: Any, make_run: Any
) -> None:
    row = corpus.add(label=1)
    fields = {"aspects_a": {"relevance": 0.5}, "aspects_b": {"relevance": 0.75}, "echo_a": 0.1, "echo_b": 0.3}
    Signal.objects.create(run=make_run("follow_up"), comparison=row, value=0.25, fields=fields)

    def matches(field: str, op: str, value: float) -> int:
        rule = {"name": "it", "when": {"field": f"follow_up.{field}", "op": op, "value": value}, "then": "keep"}
        return preview(project=project, rules=parse({"rules": [rule]}), against=None).rules[0].count

    assert matches("relevance", "==", 0.25) == matches("echo", ">", 0.2) == matches("strength", ">", 0) == 1
    assert matches("correctness", ">", -9) == matches("correctness", "<", 9) == 0


def test_the_life_of_a_comparison_tells_which_side_and_that_a_row_is_flagged(
    project: Project, corpus: Any, make_run: Any
) -> None:
    row, flagged = corpus.add(label=1), corpus.add(label=1)
    run = make_run("follow_up")
    Signal.objects.create(run=run, comparison=row, value=0.25, fields={"flagged": False})
    Signal.objects.create(run=run, comparison=flagged, value=None, fields={"flagged": True})
    told = [life_of(rows_of(project, [each.pk])[0])[-1].detail for each in (row, flagged)]
    assert told == ["+0.25, positive = B better", "no score; flagged, so nothing is labelled by it"]
