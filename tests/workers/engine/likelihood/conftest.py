"""Tiny causal models of several families, with random weights, and a tokenizer of bytes."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

VOCABULARY = 200
_SHAPE = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024,
}  # fmt: skip
FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama": ("LlamaForCausalLM", "LlamaConfig", {}),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", {"head_dim": 16}),
    # A cap on logits, another inside attention, and every other layer with a window shorter than the texts.
    "gemma2": (
        "Gemma2ForCausalLM",
        "Gemma2Config",
        {"head_dim": 16, "sliding_window": 16, "final_logit_softcapping": 2.0, "attn_logit_softcapping": 5.0},
    ),
    "gemma3": ("Gemma3ForCausalLM", "Gemma3TextConfig", {"head_dim": 16, "sliding_window": 16}),
    "mistral": ("MistralForCausalLM", "MistralConfig", {"sliding_window": 16}),
    "granite": ("GraniteForCausalLM", "GraniteConfig", {"logits_scaling": 3.0}),
}


@pytest.fixture(scope="session")
def causal_model() -> Callable[[str], Any]:
    made: dict[str, Any] = {}

    def make(family: str) -> Any:
        if family not in made:
            torch, transformers = import_module("torch"), import_module("transformers")
            model, config, extra = FAMILIES[family]
            torch.manual_seed(0)
            made[family] = getattr(transformers, model)(getattr(transformers, config)(**{**_SHAPE, **extra})).eval()
        return made[family]

    return make
