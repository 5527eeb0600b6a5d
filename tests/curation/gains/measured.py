"""A gain report as a run leaves it, of rows that were never there: the figures come from the real sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.utils import timezone

from accounts.models import Project
from corpus.models import Source
from curation.models import Recipe
from ledger.models import Run, RunKind, State
from workers.engine.gain.compare import judge
from workers.methods import gain

ACTIONS = ("kept", "flipped", "softened", "left out", "added")


def measured(
    recipe: Recipe, *, by: float = 0.05, n: int = 600, runs: dict[str, int] | None = None, **fields: Any
) -> Run:
    """Curated is right more often than raw `by` so much; the last of several sources has too few rows."""
    sources = list(Source.objects.filter(project=recipe.project).order_by("pk"))
    found = {}
    for number, source in enumerate(sources):
        asked = {
            "name": source.name, "recipe": {"id": recipe.pk, "name": recipe.name, "version": recipe.version},
            "runs": runs or {},
        }  # fmt: skip
        is_small = number and number == len(sources) - 1
        found[str(source.pk)] = asked | (_too_small() if is_small else _judged(by, n, number))
    return Run.objects.create(**{
        "project": recipe.project, "kind": RunKind.METHOD, "method": "gain", "queue": "cpu", "state": State.DONE,
        "params": {"recipe": recipe.name, "version": recipe.version, "seeds": 3, "folds": 5, "model": "minilm"},
        "result": gain.combine(found) | {"model": {"name": "minilm", "sha256": "0" * 64}}, "code_version": "test",
        "finished_at": timezone.now(),
    } | fields)  # fmt: skip


def _too_small() -> dict[str, Any]:
    problem = "Too little to train and to test on: 3 of 12 comparisons have a label that is no tie."
    return {"n": 12, "total": 12, "problem": problem, "notes": ["model_vote has not run here."]}


def _judged(by: float, n: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    # Hard rows are hard for every arm, which is what pairing is for.
    ease = rng.random((1, n, 1))
    chance = np.array([0.62, 0.62 + by, 0.61, 0.62, 0.57])
    right = (0.6 * ease + 0.4 * rng.random((3, n, 5)) < chance).astype(np.float64)
    judged = {"imported": judge(right, np.arange(n) // 2, seed=[seed])}
    trained = {arm: dict.fromkeys(ACTIONS, 0.0) | {"kept": 400.0} for arm in ("raw", "curated", "random", "length")}
    return {
        "n": n, "total": 2 * n, "labelled": n, "groups": n // 2, "l2": [30.0], "trained": trained, "judged": judged,
        "verified": {"by hand": 4, "audit": 9, "adjudicated": 0, "consensus": 0, "simulated": 7}, "notes": [],
    }  # fmt: skip


def project_with_sources(project: Project, *names: str) -> Project:
    for name in names:
        Source.objects.get_or_create(project=project, name=name, defaults={"format": "generic"})
    return project
