"""Candidates from a causal model in a folder, many at a time.

Idea
    A batch holds candidates of several prompts. Each prompt goes through the model once, padded at the left; what it
    leaves in the cache is then copied for its candidates, which go on together, one token a step. Who has ended leaves
    the batch. The numbers that decide about a candidate's tokens are drawn from a seed of its own, so that it does not
    matter which others are written beside it.

Limits
    The same seed gives the same texts whatever the batch, as far as the model's numbers are the same: beside other
    rows the last digit may differ, which turns one token in a million in float32 and more in bf16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.engine.bench import Unworkable
from workers.engine.devices import ran_out_of_memory, release_memory
from workers.engine.generation.choose import choose
from workers.engine.generation.written import NONFINITE, REFUSED, SYSTEM_MERGED, TRUNCATED, Sampling, Written, seed_of
from workers.engine.likelihood.chat import Chat, Opened
from workers.engine.likelihood.tokens import Messages, TemplateRefuses

if TYPE_CHECKING:
    from workers.engine.models.causal import Causal, FolderScorer

# Candidates of a batch by device: more gain little.
MOST_ROWS = {"cpu": 32, "cuda": 256}


@dataclass(frozen=True)
class Candidate:
    """The `number`-th text for a prompt; `chances` [room], one for each of its tokens."""

    prompt: int
    opened: Opened
    chances: np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Said:
    tokens: list[int]
    ended: bool = False
    nonfinite: bool = False


def write_locally(
    scorer: FolderScorer,
    asked: Sequence[Messages],
    sampling: Sampling,
    *,
    check: Callable[[], None] = lambda: None,
    on_written: Callable[[int], None] = lambda done: None,
) -> list[list[Written]]:
    """`sampling.n` texts per conversation; the prompt gives way to what may be written, up to half of the context."""
    chat = scorer.chat()
    room = min(sampling.max_tokens, max(1, scorer.context // 2))
    candidates = _candidates(chat, asked, sampling, scorer.context - room, room)
    order = sorted(range(len(candidates)), key=lambda nth: (-len(candidates[nth].opened.ids), nth))
    found: dict[int, Said] = {}
    causal = scorer.loaded() if candidates else None
    ends = _ends(chat, causal, scorer.tokenizer) if causal else frozenset()
    for batch in _batches(order, candidates, causal, room):
        assert causal is not None  # noqa: S101 - a batch has candidates
        some = [candidates[nth] for nth in batch]
        found |= dict(zip(batch, _or_halves(causal, some, ends, sampling, check), strict=True))
        on_written(len(found))
    written: list[list[Written]] = [[] for _ in asked]
    for nth, candidate in enumerate(candidates):
        written[candidate.prompt].append(_told(candidate, found[nth], scorer.tokenizer))
    refused = Written("", 0, False, frozenset({REFUSED}))
    return [texts or [refused] * sampling.n for texts in written]


def _candidates(chat: Chat, asked: Sequence[Messages], sampling: Sampling, most: int, room: int) -> list[Candidate]:
    """Of the prompts that the template does not refuse, in their order."""
    found = []
    for prompt, messages in enumerate(asked):
        try:
            opened = chat.opened(messages, most)
        except TemplateRefuses:
            continue
        for number in range(sampling.n):
            rng = np.random.default_rng(seed_of(sampling.seed, messages, number))
            found.append(Candidate(prompt, opened, rng.random(room)))
    return found


def _ends(chat: Chat, causal: Causal, tokenizer: Any) -> frozenset[int]:
    """Tokens behind which nothing more is said."""
    told = causal.model.generation_config.eos_token_id
    known = [chat.ending, tokenizer.eos_token_id, *(told if isinstance(told, list) else [told])]
    return frozenset(int(token) for token in known if token is not None)


def _batches(order: Sequence[int], candidates: Sequence[Candidate], causal: Causal | None, room: int) -> Iterator[Any]:
    """The longest prompts first, so that memory runs out at once if it does."""
    batch: list[int] = []
    for nth in order:
        width = len(candidates[batch[0] if batch else nth].opened.ids) + room
        if batch and causal and len(batch) >= _rows(causal, width):
            yield batch
            batch = []
        batch.append(nth)
    if batch:
        yield batch


def _rows(causal: Causal, width: int) -> int:
    """How many rows of so many tokens: the cache is written anew at each step, so there are two of it."""
    budget = causal.likelihood.budget
    return max(1, min(MOST_ROWS[causal.model.device.type], budget.memory // (2 * budget.bytes_kept * width)))


def _or_halves(
    causal: Causal, some: Sequence[Candidate], ends: frozenset[int], sampling: Sampling, check: Callable[[], None]
) -> list[Said]:
    """Where memory runs out, one half after the other."""
    try:
        return _said(causal.model, some, ends, sampling, check)
    except (RuntimeError, MemoryError) as error:
        if not ran_out_of_memory(error):
            raise
        is_alone = len(some) == 1
    release_memory()
    if is_alone:
        raise Unworkable(
            f"The worker has not enough memory to write {len(some[0].chances)} tokens behind a prompt of"
            f" {len(some[0].opened.ids)}; ask for fewer, or for a smaller model."
        )
    middle = len(some) // 2
    halves = (some[:middle], some[middle:])
    return [said for half in halves for said in _or_halves(causal, half, ends, sampling, check)]


def _said(
    model: Any, some: Sequence[Candidate], ends: frozenset[int], sampling: Sampling, check: Callable[[], None]
) -> list[Said]:
    import torch

    said = [Said([]) for _ in some]
    chances = torch.from_numpy(np.stack([one.chances for one in some])).to(model.device)
    with torch.inference_mode():
        check()
        logits, cache, seen = _begun(model, some)
        rows = list(range(len(some)))
        for step in range(chances.shape[1]):
            check()
            chosen = choose(logits, chances[rows, step], sampling)
            sound = (~logits.isnan().any(-1) & (logits.amax(-1) < torch.inf)).tolist()
            told = zip(rows, chosen.tolist(), sound, strict=True)
            going = [place for place, one in enumerate(told) if _goes_on(said[one[0]], *one[1:], ends)]
            if not going or step + 1 == chances.shape[1]:
                break
            if len(going) < len(rows):
                kept = torch.tensor(going, device=model.device)
                cache.batch_select_indices(kept)
                chosen, seen, rows = chosen[kept], seen[kept], [rows[place] for place in going]
            seen = torch.cat([seen, seen.new_ones(len(rows), 1)], dim=1)
            answer = model(
                input_ids=chosen[:, None], attention_mask=seen, position_ids=seen.sum(1, keepdim=True) - 1,
                past_key_values=cache, use_cache=True, logits_to_keep=1,
            )  # fmt: skip
            logits, cache = answer.logits[:, -1], answer.past_key_values
    return said


def _goes_on(said: Said, token: int, is_sound: bool, ends: frozenset[int]) -> bool:
    said.nonfinite, said.ended = not is_sound, is_sound and token in ends
    if is_sound and not said.ended:
        said.tokens.append(token)
        return True
    return False


def _begun(model: Any, some: Sequence[Candidate]) -> tuple[Any, Any, Any]:
    """Logits of each candidate's first token, the cache, and which places are no padding [rows, width]."""
    import torch

    prompts = {one.prompt: one.opened.ids for one in some}
    place = {prompt: nth for nth, prompt in enumerate(prompts)}
    width = max(map(len, prompts.values()))
    ids, seen = np.zeros((len(prompts), width), np.int64), np.zeros((len(prompts), width), np.int64)
    for nth, own in enumerate(prompts.values()):
        ids[nth, width - len(own) :], seen[nth, width - len(own) :] = own, 1
    there = torch.from_numpy(seen).to(model.device)
    answer = model(
        input_ids=torch.from_numpy(ids).to(model.device), attention_mask=there,
        position_ids=(there.cumsum(1) - 1).clamp(min=0), use_cache=True, logits_to_keep=1,
    )  # fmt: skip
    rows = torch.tensor([place[one.prompt] for one in some], device=model.device)
    answer.past_key_values.batch_select_indices(rows)
    return answer.logits[:, -1][rows], answer.past_key_values, there[rows]


def _told(candidate: Candidate, said: Said, tokenizer: Any) -> Written:
    opened = candidate.opened
    told = {TRUNCATED: opened.truncated, SYSTEM_MERGED: opened.system_merged, NONFINITE: said.nonfinite}
    text = str(tokenizer.decode(said.tokens, skip_special_tokens=True))
    return Written(text, len(said.tokens), said.ended, frozenset(flag for flag, holds in told.items() if holds))
