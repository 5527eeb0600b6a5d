"""A bench whose embeddings come from a tiny rule instead of a model: one behaviour at a time, in milliseconds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from pytest_django.fixtures import Settings

from accounts.models import Project
from corpus.hashing import content_hash, messages_hash
from corpus.models import Comparison, Prompt, Response, Source
from curation.wordings.queries import bundled_words
from ledger.models import Run, RunKind
from workers import tasks
from workers.engine.bench import Bench
from workers.engine.likelihood.cached import Likely, Remarks, Responses
from workers.engine.texts.embeddings import Embedded
from workers.methods._base import Pair

DIMS = 16


class EchoBench(Bench):
    """A text such as "good 0.8 #3" becomes a vector whose first number is 0.8; the rest is noise by hash."""

    def likelihoods(
        self, asked: Sequence[Responses], *, model: str, with_eot: bool = True, template: str | None = None
    ) -> list[list[Likely]]:
        """A number by hash of who says what to whom, about two nats a word."""
        self.check_cancelled()
        return [[_likely(model, str(messages), text) for text in texts] for messages, texts in asked]

    def remarks(self, asked: Sequence[Remarks], *, model: str, template: str | None = None) -> list[list[Likely]]:
        """The same of what the person says next."""
        self.check_cancelled()
        rows = ((crc32(f"{model}{messages}{response}".encode()), texts) for messages, response, texts in asked)
        return [[_remark(behind, text) for text in texts] for behind, texts in rows]

    def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
        self.check_cancelled()
        vectors = np.array([_vector(text) for text in texts], np.float32).reshape(len(texts), DIMS)
        return Embedded(vectors, np.zeros(len(texts), np.bool_))


def _vector(text: str) -> list[float]:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    noise = 0.3 * np.random.default_rng(seed).normal(size=DIMS)
    words = text.split()
    if len(words) > 1 and words[0] == "good":
        noise[0] = float(words[1])
    return [float(number) for number in noise / max(1.0, float(np.linalg.norm(noise)))]


def _likely(model: str, messages: str, text: str) -> Likely:
    seed = int.from_bytes(hashlib.sha256(f"{model}\0{messages}\0{text}".encode()).digest()[:8], "little")
    words = len(text.split()) + 1
    return Likely(-words * float(np.random.default_rng(seed).uniform(1, 3)), words, len(text.encode()))


def _remark(behind: int, text: str) -> Likely:
    """Quickly, since there are dozens behind each response."""
    by_hash, tokens = crc32(text.encode(), behind) / 2**32, len(text) // 4 + 1
    return Likely(-tokens * (1 + 2 * by_hash), tokens, len(text))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return EchoBench(cache=tmp_path, wording=lambda kind, version: bundled_words(kind))


@pytest.fixture
def make_pairs() -> Callable[..., list[Pair]]:
    def make(
        n: int = 120, *, source: int = 1, prompts: int | None = None, first_id: int = 1, seed: int = 0
    ) -> list[Pair]:
        """Comparisons whose better response has the larger number in its text."""
        rng = np.random.default_rng(seed)
        pairs = []
        for index in range(n):
            low, high = rng.uniform(-0.9, 0.9, size=2)
            prompt = index % (prompts or n)
            pairs.append(
                Pair(
                    id=first_id + index, source=source, prompt_id=prompt,
                    messages=[{"role": "user", "content": f"question {prompt}"}],
                    a_id=2 * index, a=f"good {low:+.3f} #{index:03}a",
                    b_id=2 * index + 1, b=f"good {high:+.3f} #{index:03}b",
                    label=1 if high > low else -1,
                )
            )  # fmt: skip
        return pairs

    return make


@pytest.fixture
def fill_corpus(project: Project) -> Callable[..., int]:
    """Comparisons of a source, each with a prompt of its own and texts of `words` words."""

    def fill(n: int, *, source: str = "one", words: int = 8) -> int:
        rng = np.random.default_rng(len(source) + n)
        where = Source.objects.create(project=project, name=source, format="generic")
        for row in range(n):
            messages = [{"role": "user", "content": f"{source} {row}: {_words(rng, words)}"}]
            prompt = Prompt.objects.create(
                project=project,
                messages=messages,
                content_hash=messages_hash([{"role": "user", "content": f"{row} {source}"}]),
            )
            a, b = sorted(
                (
                    Response.objects.create(prompt=prompt, content=text, content_hash=content_hash(text))
                    for text in (_words(rng, words), _words(rng, words) + " indeed")
                ),
                key=lambda response: bytes(response.content_hash),
            )
            label = 1 if b.content.endswith("indeed") else -1
            Comparison.objects.create(
                project=project, source=where, prompt=prompt, response_a=a, response_b=b, row_number=row,
                labels=[label], label=label,
            )  # fmt: skip
        return n

    return fill


WORDS = ["bread", "water", "salt", "time", "hand", "light", "stone", "river", "small", "great", "often", "never", "new"]


def _words(rng: np.random.Generator, n: int) -> str:
    return " ".join(str(word) for word in rng.choice(WORDS, size=n))


@pytest.fixture
def own_cache(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WINNOW_HOME = tmp_path
    # Nobody is there to take the next turn.
    monkeypatch.setattr(tasks, "TURN_SECONDS", 3600.0)


def run_here(project: Project, method: str, **params: Any) -> Run:
    """A run from its row to its end, in this process."""
    run = Run.objects.create(project=project, kind=RunKind.METHOD, method=method, queue="cpu", params=params)
    tasks.run_method.apply(kwargs={"run_id": run.pk})
    run.refresh_from_db()
    return run


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reward model that reads prompt and response as a pair, and likes the word "indeed"."""
    from tests.workers.tiny_rewards import make_bert

    return make_bert(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a chat template, and with the end of the text as its only padding."""
    from tests.workers.tiny_rewards import make_llama

    return make_llama(tmp_path_factory.mktemp("models") / "tiny-llama")
