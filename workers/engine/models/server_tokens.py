"""A server's own tokenizer and chat template, asked through its /tokenize and /detokenize as vLLM has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from workers.engine.likelihood.tokens import Messages, TemplateRefuses
from workers.engine.models.client import Answered, Client, Garbled, ServerTrouble, Stop
from workers.engine.models.kept_tokens import KeptTokens

# A question, an answer and a question, for what can be told of a template only by looking at what it writes.
THREE_TURNS = (
    {"role": "user", "content": "Is it late?"},
    {"role": "assistant", "content": "It is noon."},
    {"role": "user", "content": "Thank you."},
)
R = TypeVar("R")

# Where /tokenize may lie: beside /v1, as vLLM has it, or below it.
PLACES = ("//", "/")


@dataclass(frozen=True)
class Reading:
    """What is known of a server's tokenizer: found out once."""

    place: str
    bos: int | None
    adds_bos: bool
    # Ids of special tokens where the server lists them; None where each is judged by its looks.
    special: frozenset[int] | None
    # How many tokens the model reads; 0 where the server does not say.
    context: int


@dataclass(frozen=True)
class Memory:
    """What need not be asked again: single answers here, conversations on disk."""

    answers: dict[object, Any] = field(default_factory=dict)
    kept: KeptTokens | None = None


class ServerTokens:
    """As `likelihood.tokens.Tokens` asks for it; `template` goes with every request, for servers that let it."""

    def __init__(
        self,
        client: Client,
        model: str,
        reading: Reading,
        *,
        template: str | None = None,
        check: Stop = lambda: None,
        memory: Memory | None = None,
    ) -> None:
        self.name = f"{client.url}#{model}"
        self.bos, self.adds_bos = reading.bos, reading.adds_bos
        self._client, self._model, self._reading = client, model, reading
        self._template, self._check = template, check
        self._memory = memory or Memory()

    def rendered(self, turns: Messages, *, opens: bool) -> tuple[int, ...]:
        told = [{"role": str(turn["role"]), "content": str(turn.get("content") or "")} for turn in turns]
        key = json.dumps([told, opens])
        kept = self._memory.kept
        if kept is None:
            return self._remembered(key, lambda: self._asked_of_template(told, opens))
        found = kept.find(key)
        if found is None:
            found = self._asked_of_template(told, opens)
            kept.add(key, found)
        return found

    def is_special(self, token: int) -> bool:
        if self._reading.special is not None:
            return token in self._reading.special
        return self._remembered(token, lambda: self._looks_special(token))

    def said(self, ids: Sequence[int]) -> str:
        told = tuple(ids)
        return self._remembered(told, lambda: self._post("detokenize", {"tokens": list(told)}, _text))

    def plain(self, text: str, *, with_special: bool = False) -> tuple[int, ...]:
        """Ids of a text that is no conversation."""
        return self._post("tokenize", {"prompt": text, "add_special_tokens": with_special}, _ids)

    def context(self) -> int:
        """How many tokens the model reads, as it comes with every answer; 0 where it does not."""
        return self._post("tokenize", {"prompt": "a"}, _context)

    def _remembered(self, asked: object, ask: Callable[[], R]) -> R:
        answers = self._memory.answers
        if asked in answers:
            return cast("R", answers[asked])
        answer = answers[asked] = ask()
        return answer

    def _asked_of_template(self, turns: Messages, opens: bool) -> tuple[int, ...]:
        body = {"messages": turns, "add_generation_prompt": opens, "add_special_tokens": False}
        try:
            return self._post("tokenize", body | ({"chat_template": self._template} if self._template else {}), _ids)
        except Answered as reason:
            if reason.status in (400, 422):
                raise TemplateRefuses(reason.words) from reason
            raise ServerTrouble(f"{self.name} answers {reason} where it tokenised before.") from reason

    def _looks_special(self, token: int) -> bool:
        """A mark such as <|end|> or </s> that stays one token wherever it stands."""
        text = self.said([token])
        is_mark = len(text) > 2 and text[0] in "<[" and text[-1] in ">]" and not any(map(str.isspace, text))
        return is_mark and token in self.plain(f"a{text}b")

    def _post(self, what: str, body: Mapping[str, Any], read: Callable[[Any], R]) -> R:
        return self._client.post(
            f"{self._reading.place}{what}", {"model": self._model, **body}, stop=self._check, read=read
        )


def find_out(client: Client, model: str, *, check: Stop) -> Reading | None:
    """None where the server has no /tokenize."""
    for place in PLACES:
        reading = Reading(place, None, False, None, 0)
        tokens = ServerTokens(client, model, reading, check=check)
        try:
            reading = replace(reading, context=tokens.context())
        except Answered as reason:
            if reason.status in (404, 405, 501):
                continue
            raise
        reading = replace(reading, special=_listed(client, place, check))
        with_special, without = tokens.plain("a", with_special=True), tokens.plain("a")
        if with_special[1 : 1 + len(without)] == without and len(with_special) > len(without):
            return replace(reading, bos=with_special[0], adds_bos=True)
        return replace(reading, bos=_bos_of_template(ServerTokens(client, model, reading, check=check)))
    return None


def _bos_of_template(tokens: ServerTokens) -> int | None:
    """What a conversation begins with and has once only; a mark that opens each turn comes again."""
    try:
        ids = tokens.rendered(THREE_TURNS, opens=False)
    except TemplateRefuses:
        return None
    return ids[0] if ids and ids.count(ids[0]) == 1 and tokens.is_special(ids[0]) else None


def _listed(client: Client, place: str, check: Stop) -> frozenset[int] | None:
    """The special tokens, where the server was started so that it lists them."""
    try:
        told = client.get(f"{place}tokenizer_info", stop=check, read=dict)
        return frozenset(int(token) for token in told["added_tokens_decoder"]) or None
    except (Answered, KeyError, TypeError, ValueError, ServerTrouble):
        return None


def _ids(told: Any) -> tuple[int, ...]:
    ids = told.get("tokens") if isinstance(told, dict) else None
    if not isinstance(ids, list) or not all(type(each) is int and each >= 0 for each in ids):
        raise Garbled("no list of token ids")
    return tuple(ids)


def _text(told: Any) -> str:
    text = told.get("prompt") if isinstance(told, dict) else None
    if not isinstance(text, str):
        raise Garbled("no text")
    return text


def _context(told: Any) -> int:
    _ids(told)
    most = told.get("max_model_len")
    return most if type(most) is int and most > 0 else 0
