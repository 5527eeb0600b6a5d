"""What is in a release, written down once: after this nothing that people or runs do changes it.

One statement works out every comparison's decision into a temporary table; rows and counts all come from that table.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import connection, transaction

from accounts.problems import Invalid
from curation.audits.evidence import Checked, checked, refuse_unaudited
from curation.audits.noise import noise_of
from curation.gains.reports import kept_with
from curation.labellers import LABELLERS
from curation.models import Release, ReleaseRow, Split
from curation.preview import Preview, count_groups
from curation.recipes import decided_sql
from curation.rules import Rules, parse
from curation.standing import Standing
from ledger.models import Run

MAX_FLOAT32 = 3.4e38


class UnusableMargin(Invalid):
    code = "unusable_margin"


def pin(release: Release, splits: list[tuple[int, Split]]) -> None:
    """Rows, counts and run ids of the release, all or nothing; done before, it is done."""
    standing = Standing.of(release.project, sees="base", as_of=release.as_of, is_whole=True)
    found = checked(release.project, parse(release.recipe.document), runs=standing.runs, as_of=release.as_of)
    refuse_unaudited(found)
    rules = found.rules
    with transaction.atomic():
        locked = Release.objects.select_for_update().get(pk=release.pk)
        if locked.manifest.get("counts"):
            release.manifest = locked.manifest
            return
        _keep_splits(splits)
        _decide(standing, rules)
        _refuse_unusable_margins(rules)
        ReleaseRow.objects.filter(release=release).delete()
        _insert_rows(release, standing)
        release.manifest = {
            "counts": _counts(found, standing),
            "noise": noise_of(release.project, as_of=release.as_of).as_document(),
            "unaudited_policy": str(found.policy),
            "gain": kept_with(release.recipe, as_of=release.as_of, runs=standing.runs),
            "splits": _by_split(release),
            "sources": _by_source(release),
            "measured": _measured(release, standing),
            "runs": {method: _run(run) for method, run in sorted(standing.runs.items())},
        }
        release.save(update_fields=["manifest"])


def _keep_splits(splits: list[tuple[int, Split]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.release_split, pg_temp.release_decided")
        cursor.execute("CREATE TEMPORARY TABLE release_split (prompt_id bigint, split text) ON COMMIT DROP")
        with cursor.copy("COPY release_split FROM STDIN") as copy:
            for prompt_id, split in splits:
                copy.write_row((prompt_id, split.value))
        cursor.execute("ANALYZE release_split")


def _decide(standing: Standing, rules: Rules) -> None:
    fields = {
        "identical": standing.field("identical_sides"),
        "empty": standing.field("empty_side"),
        "consensus_label": standing.field("consensus.label"),
        "consensus_confidence": standing.field("consensus.confidence"),
        "votes": standing.field("consensus.votes"),
    }
    extra = "".join(f", {sql} AS {name}" for name, sql in fields.items())
    extra += (
        ", c.prompt_id, c.source_id, c.row_number, c.label AS imported_label,"
        " hand.label AS hand_label, hand.soften_to AS hand_soften_to, hand.batch_id AS hand_batch_id"
    )
    sql = f"CREATE TEMPORARY TABLE release_decided ON COMMIT DROP AS {decided_sql(rules, standing, extra)}"
    with connection.cursor() as cursor:
        cursor.execute(sql, standing.params)
        cursor.execute("ANALYZE release_decided")


def _refuse_unusable_margins(rules: Rules) -> None:
    """Trainers take a margin that is not finite for a loss of zero and lose the model to NaN."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT matched, count(*), min(id) FROM release_decided"
            " WHERE margin = 'NaN' OR abs(margin) > %s GROUP BY 1 ORDER BY 1 LIMIT 1",
            [MAX_FLOAT32],
        )
        found = cursor.fetchone()
    if found:
        rule = rules.rules[found[0]]
        raise UnusableMargin(
            f"The rule {rule.name!r} gives {found[1]} rows a margin that is not a finite float32 (comparison {found[2]}"
            f" is one); choose another margin than {rule.margin!r}.",
            fields={f"rules[{found[0]}].margin": "not finite"},
        )


# A person outranks a rule. The margin of a rule that flips or drops means nothing for a row that a person kept.
_INSERT = """
INSERT INTO curation_releaserow (
    release_id, comparison_id, split, position, action, label, reason, rule, is_by_hand, soften_to, margin, weight,
    imported_label, consensus_label, consensus_confidence, votes, simulated_votes
)
SELECT %(release)s, o.id, split.split,
       row_number() OVER (PARTITION BY split.split ORDER BY source.name, o.row_number, o.id) - 1,
       o.action, o.label, o.reason, o.rule, o.is_by_hand, o.soften_to, o.margin, o.weight,
       o.imported_label, o.consensus_label, o.consensus_confidence, o.votes, COALESCE(simulated.votes, 0)
FROM (
    SELECT d.id, d.prompt_id, d.source_id, d.row_number, d.imported_label, d.consensus_label, d.consensus_confidence,
           d.votes, COALESCE(d.rule, '') AS rule, d.hand IS NOT NULL AS is_by_hand,
           COALESCE(d.hand, d.action) AS action,
           CASE WHEN d.hand IS NOT NULL THEN COALESCE(d.hand_label, d.label)
                WHEN d.action = 'flip' THEN -d.label WHEN d.action = 'label' THEN d.given ELSE d.label END AS label,
           CASE WHEN d.hand IS NOT NULL THEN d.hand_soften_to ELSE d.soften_to END AS soften_to,
           CASE WHEN d.hand IS NULL OR d.action IN ('keep', 'soften') THEN d.margin END AS margin,
           CASE WHEN d.hand IS NULL OR d.action IN ('keep', 'soften') THEN d.weight END AS weight,
           CASE WHEN d.hand IS NULL THEN 'rule: ' || d.rule || COALESCE('; label by ' || d.label_by || ', '
                     || (%(runs)s::jsonb ->> d.label_by), '')
                ELSE 'by hand, ' || COALESCE(NULLIF(person.name, ''), 'person ' || person.id, 'somebody')
                     || CASE WHEN batch.reason = '' THEN '' ELSE ': ' || batch.reason END
           END AS reason
    FROM release_decided d
    LEFT JOIN curation_decisionbatch batch ON batch.id = d.hand_batch_id
    LEFT JOIN accounts_user person ON person.id = batch.author_id
) o
JOIN release_split split ON split.prompt_id = o.prompt_id
JOIN corpus_source source ON source.id = o.source_id
LEFT JOIN (
    SELECT judgment.comparison_id, count(*) AS votes
    FROM annotation_judgment judgment
    JOIN accounts_user annotator ON annotator.id = judgment.annotator_id AND annotator.is_simulated
    JOIN annotation_campaign campaign ON campaign.id = judgment.campaign_id AND campaign.project_id = %(project)s
    WHERE judgment.superseded_by_id IS NULL AND judgment.purpose = 'work' AND judgment.created_at <= %(as_of)s
    GROUP BY 1
) simulated ON simulated.comparison_id = o.id
WHERE o.action IN ('keep', 'flip', 'soften', 'label') AND o.label IS NOT NULL
"""


def _insert_rows(release: Release, standing: Standing) -> None:
    runs = json.dumps({method: _run_words(run) for method, run in standing.runs.items() if method in LABELLERS})
    named: dict[str, Any] = {"release": release.pk, "project": release.project_id, "as_of": release.as_of, "runs": runs}
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, named)


def _run_words(run: Run) -> str:
    """Whose word a label is that a method gave, for the reason of its row."""
    models = run.result.get("models") or {}
    named = ", ".join(f"{role} {model.get('name', '')}" for role, model in sorted(models.items()))
    return f"run {run.pk} ({named})" if named else f"run {run.pk}"


def _counts(found: Checked, standing: Standing) -> dict[str, Any]:
    groups = _rows(
        "SELECT matched, NULL::int AS former, hand, COALESCE(hand_label, label) IS NOT NULL AS has_label,"
        " count(*) AS rows, ARRAY[]::bigint[] AS examples FROM release_decided GROUP BY 1, 2, 3, 4"
    )
    counted: Preview = count_groups(found, groups)
    return {
        "comparisons": counted.total,
        "released": counted.released,
        "by_hand": counted.by_hand,
        "unmatched": counted.unmatched - counted.unmatched_by_hand,
        "rules": [
            {
                "name": rule.name,
                "action": str(rule.action),
                "matched": rule.count,
                "decided_by_hand": rule.by_hand,
                "without_label": rule.without_label,
                "released": rule.released,
                "unaudited": rule.is_unaudited,
                "audit": rule.evidence.as_document() if rule.evidence else None,
                "labels": _labels(rule.label_by, standing) if rule.label_by else None,
                "probes": [gate.as_document() for gate in rule.gates],
            }
            for rule in counted.rules
        ],
    }


def _labels(method: str, standing: Standing) -> dict[str, Any]:
    """Whose labels a rule gives: no person's."""
    run = standing.runs.get(method)
    return {"method": method, "run": run and run.pk, "models": run.result.get("models") or {} if run else {}}


_PER_SPLIT = """
SELECT r.split, count(*) AS rows, count(*) FILTER (WHERE r.label = 0) AS ties,
       count(*) FILTER (WHERE d.identical) AS identical_sides, count(*) FILTER (WHERE d.empty) AS empty_sides,
       count(*) FILTER (WHERE r.label <> 0 AND NOT d.identical AND NOT d.empty) AS pairs,
       count(DISTINCT d.prompt_id) AS prompts
FROM curation_releaserow r JOIN release_decided d ON d.id = r.comparison_id
WHERE r.release_id = %s GROUP BY 1
"""


def _by_split(release: Release) -> dict[str, dict[str, int]]:
    found = {row.pop("split"): row for row in _rows(_PER_SPLIT, [release.pk])}
    empty = dict.fromkeys(("rows", "ties", "identical_sides", "empty_sides", "pairs", "prompts"), 0)
    return {split.value: found.get(split.value, empty) for split in Split}


def _by_source(release: Release) -> list[dict[str, Any]]:
    return _rows(
        "SELECT s.name, s.licence, count(*) AS comparisons, count(r.id) AS released"
        " FROM release_decided d JOIN corpus_source s ON s.id = d.source_id"
        " LEFT JOIN curation_releaserow r ON r.comparison_id = d.id AND r.release_id = %s"
        " GROUP BY 1, 2 ORDER BY 1",
        [release.pk],
    )


def _measured(release: Release, standing: Standing) -> dict[str, int]:
    """How many released rows carry what an export may need."""
    run = standing.runs.get("model_vote")
    return _rows(
        "SELECT count(r.margin) AS margin, count(vote.value) AS model_vote, count(r.soften_to) AS softened,"
        " count(*) FILTER (WHERE r.votes > 0) AS judged, COALESCE(sum(r.votes), 0)::bigint AS votes,"
        " COALESCE(sum(r.simulated_votes), 0)::bigint AS simulated_votes,"
        " count(*) FILTER (WHERE r.is_by_hand) AS by_hand, count(*) FILTER (WHERE r.action = 'label') AS by_method,"
        " count(*) FILTER (WHERE vote.fields ? 'scores_a') AS scores"
        " FROM curation_releaserow r"
        " LEFT JOIN curation_signal vote ON vote.run_id = %s AND vote.comparison_id = r.comparison_id"
        " WHERE r.release_id = %s",
        [run.pk if run else -1, release.pk],
    )[0]


def _run(run: Any) -> dict[str, Any]:
    models = {"models": run.result["models"]} if run.result.get("models") else {}
    return {"id": run.pk, "params": run.params, "code_version": run.code_version} | models


def _rows(sql: str, params: list[Any] | None = None) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
