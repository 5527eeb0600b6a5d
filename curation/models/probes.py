"""Who answers for a method that labels although its probes failed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from ledger.models import Run


class ProbeOverride(models.Model):
    """An owner lets one run label whatever its probes say, and says why; only ever added or taken back."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="probe_overrides")
    note = models.TextField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("run", name="one_standing_override_per_run", condition=Q(withdrawn_at=None)),
        )
