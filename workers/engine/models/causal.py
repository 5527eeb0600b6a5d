"""A causal language model in a folder, ready to score; what cannot be used is refused with a sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workers.engine.bench import Unworkable
from workers.engine.devices import free_bytes
from workers.engine.generation.written import Sampling, Written
from workers.engine.likelihood.chat import Chat
from workers.engine.likelihood.forward import Likelihood
from workers.engine.likelihood.passages import Passage, Scored
from workers.engine.likelihood.tokens import Messages, OwnTokens
from workers.engine.models.folder import (
    Revision,
    check_vocabulary,
    config_of,
    empty_model,
    limit_of,
    placement,
    revision_of,
    tensors_of,
    tokenizer_of,
    transformers,
    weights_of,
)
from workers.engine.models.resident import resident

HEAD = "ForCausalLM"
KIND = "AutoModelForCausalLM"
# Tokens of a slice by device: where a GPU is no longer idle, and where a CPU's caches still hold them.
TOKENS = {"cpu": 2048, "cuda": 32768}
# Of what is free once the weights are there, what a batch may take.
SHARE_FOR_TEXTS, MOST_FOR_TEXTS = 0.5, {"cpu": 2 * 2**30, "cuda": 64 * 2**30}
# Changes with the code that gives the same ids of the same model other numbers.
RULES = "1"


def check_usable(folder: Path) -> None:
    """What can be seen without loading the weights."""
    config = config_of(folder, HEAD, "is no language model that can be read here")
    weights_of(folder)
    tokenizer_of(folder)
    shape = empty_model(folder, KIND, config)
    check_vocabulary(folder, shape)
    tied, there = set(getattr(shape, "all_tied_weights_keys", None) or ()), tensors_of(folder)
    _check_complete(folder, [name for name, _ in shape.named_parameters() if name not in there and name not in tied])


class Causal:
    """The weights on their device, and the kernel that scores with them."""

    def __init__(self, folder: Path) -> None:
        import torch

        check_usable(folder)
        device, dtype = placement()
        self.model, report = transformers().AutoModelForCausalLM.from_pretrained(
            str(folder), dtype=getattr(torch, dtype), local_files_only=True, trust_remote_code=False,
            use_safetensors=True, output_loading_info=True,
        )  # fmt: skip
        _check_complete(folder, sorted(report["missing_keys"]))
        self.model.to(device).eval()
        memory = min(int(free_bytes(device) * SHARE_FOR_TEXTS), MOST_FOR_TEXTS[device])
        self.likelihood = Likelihood(self.model, tokens=TOKENS[device], memory=memory)


class FolderScorer:
    """Holds no weights itself: they are loaded when something is to be scored, and may leave again."""

    hands = 1

    def __init__(self, folder: Path) -> None:
        self.folder, self.revision = folder, revision_of(folder)
        self.tokenizer: Any = tokenizer_of(folder)
        self.context = limit_of(self.tokenizer, config_of(folder, HEAD, "is no language model that can be read here"))

    @property
    def name(self) -> str:
        return self.revision.name

    @property
    def version(self) -> str:
        return version_of(self.revision)

    def chat(self, *, with_eot: bool = True, template: str | None = None) -> Chat:
        return Chat(OwnTokens(self.tokenizer, template), self.context, with_eot=with_eot)

    def score(
        self,
        passages: Sequence[Passage],
        *,
        check: Callable[[], None] = lambda: None,
        on_passage: Callable[[int], None] = lambda done: None,
    ) -> list[Scored]:
        return self.loaded().likelihood.score(passages, check=check, on_passage=on_passage)

    def write(
        self,
        asked: Sequence[Messages],
        sampling: Sampling,
        *,
        check: Callable[[], None] = lambda: None,
        on_written: Callable[[int], None] = lambda done: None,
    ) -> list[list[Written]]:
        from workers.engine.generation.local import write_locally

        return write_locally(self, asked, sampling, check=check, on_written=on_written)

    def loaded(self) -> Causal:
        return resident(Causal, self.folder)


def version_of(revision: Revision) -> str:
    return hashlib.sha256(f"{revision.weights} {revision.reading} {placement()} {RULES}".encode()).hexdigest()[:16]


def _check_complete(folder: Path, missing: Sequence[str]) -> None:
    if missing:
        raise Unworkable(
            f"The weights in {folder} lack {', '.join(missing[:3])}: a model with parts made up at random would say "
            "nothing, so it is not used."
        )
