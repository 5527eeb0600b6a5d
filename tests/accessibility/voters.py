"""What the voters of a run are worth, with names as long as names may be; and a run that pooled sources."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.models import Project
from ledger.models import Run, RunKind, State

SHARE = {"share": 0.72, "interval": [0.67, 0.76], "n": 406}
LONG = "a-reward-model-with-a-name-as-long-as-a-name-may-@1f3d5b7a9c0e"
FAMILIES = ["heads on minilm", LONG]


def ensemble() -> dict[str, Any]:
    families = [
        {"family": name, "kind": kind, "voters": n, "sha256": "5" * 64, "accuracy": SHARE}
        for name, kind, n in zip(FAMILIES, ("head", "reward model"), (10, 1), strict=True)
    ]
    voters = [
        {"name": "minilm head 1", "kind": "head", "sha256": "5" * 64, "accuracy": SHARE},
        {"name": LONG, "kind": "reward model", "sha256": "7" * 64, "accuracy": SHARE, "unscored": 2},
        {"name": "silent", "kind": "reward model", "sha256": "7" * 64, "accuracy": SHARE, "problem": "It has no vote."},
    ]
    worth = {
        "voters": 12, "counted": 11, "n": 404, "groups": 390, "correlation": 0.71, "effective": 1.4,
        "interval": [1.3, 1.5], "between": {"families": FAMILIES, "rows": [[0.81, 0.12], [0.12, None]]},
    }  # fmt: skip
    return {"families": families, "voters": voters, "ensemble": worth}


def pool(project: Project) -> Run:
    sources = [
        {
            "name": name, "verdict": verdict, "own": SHARE, "pooled": SHARE, "length": SHARE,
            "difference": {"value": value, "interval": [value - 0.03, value + 0.03], "n": 406, "groups": 390},
        }
        for name, verdict, value in (("one", "pooling harms", -0.1), ("S" * 90, "no difference shown", 0.01))
    ]  # fmt: skip
    left_out = [{"name": "three", "why": "12 labels that are no tie, on 12 prompts; 20 on 10 are needed."}]
    result = {"verdict": "Pooling harms one: fit these sources apart.", "folds": 5}
    return Run.objects.create(
        project=project, kind=RunKind.METHOD, method="pooling", queue="cpu", state=State.DONE,
        started_at=timezone.now(), finished_at=timezone.now(),
        result=result | {"sources": sources, "left_out": left_out},
    )  # fmt: skip
