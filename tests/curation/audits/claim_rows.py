"""Rules that drop for what the text is, rows on which they act, and samples that are answered in a line."""

from __future__ import annotations

from typing import Any

from accounts.models import Project, User
from corpus.models import Comparison
from curation.audits.answer import answer_item, finish_audit
from curation.audits.draw import Sampling, draw_rule
from curation.models import Audit, Recipe, Signal
from curation.recipes import save_recipe
from curation.rules import Condition, parse
from ledger.models import Run


def asks(field: str, op: str = "==", value: Any = True) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def dropping(when: Any, name: str = "drop") -> dict[str, Any]:
    return {"name": name, "when": when, "then": "drop"}


REFUSALS = dropping(asks("degenerate.refusal"), "refusals")
DUPLICATES = dropping(asks("near_duplicates.is_duplicate"), "duplicates")


def claim_of_rule(when: Any, then: str = "drop") -> Condition | None:
    return parse({"rules": [{"when": when, "then": then}]}).rules[0].claim


def flag(run: Run, row: Comparison, a: list[str], b: list[str]) -> None:
    mean = float(len(a) - len(b))
    fields = {"flags_a": a, "flags_b": b, "mean": mean}
    Signal.objects.create(run=run, comparison=row, value=mean, fields=fields)


def alike(run: Run, row: Comparison, group: int, similarity: float, *, near_exact: bool = False) -> None:
    fields = {
        "group": group, "is_duplicate": group != row.pk, "exact": False, "similarity": similarity,
        "near_exact": near_exact, "overlap": similarity if near_exact else 0.0,
    }  # fmt: skip
    Signal.objects.create(run=run, comparison=row, value=similarity, fields=fields)


def refusing_rows(corpus: Any, rows: int = 30) -> list[Comparison]:
    """Every third without a label, and some whose both sides refuse: those claim more."""
    run = corpus.run("degenerate")
    made = [corpus.add(label=None if number % 3 == 0 else -1) for number in range(rows)]
    for number, row in enumerate(made):
        flag(run, row, ["refusal"], ["refusal", "truncated"] if number % 2 else [])
    return made


def draw_claim(project: Project, by: User, rule: dict[str, Any] | None = None, **sampling: int) -> Audit:
    asked = rule or REFUSALS
    recipe: Recipe = save_recipe(project=project, name="texts", document={"rules": [asked]}, by=by)
    return draw_rule(recipe=recipe, rule=asked["name"], sampling=Sampling(**{"per_band": 10, **sampling}), by=by)


def answer_claims(audit: Audit, by: User, holding: int, other: str = "no") -> Audit:
    """The first `holding` hold, of the rest the other answer is given."""
    for item in audit.items.order_by("position"):
        answer_item(audit=audit, position=item.position, answer="yes" if item.position < holding else other, by=by)
    return finish_audit(audit=audit, by=by)
