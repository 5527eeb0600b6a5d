"""What is wrong is set aside with its line and reason, and the rest comes in."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Project
from annotation.desk.rendering import rendered
from annotation.models import Campaign, Judgment
from corpus.formats import NotRecognised
from corpus.readers.limits import UnreadableFile
from tests.annotation.votes.files import (
    BringVotes,
    argument,
    counts,
    lines,
    packed,
    panda,
    rejects_of,
    ukp_pair,
    ukp_vote,
    vote,
)

pytestmark = pytest.mark.django_db

ARGUMENTS = lines(argument(1), argument(2), argument(3))


def test_one_bad_vote_does_not_take_its_pair_along(bring: BringVotes) -> None:
    pairs = lines(ukp_pair(1, 2, ukp_vote("w1"), ukp_vote("w2", "a3"), ukp_vote("w3", None), "four", ukp_vote("w5")))
    result = bring(pairs__jsonl=pairs, arguments__jsonl=ARGUMENTS)
    assert counts(result) == (2, 0, 3)
    assert [(row["line"], row["reason"]) for row in rejects_of(result)] == [
        (1, "bad_choice"), (1, "bad_choice"), (1, "not_an_object"),
    ]  # fmt: skip
    assert "'a3'" in rejects_of(result)[0]["message"]


def test_a_vote_for_an_unknown_argument(bring: BringVotes) -> None:
    pairs = lines(ukp_pair(1, 9, ukp_vote("w1")), ukp_pair(1, 2, ukp_vote("w1")))
    result = bring(pairs__jsonl=pairs, arguments__jsonl=ARGUMENTS)
    assert counts(result) == (1, 0, 1)
    (reject,) = rejects_of(result)
    assert (reject["line"], reject["reason"], reject["file"]) == (1, "unknown_argument", "pairs.jsonl")
    assert "arg9" in reject["message"]


def test_arguments_of_two_sides_are_no_pair(bring: BringVotes) -> None:
    arguments = lines(argument(1), argument(2, stance="No"))
    result = bring(pairs__jsonl=lines(ukp_pair(1, 2, ukp_vote("w1"))), arguments__jsonl=arguments)
    assert result["reasons"] == {"differing_prompts": 1}


def test_pairs_without_their_arguments_say_what_is_missing(bring: BringVotes) -> None:
    result = bring(pairs__jsonl=lines(ukp_pair(1, 2, ukp_vote("w1"))))
    assert result["reasons"] == {"unknown_argument": 1}


def test_arguments_alone_hold_no_votes(bring: BringVotes) -> None:
    with pytest.raises(NotRecognised):
        bring(arguments__jsonl=ARGUMENTS)
    with pytest.raises(UnreadableFile, match="holds votes"):
        bring(arguments__jsonl=ARGUMENTS, format="ukpconvarg1")
    assert not Campaign.objects.exists()


def test_a_truncated_gzip_gives_what_is_whole(bring: BringVotes) -> None:
    pairs = [ukp_pair(1, 2, ukp_vote(f"w{number}", reason=f"{number} " * 40)) for number in range(400)]
    cut = packed(*pairs)[:-200]
    result = bring(pairs__jsonl_gz=cut, arguments__jsonl_gz=gzip.compress(ARGUMENTS))
    assert 0 < result["accepted"] < 400
    assert result["reasons"] == {"damaged_file": 1}
    assert "cut off" in rejects_of(result)[0]["message"]


def test_csv_without_a_header_is_refused_before_anything_is_written(bring: BringVotes) -> None:
    with pytest.raises(NotRecognised, match="header"):
        bring(votes__csv=b"How?,In water.,In oil.,ann,a\nWhy?,In water.,In oil.,bob,b\n")
    assert not Campaign.objects.exists()


def test_a_row_of_ten_megabytes(bring: BringVotes, settings: Settings) -> None:
    rows = [vote("ann"), vote("bob", reason="x" * 10 * 2**20), vote("cleo")]
    result = bring(votes__jsonl=lines(*rows))
    assert (counts(result), result["reasons"]) == ((2, 0, 1), {"row_too_long": 1})


def test_a_justification_of_a_hundred_thousand_characters(bring: BringVotes) -> None:
    result = bring(votes__jsonl=lines(vote("ann", reason="x" * 100_000), vote("bob")))
    (reject,) = rejects_of(result)
    assert (counts(result), reject["reason"]) == ((1, 0, 1), "bad_vote")
    assert "4,000" in reject["message"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (vote(""), "bad_annotator"),
        (vote(None), "bad_annotator"),
        (vote("x" * 121), "bad_annotator"),
        (vote(choice="left"), "bad_choice"),
        (vote(choice=4), "bad_choice"),
        (vote(choice=True), "bad_choice"),
        (vote(choice=None), "bad_choice"),
        (vote(created_at="yesterday"), "bad_time"),
        (vote(created_at=17), "bad_time"),
        (vote(seconds=-1), "bad_seconds"),
        (vote(seconds="nan"), "bad_seconds"),
        (vote(seconds=10**12), "bad_seconds"),
        (vote(order="left first"), "bad_order"),
        (vote(reason=["a"]), "wrong_type"),
        (vote(reason="nul \0 here"), "bad_vote"),
        (vote("a\0nn"), "bad_annotator"),
        (vote(payload={"imported": {"hit": "\0"}}), "nul_character"),
        (vote(payload="{"), "broken_json"),
        (vote(payload={"imported": {"hit": "x" * 40_000}}), "vote_too_long"),
        (vote(kind="rating"), "not_pairwise"),
        (vote(superseded=True), "superseded"),
        (vote(purpose="gold"), "not_work"),
        ({"annotator": "ann", "choice": 1}, "no_comparison"),
        ({"annotator": "ann", "choice": 1, "response_a_sha256": "zz"}, "bad_hash"),
        (vote(prompt="nul \0"), "nul_character"),
        (b'{"annotator": "ann", "choice": 1', "broken_json"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_row_is_named_and_its_neighbours_come_in(bring: BringVotes, row: Any, reason: str) -> None:
    result = bring(votes__jsonl=lines(vote("before"), row, vote("after")))
    assert (counts(result), result["reasons"]) == ((2, 0, 1), {reason: 1})
    assert rejects_of(result)[0]["line"] == 2


def test_a_table_has_its_votes_too(bring: BringVotes) -> None:
    table = b"prompt,response_a,response_b,annotator,choice,seconds\nHow?,In water.,In oil.,ann,-2,12.5\nHow?,x,y,bob\n"
    result = bring(votes__csv=table)
    assert (counts(result), result["reasons"]) == ((1, 0, 1), {"wrong_number_of_fields": 1})
    assert Judgment.objects.get().active_seconds == 12.5


def test_text_of_a_vote_is_kept_as_it_is_and_rendered_harmless(bring: BringVotes) -> None:
    reasons = ['=HYPERLINK("http://evil.example")', "<script>alert(1)</script>"]
    bring(votes__jsonl=lines(*(vote(f"w{n}", reason=reason) for n, reason in enumerate(reasons))))
    kept = [judgment.payload["reason"] for judgment in Judgment.objects.order_by("id")]
    assert kept == reasons
    assert "<script" not in rendered(kept[1])


def test_a_null_is_no_vote_of_a_column(bring: BringVotes) -> None:
    result = bring(testset__jsonl=lines(panda(0, 1, 7, None)))
    assert (counts(result), result["reasons"]) == ((1, 0, 2), {"bad_choice": 2})


def test_a_pair_with_the_same_text_on_both_sides_comes_in(bring: BringVotes, project: Project) -> None:
    result = bring(votes__jsonl=lines(vote("ann", response_a="Same.", response_b="Same."), vote("bob", "tie")))
    assert counts(result) == (2, 0, 0)
