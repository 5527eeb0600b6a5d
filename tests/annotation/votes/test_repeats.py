"""A pair that comes again: one comparison, or one each."""

from __future__ import annotations

import pytest

from annotation.models import Campaign, Judgment, Task
from corpus.models import Comparison
from tests.annotation.votes.files import OIL, WATER, BringVotes, counts, lines, panda, rejects_of, vote

pytestmark = pytest.mark.django_db

# The second has the sides the other way round, and annotator 2 of it says something else.
REPEATED = lines(panda(0, 1, 2), panda(1, 2, 2, a=OIL, b=WATER), panda(2, 1, 1, a="Never."))


def test_together_the_first_vote_of_a_person_stands(bring: BringVotes) -> None:
    result = bring(testset__jsonl=REPEATED)
    assert (counts(result), result["comparisons"]) == ((4, 0, 2), 2)
    assert result["pairs"] == {"accepted": 2, "unchanged": 1, "contradicted": 0}
    assert [(row["line"], row["reason"]) for row in rejects_of(result)] == [(2, "voted_twice"), (2, "voted_twice")]
    assert "as item 0" in rejects_of(result)[0]["message"]


def test_apart_every_item_is_a_comparison_in_a_source_of_its_own(bring: BringVotes) -> None:
    result = bring(testset__jsonl=REPEATED, repeats="apart")
    assert (counts(result), result["comparisons"], result["annotators"]) == ((6, 0, 0), 3, 2)
    sources = set(Comparison.objects.values_list("external_id", "source__name"))
    assert sources == {("0", "PandaLM"), ("1", "PandaLM, repeat 2"), ("2", "PandaLM")}


def test_apart_importing_twice_changes_nothing(bring: BringVotes) -> None:
    bring(testset__jsonl=REPEATED, repeats="apart")
    again = bring(testset__jsonl=REPEATED, repeats="apart")
    assert counts(again) == (0, 6, 0)
    assert Comparison.objects.count() == Task.objects.count() == 3


def test_the_side_that_the_file_names_first_is_kept(bring: BringVotes) -> None:
    bring(testset__jsonl=REPEATED, repeats="apart")
    for judgment in Judgment.objects.select_related("comparison__response_a", "comparison__response_b"):
        comparison, imported = judgment.comparison, judgment.payload["imported"]
        assert comparison is not None
        first = comparison.response_a if imported["first"] == "a" else comparison.response_b
        assert first.content == {"0": WATER, "1": OIL, "2": "Never."}[imported["item"]]


def test_the_very_same_row_again_is_no_second_vote(bring: BringVotes) -> None:
    result = bring(votes__jsonl=lines(vote("ann"), vote("ann"), vote("ann", "b")))
    assert counts(result) == (1, 1, 1)
    assert result["reasons"] == {"voted_otherwise": 1}


def test_another_label_for_a_known_pair_is_counted_as_in_the_corpus(bring: BringVotes) -> None:
    result = bring(votes__jsonl=lines(vote("ann", label="a"), vote("bob", label="b"), vote("cleo", label="a")))
    assert (counts(result), result["contradicted"]) == ((3, 0, 0), 1)
    assert Comparison.objects.get().is_contradicted
    assert Campaign.objects.get().task_count == 1
