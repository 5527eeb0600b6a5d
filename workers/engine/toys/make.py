"""A weak and a strong toy from comparisons: the strong one is the weak one, trained further on what was preferred."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from workers.engine.bench import Unworkable
from workers.engine.likelihood.chat import Chat
from workers.engine.likelihood.passages import Passage
from workers.engine.likelihood.tokens import OwnTokens, TemplateRefuses
from workers.engine.toys.lessons import Course, learn_preferences, learn_texts
from workers.engine.toys.shape import Shape, fresh_model
from workers.engine.toys.tokenizer import ROLES, learn_tokenizer

MIN_PAIRS = 20
# One prompt in so many is held out, chosen by its own content.
HELD_OUT = 5
MOST_EPOCHS = 30
# Steps an epoch, at least, where there is little to learn from.
LEAST_STEPS, LEAST_BATCH, BATCH = 16, 512, 4096
# Of a prompt, what the strong model reads in training: answers lean on the end of it, and the rest costs as much.
TAIL = 96
Progress = Callable[[int, int, str], None]


class Preferred(Protocol):
    """A comparison; `workers.methods._base.Pair` says what is in it."""

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def a(self) -> str: ...
    @property
    def b(self) -> str: ...
    @property
    def sign(self) -> int: ...


@dataclass(frozen=True)
class Wish:
    """`weak_tokens`, `strong_tokens`: what each training reads, padding left out; rows are left out or read again."""

    seed: int = 0
    shape: Shape = field(default_factory=Shape)
    weak_tokens: int = 600_000
    strong_tokens: int = 300_000
    weak_rate: float = 6e-3
    strong_rate: float = 2e-3
    beta: float = 0.1


@dataclass(frozen=True)
class Toys:
    tokenizer: Any
    weak: Any
    strong: Any
    told: dict[str, Any]


P = TypeVar("P", bound=Preferred)


def divided(pairs: Sequence[P], seed: int) -> tuple[list[P], list[P]]:
    """What is learned from and what is held out; a prompt is on one side, whatever else the project holds."""
    learning: list[P] = []
    held_out: list[P] = []
    for pair in pairs:
        if pair.sign and pair.a.strip() and pair.b.strip() and pair.a != pair.b and _roles_are_known(pair.messages):
            (held_out if draw(pair.messages, seed) % HELD_OUT == 0 else learning).append(pair)
    return learning, held_out


def draw(messages: Sequence[Mapping[str, Any]], seed: int) -> int:
    said = json.dumps([[turn["role"], turn.get("content")] for turn in messages])
    return int.from_bytes(hashlib.sha256(f"{seed} {said}".encode()).digest()[:8], "little")


def _roles_are_known(messages: Sequence[Mapping[str, Any]]) -> bool:
    return all(turn["role"] in ROLES for turn in messages)


def make_toys(
    learning: Sequence[Preferred],
    wish: Wish,
    *,
    check: Callable[[], None] = lambda: None,
    progress: Progress = lambda done, total, stage: None,
) -> Toys:
    """Unworkable where there are too few pairs to learn anything."""
    if len(learning) < MIN_PAIRS:
        raise Unworkable(
            f"There are {len(learning)} comparisons to train toys on (with a label that is no tie, two different texts "
            f"and a prompt that is not held out); {MIN_PAIRS} are needed."
        )
    ordered = sorted(learning, key=lambda pair: (draw(pair.messages, wish.seed), pair.a, pair.b))
    tokenizer = learn_tokenizer(texts_of(ordered), vocabulary=wish.shape.vocabulary, context=wish.shape.context)
    read = read_pairs(ordered, Chat(OwnTokens(tokenizer), wish.shape.context))
    weak = fresh_model(tokenizer, wish.shape, seed=wish.seed)
    texts, weak_epochs = _as_many(whole_texts(read), _len, wish.weak_tokens)
    pairs, strong_epochs = _as_many(
        [(tail(better), tail(worse)) for better, worse in read],
        _both,
        wish.strong_tokens,
    )
    with one_thread():
        weak_losses = learn_texts(
            weak, texts, Course(weak_epochs, wish.weak_rate, _batch(texts, _len), wish.seed), check=check,
            on_step=lambda done, total: progress(done, total, "training the weak toy"),
        )  # fmt: skip
        strong = deepcopy(weak)
        strong_losses = learn_preferences(
            strong, pairs, Course(strong_epochs, wish.strong_rate, _batch(pairs, _both), wish.seed), beta=wish.beta,
            check=check,
            on_step=lambda done, total: progress(done, total, "training the strong toy"),
        )  # fmt: skip
    told = {
        "pairs": len(read), "vocabulary": len(tokenizer),
        "parameters": sum(weights.numel() for weights in weak.parameters()),
        "weak": {"texts": len(texts), "epochs": weak_epochs, "losses": [round(loss, 4) for loss in weak_losses]},
        "strong": {"pairs": len(pairs), "epochs": strong_epochs, "losses": [round(loss, 4) for loss in strong_losses]},
    }  # fmt: skip
    return Toys(tokenizer, weak, strong, told)


def texts_of(pairs: Sequence[Preferred]) -> Iterator[str]:
    for pair in pairs:
        yield from (str(turn.get("content") or "") for turn in pair.messages)
        yield from (pair.a, pair.b)


def read_pairs(pairs: Sequence[Preferred], chat: Chat) -> list[tuple[Passage, Passage]]:
    """The preferred side first; pairs of which nothing is left to learn, or that the template refuses, are left out."""
    found = []
    for pair in pairs:
        sides = [pair.b, pair.a] if pair.sign > 0 else [pair.a, pair.b]
        try:
            better, worse = chat.responses(pair.messages, sides)
        except TemplateRefuses:
            continue
        if not better.is_empty and not worse.is_empty:
            found.append((better.passage, worse.passage))
    return found


def whole_texts(pairs: Sequence[tuple[Passage, Passage]]) -> list[Passage]:
    """Conversations with the one response, every turn learned, and the other response behind its conversation."""
    found: list[Passage] = []
    for better, worse in pairs:
        found += [Passage(better.ids, 1), worse]
    return found


def tail(text: Passage, most: int = TAIL) -> Passage:
    """With the last `most` tokens of what is given, and the first."""
    if text.begin <= most + 1:
        return text
    return Passage((text.ids[0], *text.ids[text.begin - most :]), most + 1)


def _len(text: Passage) -> int:
    return len(text.ids)


def _both(pair: tuple[Passage, Passage]) -> int:
    return len(pair[0].ids) + len(pair[1].ids)


def _batch(rows: Sequence[Any], size: Callable[[Any], int]) -> int:
    return max(LEAST_BATCH, min(BATCH, sum(map(size, rows)) // LEAST_STEPS))


def _as_many(rows: Sequence[Any], size: Callable[[Any], int], tokens: int) -> tuple[list[Any], int]:
    """The first rows that fill `tokens`, read once; or all of them as often as fits."""
    total = sum(map(size, rows))
    if total <= tokens:
        return list(rows), min(MOST_EPOCHS, max(1, tokens // total))
    kept: list[Any] = []
    taken = 0
    for row in rows:
        taken += size(row)
        if taken > tokens and kept:
            break
        kept.append(row)
    return kept, 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Matrices as small as these gain nothing from more, and the sums come out the same on every machine's count."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
