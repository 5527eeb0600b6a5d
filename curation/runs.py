"""Start a method on a project's comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import Project, User
from accounts.problems import Invalid
from curation.parameters import checked
from ledger import catalogue
from ledger.models import Run, RunKind
from ledger.runs import request_run


class UnknownMethod(Invalid):
    code = "unknown_method"


def start_method(*, project: Project, method: str, params: Mapping[str, Any], requested_by: User | None) -> Run:
    """Accepted also while no worker is alive for it: the run then waits and says so."""
    card = published(method).card
    return request_run(
        project=project,
        kind=RunKind.METHOD,
        method=method,
        queue=card.queue,
        params=checked(card.parameters, params),
        requested_by=requested_by,
    )


def published(method: str) -> catalogue.Entry:
    found = catalogue.entry(method)
    if found is None:
        known = ", ".join(entry.method for entry in catalogue.catalogue())
        hint = f"The workers offer {known}." if known else "No worker has published a method yet; start a worker first."
        raise UnknownMethod(f"There is no method {method!r}. {hint}", fields={"method": "unknown"})
    return found
