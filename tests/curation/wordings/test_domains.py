"""The bundled domains: written by hand, of one shape, no two sentences of a frame; and what is refused."""

from __future__ import annotations

import copy
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.wordings.domains import BEFORE, FALLBACK, problems, shaped
from curation.wordings.text import read_text, text_of

ROOT = Path(__file__).resolve().parents[3]
TEXTS = ("instruction", "question", "good", "bad", "why")


@pytest.fixture
def document() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "curation" / "wordings" / "domains.yaml").read_text(encoding="utf-8")))


def _exemplars(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for domain in document["domains"] for one in domain["exemplars"]]


def test_the_bundled_ones_are_in_order(document: dict[str, Any]) -> None:
    assert problems(document) == {}
    assert shaped(shaped(document)) == shaped(document)
    by_name = {domain["name"]: domain for domain in document["domains"]}
    assert {name: len(domain["exemplars"]) for name, domain in by_name.items()} == {
        "safety": 3, "reasoning": 10, "chat": 6,
    }  # fmt: skip
    # The best setting that was published puts nothing before a chat.
    assert by_name[FALLBACK]["before"] == "nothing"


def test_no_four_words_in_a_row_are_in_two_exemplars(document: dict[str, Any]) -> None:
    found: Counter[tuple[str, ...]] = Counter()
    for one in _exemplars(document):
        runs = set()
        for key in TEXTS:
            words = re.findall(r"\w+", one[key].casefold())
            runs |= {tuple(words[start : start + 4]) for start in range(len(words) - 3)}
        found.update(runs)
    assert [" ".join(run) for run, times in found.items() if times > 1] == []


def test_no_two_sentences_begin_alike(document: dict[str, Any]) -> None:
    begins = Counter(
        tuple(words[:3])
        for one in _exemplars(document)
        for key in TEXTS
        for sentence in re.split(r"(?<=[.!?])\s+", one[key].casefold())
        if len(words := re.findall(r"\w+", sentence)) >= 3
    )
    assert [" ".join(begin) for begin, times in begins.items() if times > 1] == []


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        ("question", "Which one?", "question"),
        ("domains.0.before", "everything", "domains.0.before"),
        ("domains.0.name", "Safety first", "domains.0.name"),
        ("domains.2.name", "talk", "domains"),
        ("domains.1.exemplars", [], "domains.1.exemplars"),
        ("domains.1.exemplars.0.good", "", "domains.1.exemplars.0.good"),
        ("domains.1.exemplars.1.name", "safety_drain", "domains.1.exemplars.1.name"),
        ("domains.1.keywords", ["*ing"], "domains.1.keywords.0"),
        ("domains.1.keywords", [7], "domains.1.keywords.0"),
        ("domains.1.criteria", True, "domains.1.criteria"),
        ("domains.1.colour", "red", "domains.1.colour"),
    ],
)
def test_a_mistake_is_told_at_its_place(document: dict[str, Any], path: str, value: Any, wrong: str) -> None:
    changed = copy.deepcopy(document)
    part: Any = changed
    *before, last = path.split(".")
    for key in before:
        part = part[int(key)] if isinstance(part, list) else part[key]
    part[last] = value
    assert list(problems(changed)) == [wrong]


def test_what_is_no_document_is_told() -> None:
    assert list(problems(["safety"])) == ["document"]
    assert set(problems({"question": 1, "domains": "many"})) == {"question", "domains"}
    assert len(BEFORE) == 4


def test_they_are_edited_line_by_line_and_come_back_the_same(document: dict[str, Any]) -> None:
    text = text_of("domains", shaped(document))
    assert "question: |-\n  Read what somebody wrote to an assistant:\n\n  {message}\n" in text
    assert shaped(read_text(text)) == shaped(document)
