"""Every input format keeps the contract, and reads what its own kind of file holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.formats import NotRecognised, formats, recognise
from corpus.importers import generic, hh, trl
from corpus.importers._base import ParsedRow, ReadOptions, RowRejected
from corpus.prepare import prepare

PLAIN = ReadOptions()
QUESTION = {"role": "user", "content": "Why is the sky blue?"}
GOOD = {"role": "assistant", "content": "Scattering."}
BAD = {"role": "assistant", "content": "Paint."}


def transcript(*turns: str) -> str:
    return "".join(f"\n\n{'Assistant' if index % 2 else 'Human'}: {turn}" for index, turn in enumerate(turns))


@pytest.mark.parametrize("name", formats())
def test_a_format_says_what_it_reads(name: str) -> None:
    form = formats()[name]
    assert form.LABEL and "`" in form.DOCUMENTATION
    assert form.recognises([{"unrelated": 1}], PLAIN) == 0
    with pytest.raises(RowRejected):
        form.read({"unrelated": 1}, PLAIN)


def test_the_formats_are_found_by_file_name() -> None:
    assert {"hh", "trl", "generic"} <= set(formats())
    assert not any(name.startswith("_") for name in formats())


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"chosen": transcript("q", "a"), "rejected": transcript("q", "b")}, "hh"),
        ({"chosen": [QUESTION, GOOD], "rejected": [QUESTION, BAD]}, "trl"),
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, "trl"),
        ({"prompt": "q", "response_a": "a", "response_b": "b"}, "generic"),
    ],
)
def test_auto_recognises(row: dict[str, Any], name: str) -> None:
    assert recognise([row, row], "auto", PLAIN).name == name


def test_auto_recognises_a_mapping_or_says_which_column_is_missing() -> None:
    options = ReadOptions({"prompt": "q", "response_a": "x", "response_b": "y"})
    assert recognise([{"q": "1", "x": "2", "y": "3"}], "auto", options).name == "generic"
    with pytest.raises(NotRecognised, match="'x'"):
        recognise([{"q": "1", "z": "2"}], "auto", options)


def test_a_transcript_is_cut_at_its_last_assistant_turn() -> None:
    row = {
        "chosen": transcript("Hi", "Hello", " Two\n\nlines", "Good "),
        "rejected": transcript("Hi", "Hello", " Two\n\nlines", ""),
    }
    parsed = hh.read(row, PLAIN)
    assert parsed.messages == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": " Two\n\nlines"},
    ]
    assert (parsed.response_a, parsed.response_b, parsed.label) == ("Good ", "", -1)


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        (transcript("q", "a"), transcript("other", "b"), "differing_prompts"),
        (transcript("q", "a", "q2", "a2"), transcript("q", "a"), "differing_prompts"),
        ("no turns", "at all", "not_a_transcript"),
        ("lead" + transcript("q", "a"), "lead" + transcript("q", "b"), "not_a_transcript"),
        (transcript("q", "a", "q2"), transcript("q", "b", "q2"), "no_answer"),
        (None, transcript("q", "b"), "missing_field"),
    ],
)
def test_a_transcript_that_cannot_be_a_pair_is_refused(chosen: Any, rejected: str, reason: str) -> None:
    with pytest.raises(RowRejected) as refused:
        hh.read({"chosen": chosen, "rejected": rejected}, PLAIN)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": QUESTION["content"], "chosen": "Scattering.", "rejected": "Paint."},
        {"prompt": [QUESTION], "chosen": [GOOD], "rejected": [BAD]},
        {"chosen": [QUESTION, GOOD], "rejected": [QUESTION, BAD]},
        {"prompt": QUESTION["content"], "chosen": [QUESTION, GOOD], "rejected": [QUESTION, BAD]},
        {"prompt": [QUESTION], "chosen": [QUESTION, GOOD], "rejected": [QUESTION, BAD]},
        {"prompt": [{**QUESTION, "name": None}], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": [{"role": "user", "content": [{"type": "text", "text": QUESTION["content"]}]}],
         "chosen": [GOOD], "rejected": [BAD]},
    ],
)  # fmt: skip
def test_every_shape_of_trl_reads_as_the_same_pair(row: dict[str, Any]) -> None:
    parsed = trl.read({**row, "margin": 1.5, "score_chosen": 8}, PLAIN)
    assert parsed.messages == [QUESTION]
    assert (parsed.response_a, parsed.response_b, parsed.label) == ("Scattering.", "Paint.", -1)
    assert parsed.metadata == {"margin": 1.5, "score_chosen": 8}


def test_an_implicit_prompt_of_text_is_the_shared_beginning() -> None:
    parsed = trl.read({"chosen": "The sky is blue.", "rejected": "The sky is black."}, PLAIN)
    assert (parsed.messages[0]["content"], parsed.response_a, parsed.response_b) == ("The sky is", " blue.", " black.")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"chosen": [QUESTION, GOOD], "rejected": [{**QUESTION, "content": "Other?"}, BAD]}, "differing_prompts"),
        ({"chosen": "Same.", "rejected": "Same."}, "no_prompt"),
        ({"chosen": "One.", "rejected": "Two."}, "no_prompt"),
        ({"chosen": [GOOD], "rejected": [BAD]}, "no_prompt"),
        ({"prompt": "q", "chosen": "text", "rejected": [BAD]}, "wrong_type"),
        ({"prompt": "q", "chosen": None, "rejected": "b"}, "missing_field"),
        ({"prompt": 7, "chosen": "a", "rejected": "b"}, "wrong_type"),
        ({"chosen": [QUESTION, QUESTION], "rejected": [QUESTION, BAD]}, "no_answer"),
        ({"prompt": [QUESTION], "chosen": [{"role": "assistant", "content": None}], "rejected": [BAD]}, "bad_message"),
    ],
)
def test_what_trl_cannot_use_is_refused(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(RowRejected) as refused:
        trl.read(row, PLAIN)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("written", "label"),
    [("a", -1), ("B", 1), ("tie", 0), (-3, -3), ("2", 2), (1.0, 1), ("-0", 0), (None, None), ("", None)],
)
def test_labels_are_on_the_signed_scale(written: Any, label: int | None) -> None:
    assert generic.signed_label(written) == label


@pytest.mark.parametrize("written", ["c", 4, -4, 0.5, True, [1], "nan", float("inf"), "both_bad"])
def test_other_labels_are_refused(written: Any) -> None:
    with pytest.raises(RowRejected, match="label"):
        generic.signed_label(written)


texts = st.text(max_size=20)


@given(texts, texts, st.none() | st.integers(-3, 3))
def test_a_pair_and_its_mirror_image_are_the_same_comparison(a: str, b: str, label: int | None) -> None:
    def prepared(first: str, second: str, sign: int | None) -> Any:
        parsed = ParsedRow([{"content": "q", "role": "user"}], first, second, sign, "", "", "", "", {})
        try:
            return prepare(1, parsed, "source")
        except RowRejected as refused:
            return refused.reason

    one, other = prepared(a, b, label), prepared(b, a, -label if label is not None else None)
    assert one == other
    if not isinstance(one, str) and a != b and label:
        assert (one.content_a if one.label < 0 else one.content_b).decode() == (a if label < 0 else b)
