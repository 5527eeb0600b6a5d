"""The standing query joins only what is asked for, and measures toward the label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.db import connection

from accounts.models import Project, User
from annotation.models import Campaign, Consensus
from curation.fields import FIELDS, UnknownField
from curation.models import Action, Signal
from curation.standing import Standing
from workers.engine.heads.voting import paper_cuts


def read(project: Project, *names: str, **options: Any) -> list[tuple[Any, ...]]:
    standing = Standing.of(project, **options)
    columns = ", ".join(standing.field(name) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} {standing.from_sql} ORDER BY c.id", standing.params)
        return list(cursor.fetchall())


def test_every_field_runs_and_is_missing_without_its_method(project: Project, corpus: Any) -> None:
    corpus.add()
    row = dict(zip(FIELDS, read(project, *FIELDS)[0], strict=True))
    assert row["label"] == row["base_label"] == -1
    assert row["model_vote.strength"] is None and row["near_duplicates.exact"] is None
    assert row["consensus.votes"] == 0 and row["identical_sides"] is False and row["empty_side"] is False


def test_no_table_is_joined_that_no_field_needs(project: Project) -> None:
    standing = Standing.of(project)
    standing.field("contradicted")
    assert standing.tables_sql == "corpus_comparison c"


def test_strength_and_share_turn_with_the_label(project: Project, corpus: Any) -> None:
    run = corpus.run("model_vote")
    for label in (-1, 2, 0):
        corpus.vote(run, corpus.add(label=label), mean=0.4, share_b=0.8)
    rows = read(project, "model_vote.strength", "model_vote.share")
    assert [(s, v if v is None else round(v, 6)) for s, v in rows] == [(-0.4, 0.2), (0.4, 0.8), (None, None)]


@pytest.mark.parametrize(
    ("mean", "spread", "share_b", "band"),
    [
        (1.0, 0.5, 1.0, "strong"),
        (0.7, 0.5, 1.0, "normal"),
        (0.7, 0.5, 0.9, "normal"),
        (0.7, 0.9, 1.0, "ambiguous"),
        (0.7, 0.5, 0.7, "ambiguous"),
        (0.7, 0.1, 0.1, "ambiguous"),
        (-0.7, 0.1, 0.1, "incorrect"),
        (-0.7, 0.1, 0.9, "ambiguous"),
    ],
)
def test_bands_follow_the_definition(
    project: Project, corpus: Any, mean: float, spread: float, share_b: float, band: str
) -> None:
    row = corpus.add(label=1)
    run = corpus.run("model_vote", {"sources": {str(row.source_id): {"rms_margin": 0.6, "strong_cut": 0.9}}})
    corpus.vote(run, row, mean, spread, share_b)
    assert read(project, "model_vote.band") == [(band,)]


def test_the_ends_of_the_votes_and_caution_are_toward_the_label(project: Project, corpus: Any) -> None:
    """Margins -0.5, 0.2 and 1.2 toward b, lambda 2: variance of three."""
    margins = np.array([-0.5, 0.2, 1.2])
    rows = [corpus.add(label=label) for label in (2, -1, 0, None)]
    run = corpus.run("model_vote")
    for row in rows:
        fields = {"lowest_b": -0.5, "lowest_a": -1.2, "penalty": 2 * margins.var()}
        Signal.objects.create(run=run, comparison=row, value=margins.mean(), fields=fields)
    found = read(project, "model_vote.lowest", "model_vote.highest", "model_vote.cautious")
    for (lowest, highest, cautious), sign in zip(found[:2], (1, -1), strict=True):
        toward = sign * margins
        assert (lowest, highest) == (toward.min(), toward.max())
        assert cautious == pytest.approx(toward.mean() - 2 * toward.var())
    assert found[2:] == [(None, None, None)] * 2


def test_the_bands_of_the_paper_go_by_rank_within_the_source(project: Project, corpus: Any) -> None:
    strengths = np.random.default_rng(2).normal(size=23)
    rows = [corpus.add(label=-1) for _ in strengths] + [corpus.add(label=None)]
    run = corpus.run("model_vote", {"sources": {str(rows[0].source_id): {"paper_cuts": paper_cuts(strengths)}}})
    for row, strength in zip(rows, [*strengths, 0.4], strict=True):
        corpus.vote(run, row, -strength, 0.1, 0.5)
    n, rank = len(strengths), strengths.argsort().argsort()
    bands = ["incorrect" if r / n < 0.2 else "ambiguous" if r / n < 0.4 else "normal" for r in rank]
    wanted = ["strong" if r >= n - n // 10 else band for r, band in zip(rank, bands, strict=True)]
    assert [band for (band,) in read(project, "model_vote.paper_band")] == [*wanted, None]


def test_the_spread_in_z_has_a_floor(project: Project, corpus: Any) -> None:
    row = corpus.add(label=1)
    run = corpus.run("model_vote", {"sources": {str(row.source_id): {"rms_margin": 2.0, "strong_cut": 0.9}}})
    corpus.vote(run, row, 1.0, 1e-9, 1.0)
    assert read(project, "model_vote.z") == [(10.0,)]


def test_a_persons_decision_outranks_a_rule_and_the_import(project: Project, corpus: Any, curator: User) -> None:
    by_rule, by_both, by_nobody = corpus.add(), corpus.add(), corpus.add(label=None)
    for row in (by_rule, by_both):
        corpus.decide(row, Action.FLIP, None, label=1)
    corpus.decide(by_both, Action.KEEP, curator, label=-3)
    corpus.consensus(by_nobody, 2)
    assert read(project, "label", "base_label", "decision") == [(1, -1, "flip"), (-3, -3, "keep"), (2, 2, None)]
    assert read(project, "label", "decision", sees="base") == [(-1, None), (-3, "keep"), (2, None)]


def test_the_newest_run_done_is_the_current_one(project: Project, corpus: Any) -> None:
    row = corpus.add(label=1)
    for mean in (0.1, 0.2):
        corpus.vote(corpus.run("model_vote"), row, mean)
    assert read(project, "model_vote.mean") == [(0.2,)]


@pytest.mark.parametrize("is_whole", [False, True])
def test_of_several_campaigns_the_answer_that_changed_last_is_in_force(
    project: Project, corpus: Any, is_whole: bool
) -> None:
    row = corpus.add(label=None)
    corpus.consensus(row, -2)
    newer = Campaign.objects.create(project=project, name="round 2", kind="pairwise")
    answer = {"comparison": row, "method": "majority", "label": 3, "confidence": 1.0, "votes": 1}
    Consensus.objects.create(campaign=newer, **answer)
    assert read(project, "label", "consensus.votes", is_whole=is_whole) == [(3, 1)]


def test_people_disagree_only_with_a_label_that_is_not_their_own(project: Project, corpus: Any) -> None:
    for label, said in ((-1, 2), (-1, -3), (None, 2)):
        corpus.consensus(corpus.add(label=label), said)
    assert read(project, "consensus.disagrees_with_label") == [(True,), (False,), (False,)]


def test_white_space_alone_is_an_empty_side(project: Project, corpus: Any) -> None:
    corpus.add(a=" \n\t", b="no")
    corpus.add(a="same", b="same", label=None)
    assert read(project, "empty_side", "identical_sides") == [(True, False), (False, True)]


def test_metadata_is_read_by_key_and_by_type(project: Project, corpus: Any) -> None:
    corpus.add(metadata={"turns": 3, "subject'); --": "music"})
    standing = Standing.of(project)
    turns, subject = standing.field("metadata.turns", wanted="number"), standing.field("metadata.subject'); --")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {turns}, {subject} {standing.from_sql}", standing.params)
        assert cursor.fetchone() == (3.0, "music")


@pytest.mark.parametrize("name", ["", "c.id", "label; DROP TABLE corpus_comparison", "metadata.", None, 7, ["label"]])
def test_an_unknown_field_is_refused(project: Project, name: Any) -> None:
    with pytest.raises(UnknownField):
        Standing.of(project).field(name)
