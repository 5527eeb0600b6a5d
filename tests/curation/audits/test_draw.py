"""A sample: of the rows that the rule acts on, fixed, balanced, and the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEvent, Project, User
from curation.audits.draw import AuditIsOpen, CannotAudit, Sampling, draw_labels, draw_rule
from curation.models import Action, Audit, Recipe
from curation.recipes import save_recipe

Draw = Callable[..., Audit]


def test_it_takes_as_many_of_each_band_and_only_rows_the_rule_acts_on(draw: Draw, voted_rows: list[Any]) -> None:
    audit = draw(per_band=5, bands=3)
    acted_on = {row.pk for number, row in enumerate(voted_rows) if number % 4}
    assert audit.population == len(acted_on) == 30
    assert [(band["population"], band["size"]) for band in audit.bands] == [(10, 5)] * 3
    assert Counter(audit.items.values_list("band", flat=True)) == {0: 5, 1: 5, 2: 5}
    assert {item.comparison_id for item in audit.items.all()} <= acted_on
    lows = [band["low"] for band in audit.bands]
    assert lows == sorted(lows) and audit.bands[0]["high"] <= audit.bands[1]["low"]


def test_a_later_rule_gets_only_what_earlier_ones_leave(draw: Draw, voted_rows: list[Any], corpus: Any) -> None:
    with pytest.raises(CannotAudit, match="nothing to draw"):
        draw("drop")
    corpus.vote(corpus.run("model_vote"), voted_rows[0], -0.5)
    assert draw("drop").population == 1


def test_every_other_item_shows_the_preferred_side_first(draw: Draw) -> None:
    audit = draw(per_band=6, bands=2)
    for band in (0, 1):
        first = [(item.label > 0) == item.is_b_first for item in audit.items.filter(band=band)]
        assert sum(first) == 3


def test_the_same_seed_draws_the_same_sample_and_another_one_does_not(
    recipe: Recipe, voted_rows: list[Any], project: Project
) -> None:
    def drawn(seed: int) -> list[Any]:
        audit = draw_rule(recipe=recipe, rule="flip", sampling=Sampling(5, 2, seed), by=None)
        asked = list(audit.items.order_by("position").values_list("comparison_id", "is_b_first"))
        audit.delete()
        return asked

    assert drawn(1) == drawn(1) != drawn(2)


def test_rows_without_a_label_ties_and_those_decided_by_hand_are_left_out(
    corpus: Any, project: Project, curator: User
) -> None:
    corpus.add(label=0), corpus.add(label=None), corpus.add(label=None, labels=[-1, 1])
    corpus.decide(corpus.add(label=2), Action.KEEP, curator, label=2)
    left = corpus.add(label=-3)
    audit = draw_labels(project=project, sampling=Sampling(), by=curator)
    assert [item.comparison_id for item in audit.items.all()] == [left.pk] and audit.population == 1


def test_a_second_sample_waits_for_the_first(draw: Draw) -> None:
    draw()
    with pytest.raises(AuditIsOpen):
        draw()


@pytest.mark.parametrize(
    "sampling", [Sampling(0), Sampling(1001), Sampling(bands=0), Sampling(bands=11), Sampling(seed=-1)]
)
def test_a_size_out_of_range_is_refused(recipe: Recipe, sampling: Sampling) -> None:
    with pytest.raises(CannotAudit):
        draw_rule(recipe=recipe, rule="flip", sampling=sampling, by=None)


def test_a_rule_that_needs_no_audit_or_is_not_there_is_refused(recipe: Recipe) -> None:
    for rule in ("rest", "nobody"):
        with pytest.raises(CannotAudit):
            draw_rule(recipe=recipe, rule=rule, sampling=Sampling(), by=None)


def test_a_rule_on_metadata_can_be_drawn_without_any_run(corpus: Any, project: Project) -> None:
    for _ in range(3):
        corpus.add(label=1, metadata={"lang": "xx"})
    rule = {"name": "lang", "when": {"field": "metadata.lang", "op": "==", "value": "xx"}, "then": "drop"}
    recipe = save_recipe(project=project, name="lang", document={"rules": [rule]}, by=None)
    audit = draw_rule(recipe=recipe, rule="lang", sampling=Sampling(), by=None)
    assert (audit.population, audit.runs, audit.bands[0]["low"]) == (3, {}, None)


def test_the_trail_tells_who_drew_what(draw: Draw, curator: User) -> None:
    audit = draw()
    event = AuditEvent.objects.get(action="draw audit")
    assert (event.actor, event.details["rows"], event.subject_id) == (curator, 20, str(audit.pk))
