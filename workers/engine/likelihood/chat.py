"""Token ids of conversations by a model's own chat template, and which of them are scored.

Rules
    Ids are made once, by the template; nothing is decoded and tokenised again. A response is scored from where the
    whole conversation leaves the prompt (rendered with what opens the assistant's turn). Where the prompt's ids are no
    prefix of the whole (a tokenizer that merges across the boundary, a template that rewrites text), the boundary is
    where they part, and the row is flagged `boundary_merge`; the responses of a prompt have one boundary, the earliest.
    The end-of-turn token counts if `with_eot`; what the template writes behind it never does. The beginning-of-text
    token stands exactly once. A prompt is cut from the left behind that token and a response from the right, with the
    same limits for every response of a prompt, and flagged `truncated`. A remark of the person is scored by its own
    text alone: neither its header nor its end. What stands behind a special token is tokenised by itself, so a remark
    behind the same header is written out once and put behind other conversations as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.engine.bench import Unworkable
from workers.engine.likelihood.passages import Passage, alike
from workers.engine.likelihood.tokens import Messages, TemplateRefuses, Tokens

# Two texts that begin and end differently, whatever the tokenizer merges: what both renderings share is the template's.
PROBES = ("Q7 zebra", "(blue) 42!")
# Tokens of what a template writes between two turns, at most.
LONGEST_HEADER = 64


@dataclass(frozen=True)
class Read:
    """A passage ready for the model, and what had to be done to it."""

    passage: Passage
    # UTF-8 bytes of the scored text as it was given.
    n_bytes: int
    truncated: bool = False
    boundary_merge: bool = False
    # The template takes no system turn, so it stands at the head of the first turn of the person.
    system_merged: bool = False

    @property
    def is_empty(self) -> bool:
        return self.passage.begin == len(self.passage.ids)

    @property
    def is_clean(self) -> bool:
        return not (self.truncated or self.boundary_merge or self.is_empty)


@dataclass(frozen=True)
class Opened:
    """A conversation up to where the assistant begins to speak."""

    ids: tuple[int, ...]
    truncated: bool
    system_merged: bool


class Chat:
    """`context` is the most tokens a passage may have. A conversation that the template refuses: TemplateRefuses."""

    def __init__(self, tokens: Tokens, context: int, *, with_eot: bool = True) -> None:
        self.tokens, self.context, self.with_eot = tokens, context, with_eot
        self.system_merged = not self._takes_system()
        # How many ids the template writes behind a response, how many of them end the turn, and the last of these.
        self.tail, self.eot, self.ending = self._tail()
        # Ids from the special token in front of a remark on, by what surrounds it and its text.
        self._behind_special: dict[tuple[tuple[int, ...], tuple[int, ...], str], tuple[int, ...]] = {}

    def responses(self, messages: Messages, responses: Sequence[str]) -> list[Read]:
        """Each response as the assistant's next turn."""
        prompt = self._ids(messages, opens=True)
        whole = [self._ids([*messages, _turn("assistant", text)]) for text in responses]
        begins = [alike(prompt, ids) for ids in whole]
        begin = min(begins, default=0)
        merged = begin < len(prompt)
        ends = [max(begin, len(ids) - self.tail + (self.eot if self.with_eot else 0)) for ids in whole]
        return self._cut(
            [ids[:end] for ids, end in zip(whole, ends, strict=True)],
            begin,
            merged,
            responses,
            self._has_system(messages),
        )

    def opened(self, messages: Messages, most: int) -> Opened:
        """What a model goes on from to answer: the last `most` ids."""
        ids = self._ids(messages, opens=True)
        kept = self._without_beginning(ids, most)
        return Opened(kept, len(kept) < len(ids), self.system_merged and self._has_system(messages))

    def remarks(self, messages: Messages, response: str, remarks: Sequence[str]) -> list[Read]:
        """Each remark as what the person says next; only its own text is scored."""
        said = [*messages, _turn("assistant", response)]
        one, other = (self._ids([*said, _turn("user", text)]) for text in PROBES)
        begin, tail = alike(one, other), alike(one[::-1], other[::-1])
        whole = [self._with_remark(said, text, one, begin, tail) for text in remarks]
        merged = any(ids[:begin] != one[:begin] for ids in whole)
        if merged:
            begin = min(alike(ids, one) for ids in whole)
        parts = [ids[: max(begin, len(ids) - tail)] for ids in whole]
        return self._cut(parts, begin, merged, remarks, self._has_system(messages))

    def _with_remark(self, said: Messages, text: str, probe: tuple[int, ...], begin: int, tail: int) -> tuple[int, ...]:
        """Ids of the conversation with the remark behind it; `probe` has another one in its place."""
        start = self._special_before(probe, begin)
        if start is None:
            return self._ids([*said, _turn("user", text)])
        around = (probe[start:begin], probe[len(probe) - tail :], text)
        if around not in self._behind_special:
            ids = self._ids([*said, _turn("user", text)])
            if ids[:start] != probe[:start]:
                return ids
            self._behind_special[around] = ids[start:]
        return probe[:start] + self._behind_special[around]

    def _special_before(self, ids: Sequence[int], begin: int) -> int | None:
        """Where the last special token of a header of usual length stands; None without one."""
        places = range(begin - 1, max(0, begin - LONGEST_HEADER), -1)
        return next((place for place in places if self.tokens.is_special(ids[place])), None)

    def _cut(
        self, whole: Sequence[tuple[int, ...]], begin: int, merged: bool, texts: Sequence[str], has_system: bool
    ) -> list[Read]:
        """One limit for what is given and one for what is scored, the same for all."""
        longest = max((len(ids) - begin for ids in whole), default=0)
        room = max(min(longest, self.context // 2), self.context - begin)
        given = min(begin, self.context - min(room, longest))
        found = []
        for ids, text in zip(whole, texts, strict=True):
            start = self._without_beginning(ids[:begin], given)
            scored = ids[begin : begin + room]
            found.append(
                Read(
                    Passage(start + scored, len(start)),
                    len(text.encode()),
                    truncated=len(start) < begin or len(scored) < len(ids) - begin,
                    boundary_merge=merged,
                    system_merged=has_system and self.system_merged,
                )
            )
        return found

    def _without_beginning(self, ids: tuple[int, ...], most: int) -> tuple[int, ...]:
        """The last `most` ids, the beginning-of-text token kept."""
        if len(ids) <= most:
            return ids
        bos = self.tokens.bos
        if bos is not None and ids[0] == bos and most > 1:
            return (bos, *ids[len(ids) - most + 1 :])
        return ids[len(ids) - most :]

    def _ids(self, messages: Messages, *, opens: bool = False) -> tuple[int, ...]:
        turns = system_into_first(messages) if self.system_merged else list(messages)
        ids = self.tokens.rendered(turns, opens=opens)
        bos = self.tokens.bos
        if bos is None:
            return ids
        while ids[:2] == (bos, bos):
            ids = ids[1:]
        return (bos, *ids) if self.tokens.adds_bos and ids[:1] != (bos,) else ids

    def _takes_system(self) -> bool:
        turns = [_turn("system", PROBES[0]), _turn("user", PROBES[1])]
        try:
            return PROBES[0] in self.tokens.said(self.tokens.rendered(turns, opens=False))
        except TemplateRefuses:
            return False

    @staticmethod
    def _has_system(messages: Messages) -> bool:
        return any(message["role"] == "system" for message in messages)

    def _tail(self) -> tuple[int, int, int | None]:
        try:
            first, second = (self._ids([_turn("user", "a"), _turn("assistant", text)]) for text in PROBES)
        except TemplateRefuses as error:
            raise Unworkable(
                f"The chat template of {self.tokens.name!r} refuses a question and an answer: {error}."
            ) from error
        tail = alike(first[::-1], second[::-1])
        behind = first[len(first) - tail :]
        eot = next((nth + 1 for nth, token in enumerate(behind) if self.tokens.is_special(token)), 0)
        return tail, eot, behind[eot - 1] if eot else None


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def system_into_first(messages: Messages) -> list[Mapping[str, Any]]:
    """What the system turns say, ahead of the person's first turn."""
    said = "\n\n".join(str(turn.get("content") or "") for turn in messages if turn["role"] == "system")
    turns = [turn for turn in messages if turn["role"] != "system"]
    first = next((number for number, turn in enumerate(turns) if turn["role"] == "user"), None)
    if not said:
        return turns
    if first is None:
        return [_turn("user", said), *turns]
    merged = _turn("user", f"{said}\n\n{turns[first].get('content') or ''}")
    return [*turns[:first], merged, *turns[first + 1 :]]
