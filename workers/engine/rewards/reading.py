"""How a conversation and a response become the token ids that a reward model reads.

A model whose tokenizer has a chat template gets its template, as ids and with the beginning-of-sequence token once.
Any other gets prompt and response as a text pair, which is how plain classifiers are trained; of a conversation of
several turns, each line of the prompt begins with who speaks. What is too long loses the beginning of the prompt first,
and the end of the response only where the response alone is too long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What comes before the response, and the response.
PROMPT, RESPONSE = 0, 1
SPEAKERS = {"user": "Human", "assistant": "Assistant", "system": "System"}


@dataclass(frozen=True)
class Reading:
    """`types` are token types where the model has such; `is_cut` where it does not read the whole."""

    ids: list[int]
    types: list[int] | None
    is_cut: bool

    def __len__(self) -> int:
        return len(self.ids)


class Reader:
    def __init__(self, tokenizer: Any, limit: int) -> None:
        self.tokenizer = tokenizer
        self.limit = limit
        self.bos = tokenizer.bos_token_id
        self.has_types = "token_type_ids" in tokenizer.model_input_names

    def read(self, messages: Sequence[Mapping[str, Any]], response: str) -> Reading | None:
        """None where the chat template refuses the conversation."""
        turns = [{"role": str(turn.get("role")), "content": str(turn.get("content") or "")} for turn in messages]
        if not self.tokenizer.chat_template:
            return self._cut(*self._as_pair(turns, response))
        from jinja2 import TemplateError

        try:
            return self._cut(*self._as_chat(turns, response))
        except TemplateError:
            return None

    def _as_chat(self, turns: list[dict[str, str]], response: str) -> tuple[list[int], list[int | None], None]:
        whole = self._template([*turns, {"role": "assistant", "content": response}], is_open=False)
        prompt = self._template(turns, is_open=True)
        # A tokenizer may merge over the boundary: what both begin with is the prompt.
        apart = (place for place, (one, other) in enumerate(zip(prompt, whole, strict=False)) if one != other)
        boundary = next(apart, min(len(prompt), len(whole)))
        parts: list[int | None] = [PROMPT if place < boundary else RESPONSE for place in range(len(whole))]
        if whole and whole[0] == self.bos:
            parts[0] = None
        return whole, parts, None

    def _template(self, turns: list[dict[str, str]], *, is_open: bool) -> list[int]:
        ids = list(
            self.tokenizer.apply_chat_template(turns, add_generation_prompt=is_open, tokenize=True, return_dict=False)
        )
        if self.bos is None:
            return ids
        begins = 0
        while begins < len(ids) and ids[begins] == self.bos:
            begins += 1
        if begins == 0 and self.tokenizer("a", verbose=False)["input_ids"][:1] != [self.bos]:
            return ids
        return [self.bos, *ids[begins:]]

    def _as_pair(
        self, turns: list[dict[str, str]], response: str
    ) -> tuple[list[int], list[int | None], list[int] | None]:
        found = self.tokenizer(in_words(turns), response, truncation=False, verbose=False)
        parts = found.sequence_ids(0)
        # Some tokenizers begin each of the two with it.
        again = {
            place
            for place, (token, part) in enumerate(zip(found["input_ids"], parts, strict=True))
            if place and part is None and token == self.bos and self.bos != self.tokenizer.sep_token_id
        }
        kept = [place for place in range(len(parts)) if place not in again]
        types = [found["token_type_ids"][place] for place in kept] if self.has_types else None
        return [found["input_ids"][place] for place in kept], [parts[place] for place in kept], types

    def _cut(self, ids: list[int], parts: Sequence[int | None], types: list[int] | None) -> Reading:
        surplus = len(ids) - self.limit
        if surplus <= 0:
            return Reading(ids, types, False)
        prompt = [place for place, part in enumerate(parts) if part == PROMPT][:surplus]
        response = [place for place, part in enumerate(parts) if part == RESPONSE][::-1][: surplus - len(prompt)]
        gone = {*prompt, *response}
        kept = [place for place in range(len(ids)) if place not in gone][: self.limit]
        return Reading([ids[place] for place in kept], types and [types[place] for place in kept], True)


def in_words(turns: Sequence[Mapping[str, str]]) -> str:
    if len(turns) == 1:
        return turns[0]["content"]
    return "\n\n".join(f"{SPEAKERS.get(turn['role'], turn['role'])}: {turn['content']}" for turn in turns)
