"""Real chat models, small enough to be made on the spot: two layers, a vocabulary of bytes and the sample's pieces.

    folder = make_chat(tmp_path / "strong")                             random weights, told apart by `seed`
    make_chat(tmp_path / "kind", dialogues=[[user, assistant, user]], steps=60)
    make_chat(tmp_path / "other", vocabulary=400, family="qwen3")       another tokenizer, another family
    make_chat(tmp_path / "plain", template=NO_SYSTEM)                   it refuses a system turn; "" = no template

A made folder is loaded like any other: a causal model with a tokenizer and its chat template.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from workers.engine.toys.shape import keep
from workers.engine.toys.tokenizer import TEMPLATE, learn_tokenizer

os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY, CONTEXT = 512, 256
NO_SYSTEM = (
    "{% for message in messages if message['role'] == 'system' %}{{ raise_exception('no system turn') }}{% endfor %}"
) + TEMPLATE
FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama": ("LlamaForCausalLM", "LlamaConfig", {}),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", {"head_dim": 16}),
    "gemma3": ("Gemma3ForCausalLM", "Gemma3TextConfig", {"head_dim": 16, "sliding_window": 16}),
}
Dialogue = Sequence[Mapping[str, str]]


@lru_cache(maxsize=8)
def chat_tokenizer(vocabulary: int = VOCABULARY, context: int = CONTEXT) -> Any:
    """From two topics of the bundled sample: the same one every time. Do not change it; `make_chat` keeps copies."""
    files = sorted((ROOT / "platform" / "corpus" / "sample").glob("*.yaml"))[:2]
    return learn_tokenizer((path.read_text() for path in files), vocabulary=vocabulary, context=context)


def make_chat(
    folder: Path,
    *,
    seed: int = 0,
    dialogues: Sequence[Dialogue] = (),
    steps: int = 0,
    rate: float = 3e-3,
    vocabulary: int = VOCABULARY,
    context: int = CONTEXT,
    family: str = "llama",
    template: str | None = None,
    hidden: int = 32,
    layers: int = 2,
) -> Path:
    """With random weights, or after `steps` of batches of 16 drawn from whole conversations, every token learned."""
    import torch

    kit: Any = import_module("transformers")
    tokenizer = chat_tokenizer(vocabulary, context)
    model_of, config_of, extra = FAMILIES[family]
    shape = {
        "hidden_size": hidden, "intermediate_size": 2 * hidden, "num_hidden_layers": layers, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": context, "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = getattr(kit, model_of)(getattr(kit, config_of)(**{**shape, **extra}))
        if steps:
            _learn(model, tokenizer, dialogues, steps, rate, seed)
    keep(model.eval(), tokenizer, folder)
    if template is not None:
        _with_template(folder, template)
    return folder


def _learn(model: Any, tokenizer: Any, dialogues: Sequence[Dialogue], steps: int, rate: float, seed: int) -> None:
    torch: Any = import_module("torch")
    context = model.config.max_position_embeddings
    rows = [tokenizer.apply_chat_template(list(each), return_dict=False)[:context] for each in dialogues]
    rng = np.random.default_rng(seed)
    learner = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    model.train()
    with torch.enable_grad():
        for _ in range(steps):
            some = [rows[place] for place in rng.integers(len(rows), size=16)]
            width = max(map(len, some))
            ids = torch.tensor([row + [tokenizer.pad_token_id] * (width - len(row)) for row in some])
            told = torch.tensor([row + [-100] * (width - len(row)) for row in some])
            loss = model(input_ids=ids, attention_mask=(told != -100).long(), labels=told).loss
            learner.zero_grad()
            loss.backward()
            learner.step()


def _with_template(folder: Path, template: str) -> None:
    """Beside the tokenizer lies a file of its own with the template; none is a folder without that file."""
    file = folder / "chat_template.jinja"
    if template:
        file.write_text(template)
    else:
        file.unlink()
