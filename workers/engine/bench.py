"""What a method works with: embeddings, a way to tell how far it is, and the question whether to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from workers.engine.generation.written import Writer, Written
    from workers.engine.likelihood.cached import Likely, Remarks, Responses
    from workers.engine.likelihood.tokens import Messages
    from workers.engine.models.allowed import Servers
    from workers.engine.models.scorer import Scorer
    from workers.engine.rewards.scores import Asked, Rewarded
    from workers.engine.texts.embeddings import Embedded


class Unworkable(Exception):
    """The method cannot run as asked, and trying again will not help; the message is a sentence for the user."""


def _no_progress(done: int, total: int | None = None, stage: str = "") -> None:
    pass


def _never_stop() -> None:
    pass


class Votes(Protocol):
    """Votes as arrays; `workers.methods._base.Ballot` says what is in them."""

    @property
    def comparison(self) -> NDArray[np.int64]: ...
    @property
    def annotator(self) -> NDArray[np.int64]: ...
    @property
    def choice(self) -> NDArray[np.int64]: ...
    @property
    def is_both_bad(self) -> NDArray[np.bool_]: ...
    @property
    def first(self) -> NDArray[np.int64]: ...


class Told(Protocol):
    """The newest signals of a method: its fields by comparison."""

    @property
    def run_id(self) -> int: ...
    @property
    def fields(self) -> Mapping[int, Mapping[str, Any]]: ...
    # People have judged or decided since that run read its labels.
    @property
    def is_older(self) -> bool: ...


class Check(Protocol):
    """What a curator said of a comparison outside campaigns, beside the label that came with the data, -3..3."""

    @property
    def comparison_id(self) -> int: ...
    @property
    def imported(self) -> int | None: ...
    @property
    def label(self) -> int | None: ...
    # A decision, which nobody is asked about again; otherwise one answer of a blind sample.
    @property
    def is_final(self) -> bool: ...


class Words(Protocol):
    """One version of the words that a method puts to models; 0 is the bundled one."""

    @property
    def version(self) -> int: ...
    # Of its canonical JSON.
    @property
    def sha256(self) -> str: ...
    @property
    def document(self) -> Mapping[str, Any]: ...


def _nothing_told(method: str) -> Told | None:
    return None


def _no_words(kind: str, version: int) -> Words:
    raise Unworkable(f"There are no {kind} at hand here.")


def _no_servers() -> Servers:
    from workers.engine.models.allowed import Servers

    return Servers()


def _no_checks() -> Sequence[Check]:
    return ()


def _no_tasks(campaign: int) -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def _none_unlabelled() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def _nobody_voted() -> Votes | None:
    return None


def _nobody_checked() -> tuple[float, int] | None:
    return None


@dataclass(frozen=True)
class Bench:
    """`progress` counts within the piece at hand; `check_cancelled` raises whatever ends the work: let it pass."""

    cache: Path
    progress: Callable[..., None] = _no_progress
    check_cancelled: Callable[[], None] = _never_stop
    # All counting votes of the project, read when asked for; None where nobody voted.
    votes: Callable[[], Votes | None] = _nobody_voted
    # Share of wrong labels that the newest blind sample of all labels found, and of how many; None without one.
    label_noise: Callable[[], tuple[float, int] | None] = _nobody_checked
    # The newest signals of a method; None where it never ran here.
    signals: Callable[[str], Told | None] = _nothing_told
    checks: Callable[[], Sequence[Check]] = _no_checks
    # Comparisons whose label, if they have one, is not of the data but of people.
    came_unlabelled: Callable[[], NDArray[np.int64]] = _none_unlabelled
    # The comparisons that a campaign still asks about.
    open_tasks: Callable[[int], NDArray[np.int64]] = _no_tasks
    # Names of the project's sources by number.
    sources: Mapping[int, str] = field(default_factory=dict)
    # The project's words of a kind (`follow_ups`, `domains`) by version; 0 = its newest, or the bundled ones.
    wording: Callable[[str, int], Words] = _no_words
    # Folders of models that go by name alone.
    models: Path = Path("models")
    # Model servers that the project lists; none else is ever reached.
    servers: Servers = field(default_factory=_no_servers)

    def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
        from workers.engine.texts.embeddings import embed

        def on_batch(done: int, total: int) -> None:
            self.progress(done, total, "embedding")

        return embed(texts, model=model, cache=self.cache, check=self.check_cancelled, on_batch=on_batch)

    def reward(self, asked: Sequence[Asked], *, model: str) -> Rewarded:
        from workers.engine.rewards.scores import reward

        def on_batch(done: int, total: int) -> None:
            self.progress(done, total, "scoring")

        return reward(asked, model=model, cache=self.cache, check=self.check_cancelled, on_batch=on_batch)

    def scorer(self, model: str) -> Scorer:
        """A causal model by name, path or URL, to score with; Unworkable where there is none."""
        from workers.engine.models.open import Where, open_scorer

        return open_scorer(model, Where(self.models, self.cache, self.servers, self.check_cancelled))

    def likelihoods(
        self, asked: Sequence[Responses], *, model: str, with_eot: bool = True, template: str | None = None
    ) -> list[list[Likely]]:
        """How probable the model finds each response; a row is a conversation with all its responses."""
        from workers.engine.likelihood.cached import likelihoods

        return likelihoods(
            self.scorer(model), asked, cache=self.cache, with_eot=with_eot, template=template,
            check=self.check_cancelled, on_portion=self._on_portion,
        )  # fmt: skip

    def remarks(self, asked: Sequence[Remarks], *, model: str, template: str | None = None) -> list[list[Likely]]:
        """How probable the model finds each remark of the person behind a response."""
        from workers.engine.likelihood.cached import remarks

        return remarks(
            self.scorer(model), asked, cache=self.cache, template=template, check=self.check_cancelled,
            on_portion=self._on_portion,
        )  # fmt: skip

    def write(
        self,
        asked: Sequence[Messages],
        *,
        model: str,
        n: int,
        seed: int = 0,
        temperature: float = 0.8,
        top_p: float = 1.0,
        top_k: int = 0,
        max_tokens: int = 256,
    ) -> list[list[Written]]:
        """`n` texts that the model says next to each conversation; top_k 0 = of all tokens."""
        from workers.engine.generation.written import Sampling

        def on_written(done: int) -> None:
            self.progress(done, len(asked) * n, "writing")

        sampling = Sampling(n, seed, temperature, top_p, top_k, max_tokens)
        return self._writer(model).write(asked, sampling, check=self.check_cancelled, on_written=on_written)

    def author(self, model: str) -> str:
        """As whom texts of the model are kept: its name, and the beginning of its revision."""
        writer = self._writer(model)
        revision = getattr(writer, "revision", None)
        return f"{writer.name}@{(revision.weights if revision else writer.version)[:12]}"

    def _writer(self, model: str) -> Writer:
        from workers.engine.models.open import Where, open_writer

        return open_writer(model, Where(self.models, self.cache, self.servers, self.check_cancelled))

    def _on_portion(self, done: int, total: int) -> None:
        self.progress(done, total, "scoring")
