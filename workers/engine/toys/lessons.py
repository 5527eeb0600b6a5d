"""Training of a small causal model on the CPU: on texts, or on which of two texts people preferred.

Formula
    texts         minus the mean log-probability of the tokens from `begin` on
    preferences   -log sigmoid(beta ((s_c - r_c) - (s_r - r_r))), s the summed log-probability of the chosen and of the
                  rejected side, r what the model gave them before the training (direct preference optimisation)
    AdamW without weight decay; the rate rises over the first tenth of the steps and falls to nothing in a line.

Paper
    Rafailov et al. 2023, Direct Preference Optimization.

Exactness
    No dropout and one seeded order, so that a seed gives the same weights on the same machine with as many threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workers.engine.likelihood.passages import Passage

# Texts of a like length train together; so many batches are drawn before they are sorted by it.
SORTED_TOGETHER = 16
WARM_UP = 0.1
LONGEST_STEP = 1.0


@dataclass(frozen=True)
class Course:
    """How long and how fast; `tokens` is the size of a batch with its padding."""

    epochs: int
    rate: float
    tokens: int = 4096
    seed: int = 0


def learn_texts(
    model: Any,
    texts: Sequence[Passage],
    course: Course,
    *,
    check: Callable[[], None] = lambda: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> list[float]:
    """The mean loss of each epoch, in nats a token."""

    def loss(batch: Sequence[Passage]) -> Any:
        sums = summed(model, batch)
        return -sums.sum() / sum(len(text.ids) - text.begin for text in batch)

    rows = [text for text in texts if text.begin < len(text.ids)]
    return _learn(model, rows, lambda text: len(text.ids), loss, course, check, on_step, after_epoch)


def learn_preferences(
    model: Any,
    pairs: Sequence[tuple[Passage, Passage]],
    course: Course,
    *,
    beta: float,
    check: Callable[[], None] = lambda: None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> list[float]:
    """Pairs of the chosen and the rejected side; the mean loss of each epoch, ln 2 where nothing was learned."""
    import torch

    before = dict(zip(pairs, _differences(model, pairs, course.tokens), strict=True))

    def loss(batch: Sequence[tuple[Passage, Passage]]) -> Any:
        sums = summed(model, [side for pair in batch for side in pair])
        ahead = sums[0::2] - sums[1::2] - torch.tensor([before[pair] for pair in batch])
        return -torch.nn.functional.logsigmoid(beta * ahead).mean()

    return _learn(model, pairs, _width_of, loss, course, check, on_step, after_epoch)


def summed(model: Any, texts: Sequence[Passage]) -> Any:
    """[texts] of log-probabilities from `begin` on; only what predicts a scored token goes through the head."""
    import torch

    width = max(len(text.ids) for text in texts)
    ids = torch.zeros(len(texts), width, dtype=torch.long)
    mask = torch.zeros(len(texts), width, dtype=torch.long)
    of: list[int] = []
    at: list[int] = []
    wanted: list[int] = []
    for row, text in enumerate(texts):
        ids[row, : len(text.ids)] = torch.tensor(text.ids)
        mask[row, : len(text.ids)] = 1
        places = range(text.begin - 1, len(text.ids) - 1)
        of += [row] * len(places)
        at += places
        wanted += text.ids[text.begin :]
    hidden = model.get_decoder()(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    logits = model.get_output_embeddings()(hidden[of, at]).float()
    said = logits.gather(1, torch.tensor(wanted)[:, None])[:, 0] - torch.logsumexp(logits, dim=1)
    return torch.zeros(len(texts)).index_add(0, torch.tensor(of), said)


def _width_of(pair: tuple[Passage, Passage]) -> int:
    return 2 * max(len(side.ids) for side in pair)


def _differences(model: Any, pairs: Sequence[tuple[Passage, Passage]], tokens: int) -> list[float]:
    import torch

    found: dict[int, float] = {}
    order = sorted(range(len(pairs)), key=lambda place: _width_of(pairs[place]))
    with torch.no_grad():
        for some in _filled(order, lambda place: _width_of(pairs[place]), tokens):
            sums = summed(model, [side for place in some for side in pairs[place]])
            found |= dict(zip(some, (sums[0::2] - sums[1::2]).tolist(), strict=True))
    return [found[place] for place in range(len(pairs))]


def _learn(
    model: Any, rows: Sequence[Any], size: Callable[[Any], int], loss_of: Callable[[Sequence[Any]], Any],
    course: Course, check: Callable[[], None], on_step: Callable[[int, int], None], after_epoch: Callable[[int], None],
) -> list[float]:  # fmt: skip
    import torch

    rng = np.random.default_rng(course.seed)
    epochs = [list(_batches(rows, size, course.tokens, rng)) for _ in range(course.epochs)]
    total, done = sum(map(len, epochs)), 0
    learner = torch.optim.AdamW(model.parameters(), lr=course.rate, betas=(0.9, 0.95), weight_decay=0.0)
    losses = []
    model.train()
    with torch.enable_grad():
        for epoch, batches in enumerate(epochs):
            said = []
            for batch in batches:
                check()
                for group in learner.param_groups:
                    group["lr"] = course.rate * _pace(done, total)
                loss = loss_of(batch)
                learner.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), LONGEST_STEP)
                learner.step()
                said.append(float(loss.detach()))
                done += 1
                on_step(done, total)
            losses.append(float(np.mean(said)))
            after_epoch(epoch)
    model.eval()
    return losses


def _pace(done: int, total: int) -> float:
    """The part of the rate at a step."""
    rise = max(1.0, WARM_UP * total)
    return min((done + 1) / rise, (total - done) / max(1.0, total - rise))


def _batches(
    rows: Sequence[Any], size: Callable[[Any], int], tokens: int, rng: np.random.Generator
) -> Iterator[list[Any]]:
    """Every row once, in a drawn order, those of a like length together."""
    drawn = [rows[place] for place in rng.permutation(len(rows))]
    at_once = max(1, SORTED_TOGETHER * tokens // max(1, int(np.mean([size(row) for row in drawn]))))
    batches = []
    for start in range(0, len(drawn), at_once):
        batches += list(_filled(sorted(drawn[start : start + at_once], key=size), size, tokens))
    for place in rng.permutation(len(batches)):
        yield batches[place]


def _filled(rows: Sequence[Any], size: Callable[[Any], int], tokens: int) -> Iterator[list[Any]]:
    """Rows in their order, as many at a time as fit when all are as long as the longest."""
    some: list[Any] = []
    widest = 0
    for row in rows:
        widest = max(widest, size(row))
        if some and widest * (len(some) + 1) > tokens:
            yield some
            some, widest = [], size(row)
        some.append(row)
    if some:
        yield some
