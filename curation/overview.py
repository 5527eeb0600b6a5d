"""What state the data of a project is in: the funnel, the sources, and who disagrees with whom."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db import connection

from accounts.models import Project
from curation.freshness import kept
from curation.models import Release
from curation.standing import Standing
from ledger.shares import Share


@dataclass(frozen=True)
class Step:
    """A step of the funnel, and the filter that leads to its rows."""

    name: str
    count: int
    query: str
    note: str = ""


@dataclass(frozen=True)
class SourceState:
    name: str
    rows: int
    label_a: int
    label_tie: int
    label_b: int
    contradicted: int
    models_agree: Share
    people_agree: Share
    # Rows of `people_agree` with answers of simulated annotators.
    simulated: int

    @property
    def unlabelled(self) -> int:
        return self.rows - self.label_a - self.label_tie - self.label_b


@dataclass(frozen=True)
class Opinions:
    """Rows on which both people and models lean to a side, by the side each prefers."""

    both_a: int
    both_b: int
    people_a_models_b: int
    people_b_models_a: int
    # Of all these, rows with answers of simulated annotators.
    simulated: int

    @property
    def agreement(self) -> Share:
        apart = self.people_a_models_b + self.people_b_models_a
        return Share(self.both_a + self.both_b, self.both_a + self.both_b + apart)


# The comparisons with a standing answer of a simulated annotator.
_SIMULATED = """
SELECT j.comparison_id FROM annotation_judgment j
JOIN annotation_campaign g ON g.id = j.campaign_id AND g.project_id = %(project)s
JOIN accounts_user u ON u.id = j.annotator_id AND u.is_simulated
WHERE j.superseded_by_id IS NULL AND j.purpose = 'work' AND j.comparison_id IS NOT NULL GROUP BY 1
"""


def funnel(project: Project) -> list[Step]:
    return kept(project, "funnel", lambda: _funnel(project))


def sources(project: Project) -> list[SourceState]:
    return kept(project, "sources", lambda: _sources(project))


def opinions(project: Project) -> Opinions:
    return kept(project, "opinions", lambda: _opinions(project))


def _funnel(project: Project) -> list[Step]:
    """Each count from the narrowest table that knows it."""
    runs = Standing.of(project).runs
    release = Release.objects.filter(project=project, frozen_at__isnull=False).order_by("-frozen_at", "-pk").first()
    params = {
        "project": project.pk,
        "run": runs["model_vote"].pk if "model_vote" in runs else -1,
        "release": release.pk if release else -1,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT
                (SELECT count(*) FROM corpus_comparison WHERE project_id = %(project)s),
                (SELECT count(DISTINCT k.comparison_id) FROM annotation_consensus k
                 JOIN annotation_campaign g ON g.id = k.campaign_id AND g.consensus_method = k.method
                 WHERE g.project_id = %(project)s AND k.votes > 0),
                (SELECT count(*) FROM ({_SIMULATED}) AS made_up),
                (SELECT count(*) FROM curation_signal WHERE run_id = %(run)s),
                (SELECT count(*) FROM curation_decision d JOIN curation_decisionbatch b ON b.id = d.batch_id
                 WHERE b.project_id = %(project)s AND d.is_current)
                - (SELECT count(*) FROM curation_decision hand
                   JOIN curation_decisionbatch b ON b.id = hand.batch_id
                   JOIN curation_decision ruled ON ruled.comparison_id = hand.comparison_id
                     AND ruled.is_current AND NOT ruled.is_by_hand
                   WHERE b.project_id = %(project)s AND hand.is_current AND hand.is_by_hand),
                (SELECT count(*) FROM curation_releaserow WHERE release_id = %(release)s)
            """,  # noqa: S608 - the text below
            params,
        )
        imported, judged, simulated, voted, decided, released = cursor.fetchone()
    return [
        Step("Imported", imported, ""),
        Step("Judged", judged, "judged=true", _by_whom(judged, simulated)),
        Step("Voted", voted, "voted=true", "by models"),
        Step("Decided", decided, "decision=any", "by rule or by hand"),
        Step(
            "Released",
            released,
            urlencode({"release": release.name}) if release else "",
            f"in {release.name}" if release else "nothing frozen yet",
        ),
    ]


def _by_whom(judged: int, simulated: int) -> str:
    if not simulated:
        return "by people"
    return f"{'all' if simulated >= judged else f'{simulated:,}'} with answers of simulated annotators"


def _sources(project: Project) -> list[SourceState]:
    standing = Standing.of(project)
    label, strength = standing.field("label"), standing.field("model_vote.strength")
    people = standing.field("consensus.label")
    apart = f"sign({people}) <> sign({label})"
    both = f"{people} <> 0 AND {label} <> 0"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.name, figures.* FROM (
                SELECT c.source_id, count(*), count(*) FILTER (WHERE {label} < 0),
                       count(*) FILTER (WHERE {label} = 0), count(*) FILTER (WHERE {label} > 0),
                       count(*) FILTER (WHERE cardinality(c.labels) > 1),
                       count(*) FILTER (WHERE {strength} > 0), count(*) FILTER (WHERE {strength} <> 0),
                       count(*) FILTER (WHERE {both} AND NOT {apart}), count(*) FILTER (WHERE {both}),
                       count(*) FILTER (WHERE {both} AND c.id IN ({_SIMULATED}))
                {standing.from_sql} GROUP BY c.source_id
            ) AS figures JOIN corpus_source s ON s.id = figures.source_id ORDER BY 3 DESC, 1
            """,  # noqa: S608 - of the allow-list
            standing.params,
        )
        found = cursor.fetchall()
    return [
        SourceState(name, rows, a, tie, b, contradicted, Share(models, of_models), Share(said, of_people), simulated)
        for name, _, rows, a, tie, b, contradicted, models, of_models, said, of_people, simulated in found
    ]


def _opinions(project: Project) -> Opinions:
    standing = Standing.of(project)
    people, models = standing.field("consensus.label"), standing.field("model_vote.mean")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*) FILTER (WHERE {people} < 0 AND {models} < 0),
                   count(*) FILTER (WHERE {people} > 0 AND {models} > 0),
                   count(*) FILTER (WHERE {people} < 0 AND {models} > 0),
                   count(*) FILTER (WHERE {people} > 0 AND {models} < 0),
                   count(*) FILTER (WHERE {models} <> 0 AND c.id IN ({_SIMULATED}))
            {standing.from_sql} AND {people} <> 0
            """,
            standing.params,
        )
        return Opinions(*cursor.fetchone())
