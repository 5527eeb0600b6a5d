"""Published preferences divided once and for all, and toy models trained on the one part to be tried on the other.

Held out is every row whose number in its file is 4 modulo 5 (LLMBar: its five files one after the other, Natural
first); rows of the rest that begin with the same turn of a person as a held-out one are left out. Toys are kept in the
cache of WINNOW_HOME by everything that they depend on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.planted_data import HARMLESS, HELPFUL, _hh, _Sides
from workers.methods._base import Pair

if TYPE_CHECKING:
    from workers.engine.likelihood.passages import Passage
    from workers.engine.toys.make import Wish

LLMBAR = 4
LLMBAR_PARTS = ("Natural", "Adversarial-GPTInst", "Adversarial-GPTOut", "Adversarial-Manual", "Adversarial-Neighbor")
HELD_OUT = 5
# What the strong toys learn from: a ninth, a third and all of the training pairs, each once.
SHARES = (1 / 9, 1 / 3, 1.0)
# Tokens of a prompt's end and of a response's beginning that they read.
PROMPT_READ, RESPONSE_READ = 48, 128
ARMS = (*(("preferences", share) for share in SHARES), ("preferred texts", 1.0))
OBJECTIVES = ("preferences", "preferred texts")
# One weak toy for all seeds, which then are those of the further training alone: a third of the time.
HAS_ONE_WEAK = os.environ.get("WINNOW_ONE_WEAK") == "1"
QUIET = os.environ.get("WINNOW_QUIET", "")


@dataclass(frozen=True)
class Divided:
    name: str
    learning: list[Pair]
    held_out: list[Pair]


def divided_sets(data: Path) -> list[Divided]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "winnow.settings")
    hh = data / "hh-rlhf"
    return [
        _divided("helpful", list(_hh(hh / "helpful-base.test.jsonl.gz", HELPFUL, 0))),
        _divided("harmless", list(_hh(hh / "harmless-base.test.jsonl.gz", HARMLESS, 100_000))),
        _divided("LLMBar", list(_llmbar(data / "llmbar"))),
    ]


def _divided(name: str, pairs: list[Pair]) -> Divided:
    held_out = [pair for pair in pairs if pair.id % HELD_OUT == HELD_OUT - 1]
    openings = {_opening(pair) for pair in held_out}
    rest = [pair for pair in pairs if pair.id % HELD_OUT != HELD_OUT - 1 and _opening(pair) not in openings]
    return Divided(name, rest, held_out)


def _opening(pair: Pair) -> str:
    return str(pair.messages[0]["content"]).strip().lower()


def _llmbar(folder: Path) -> Iterator[Pair]:
    sides, number = _Sides(LLMBAR, 300_000), 0
    for part in LLMBAR_PARTS:
        for row in json.loads((folder / f"{part}.json").read_text()):
            better, worse = (row["output_1"], row["output_2"])[:: 1 if row["label"] == 1 else -1]
            if better != worse and better.strip() and worse.strip():
                yield sides.pair(number, [{"role": "user", "content": row["input"]}], better, worse)
            number += 1


class Nursery:
    """Trains what is not there yet; every toy is a folder under `models`."""

    def __init__(self, sets: Sequence[Divided], home: Path) -> None:
        self.sets = {one.name: one for one in sets}
        self.models = home / "cache" / "benchmark-toys" / _fingerprint(sets)
        self.seconds = 0.0
        self.read: dict[str, list[Any]] = {}

    def weak(self, seed: int) -> Path:
        """Next-token training on all training conversations of all sets, with both responses, once."""
        seed = 0 if HAS_ONE_WEAK else seed

        def train() -> Any:
            from workers.engine.toys.lessons import Course, learn_texts
            from workers.engine.toys.make import whole_texts
            from workers.engine.toys.shape import fresh_model

            model = fresh_model(self.tokenizer, wish(seed).shape, seed=seed)
            texts = whole_texts([pair for name in self.sets for pair in self._read(name)])
            learn_texts(model, texts, Course(1, wish(seed).weak_rate, seed=seed), check=wait_while_quiet)
            return model

        return self._made(f"toy-weak-{seed}", train)

    def strong(self, name: str, objective: str, share: float, seed: int) -> Path:
        """The weak one, trained further once on a share of the training pairs of a set."""
        weak = self.weak(seed)

        def train() -> Any:
            from workers.engine.models.causal import Causal
            from workers.engine.toys.lessons import Course, learn_preferences, learn_texts

            model = deepcopy(Causal(weak).model)
            read = [(_short(better), _short(worse)) for better, worse in self._read(name)]
            some = read[: max(1, round(share * len(read)))]
            course = Course(1, wish(seed).strong_rate, seed=seed)
            if objective == "preferences":
                learn_preferences(model, some, course, beta=wish(seed).beta, check=wait_while_quiet)
            else:
                learn_texts(model, [better for better, _ in some], course, check=wait_while_quiet)
            return model

        said = f"{name.lower()}-{objective.replace(' ', '-')}-{round(share * 100)}"
        return self._made(f"toy-strong-{said}-{seed}-over-{weak.name}", train)

    def made(self, name: str, dialogues: Callable[[], Sequence[Any]], epochs: int, seed: int) -> Path:
        """A toy of the tokenizer of all, trained from nothing on conversations of one's own."""

        def train() -> Any:
            from workers.engine.likelihood.passages import Passage
            from workers.engine.toys.lessons import Course, learn_texts
            from workers.engine.toys.shape import fresh_model

            model = fresh_model(self.tokenizer, wish(seed).shape, seed=seed)
            texts = [
                Passage(tuple(self.tokenizer.apply_chat_template(list(turns), return_dict=False)), 1)
                for turns in dialogues()
            ]
            learn_texts(model, texts, Course(epochs, wish(seed).weak_rate, 1024, seed), check=wait_while_quiet)
            return model

        return self._made(f"toy-{name}-{seed}", train)

    def _made(self, name: str, train: Callable[[], Any]) -> Path:
        from workers.engine.toys.make import one_thread
        from workers.engine.toys.shape import keep

        folder = self.models / name
        if not (folder / "config.json").is_file():
            started = time.perf_counter()
            fresh = folder.with_name(f".{name}.{os.getpid()}")
            with one_thread():
                keep(train(), self.tokenizer, fresh)
            if folder.exists():
                # Another process was faster, and made the same.
                shutil.rmtree(fresh)
            else:
                fresh.replace(folder)
            self.seconds += time.perf_counter() - started
        return folder

    @cached_property
    def tokenizer(self) -> Any:
        from workers.engine.toys.make import texts_of
        from workers.engine.toys.tokenizer import learn_tokenizer

        pairs = [pair for one in self.sets.values() for pair in one.learning]
        shape = wish(0).shape
        return learn_tokenizer(texts_of(pairs), vocabulary=shape.vocabulary, context=shape.context)

    def _read(self, name: str) -> list[Any]:
        if name not in self.read:
            self.read[name] = self._read_now(name)
        return self.read[name]

    def _read_now(self, name: str) -> list[Any]:
        """Training pairs as passages, in an order that has nothing to do with the file's."""
        from workers.engine.likelihood.chat import Chat
        from workers.engine.likelihood.tokens import OwnTokens
        from workers.engine.toys.make import draw, read_pairs

        chat = Chat(OwnTokens(self.tokenizer), wish(0).shape.context)
        ordered = sorted(self.sets[name].learning, key=lambda pair: (draw(pair.messages, 0), pair.a, pair.b))
        return read_pairs(ordered, chat)


def _short(text: Passage) -> Passage:
    """What of a pair the further training reads: a model as small as this gets little from the rest."""
    from workers.engine.likelihood.passages import Passage
    from workers.engine.toys.make import tail

    cut = tail(text, PROMPT_READ)
    return Passage(cut.ids[: cut.begin + RESPONSE_READ], cut.begin)


def wish(seed: int) -> Wish:
    """Settled on a fifth of the training rows, held-out rows unseen."""
    from workers.engine.toys.make import Wish
    from workers.engine.toys.shape import Shape

    return Wish(seed=seed, shape=Shape(hidden=64, layers=2, heads=2, context=512, vocabulary=1024))


def wait_while_quiet() -> None:
    """Somebody measures on this machine as long as the file WINNOW_QUIET is there."""
    while QUIET and Path(QUIET).exists():
        time.sleep(3)


def _fingerprint(sets: Sequence[Divided]) -> str:
    import workers.engine.toys

    digest = hashlib.sha256(repr((wish(0), PROMPT_READ, RESPONSE_READ, SHARES)).encode())
    for name in ("lessons.py", "make.py", "shape.py", "tokenizer.py"):
        digest.update((Path(workers.engine.toys.__path__[0]) / name).read_bytes())
    for one in sets:
        digest.update(f"{one.name} {[pair.id for pair in one.learning]}".encode())
    return digest.hexdigest()[:16]
