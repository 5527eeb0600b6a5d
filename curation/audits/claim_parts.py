"""Two texts side by side, with the words that only one has: what a person reads to judge a claim."""

from __future__ import annotations

from dataclasses import dataclass

from corpus.models import Prompt
from curation.audits.claim_asked import Benchmark, Other
from curation.audits.queries import Asked
from curation.word_diff import Piece, marked


@dataclass(frozen=True)
class Column:
    heading: str
    text: str
    # Empty where the texts are too long to compare.
    pieces: list[Piece]


@dataclass(frozen=True)
class Part:
    """One column where both say the same, or where there is nothing to hold it against."""

    title: str
    columns: list[Column]
    note: str = ""

    @property
    def is_marked(self) -> bool:
        return len(self.columns) == 2 and all(column.pieces for column in self.columns)


def parts_of(asked: Asked) -> list[Part]:
    """Nothing where the claim speaks of the pair alone."""
    claimed = asked.claimed
    if claimed is None:
        return []
    parts = [_held_against(asked.prompt, benchmark) for benchmark in claimed.benchmarks]
    return parts + (_repeated(asked, claimed.other) if claimed.other else [])


def _held_against(prompt: Prompt, benchmark: Benchmark) -> Part:
    if benchmark.text is None:
        note = f"Held against {benchmark.name}; its text is not kept here."
        return Part("Prompt", [Column("This comparison", _said(prompt), [])], note)
    return _part("Prompt", _said(prompt), f"Benchmark, {benchmark.name}", benchmark.text)


def _repeated(asked: Asked, other: Other) -> list[Part]:
    name = f"Comparison {other.number}"
    return [
        _part("Prompt", _said(asked.prompt), name, _said(other.prompt)),
        _part("First response", asked.first.content, name, other.first),
        _part("Second response", asked.second.content, name, other.second),
    ]


def _part(title: str, own: str, name: str, against: str) -> Part:
    if own == against:
        return Part(title, [Column(f"The same here and in {name[0].lower()}{name[1:]}", own, [])])
    diff = marked(own, against)
    pieces = (diff.a, diff.b) if diff else ([], [])
    return Part(title, [Column("This comparison", own, pieces[0]), Column(name, against, pieces[1])])


def _said(prompt: Prompt) -> str:
    """The whole conversation; who speaks is told where more than one message is."""
    turns = [(str(turn.get("role") or ""), str(turn.get("content") or "")) for turn in prompt.messages]
    return turns[0][1] if len(turns) == 1 else "\n\n".join(f"{role}: {content}" for role, content in turns)
