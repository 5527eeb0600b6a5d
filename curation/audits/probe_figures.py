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


@dataclass(frozen=True)
class Figure:
    """One probe of one source; `passed` is None where it cannot be said, and `words` say why."""

    name: str
    passed: bool | None
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    bar: float | str | None
    words: str


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
    return str(found.get("name") or "") if isinstance(found, Mapping) else ""


def _figures(found: Any) -> Iterator[Figure]:
    """Each is {"name", "passed", "value", "low", "high", "n", "bar", "words"}, however they are held together."""
    if isinstance(found, Mapping) and "name" in found and "passed" in found:
        names = ("value", "low", "high", "n", "bar")
        numbers = {name: found.get(name) for name in names}
        yield Figure(str(found["name"]), found["passed"], **numbers, words=str(found.get("words") or ""))
        return
    for part in found.values() if isinstance(found, Mapping) else found if isinstance(found, list) else ():
        yield from _figures(part)
