"""A run of density ratios: a source with everything that can be found, and one without labels, all rows flagged."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

import numpy as np
from django.utils import timezone

from accounts.models import Project
from ledger.models import Run, RunKind, State
from workers.engine.likelihood.cached import Likely
from workers.engine.probes.calibration import ask as ask_calibration
from workers.engine.probes.keys import Case, Messages
from workers.engine.probes.keys import ask as ask_keys
from workers.engine.ratios.measured import Measured
from workers.engine.ratios.ratio import NATS, Ratio
from workers.engine.ratios.report import report
from workers.methods._base import Pair

CUSTOMISED = {"by": "rules", "seed": 0, "wording": {"kind": "domains", "version": 0, "sha256": "5" * 64}}


def measured(n: int, *, flagged: bool = False) -> Measured:
    """Labels that follow the score, and scores that follow length a little."""
    rng = np.random.default_rng(0)
    pairs, sides = [], []
    for row in range(n):
        tokens = rng.integers(5, 200, size=2)
        scores = rng.normal(scale=20, size=2) + 0.1 * tokens
        label = None if flagged else (1 if scores[1] + rng.normal(scale=15) > scores[0] else -1)
        messages = [{"role": "user", "content": f"question {row // 2}"}]
        texts = ["x" * int(4 * size) for size in tokens]
        pairs.append(Pair(row, 1, row // 2, messages, 2 * row, texts[0], 2 * row + 1, texts[1], label))
        sides.append(tuple(_ratio(score, int(size), flagged) for score, size in zip(scores, tokens, strict=True)))
    return Measured(pairs, [(a, b) for a, b in sides], NATS)


def _ratio(score: float, tokens: int, flagged: bool) -> Ratio:
    flags = frozenset({"truncated", "nonfinite"}) if flagged else frozenset()
    weak = Likely(nan if flagged else -2.0 * tokens, tokens, 4 * tokens, flags)
    return Ratio(Likely(weak.total + float(score), tokens, 4 * tokens, flags), weak)


def rated(*, flagged: bool = False, n: int = 300) -> dict[str, Any]:
    """The result of a source."""
    domains = [("safety", "reasoning", "chat")[row % 3] for row in range(n)]
    return report(measured(n, flagged=flagged), domains, seed=0) | {"form": "sum", "seed": 0, "customise": CUSTOMISED}


def probed() -> dict[str, Any]:
    """Of a scorer that likes short texts."""

    def score(asked: Sequence[tuple[Messages, Sequence[str]]]) -> list[list[float]]:
        return [[-float(len(text)) for text in texts] for _, texts in asked]

    found = ask_keys(
        score, [Case([{"role": "user", "content": "what?"}], "what?", (f"one {n}", f"two {n}")) for n in range(60)]
    )
    found.append(ask_calibration(np.ones(12), np.ones(12, np.int64), np.arange(12), seed=0))
    reasons = [one.words for one in found if one.is_in_the_way]
    return {"passed": False, "reasons": reasons, "probes": [one.as_record() for one in found]}


def rate(project: Project) -> Run:
    sources = {"1": {"name": "one"} | rated(), "2": {"name": "S" * 90} | rated(flagged=True, n=12)}
    told = probed()
    probes = {"passed": False, "reasons": told["reasons"], "sources": {"1": {"source": "one", **told}}}
    models = {name: {"name": f"toy-{name}", "sha256": "a" * 64, "reading": "b" * 64} for name in ("strong", "weak")}
    return Run.objects.create(
        project=project, kind=RunKind.METHOD, method="density_ratio", queue="cpu", state=State.DONE,
        started_at=timezone.now(), finished_at=timezone.now(),
        result={"sources": sources, "probes": probes, "models": models},
    )  # fmt: skip
