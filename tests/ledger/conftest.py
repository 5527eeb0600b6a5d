from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Project
from ledger import catalogue
from ledger.catalogue import Card
from ledger.models import Run, RunKind

CARD = Card(
    method="model_vote",
    label="Model vote",
    queue="cpu",
    shape="whole",
    documentation="Votes.\n\nIdea: models vote.",
    parameters={
        "type": "object",
        "properties": {
            "heads": {"type": "integer", "default": 10, "minimum": 2, "maximum": 100, "description": "How many."}
        },
        "additionalProperties": False,
    },
    code_version="test",
)


@pytest.fixture
def make_run(project: Project) -> Callable[..., Run]:
    def make(**fields: Any) -> Run:
        defaults: dict[str, Any] = {"kind": RunKind.METHOD, "method": "model_vote", "queue": "cpu"}
        return Run.objects.create(project=project, **(defaults | fields))

    return make


@pytest.fixture
def live_worker(db: None) -> str:
    """A worker that said a moment ago that it lives."""
    catalogue.publish(name="cpu@here", queues=["cpu"], devices=["cpu"], code_version="test", cards=[CARD])
    return "cpu@here"
