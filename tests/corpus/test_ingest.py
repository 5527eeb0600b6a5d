"""Files come in whole: nothing doubled, nothing lost, every refusal told."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from corpus.ingest import NothingRead
from corpus.models import Comparison, Prompt, Response, Source, SourceFile
from tests.corpus.rows import Import, pair, rejects_of


def test_a_row_becomes_a_prompt_two_responses_and_a_comparison(bring: Import) -> None:
    result = bring(pair(label="a", id=7, subject="cooking"))
    comparison = Comparison.objects.select_related("prompt", "response_a", "response_b", "source").get()
    assert (result["accepted"], result["rejected"], result["rejects"]) == (1, 0, None)
    assert comparison.prompt.messages == [{"role": "user", "content": "How do I boil an egg?"}]
    better = comparison.response_a if comparison.label == -1 else comparison.response_b
    assert better.content == "In water."
    assert (comparison.external_id, comparison.row_number, comparison.labels) == ("7", 1, [comparison.label])
    assert comparison.metadata == {"subject": "cooking"}
    assert comparison.source.name == "eggs"
    assert bytes(comparison.response_a.content_hash) < bytes(comparison.response_b.content_hash)


def test_importing_a_file_twice_changes_nothing(bring: Import) -> None:
    rows = [pair(prompt=f"Question {i % 3}", a=f"one {i}", b=f"two {i}", label=i % 4 - 1) for i in range(40)]
    bring(*rows)
    before = list(Comparison.objects.order_by("id").values())
    again = bring(*rows)
    assert (again["accepted"], again["unchanged"], again["contradicted"]) == (0, 40, 0)
    assert list(Comparison.objects.order_by("id").values()) == before
    assert (Prompt.objects.count(), Response.objects.count()) == (3, 80)
    assert SourceFile.objects.count() == 1


def test_the_same_pair_the_other_way_round_is_the_same_comparison(bring: Import) -> None:
    result = bring(pair(label=2), pair(a="In oil.", b="In water.", label=-2))
    assert (result["accepted"], result["unchanged"]) == (1, 1)


def test_another_label_for_a_known_pair_leaves_it_without_one(bring: Import) -> None:
    first = bring(pair(label="a"), pair(a="Yes.", b="No."), pair(label="b"))
    assert (first["accepted"], first["contradicted"], first["rejected"]) == (2, 1, 0)
    assert [(c["row"], c["first_row"]) for c in first["contradictions"]] == [(3, 1)]
    comparison = Comparison.objects.get(row_number=1)
    assert comparison.label is None and sorted(comparison.labels) == [-1, 1]
    again = bring(pair(label="a"), pair(a="Yes.", b="No."), pair(label="b"))
    assert (again["unchanged"], again["contradicted"]) == (3, 0)


def test_a_later_file_contradicts_as_well_as_the_same_one(bring: Import) -> None:
    bring(pair(label="a"))
    later = bring(pair(label="tie"), name="other.jsonl", source="eggs")
    assert later["contradicted"] == 1
    assert Comparison.objects.get().label is None


def test_a_label_that_comes_later_is_taken(bring: Import) -> None:
    bring(pair())
    assert bring(pair(label="tie"))["accepted"] == 1
    assert Comparison.objects.get().label == 0


def test_the_same_pair_in_two_sources_is_two_comparisons(bring: Import) -> None:
    result = bring(pair(source="web", label="a"), pair(source="lab", label="b"), pair(label="a"))
    assert result["accepted"] == 3
    assert set(Source.objects.values_list("name", flat=True)) == {"web", "lab", "eggs"}
    assert Response.objects.count() == 2


def test_the_number_of_a_response_does_not_tell_the_better_one(bring: Import) -> None:
    """Annotators see the numbers; of each prompt the best response comes first in the file, and in every pair."""
    bring(*(
        {"prompt": f"p{n}", "response_a": f"best {n}", "response_b": f"worse {n} {k}", "label": "a"}
        for n in range(60)
        for k in range(3)
    ))  # fmt: skip
    pairs = Comparison.objects.exclude(label=None).values_list("response_a_id", "response_b_id", "label")
    is_best_smaller = [(a < b) == (label == -1) for a, b, label in pairs]
    assert len(is_best_smaller) == 180
    assert 0.35 < sum(is_best_smaller) / 180 < 0.65


def test_identical_and_empty_sides_come_in_without_a_label(bring: Import) -> None:
    result = bring(pair(a="Same.", b="Same.", label="a"), pair(a="", b="Something.", label="b"))
    assert (result["accepted"], result["identical"], result["empty"]) == (2, 1, 1)
    assert Comparison.objects.get(row_number=1).labels == []
    assert abs(Comparison.objects.get(row_number=2).label or 0) == 1


def test_text_is_never_altered(bring: Import) -> None:
    odd = " \r\n Füße\u200b\u0301 \t\x01 \u2028 \U0001f600\r\n\r\n "
    bring(pair(prompt=odd, a=odd + "a", b="\\u0000 \\x00"))
    comparison = Comparison.objects.select_related("prompt", "response_a", "response_b").get()
    assert comparison.prompt.messages[0]["content"] == odd
    assert {comparison.response_a.content, comparison.response_b.content} == {odd + "a", "\\u0000 \\x00"}


def test_bad_rows_are_told_by_line_and_the_rest_comes_in(bring: Import) -> None:
    result = bring(
        pair(id=1),
        b'{"prompt": "broken", "response_a": ',
        b'{"prompt": "caf\xe9", "response_a": "x", "response_b": "y"}',
        pair(a="holds \0 nul"),
        b'{"prompt": "half \\ud83d", "response_a": "x", "response_b": "y"}',
        pair(label="better"),
        pair(label=4),
        b"[1, 2]",
        {"prompt": "no sides"},
        pair(a=["not text"]),
        b"",
        pair(a="last"),
    )
    assert result["accepted"] == 2
    assert [(row["line"], row["reason"]) for row in rejects_of(result)] == [
        (2, "broken_json"),
        (3, "wrong_encoding"),
        (4, "nul_character"),
        (5, "lone_surrogate"),
        (6, "bad_label"),
        (7, "bad_label"),
        (8, "not_an_object"),
        (9, "missing_field"),
        (10, "wrong_type"),
    ]
    assert all(row["message"] for row in rejects_of(result))
    assert result["reasons"]["bad_label"] == 2


def test_doubled_ids_come_in_and_are_counted(bring: Import) -> None:
    result = bring(pair(id="x"), pair(a="other", id="x"), pair(a="third", id="y"))
    assert (result["accepted"], result["duplicate_ids"]) == (3, 1)


def test_a_file_that_no_format_reads_says_what_it_has_and_needs(bring: Import) -> None:
    with pytest.raises(NothingRead, match=r"columns 'question', 'answer'.*response_a"):
        bring({"question": "x", "answer": "y"})
    assert not Comparison.objects.exists()


def test_a_mapping_names_other_columns(bring: Import) -> None:
    mapping = {"prompt": "question", "response_a": "left", "response_b": "right", "label": "winner", "id": "key"}
    bring({"question": "q", "left": "l", "right": "r", "winner": "b", "key": "k", "x": 1}, mapping=mapping)
    comparison = Comparison.objects.get()
    assert (comparison.external_id, comparison.metadata, abs(comparison.label or 0)) == ("k", {"x": 1}, 1)


def test_a_mapping_may_name_a_chosen_and_a_rejected_side(bring: Import) -> None:
    bring({"q": "q", "good": "yes", "bad": "no"}, mapping={"prompt": "q", "chosen": "good", "rejected": "bad"})
    comparison = Comparison.objects.select_related("response_a", "response_b").get()
    better = comparison.response_a if comparison.label == -1 else comparison.response_b
    assert better.content == "yes"


def test_csv_keeps_line_ends_inside_quotes(bring: Import, tmp_path: Path) -> None:
    with (tmp_path / "made.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(["prompt", "response_a", "response_b", "label", "id"])
        writer.writerow(["one\r\ntwo", 'say "hi", now', "b\n", "-2", "7"])
        writer.writerow(["second", "a", "b", "tie", "8"])
    result = bring(raw=(tmp_path / "made.csv").read_bytes() + b"too,few\n\xff,a,b,a,9\n", name="eggs.csv")
    first = Comparison.objects.select_related("prompt", "response_a", "response_b").get(external_id="7")
    assert first.prompt.messages[0]["content"] == "one\r\ntwo"
    assert {first.response_a.content, first.response_b.content} == {'say "hi", now', "b\n"}
    assert [(row["line"], row["reason"]) for row in rejects_of(result)] == [
        (6, "wrong_number_of_fields"),
        (7, "wrong_encoding"),
    ]


def test_metadata_is_bounded_and_says_what_it_left_out(bring: Import) -> None:
    bring(pair(small=1, huge="x" * 100_000))
    assert Comparison.objects.get().metadata == {"small": 1, "_left_out": ["huge"]}


def test_more_rows_than_a_batch_holds(bring: Import) -> None:
    result = bring(*[pair(prompt=f"p{i}", a=f"a{i}", b=f"b{i}") for i in range(6_000)])
    assert (result["accepted"], Comparison.objects.count()) == (6_000, 6_000)
    assert set(Comparison.objects.values_list("row_number", flat=True)) == set(range(1, 6_001))
