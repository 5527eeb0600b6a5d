"""An off-the-shelf reward model in a folder: a transformers sequence classifier with one output, or two.

Two outputs count as the logit of the second minus that of the first. Only safetensors are loaded, no code that comes
with a model is run, nothing is downloaded. What cannot be used is refused with a sentence, most of it before a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workers.engine.bench import Unworkable
from workers.engine.heads.rows import Floats
from workers.engine.models.folder import (
    check_vocabulary,
    config_of,
    empty_model,
    limit_of,
    placement,
    tensors_of,
    tokenizer_of,
    transformers,
    weights_of,
)
from workers.engine.rewards.reading import Reader, Reading

HEAD = "ForSequenceClassification"


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
    weights_of(folder)
    tokenizer_of(folder)
    shape = empty_model(folder, "AutoModelForSequenceClassification", config)
    _check_outputs(folder, int(config.num_labels))
    check_vocabulary(folder, shape)
    _check_padding(folder, config)
    base, there = f"{shape.base_model_prefix}.", tensors_of(folder)
    _check_head(folder, (name for name in shape.state_dict() if not name.startswith(base) and name not in there))


class Classifier:
    """The model on its device, ready to score; `pad` fills the right end of shorter rows."""

    def __init__(self, folder: Path) -> None:
        import torch

        check_usable(folder)
        self.device, self.dtype = placement()
        self.model, report = transformers().AutoModelForSequenceClassification.from_pretrained(
            str(folder), dtype=getattr(torch, self.dtype), local_files_only=True, trust_remote_code=False,
            use_safetensors=True, output_loading_info=True,
        )  # fmt: skip
        _check_head(folder, sorted(report["missing_keys"]))
        self.model.to(self.device).eval()
        tokenizer = tokenizer_of(folder)
        self.reader = Reader(tokenizer, limit_of(tokenizer, self.model.config))
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


def _config(folder: Path) -> Any:
    config = config_of(folder, HEAD, "is no reward model that can be read here")
    if config.is_encoder_decoder:
        raise Unworkable(f"The model in {folder} has an encoder and a decoder; such classifiers are not read here.")
    return config


def _check_outputs(folder: Path, outputs: int) -> None:
    if outputs not in (1, 2):
        raise Unworkable(
            f"The model in {folder} has {outputs} outputs; a reward model has one, or two that are told apart."
        )


def _check_padding(folder: Path, config: Any) -> None:
    if tokenizer_of(folder).pad_token_id is None and config.get_text_config().pad_token_id is None:
        raise Unworkable(
            f"The tokenizer in {folder} has no padding token, so texts of different length cannot be read together: "
            "name one as pad_token in its tokenizer_config.json."
        )


def _check_head(folder: Path, missing: Iterable[str]) -> None:
    lacking = list(missing)
    if lacking:
        raise Unworkable(
            f"The model in {folder} has no sequence-classification head: its weights lack {', '.join(lacking[:3])}. A "
            "head made up at random would say nothing, so it is not used."
        )
