"""What was said of comparisons before a run: by other methods, and by curators outside campaigns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import F
from numpy.typing import NDArray

from accounts.models import Project
from annotation.models import Judgment, Task
from corpus.models import Comparison
from curation.handoff.votes import campaign_to_read
from curation.models import DecisionBatch
from curation.standing import newest_runs


@dataclass(frozen=True)
class Told:
    """The newest signals of a method: its fields by comparison."""

    run_id: int
    fields: Mapping[int, Mapping[str, Any]]
    # People have judged or decided since that run began.
    is_older: bool


@dataclass(frozen=True, slots=True)
class Check:
    """Labels -3..3: the imported one, and what a curator said instead; None = none, or both bad, or dropped."""

    comparison_id: int
    imported: int | None
    label: int | None
    # Decided; otherwise one answer of a blind sample.
    is_final: bool


def read_told(project: Project, method: str) -> Told | None:
    run = newest_runs(project).get(method)
    if run is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT comparison_id, fields::text FROM curation_signal WHERE run_id = %s", [run.pk])
        fields = {comparison: json.loads(text) for comparison, text in cursor.fetchall()}
    since = run.started_at or run.created_at
    has_judged = Judgment.objects.counting().filter(campaign__project=project, created_at__gt=since).exists()
    by_hand = DecisionBatch.objects.filter(project=project, recipe=None, created_at__gt=since)
    return Told(run.pk, fields, has_judged or by_hand.exists())


def read_checks(project: Project) -> list[Check]:
    """By comparison; a decision by hand, else an adjudication, and every answer of a blind sample."""
    with connection.cursor() as cursor:
        cursor.execute(_CHECKS, {"project": project.pk})
        return [Check(*row) for row in cursor.fetchall()]


def came_unlabelled(project: Project) -> NDArray[np.int64]:
    """The comparisons that no file gave a label."""
    held = Comparison.objects.filter(project=project, label=None).order_by("id")
    return np.array(list(held.values_list("id", flat=True)), dtype=np.int64)


def open_tasks(project: Project, campaign_id: int) -> NDArray[np.int64]:
    """The comparisons that the campaign still asks about."""
    held = Task.objects.filter(campaign=campaign_to_read(project, campaign_id), comparison__isnull=False)
    still = held.filter(cap__gt=F("slots_a_first") + F("slots_b_first")).order_by("comparison_id")
    return np.array(list(still.values_list("comparison_id", flat=True)), dtype=np.int64)


_CHECKS = """
    WITH decided AS (
        SELECT DISTINCT ON (comparison_id) comparison_id, label FROM (
            SELECT d.comparison_id, d.label, 0 AS rank
              FROM curation_decision d JOIN curation_decisionbatch b ON b.id = d.batch_id AND b.project_id = %(project)s
             WHERE d.is_by_hand AND d.is_current
             UNION ALL
            SELECT k.comparison_id, k.label, 1
              FROM annotation_consensus k
              JOIN annotation_campaign g ON g.id = k.campaign_id AND g.project_id = %(project)s
             WHERE k.method = 'adjudicated'
        ) said ORDER BY comparison_id, rank
    )
    SELECT decided.comparison_id, c.label, decided.label, true
      FROM decided JOIN corpus_comparison c ON c.id = decided.comparison_id
     UNION ALL
    SELECT item.comparison_id, c.label, CASE answer.answer WHEN 'a' THEN -1 WHEN 'b' THEN 1 ELSE 0 END, false
      FROM curation_auditanswer answer
      JOIN curation_audititem item ON item.id = answer.item_id
      JOIN curation_audit audit ON audit.id = item.audit_id AND audit.project_id = %(project)s
      JOIN corpus_comparison c ON c.id = item.comparison_id
     WHERE answer.undone_at IS NULL AND answer.answer <> 'unsure'
  ORDER BY 1, 4 DESC, 3
"""
