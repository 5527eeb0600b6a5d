"""What methods said, by run; narrow tables written by COPY."""

from __future__ import annotations

from django.db import models

from corpus.models import Comparison, Response
from ledger.models import Run


class Score(models.Model):
    """One number a scorer gave one response in one run."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=64)
    value = models.FloatField()

    class Meta:
        constraints = (models.UniqueConstraint("run", "response", "name", name="one_score_per_run_and_response"),)


class Signal(models.Model):
    """What a method says of one comparison; the current one is of the method's newest run done."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="+")
    # The main number, in a/b orientation where it has one (positive = response_b better), for the index.
    value = models.FloatField(null=True)
    # Everything the method documents, in the same orientation: {"mean": .., "spread": .., "share_b": .., "n": ..}.
    fields = models.JSONField(default=dict)

    class Meta:
        constraints = (models.UniqueConstraint("run", "comparison", name="one_signal_per_run_and_comparison"),)
        indexes = (models.Index(fields=["run", "value"], name="signals_by_value"),)
