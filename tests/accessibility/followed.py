"""A run of follow-up scores: a source with everything that can be found, and one without labels."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import Project
from curation.method_fields import ASPECTS
from ledger.models import Run, RunKind, State
from tests.workers.engine.followups.made import measured
from workers.engine.followups.report import report
from workers.engine.followups.said import Measured

ABOUT = {
    "form": "mean", "unit": "nats per token", "calibrated": True, "seed": 0, "remarks": 48,
    "wording": {"kind": "follow_ups", "version": 0, "sha256": "5" * 64},
}  # fmt: skip


def followed(**more: Any) -> dict[str, Any]:
    """The result of a source."""
    return ABOUT | report(measured(200, noise=1.2, width=len(ASPECTS)), list(ASPECTS), seed=0) | more


def follow(project: Project) -> Run:
    nothing = ABOUT | report(Measured([], []), list(ASPECTS), seed=0)
    probe = {"name": "key", "passed": False, "value": 0.12, "low": 0.08, "high": 0.18, "n": 200, "bar": 0.01,
             "blocks": True, "words": "A full stop wins in 24 of 200 prompts.", "details": {}}  # fmt: skip
    probes = {
        "passed": False,
        "reasons": [f"one: {probe['words']}"],
        "sources": {"1": {"source": "one", "passed": False, "reasons": [probe["words"]], "probes": [probe]}},
    }
    sources = {"1": {"name": "one"} | followed(), "2": {"name": "S" * 90} | nothing}
    return Run.objects.create(
        project=project, kind=RunKind.METHOD, method="follow_up", queue="cpu", state=State.DONE,
        started_at=timezone.now(), finished_at=timezone.now(), result={"sources": sources, "probes": probes},
    )  # fmt: skip
