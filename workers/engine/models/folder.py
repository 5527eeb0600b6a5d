"""What can be told of a model's folder without loading its weights, for models of every kind.

Only safetensors are read, no code that comes with a model is run, nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from workers.engine.bench import Unworkable

# Where neither model nor tokenizer says how much it reads, and the most in any case.
MOST_TOKENS = 8192
# A tokenizer with fewer entries than this share of the embedding was made for another model; padding is a few per cent.
LEAST_OF_VOCABULARY = 0.9
# Files of which a tokenizer has one at least; some kinds would be made up empty without.
TOKENIZERS = {"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.txt", "vocab.json"}
# Families whose first position is the one after the padding index.
OFFSET_FAMILIES = ("roberta", "camembert", "longformer", "mpnet")
# In the config.json of a model that `make_tiny_models` made; so its name says what it is under any name.
TOY_MARK, TOY = "winnow_toy", "toy"
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


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


# Name, size and time of every file: a folder may be replaced while a worker lives.
Files = tuple[tuple[str, int, int], ...]


def files_of(folder: Path) -> Files:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)


def revision_of(folder: Path) -> Revision:
    return _revision(folder, files_of(folder))


@lru_cache(maxsize=32)
def _revision(folder: Path, files: Files) -> Revision:
    weights = [_sha256(path) for path in weights_of(folder)]
    reading = hashlib.sha256()
    for name, _, _ in files:
        if Path(name).suffix in {".json", ".jinja", ".txt", ".model"}:
            reading.update(f"{name} {_sha256(folder / name)}\n".encode())
    of_all = weights[0] if len(weights) == 1 else hashlib.sha256("".join(weights).encode()).hexdigest()
    return Revision(_name_of(folder), of_all, reading.hexdigest())


def _name_of(folder: Path) -> str:
    name = folder.resolve().name
    return name if name.startswith(TOY) or not is_toy(folder) else f"{TOY} {name}"


def is_toy(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / "config.json").read_text()).get(TOY_MARK))
    except (OSError, ValueError, AttributeError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def placement() -> tuple[str, str]:
    """(device, dtype): bf16 where a GPU has it, float32 on a CPU."""
    import torch

    if not torch.cuda.is_available():
        return "cpu", "float32"
    return "cuda", "bfloat16" if torch.cuda.is_bf16_supported() else "float32"


def transformers() -> Any:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    kit: Any = import_module("transformers")
    kit.utils.logging.disable_progress_bar()
    return kit


def config_of(folder: Path, head: str, otherwise: str) -> Any:
    """The configuration of a model whose architecture ends with `head`; `otherwise`, what to say of another."""
    told = json.loads((folder / "config.json").read_text())
    kinds = told.get("architectures") or ["nothing"]
    if not any(kind.endswith(head) for kind in kinds) or "auto_map" in told:
        own_code = " with code of its own, which is not run" if "auto_map" in told else ""
        raise Unworkable(
            f"The model in {folder} {otherwise}: its config.json names {', '.join(kinds)}{own_code}, and {head} is "
            "needed."
        )
    try:
        return transformers().AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (ValueError, OSError) as reason:
        raise Unworkable(f"The config.json in {folder} cannot be read: {str(reason).splitlines()[0]}") from reason


def weights_of(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        files = sorted({folder / name for name in json.loads(index.read_text())["weight_map"].values()})
    else:
        files = [folder / "model.safetensors"]
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise Unworkable(f"The model in {folder} has no {missing[0]}; other weight files are not loaded.")
    return files


def tensors_of(folder: Path) -> dict[str, int]:
    """Numbers of each tensor by its name, from the headers of the files."""
    found: dict[str, int] = {}
    for path in weights_of(folder):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        for name, told in header.items():
            if name != "__metadata__":
                begin, end = told["data_offsets"]
                found[name] = (end - begin) // BYTES.get(told["dtype"], 1)
    return found


def tokenizer_of(folder: Path) -> Any:
    return _tokenizer(folder, files_of(folder))


@lru_cache(maxsize=8)
def _tokenizer(folder: Path, files: Files) -> Any:
    absent = f"The model in {folder} has no tokenizer that can be read (tokenizer.json, tokenizer_config.json)."
    if not {name for name, _, _ in files} & TOKENIZERS:
        raise Unworkable(absent)
    try:
        tokenizer = transformers().AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except (ValueError, OSError, ImportError) as reason:
        raise Unworkable(absent) from reason
    if not tokenizer.is_fast:
        raise Unworkable(f"The tokenizer in {folder} has no tokenizer.json, which is needed to cut texts exactly.")
    return tokenizer


def empty_model(folder: Path, kind: str, config: Any) -> Any:
    """The model's shape without its weights."""
    import torch

    with torch.device("meta"):
        return getattr(transformers(), kind).from_config(config, trust_remote_code=False)


def check_vocabulary(folder: Path, model: Any) -> None:
    tokenizer, rows = tokenizer_of(folder), int(model.get_input_embeddings().weight.shape[0])
    entries = tokenizer.get_vocab()
    if max(entries.values(), default=-1) >= rows or len(entries) < LEAST_OF_VOCABULARY * rows:
        raise Unworkable(
            f"The tokenizer in {folder} is that of another model: it knows {len(entries):,} tokens, and the model has "
            f"embeddings for {rows:,}."
        )


def limit_of(tokenizer: Any, config: Any) -> int:
    """How many tokens it reads at most."""
    positions = getattr(config.get_text_config(), "max_position_embeddings", None) or MOST_TOKENS
    if any(family in config.model_type for family in OFFSET_FAMILIES):
        positions -= (config.pad_token_id or 0) + 1
    return int(min(tokenizer.model_max_length, positions, MOST_TOKENS))
