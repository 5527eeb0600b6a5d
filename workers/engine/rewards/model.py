"""An off-the-shelf reward model in a folder: a transformers sequence classifier with one output, or two.

Two outputs count as the logit of the second minus that of the first. Only safetensors are loaded, no code that comes
with a model is run, nothing is downloaded. What cannot be used is refused with a sentence, most of it before a run.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from workers.engine.bench import Unworkable
from workers.engine.heads.rows import Floats
from workers.engine.rewards.reading import Reader, Reading

# Where neither model nor tokenizer says how much it reads, and the most in any case.
MOST_TOKENS = 8192
# A tokenizer with fewer entries than this share of the embedding was made for another model; padding is a few per cent.
LEAST_OF_VOCABULARY = 0.9
# Files of which a tokenizer has one at least; some kinds would be made up empty without.
TOKENIZERS = {"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.txt", "vocab.json"}
# Families whose first position is the one after the padding index.
OFFSET_FAMILIES = ("roberta", "camembert", "longformer", "mpnet")


@dataclass(frozen=True)
class Revision:
    """`weights`: sha256 of the weights file (of the digests, where there are several); `reading`: of configuration,
    tokenizer and template, since another template gives other scores."""

    name: str
    weights: str
    reading: str

    @property
    def score_name(self) -> str:
        return f"{self.name[:47]}@{self.weights[:12]}"


def reward_folder(model: str) -> Path:
    folder = Path(model).expanduser()
    if not (folder / "config.json").is_file():
        raise Unworkable(
            f"There is no reward model in {model!r}: give the path of a folder on the worker's machine with a "
            "transformers sequence classifier (config.json, model.safetensors, tokenizer). Nothing is downloaded."
        )
    return folder


def check_usable(folder: Path) -> None:
    """What can be seen without loading the weights; the head is looked for by name in their table of contents."""
    config = _config(folder)
    _weights(folder)
    _tokenizer(folder)
    shape = _empty_model(folder)
    _check_outputs(folder, int(config.num_labels))
    _check_vocabulary(folder, shape)
    base = f"{shape.base_model_prefix}."
    missing = [name for name in shape.state_dict() if not name.startswith(base) and name not in _names(folder)]
    _check_head(folder, missing)


# Name, size and time of every file: a folder may be replaced while a worker lives.
Files = tuple[tuple[str, int, int], ...]


def _files(folder: Path) -> Files:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)


def revision_of(folder: Path) -> Revision:
    return _revision(folder, _files(folder))


@lru_cache(maxsize=32)
def _revision(folder: Path, files: Files) -> Revision:
    weights = [_sha256(path) for path in _weights(folder)]
    reading = hashlib.sha256()
    for name, _, _ in files:
        if Path(name).suffix in {".json", ".jinja", ".txt", ".model"}:
            reading.update(f"{name} {_sha256(folder / name)}\n".encode())
    of_all = weights[0] if len(weights) == 1 else hashlib.sha256("".join(weights).encode()).hexdigest()
    return Revision(folder.resolve().name, of_all, reading.hexdigest())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Classifier:
    """The model on its device, ready to score; `pad` fills the right end of shorter rows."""

    def __init__(self, folder: Path) -> None:
        transformers = _transformers()
        import torch

        check_usable(folder)
        self.device, self.dtype = placement()
        self.model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            str(folder), dtype=getattr(torch, self.dtype), local_files_only=True, trust_remote_code=False,
            use_safetensors=True, output_loading_info=True,
        )  # fmt: skip
        _check_head(folder, sorted(report["missing_keys"]))
        self.model.to(self.device).eval()
        tokenizer = _tokenizer(folder)
        self.reader = Reader(tokenizer, _limit(tokenizer, self.model.config))
        config = self.model.config.get_text_config()
        # Without one of its own a model reads the last token of a row, whatever it is.
        self.has_own_pad = config.pad_token_id is not None
        self.pad = config.pad_token_id if self.has_own_pad else tokenizer.pad_token_id

    def scores(self, batch: Sequence[Reading]) -> Floats:
        import torch

        width = max(len(reading) for reading in batch)
        pad = self._pad_for(batch)
        ids = np.full((len(batch), width), pad, np.int64)
        mask, types = np.zeros_like(ids), np.zeros_like(ids)
        for row, reading in enumerate(batch):
            ids[row, : len(reading)], mask[row, : len(reading)] = reading.ids, 1
            types[row, : len(reading)] = reading.types or 0
        given = {"input_ids": ids, "attention_mask": mask}
        if batch[0].types is not None:
            given["token_type_ids"] = types
        with torch.inference_mode():
            found = self.model(**{name: torch.from_numpy(rows).to(self.device) for name, rows in given.items()})
            logits = found.logits.float().cpu().numpy()
        return np.asarray(logits[:, -1] - logits[:, 0] if logits.shape[1] == 2 else logits[:, 0], np.float64)

    def _pad_for(self, batch: Sequence[Reading]) -> int:
        """A model that looks for the last token that is no padding must not take one of the text's for padding."""
        if self.has_own_pad:
            return int(self.pad)
        used = {token for reading in batch for token in reading.ids}
        pad = int(self.pad) if self.pad not in used else next(n for n in range(len(used) + 1) if n not in used)
        self.model.config.get_text_config().pad_token_id = pad
        return pad

    def forget_memory(self) -> None:
        if self.device == "cuda":
            import torch

            torch.cuda.empty_cache()


def placement() -> tuple[str, str]:
    """(device, dtype): bf16 where a GPU has it, float32 on a CPU."""
    import torch

    if not torch.cuda.is_available():
        return "cpu", "float32"
    return "cuda", "bfloat16" if torch.cuda.is_bf16_supported() else "float32"


def _transformers() -> Any:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    transformers: Any = import_module("transformers")
    transformers.utils.logging.disable_progress_bar()
    return transformers


def _config(folder: Path) -> Any:
    told = json.loads((folder / "config.json").read_text())
    kinds = told.get("architectures") or ["nothing"]
    if not any(kind.endswith("ForSequenceClassification") for kind in kinds) or "auto_map" in told:
        own_code = " with code of its own, which is not run" if "auto_map" in told else ""
        raise Unworkable(
            f"The model in {folder} is no reward model that can be read here: its config.json names {', '.join(kinds)}"
            f"{own_code}, and a sequence classifier (...ForSequenceClassification) with one output is needed."
        )
    try:
        config = _transformers().AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (ValueError, OSError) as reason:
        raise Unworkable(f"The config.json in {folder} cannot be read: {str(reason).splitlines()[0]}") from reason
    if config.is_encoder_decoder:
        raise Unworkable(f"The model in {folder} has an encoder and a decoder; such classifiers are not read here.")
    return config


def _weights(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        files = sorted({folder / name for name in json.loads(index.read_text())["weight_map"].values()})
    else:
        files = [folder / "model.safetensors"]
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise Unworkable(f"The model in {folder} has no {missing[0]}; other weight files are not loaded.")
    return files


def _names(folder: Path) -> set[str]:
    """Of all tensors, from the headers of the files."""
    names: set[str] = set()
    for path in _weights(folder):
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            names |= set(json.loads(file.read(size)))
    return names


def _tokenizer(folder: Path) -> Any:
    return _tokenizer_of(folder, _files(folder))


@lru_cache(maxsize=8)
def _tokenizer_of(folder: Path, files: Files) -> Any:
    absent = f"The model in {folder} has no tokenizer that can be read (tokenizer.json, tokenizer_config.json)."
    if not {name for name, _, _ in files} & TOKENIZERS:
        raise Unworkable(absent)
    try:
        tokenizer = _transformers().AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except (ValueError, OSError, ImportError) as reason:
        raise Unworkable(absent) from reason
    if not tokenizer.is_fast:
        raise Unworkable(f"The tokenizer in {folder} has no tokenizer.json, which is needed to cut texts exactly.")
    return tokenizer


def _empty_model(folder: Path) -> Any:
    """The model's shape without its weights."""
    import torch

    with torch.device("meta"):
        return _transformers().AutoModelForSequenceClassification.from_config(_config(folder), trust_remote_code=False)


def _check_outputs(folder: Path, outputs: int) -> None:
    if outputs not in (1, 2):
        raise Unworkable(
            f"The model in {folder} has {outputs} outputs; a reward model has one, or two that are told apart."
        )


def _check_vocabulary(folder: Path, model: Any) -> None:
    tokenizer, rows = _tokenizer(folder), int(model.get_input_embeddings().weight.shape[0])
    entries = tokenizer.get_vocab()
    if max(entries.values(), default=-1) >= rows or len(entries) < LEAST_OF_VOCABULARY * rows:
        raise Unworkable(
            f"The tokenizer in {folder} is that of another model: it knows {len(entries):,} tokens, and the model has "
            f"embeddings for {rows:,}."
        )
    if tokenizer.pad_token_id is None and model.config.get_text_config().pad_token_id is None:
        raise Unworkable(
            f"The tokenizer in {folder} has no padding token, so texts of different length cannot be read together: "
            "name one as pad_token in its tokenizer_config.json."
        )


def _check_head(folder: Path, missing: Sequence[str]) -> None:
    if missing:
        raise Unworkable(
            f"The model in {folder} has no sequence-classification head: its weights lack {', '.join(missing[:3])}. A "
            "head made up at random would say nothing, so it is not used."
        )


def _limit(tokenizer: Any, config: Any) -> int:
    """How many tokens it reads at most."""
    positions = getattr(config.get_text_config(), "max_position_embeddings", None) or MOST_TOKENS
    if any(family in config.model_type for family in OFFSET_FAMILIES):
        positions -= (config.pad_token_id or 0) + 1
    return int(min(tokenizer.model_max_length, positions, MOST_TOKENS))
