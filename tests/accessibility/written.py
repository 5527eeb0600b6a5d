"""Candidates, pairs of them that a rule labels on an owner's word, and the release that says so."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import Project, User
from corpus.add import NewComparison, NewResponse, add_comparisons
from corpus.models import Comparison, Prompt
from curation.audits.override import override_probes
from curation.freeze import freeze, new_release
from curation.handoff.prompts import write_candidates
from curation.models import Signal
from curation.recipes import save_recipe
from ledger.models import Run, RunKind, State
from ledger.reporter import Reporter
from workers.methods import best_of_n, sample_responses

LONG_NAME = "toy-" + "m" * 90
LABELS = {
    "rules": [
        {"name": "labels " + "L" * 90, "then": {"label": "density_ratio"}, "margin": "density_ratio.strength"},
        {"name": "the rest", "then": "keep"},
    ]
}
FIGURE = {"passed": False, "value": 0.31, "low": 0.25, "high": 0.38, "n": 200, "bar": 0.01, "blocks": True}


def write(project: Project, owner: User) -> dict[str, Any]:
    """By name: the run that wrote, and the one that paired."""
    prompts = list(Prompt.objects.filter(project=project).order_by("pk")[:5])
    wrote = _run(project, "sample_responses", {"model": LONG_NAME})
    told = {"prompts": 5, "written": 15, "new": 10, "repeated": 4, "empty": 1, "unended": 3, "author": f"{LONG_NAME}@1"}
    wrote.result = sample_responses.combine([told | {"lengths": {"3": 4, "90": 10, "400": 1}}])
    wrote.save()
    texts = [(prompt.pk, f"{prompt.pk} says " + word) for prompt in prompts for word in ("yes", "W" * 700)]
    ids = write_candidates(
        wrote,
        [(NewResponse(prompt, text, f"{LONG_NAME}@1"), 1 + nth % 2, 1) for nth, (prompt, text) in enumerate(texts)],
    ).ids
    source = f"candidates of run {wrote.pk} ({LONG_NAME})"[:120]
    couples = [NewComparison(texts[n][0], ids[n], ids[n + 1], {"candidates": 2}) for n in range(0, len(texts), 2)]
    add_comparisons(project.pk, source, couples)
    chose = _run(project, "best_of_n", {"strong": LONG_NAME, "weak": "sft"})
    paired = {
        "prompts": 5,
        "pairs": 5,
        "candidates": 10,
        "new": 5,
        "longer": 4,
        "shorter": 1,
        "equal": 2,
        "source": source,
    }
    chose.result = best_of_n.combine([paired | {"candidates_of": wrote.pk, "scored_by": f"density_ratio {LONG_NAME}"}])
    chose.save()
    _label(project, owner, source)
    return {"written": wrote, "chosen": chose}


def _label(project: Project, owner: User, source: str) -> None:
    pairs = list(Comparison.objects.filter(project=project, source__name=source))
    figures = [
        FIGURE | {"name": name, "words": f"It ranks {name} first in 62 of 200 prompts."} for name in ("keys", "echo")
    ]
    unsaid = FIGURE | {"name": "agreement", "passed": None, "value": None, "low": None, "high": None, "n": 0}
    reasons = ["It ranks one of ten words with nothing in them first in 62 of 200 prompts; 1 % is the most.", "W" * 300]
    probes = {
        "passed": False,
        "reasons": reasons,
        "sources": {"1": {"probes": [*figures, unsaid | {"words": "No labels."}]}},
    }
    models = {"strong": {"name": LONG_NAME, "sha256": "a" * 64}, "weak": {"name": "sft", "sha256": "b" * 64}}
    scored = _run(project, "density_ratio", {"strong": LONG_NAME, "weak": "sft"})
    scored.result = {"sources": {}, "probes": probes, "models": models}
    scored.save()
    Signal.objects.bulk_create(
        Signal(run=scored, comparison=pair, value=n - 1.5, fields={"mean": n - 1.5, "flagged": False})
        for n, pair in enumerate(pairs)
    )
    override_probes(run=scored, note="Candidates of a toy never hold such words. " + "W" * 200, by=owner)
    recipe = save_recipe(project=project, name="labels", document=LABELS, by=owner)
    freeze(new_release(project=project, name="labelled", recipe=recipe, by=owner), Reporter())


def _run(project: Project, method: str, params: dict[str, Any]) -> Run:
    return Run.objects.create(
        project=project, kind=RunKind.METHOD, method=method, queue="cpu", state=State.DONE, params=params,
        finished_at=timezone.now(),
    )  # fmt: skip
