"""An untrained model of the Llama family for a tokenizer, and a folder to keep both in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.engine.models.folder import transformers


@dataclass(frozen=True)
class Shape:
    """How large; `context` is the most tokens that it reads."""

    hidden: int = 128
    layers: int = 4
    heads: int = 4
    context: int = 512
    vocabulary: int = 2048


def fresh_model(tokenizer: Any, shape: Shape, *, seed: int) -> Any:
    """Random weights, the same ones for the same seed; torch's own generator is left as it was."""
    import torch

    config = transformers().LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=shape.hidden, intermediate_size=8 * shape.hidden // 3,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads, num_key_value_heads=shape.heads,
        max_position_embeddings=shape.context, tie_word_embeddings=True, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers().LlamaForCausalLM(config).eval()


def keep(model: Any, tokenizer: Any, folder: Path) -> Path:
    """Weights as safetensors, with everything that the folder needs to be loaded offline."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    # Written for the writer alone otherwise, while the worker may be somebody else.
    (folder / "model.safetensors").chmod(0o644)
    tokenizer.save_pretrained(folder)
    return folder
