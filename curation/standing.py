"""Where each comparison of a project stands: one FROM clause, joined only to what the fields in use need.

    standing = Standing.of(project)
    strength = standing.field("model_vote.strength")
    sql = f"SELECT c.id, {strength} {standing.from_sql} WHERE {strength} < {standing.param(0)} ORDER BY c.id LIMIT 50"
    cursor.execute(sql, standing.params)

Take `from_sql` after the last `field`, since each may add a join. `c` is the comparison.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.db.models import Q

from accounts.models import Project
from annotation.models import Adjudication, Campaign
from curation.fields import METADATA, FieldType, find_field
from curation.method_fields import METHODS
from ledger.models import Run, RunKind, State

# `current` sees what recipes decided; `base`, which recipes and releases see, does not.
Sees = Literal["current", "base"]

_HAND_NOW = "LEFT JOIN curation_decision hand ON hand.comparison_id = c.id AND hand.is_by_hand AND hand.is_current"
_HAND_THEN = (
    "LEFT JOIN (SELECT DISTINCT ON (d.comparison_id) d.* FROM curation_decision d"
    " JOIN curation_decisionbatch batch ON batch.id = d.batch_id"
    " WHERE batch.project_id = %(project)s AND d.is_by_hand AND batch.created_at <= %(as_of)s"
    " AND (batch.undone_at IS NULL OR batch.undone_at > %(as_of)s)"
    " ORDER BY d.comparison_id, d.id DESC) hand ON hand.comparison_id = c.id"
)
# What a curator adjudicated is in force; else, with several campaigns, the answer that changed last.
_CONSENSUS_OF_MANY = (
    "LEFT JOIN LATERAL (SELECT k.* FROM annotation_consensus k"
    " JOIN annotation_campaign g ON g.id = k.campaign_id AND k.method IN (g.consensus_method, 'adjudicated')"
    " WHERE k.comparison_id = c.id AND g.project_id = %(project)s"
    " ORDER BY k.method = 'adjudicated' DESC, k.updated_at DESC, k.id DESC LIMIT 1) consensus ON true"
)
# The same for every comparison at once, where a probe for each would cost more.
_CONSENSUS_OF_MANY_WHOLE = (
    "LEFT JOIN (SELECT DISTINCT ON (k.comparison_id) k.comparison_id, k.label, k.is_both_bad, k.confidence, k.votes"
    " FROM annotation_consensus k JOIN annotation_campaign g"
    " ON g.id = k.campaign_id AND k.method IN (g.consensus_method, 'adjudicated') WHERE g.project_id = %(project)s"
    " ORDER BY k.comparison_id, k.method = 'adjudicated' DESC, k.updated_at DESC, k.id DESC) consensus"
    " ON consensus.comparison_id = c.id"
)
_CONSENSUS_OF_ONE = (
    "LEFT JOIN annotation_consensus consensus ON consensus.comparison_id = c.id"
    " AND consensus.campaign_id = %(campaign)s AND consensus.method = %(consensus_method)s"
)
# Two plain joins, which are hashed or probed as the rest of the statement wants it.
_ADJUDICATED_OF_ONE = (
    "LEFT JOIN annotation_consensus adjudicated ON adjudicated.comparison_id = c.id"
    " AND adjudicated.campaign_id = %(campaign)s AND adjudicated.method = 'adjudicated'"
    " LEFT JOIN annotation_consensus consensus ON consensus.comparison_id = c.id"
    " AND consensus.campaign_id = %(campaign)s"
    " AND consensus.method = CASE WHEN adjudicated.id IS NULL THEN %(consensus_method)s ELSE 'adjudicated' END"
)
_NO_CONSENSUS = (
    "CROSS JOIN (SELECT NULL::smallint AS label, NULL::boolean AS is_both_bad,"
    " NULL::float8 AS confidence, NULL::int AS votes) consensus"
)

# In the order they are joined.
JOINS: dict[str, str] = {
    "source": "JOIN corpus_source source ON source.id = c.source_id",
    "prompt": "JOIN corpus_prompt prompt ON prompt.id = c.prompt_id",
    "response_a": "JOIN corpus_response response_a ON response_a.id = c.response_a_id",
    "response_b": "JOIN corpus_response response_b ON response_b.id = c.response_b_id",
    "hand": _HAND_NOW,
    "rule": "LEFT JOIN curation_decision ruled"
    " ON ruled.comparison_id = c.id AND NOT ruled.is_by_hand AND ruled.is_current",
    "consensus": _CONSENSUS_OF_MANY,
    "model_vote": "LEFT JOIN curation_signal vote ON vote.run_id = %(run_model_vote)s AND vote.comparison_id = c.id",
    "vote_cut": "LEFT JOIN jsonb_to_recordset(%(vote_cuts)s::jsonb)"
    " AS vote_cut(source_id bigint, rms_margin float8, strong_cut float8, ambiguous_from float8, normal_from float8,"
    " strong_from float8) ON vote_cut.source_id = c.source_id",
    "near_duplicates": "LEFT JOIN curation_signal duplicate"
    " ON duplicate.run_id = %(run_near_duplicates)s AND duplicate.comparison_id = c.id",
    **{
        method: f"LEFT JOIN curation_signal {method} ON {method}.run_id = %(run_{method})s"
        f" AND {method}.comparison_id = c.id"
        for method in sorted(METHODS)
    },
}


@dataclass
class Standing:
    """A query in the making: the joins and parameters that the fields asked for so far need."""

    project: Project
    sees: Sees
    as_of: datetime | None
    runs: Mapping[str, Run]
    campaigns: list[Campaign]
    # The query goes over all comparisons, not over a page of them.
    is_whole: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    joins: set[str] = field(default_factory=set)

    @classmethod
    def of(
        cls, project: Project, *, sees: Sees = "current", as_of: datetime | None = None, is_whole: bool = False
    ) -> Standing:
        """`as_of` looks back at the decisions by hand and the runs of that moment."""
        standing = cls(
            project=project,
            sees=sees,
            as_of=as_of,
            runs=newest_runs(project, as_of=as_of),
            campaigns=list(Campaign.objects.filter(project=project).order_by("id")),
            is_whole=is_whole,
        )
        standing.params["project"] = project.id
        return standing

    def param(self, value: Any) -> str:
        """A placeholder bound to the value."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"

    def field(self, name: str, *, wanted: FieldType = "text", flipped: bool = False, toward: str = "") -> str:
        """The field's SQL; `flipped` measures toward the opposite of the label, `toward` is SQL of another one."""
        found = find_field(name, wanted=wanted)
        for join in found.needs:
            self.join(join)
        sql = found.sql
        if name.startswith(METADATA) and "{metadata_key}" in sql:
            sql = sql.replace("{metadata_key}", self.param(name.removeprefix(METADATA)))
        if "{decision}" in sql:
            sql = sql.replace("{decision}", self.decision)
        if found.uses_label:
            label = toward or self.label
            label = f"(-{label})" if flipped else label
            sql = sql.replace("{label}", label)
        return sql

    @property
    def label(self) -> str:
        """The SQL of the label in force; base labels leave out what recipes decided."""
        self.join("hand")
        self.join("consensus")
        if self.sees == "base":
            return "COALESCE(hand.label, c.label, consensus.label)"
        self.join("rule")
        return "COALESCE(hand.label, ruled.label, c.label, consensus.label)"

    @property
    def decision(self) -> str:
        self.join("hand")
        if self.sees == "base":
            return "hand.action"
        self.join("rule")
        return "COALESCE(hand.action, ruled.action)"

    def join(self, name: str) -> None:
        self.joins.add(name)

    @property
    def from_sql(self) -> str:
        """FROM and WHERE project; further conditions follow with AND."""
        return f"FROM {self.tables_sql} WHERE c.project_id = %(project)s"

    @property
    def tables_sql(self) -> str:
        """The joined tables alone, for callers that begin elsewhere."""
        return " ".join(["corpus_comparison c", *(self._joined(name) for name in JOINS if name in self.joins)])

    def _joined(self, name: str) -> str:
        if name == "hand" and self.as_of is not None:
            self.params["as_of"] = self.as_of
            return _HAND_THEN
        if name == "consensus":
            return self._consensus()
        if name in {"model_vote", "near_duplicates"} | METHODS:
            run = self.runs.get(name)
            self.params[f"run_{name}"] = run.id if run else -1
        if name == "vote_cut":
            self.params["vote_cuts"] = vote_cuts(self.runs.get("model_vote"))
        return JOINS[name]

    def _consensus(self) -> str:
        if not self.campaigns:
            return _NO_CONSENSUS
        if len(self.campaigns) > 1:
            return _CONSENSUS_OF_MANY_WHOLE if self.is_whole else _CONSENSUS_OF_MANY
        self.params["campaign"] = self.campaigns[0].id
        self.params["consensus_method"] = self.campaigns[0].consensus_method
        is_adjudicated = Adjudication.objects.filter(campaign=self.campaigns[0]).exists()
        return _ADJUDICATED_OF_ONE if is_adjudicated else _CONSENSUS_OF_ONE


def newest_runs(project: Project, *, as_of: datetime | None = None) -> dict[str, Run]:
    """The newest done run of each method: its signals are the current ones."""
    done = Run.objects.filter(project=project, kind=RunKind.METHOD, state=State.DONE)
    if as_of is not None:
        done = done.filter(Q(finished_at__lte=as_of) | Q(finished_at=None, created_at__lte=as_of))
    return {run.method: run for run in done.order_by("method", "-id").distinct("method")}


def vote_cuts(run: Run | None) -> str:
    """Per source, as JSON: the RMS margin that floors the spread in z, and the strengths from which on bands begin."""
    sources = (run.result if run else {}).get("sources", {})
    return json.dumps(
        [
            {"source_id": int(key), "rms_margin": found.get("rms_margin"), "strong_cut": found.get("strong_cut")}
            | (found.get("paper_cuts") or {})
            for key, found in sources.items()
        ]
    )
