"""Real reward models, small enough to be made on the spot: two layers, a vocabulary of the bundled sample's words.

They are trained on pairs of made-up texts of which the better one has the word "indeed" in it.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    "{% if loop.first %}{{ bos_token }}{% endif %}<turn>{{ message.role }} {{ message.content }}{{ eos_token }}"
    "{% endfor %}{% if add_generation_prompt %}<turn>assistant {% endif %}"
)
WORDS = ["bread", "water", "salt", "time", "hand", "light", "stone", "river", "small", "great", "often", "never", "new"]
SHAPE: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": 64,
}  # fmt: skip


@lru_cache(maxsize=1)
def _transformers() -> Any:
    return import_module("transformers")


def _vocabulary(special: list[str]) -> Any:
    """The commonest words of two topics of the sample, those of the tests first: the same ones every time."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    files = sorted((ROOT / "platform" / "corpus" / "sample").glob("*.yaml"))[:2]
    counted = Counter(word for file in files for word in re.findall(r"\w+|[^\w\s]", file.read_text()))
    common = sorted(counted, key=lambda word: (-counted[word], word))
    words = list(dict.fromkeys([*special, *WORDS, "indeed", "user", "assistant", *common]))[:600]
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def pair_tokenizer() -> Any:
    """As BERT has it: prompt and response as a pair, a padding token, no chat template."""
    from tokenizers import processors

    tokenizer = _vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return _transformers().PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=64, model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip


def chat_tokenizer(*, pad: str | None = "<eos>") -> Any:
    """As chat models have it: it begins every text with <bos> by itself, and so does its template."""
    from tokenizers import processors

    tokenizer = _vocabulary(["[UNK]", "<bos>", "<eos>", "<turn>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", 1)]
    )
    return _transformers().PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", unk_token="[UNK]", pad_token=pad,
        model_max_length=64, chat_template=TEMPLATE,
    )  # fmt: skip


def make_bert(folder: Path, *, outputs: int = 1, steps: int = 60, seed: int = 0) -> Path:
    import torch

    kit = _transformers()
    torch.manual_seed(seed)
    tokenizer = pair_tokenizer()
    model = kit.BertForSequenceClassification(
        kit.BertConfig(
            vocab_size=len(tokenizer), num_labels=outputs, hidden_dropout_prob=0.0, initializer_range=0.2, **SHAPE
        )
    )
    return _saved(folder, model, tokenizer, steps, seed)


def make_llama(folder: Path, *, pad: str | None = "<eos>", steps: int = 60, seed: int = 0) -> Path:
    import torch

    kit = _transformers()
    torch.manual_seed(seed)
    tokenizer = chat_tokenizer(pad=pad)
    config = kit.LlamaConfig(vocab_size=len(tokenizer), num_labels=1, bos_token_id=1, eos_token_id=2, **SHAPE)
    return _saved(folder, kit.LlamaForSequenceClassification(config), tokenizer, steps, seed)


def _saved(folder: Path, model: Any, tokenizer: Any, steps: int, seed: int) -> Path:
    from workers.engine.rewards.reading import Reader

    torch: Any = import_module("torch")

    rng = np.random.default_rng(seed)
    reader = Reader(tokenizer, 64)
    pad, model.config.pad_token_id = model.config.pad_token_id, 0
    learn = torch.optim.Adam(model.parameters(), lr=1e-3)
    with torch.enable_grad():
        for _ in range(steps):
            rows = [" ".join(rng.choice(WORDS, size=6)) for _ in range(16)]
            texts = [_with_indeed(row, rng) for row in rows] + [f"{row} new" for row in rows]
            asked = [{"role": "user", "content": " ".join(rng.choice(WORDS, size=3))}]
            read = [one for text in texts if (one := reader.read(asked, text))]
            types = {"token_type_ids": torch.tensor([one.types for one in read])} if reader.has_types else {}
            logits = model(torch.tensor([one.ids for one in read]), **types).logits
            scores = logits[:, -1] - logits[:, 0] if logits.shape[1] == 2 else logits[:, 0]
            loss = -torch.nn.functional.logsigmoid(scores[:16] - scores[16:]).mean()
            learn.zero_grad()
            loss.backward()
            learn.step()
    model.config.pad_token_id = pad
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _with_indeed(text: str, rng: np.random.Generator) -> str:
    words = text.split()
    words.insert(int(rng.integers(len(words) + 1)), "indeed")
    return " ".join(words)
