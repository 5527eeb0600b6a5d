"""The probes of a method's newest run as a page and the API show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import Project
from curation.audits.probed import Probed, has_gate, probed
from curation.labellers import LABELLERS
from curation.standing import newest_runs
from ledger.models import Run

# Of one probe of one source; `passed` is null where it cannot be said, and `words` say why.
FIGURE = ("name", "passed", "value", "low", "high", "n", "bar", "words", "blocks")
Figure = dict[str, Any]


@dataclass(frozen=True)
class ProbedRun:
    run: Run
    probed: Probed
    sources: list[tuple[str, list[Figure]]]


def probed_runs(project: Project) -> list[ProbedRun]:
    """Of every method that has a gate and ran here, by name."""
    runs = newest_runs(project)
    return [_probed_run(run) for _, run in sorted(runs.items()) if has_gate(run)]


def never_run(found: list[ProbedRun]) -> list[str]:
    return sorted(set(LABELLERS) - {one.run.method for one in found})


def _probed_run(run: Run) -> ProbedRun:
    said = run.result.get("probes")
    found = said if isinstance(said, dict) else {}
    names = {str(key): _name(one) for key, one in (run.result.get("sources") or {}).items()}
    by_source = found.get("sources") or {}
    sources = [
        (names.get(str(key)) or _name(one) or f"source {key}", list(_figures(one)))
        for key, one in sorted(by_source.items())
    ]
    return ProbedRun(run, probed(run), sources)


def _name(found: Any) -> str:
    return str(found.get("name") or found.get("source") or "") if isinstance(found, Mapping) else ""


def _figures(found: Any) -> Iterator[Figure]:
    """However they are held together."""
    if isinstance(found, Mapping) and "name" in found and "passed" in found:
        yield {name: found.get(name) for name in FIGURE}
        return
    for part in found.values() if isinstance(found, Mapping) else found if isinstance(found, list) else ():
        yield from _figures(part)
