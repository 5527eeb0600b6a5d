"""An owner answers for a run whose probes failed, with a note that every card repeats; or takes it back."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.problems import Conflict, Invalid
from curation.audits.probed import has_gate, probed
from curation.models import ProbeOverride
from ledger.models import Run, RunKind, State

MAX_NOTE = 2000


class NothingToOverride(Invalid):
    code = "nothing_to_override"


class NoteMissing(Invalid):
    code = "note_missing"


class AlreadyOverridden(Conflict):
    code = "already_overridden"


def override_probes(*, run: Run, note: str, by: User) -> ProbeOverride:
    """Rules may label by this run whatever its probes say; another run asks again."""
    said = note.replace("\x00", "").strip()
    if not said or len(said) > MAX_NOTE:
        raise NoteMissing(
            f"Say why, in 1 to {MAX_NOTE:,} characters: every card that these labels come into repeats it.",
            fields={"note": "needed"},
        )
    if run.kind != RunKind.METHOD or run.state != State.DONE or not has_gate(run):
        raise NothingToOverride(f"Run {run.pk} is no finished run of a method that may label.")
    if probed(run).passed:
        raise NothingToOverride(f"The probes of run {run.pk} passed; there is nothing to answer for.")
    try:
        with transaction.atomic():
            found = ProbeOverride.objects.create(run=run, note=said, by=by)
            details = {"run": run.pk, "method": run.method, "note": said}
            audit.record(actor=by, project=run.project, action="override probes", subject=found, details=details)
    except IntegrityError as error:
        raise AlreadyOverridden(f"Somebody answers for run {run.pk} already; take that back first.") from error
    return found


def withdraw_override(*, run: Run, by: User) -> None:
    """From now on the probes speak again; what is frozen stays. Twice is once."""
    with transaction.atomic():
        found = ProbeOverride.objects.select_for_update().filter(run=run, withdrawn_at=None).first()
        if found is None:
            return
        found.withdrawn_at = timezone.now()
        found.save(update_fields=["withdrawn_at"])
        details = {"run": run.pk, "method": run.method}
        audit.record(actor=by, project=run.project, action="withdraw override", subject=found, details=details)
