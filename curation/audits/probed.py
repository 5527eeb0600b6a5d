"""What the probes of a method's run say of rules that label by it or change labels for what it says.

Two gates stand before such a rule, and both have to be open. This is the first, and it is of the run: its probes
passed, or an owner answers for it with a note. The second is of the rule: a blind sample bears it out, as far as the
project asks for that (`curation.audits.evidence`). A sample does not open the first gate, since probes show what a
sample need not hold, and probes do not open the second, since they know nothing of these rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.models import User
from curation.fields import FIELDS
from curation.labellers import LABELLERS
from curation.models import Action, ProbeOverride
from curation.rules import Rule, fields_of
from ledger.models import Run

NO_PROBES = "The run has no probes, so nobody knows whether its scores can be trusted."
NO_REASON = "The probes did not pass."


@dataclass(frozen=True)
class Override:
    note: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Probed:
    """Of one run of a method; `models` are those that its scores come from."""

    method: str
    run_id: int
    passed: bool
    reasons: tuple[str, ...]
    override: Override | None
    models: dict[str, Any]

    @property
    def is_open(self) -> bool:
        return self.passed or self.override is not None

    @property
    def words(self) -> str:
        if self.passed:
            return f"The probes of {self.method} passed (run {self.run_id})."
        why = f"{'' if self.is_open else 'Blocked: '}the probes of {self.method} failed (run {self.run_id})"
        said = f"{why}. {' '.join(self.reasons)}"
        return f"{said} {self.override.by} lets it act all the same: “{self.override.note}”" if self.override else said

    def as_document(self) -> dict[str, Any]:
        """For manifests and the API."""
        override = self.override
        return {
            "method": self.method,
            "run": self.run_id,
            "passed": self.passed,
            "reasons": list(self.reasons),
            "override": override and {"note": override.note, "by": override.by, "at": override.at.isoformat()},
            "models": self.models,
        }


def probed(run: Run, *, as_of: datetime | None = None) -> Probed:
    said = run.result.get("probes")
    found = said if isinstance(said, dict) else {}
    passed = found.get("passed") is True
    reasons = tuple(str(reason) for reason in found.get("reasons") or []) or (NO_REASON if found else NO_PROBES,)
    return Probed(
        method=run.method,
        run_id=run.pk,
        passed=passed,
        reasons=() if passed else reasons,
        override=None if passed else _override(run, as_of),
        models=run.result.get("models") or {},
    )


def gates_of(rule: Rule, runs: Mapping[str, Run], *, as_of: datetime | None = None) -> tuple[Probed, ...]:
    """Of each method by whose word the rule labels, flips or softens; nothing for rules that leave labels alone."""
    if rule.action not in {Action.LABEL, Action.FLIP, Action.SOFTEN}:
        return ()
    methods = {FIELDS[name].method for name in fields_of(rule.matching) if name in FIELDS} - {None}
    asked = sorted(str(method) for method in methods)
    return tuple(probed(runs[method], as_of=as_of) for method in asked if method in runs and has_gate(runs[method]))


def has_gate(run: Run) -> bool:
    return run.method in LABELLERS or "probes" in run.result


def _override(run: Run, as_of: datetime | None) -> Override | None:
    standing = ProbeOverride.objects.filter(run=run).select_related("by").order_by("-pk")
    if as_of is None:
        standing = standing.filter(withdrawn_at=None)
    else:
        standing = standing.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=as_of), at__lte=as_of)
    found = standing.first()
    return None if found is None else Override(found.note, _named(found.by), found.at)


def _named(person: User | None) -> str:
    """Without an address, since cards repeat it."""
    return "somebody" if person is None else person.name or f"person {person.pk}"
