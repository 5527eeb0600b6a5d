"""Rules that flip or drop, and samples that are answered in a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Project, User
from curation.audits.answer import answer_item, finish_audit
from curation.audits.draw import Sampling, draw_rule
from curation.models import Audit, Recipe
from curation.recipes import save_recipe

FLIP = {"name": "flip", "when": {"field": "model_vote.strength", "op": "<", "value": 0}, "then": "flip"}
DROP = {"name": "drop", "when": {"field": "model_vote.strength", "op": "<", "value": 1}, "then": "drop"}
Check = Callable[..., Audit]


@pytest.fixture
def recipe(project: Project) -> Recipe:
    rules = [FLIP, DROP, {"name": "rest", "then": "keep"}]
    return save_recipe(project=project, name="mine", document={"rules": rules}, by=None)


@pytest.fixture
def voted_rows(corpus: Any) -> list[Any]:
    """Forty rows labelled for a: of every four, the votes are against three labels, ever more so."""
    run = corpus.run("model_vote")
    rows = [corpus.add(label=-1) for _ in range(40)]
    for number, row in enumerate(rows):
        corpus.vote(run, row, 0.1 * (number + 1) if number % 4 else -2.0)
    return rows


@pytest.fixture
def check(curator: User) -> Check:
    """Answer every item: the first `wrong` of them say that the label is wrong, the rest that it is right."""

    def answer_all(audit: Audit, wrong: int, other: str = "right") -> Audit:
        for item in audit.items.order_by("position"):
            better = "b" if item.label > 0 else "a"
            worse = "a" if better == "b" else "b"
            said = worse if item.position < wrong else {"right": better}.get(other, other)
            answer_item(audit=audit, position=item.position, answer=said, by=curator)
        return finish_audit(audit=audit, by=curator)

    return answer_all


@pytest.fixture
def draw(recipe: Recipe, voted_rows: list[Any], curator: User) -> Callable[..., Audit]:
    def draw(rule: str = "flip", per_band: int = 10, bands: int = 2, seed: int = 7) -> Audit:
        return draw_rule(recipe=recipe, rule=rule, sampling=Sampling(per_band, bands, seed), by=curator)

    return draw
