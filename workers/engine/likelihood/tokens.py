"""How a model's own tokenizer and chat template write a conversation as token ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from workers.engine.bench import Unworkable

Messages = Sequence[Mapping[str, Any]]


class TemplateRefuses(Exception):
    """The chat template raises on this conversation; the words are the template's."""


class Tokens(Protocol):
    # For people: whose they are.
    name: str
    # The beginning-of-text token, and whether plain text gets it, too.
    bos: int | None
    adds_bos: bool

    def rendered(self, turns: Messages, *, opens: bool) -> tuple[int, ...]:
        """Ids of the turns, with what opens the assistant's next one behind them; TemplateRefuses."""

    def is_special(self, token: int) -> bool:
        """No text of a person becomes this token, so it can end a turn."""

    def said(self, ids: Sequence[int]) -> str:
        """The text of ids, special tokens included."""


class OwnTokens:
    """Those of a tokenizer of transformers; `template` replaces its own."""

    def __init__(self, tokenizer: Any, template: str | None = None) -> None:
        self.tokenizer, self.template = tokenizer, template or tokenizer.chat_template
        self.name = str(tokenizer.name_or_path)
        if not self.template:
            raise Unworkable(
                f"The tokenizer in {self.name!r} has no chat template, so nobody can say how a conversation looks to "
                "its model; name a model with a template, or let it share the other model's."
            )
        self.bos: int | None = tokenizer.bos_token_id
        self.adds_bos = self.bos is not None and tokenizer("a", verbose=False)["input_ids"][:1] == [self.bos]
        self.special = set(_numbers(tokenizer.all_special_ids)) | set(_numbers(tokenizer.added_tokens_decoder))

    def rendered(self, turns: Messages, *, opens: bool) -> tuple[int, ...]:
        from jinja2 import TemplateError

        try:
            return tuple(
                self.tokenizer.apply_chat_template(
                    [{"role": str(turn["role"]), "content": str(turn.get("content") or "")} for turn in turns],
                    chat_template=self.template,
                    add_generation_prompt=opens,
                    tokenize=True,
                    return_dict=False,
                    # What is too long is cut and flagged by the chat, so no warning is due.
                    tokenizer_kwargs={"verbose": False},
                )
            )
        except TemplateError as error:
            raise TemplateRefuses(str(error)) from error

    def is_special(self, token: int) -> bool:
        return token in self.special

    def said(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(ids)))


def _numbers(ids: Iterable[Any]) -> list[int]:
    return [int(token) for token in ids]
