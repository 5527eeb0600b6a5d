"""A byte-level BPE tokenizer learned from a few texts, with the turns of a conversation as tokens of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workers.engine.models.folder import transformers

BEGIN, END, PADDING = "<|begin|>", "<|end|>", "<|pad|>"
ROLES = {"system": "<|system|>", "user": "<|user|>", "assistant": "<|assistant|>"}
SPECIAL = [PADDING, BEGIN, END, *ROLES.values()]
BYTES = 256
# A turn is its role's token, its text, and the end; no white space between, so that nothing merges over a boundary.
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def learn_tokenizer(texts: Iterable[str], *, vocabulary: int, context: int) -> Any:
    """Of at most `vocabulary` tokens: every byte, those of the turns, and the commonest pieces of the texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=max(vocabulary, BYTES + len(SPECIAL)),
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return transformers().PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END, pad_token=PADDING,
        additional_special_tokens=list(ROLES.values()), model_max_length=context, chat_template=TEMPLATE,
        clean_up_tokenization_spaces=False,
    )  # fmt: skip
