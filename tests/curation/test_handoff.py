"""What a run reads and writes: in order, with the base label, and exactly once."""

from __future__ import annotations

from collections.abc import Callable

from accounts.models import Project
from corpus.models import Comparison
from curation.handoff.pairs import ranges, read_pairs
from curation.handoff.scores import write_scores
from curation.handoff.signals import write_signals
from curation.models import Action, Decision, DecisionBatch, Score, Signal
from ledger.models import Run

MakeComparison = Callable[..., Comparison]
MakeRun = Callable[..., Run]
EVERYTHING = 2**62


def test_pairs_come_in_order_of_id_over_all_batches(project: Project, make_comparison: MakeComparison) -> None:
    made = [make_comparison(1) for _ in range(7)]
    rows = list(read_pairs(project, source_id=None, after=0, until=EVERYTHING, batch=3))
    assert [row.id for row in rows] == [comparison.id for comparison in made]
    assert (rows[0].a, rows[0].b) == ("Answer a to 1", "Answer b to 1")
    assert rows[0].messages == [{"role": "user", "content": "Question 1?"}]


def test_a_range_is_read_from_behind_its_start_to_its_end(project: Project, make_comparison: MakeComparison) -> None:
    a, b, c = (make_comparison(1).id for _ in range(3))
    assert [row.id for row in read_pairs(project, source_id=None, after=a, until=b)] == [b]
    assert [row.id for row in read_pairs(project, source_id=None, after=a, until=c)] == [b, c]


def test_the_ranges_cover_every_comparison_once_and_never_mix_sources(
    project: Project, make_comparison: MakeComparison
) -> None:
    from corpus.models import Source

    other = Source.objects.create(project=project, name="other", format="generic")
    for index in range(11):
        make_comparison(1, **({"source": other} if index % 3 == 0 else {}))
    pieces = ranges(project, size=3)
    read = [
        (row.source_id, row.id)
        for piece in pieces
        for row in read_pairs(project, source_id=piece.source_id, after=piece.after, until=piece.until)
    ]
    assert sorted(pair[1] for pair in read) == list(Comparison.objects.order_by("id").values_list("id", flat=True))
    assert sum(piece.items for piece in pieces) == 11
    assert max(piece.items for piece in pieces) == 3


def test_a_run_sees_labels_by_hand_but_not_by_rule(project: Project, make_comparison: MakeComparison) -> None:
    by_hand, by_rule, plain = make_comparison(-1), make_comparison(-1), make_comparison(None)
    batch = DecisionBatch.objects.create(project=project)
    Decision.objects.create(batch=batch, comparison=by_hand, action=Action.FLIP, is_by_hand=True, label=1)
    Decision.objects.create(batch=batch, comparison=by_rule, action=Action.FLIP, is_by_hand=False, label=1)
    labels = {row.id: row.label for row in read_pairs(project, source_id=None, after=0, until=EVERYTHING)}
    assert labels == {by_hand.id: 1, by_rule.id: -1, plain.id: None}


def test_writing_a_shard_again_replaces_what_it_wrote(make_comparison: MakeComparison, make_run: MakeRun) -> None:
    comparison, run = make_comparison(1), make_run()
    write_signals(run_id=run.id, rows=[(comparison.id, 0.5, {"mean": 0.5})])
    assert write_signals(run_id=run.id, rows=[(comparison.id, None, {"mean": None})]) == 1
    signal = Signal.objects.get(run=run)
    assert (signal.value, signal.fields) == (None, {"mean": None})


def test_signals_of_another_run_stay(make_comparison: MakeComparison, make_run: MakeRun) -> None:
    comparison = make_comparison(1)
    for run in (make_run(), make_run()):
        write_signals(run_id=run.id, rows=[(comparison.id, 1.0, {})])
    assert Signal.objects.filter(comparison=comparison).count() == 2


def test_a_score_that_comes_twice_is_written_once(make_comparison: MakeComparison, make_run: MakeRun) -> None:
    response, run = make_comparison(1).response_a_id, make_run()
    rows = [(response, "strong", 1.5), (response, "strong", 1.5), (response, "weak", 0.5)]
    assert write_scores(run_id=run.id, rows=rows) == 2
    assert set(Score.objects.values_list("name", "value")) == {("strong", 1.5), ("weak", 0.5)}
