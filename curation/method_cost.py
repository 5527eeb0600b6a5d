"""What a method would cost on this corpus, before somebody starts it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import connection

from accounts.models import Project
from curation.freshness import kept
from ledger import catalogue

# MiniLM on two cores; a GPU is some fifty times faster.
TEXTS_PER_SECOND = 100.0
# The format, in a method's schema, of a parameter that names such a model.
CAUSAL_MODEL = "causal-model"


@dataclass(frozen=True)
class Cost:
    comparisons: int
    # Distinct responses and prompts, where the method embeds them; else 0.
    texts: int
    # Comparisons that an earlier run has embedded already, 0..1.
    cached_share: float
    # A causal model that its parameters name decides how long it takes.
    is_by_model: bool = False

    @property
    def texts_left(self) -> int:
        return round(self.texts * (1.0 - self.cached_share))

    @property
    def seconds(self) -> float:
        """Embedding what is new, and about a millisecond a comparison for the rest."""
        return self.texts_left / TEXTS_PER_SECOND + self.comparisons / 1000


def cost_of(project: Project, method: catalogue.Entry) -> Cost:
    cost: Cost = kept(project, "method-texts", lambda: _counted(project))
    rules = method.card.parameters.get("properties", {}).values()
    by_model = any(rule.get("format") == CAUSAL_MODEL for rule in rules)
    return replace(cost, texts=cost.texts if method.card.embeds else 0, is_by_model=by_model)


def _counted(project: Project) -> Cost:
    embedding = [entry.method for entry in catalogue.catalogue() if entry.card.embeds]
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"project": project.pk, "embedding": embedding})
        comparisons, responses, prompts, cached = cursor.fetchone()
    return Cost(comparisons, responses + prompts, cached / comparisons if comparisons else 0.0)


COUNTS = """
    WITH embedded AS (
        SELECT (s.scope->>'source')::bigint AS source_id, max((s.scope->>'until')::bigint) AS until
          FROM ledger_shard s JOIN ledger_run r ON r.id = s.run_id
         WHERE r.project_id = %(project)s AND r.kind = 'method' AND r.method = ANY(%(embedding)s)
           AND s.stage = 0 AND s.state = 'done'
      GROUP BY 1
    )
    SELECT count(*),
           (SELECT count(*) FROM corpus_response r JOIN corpus_prompt p ON p.id = r.prompt_id
             WHERE p.project_id = %(project)s),
           count(DISTINCT c.prompt_id),
           count(*) FILTER (WHERE c.id <= e.until)
      FROM corpus_comparison c LEFT JOIN embedded e ON e.source_id = c.source_id
     WHERE c.project_id = %(project)s
"""
