"""What each arm trains on, as two weights per row: on the side of the raw label, and on the other side.

    raw        (1, 0)
    curated    keep (w, 0), flip (0, w), soften (w p, w (1 - p)), drop, review and no rule (0, 0); w the rule's weight;
               label: as keep, of the label that a method gives
    random     the same pairs of weights, dealt to the rows by chance
    length     the same pairs of weights, the most turned to the rows whose label a length-only head contradicts most

So all arms but raw have the same number of rows under every action. A row that only a person's decision or a method
gave a label is `added` in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.engine.gain.recipes import Rule
from workers.engine.heads.bradley_terry import Floats, Ints, fit_heads, grouped_folds

RAW, CURATED, RANDOM, LENGTH = "raw", "curated", "random", "length"
ARMS = (RAW, CURATED, RANDOM, LENGTH)
# Random arms per fold, averaged: one alone would add its own luck.
RANDOM_DRAWS = 3
COLUMN_ARMS = (RAW, CURATED, *[RANDOM] * RANDOM_DRAWS, LENGTH)
L2_CHOICES = (10.0, 30.0, 100.0, 300.0)
INNER_FOLDS = 3
INNER_ROWS = 4000


@dataclass(frozen=True, slots=True)
class Hand:
    """What a person decided of a row, which outranks every rule; `label` None keeps the one it had."""

    action: str
    label: int | None = None
    soften_to: float | None = None


@dataclass(frozen=True)
class Targets:
    """Weight [n] on "b is better", and on "a is better"."""

    b: Floats
    a: Floats


def targets(
    labels: Sequence[int | None],
    hands: Sequence[Hand | None],
    rules: Sequence[Rule],
    matched: Ints,
    given: Sequence[int | None] | None = None,
) -> Targets:
    """What a release of these rules holds of every row; a tie trains nothing. `given`: by the matched rule's method."""
    b, a = np.zeros(len(labels)), np.zeros(len(labels))
    for row, (label, hand, number) in enumerate(zip(labels, hands, matched, strict=True)):
        rule = rules[number] if number >= 0 else None
        action = hand.action if hand else rule.action if rule else "drop"
        if action not in ("keep", "flip", "soften", "label"):
            continue
        if hand:
            released, hold = (label if hand.label is None else hand.label), hand.soften_to
        else:
            own = given[row] if given and action == "label" else label
            released, hold = (-own if own and action == "flip" else own), rule.soften_to if rule else None
        # The weight of a rule that flips or drops means nothing for a row that a person decided.
        is_weighed = rule and rule.weight is not None and (not hand or rule.action in ("keep", "soften"))
        weight = float(rule.weight) if is_weighed and rule and rule.weight is not None else 1.0
        held = hold if action == "soften" and hold is not None else 1.0
        if released:
            right, wrong = (b, a) if released > 0 else (a, b)
            right[row], wrong[row] = weight * held, weight * (1.0 - held)
    return Targets(b, a)


@dataclass(frozen=True)
class Arms:
    """`toward`, `against` [n, arms]: of COLUMN_ARMS, about the side `side` [n], 1 = b (a row that is added: 1)."""

    side: Floats
    toward: Floats
    against: Floats
    is_added: NDArray[np.bool_]

    def counts(self) -> dict[str, dict[str, float]]:
        """Rows under each action, by arm."""
        found: dict[str, dict[str, float]] = {}
        share = 1.0 / RANDOM_DRAWS
        for number, arm in enumerate(COLUMN_ARMS):
            toward, against = self.toward[:, number] > 0, self.against[:, number] > 0
            here = {
                "kept": toward & ~against & ~self.is_added,
                "flipped": against & ~toward & ~self.is_added,
                "softened": toward & against & ~self.is_added,
                "left out": ~toward & ~against & ~self.is_added,
                "added": (toward | against) & self.is_added,
            }
            times = share if arm == RANDOM else 1.0
            said = found.setdefault(arm, dict.fromkeys(here, 0.0))
            for name, flags in here.items():
                said[name] += times * float(flags.sum())
        return found


def deal(raw: Ints, curated: Targets, length: Floats, rng: np.random.Generator) -> Arms:
    """raw [n]: sign of the raw label; length [n]: log characters of b less those of a."""
    has_raw, is_added = raw != 0, (raw == 0) & (curated.b + curated.a > 0)
    side = np.where(raw != 0, raw, 1).astype(np.float64)
    toward, against = np.where(side > 0, curated.b, curated.a), np.where(side > 0, curated.a, curated.b)
    spent = toward + against
    # A weight of 2 on every row is no other training set than a weight of 1.
    unit = spent[spent > 0].mean() if (spent > 0).any() else 1.0
    toward, against = toward / unit, against / unit
    columns = [(has_raw.astype(np.float64), np.zeros(len(raw))), (toward, against)]
    rows = np.flatnonzero(has_raw)
    for _ in range(RANDOM_DRAWS):
        columns.append(_moved(toward, against, rows, rng.permutation(rows)))
    given = rows[np.lexsort((rows, spent[rows], (toward - against)[rows]))]
    columns.append(_moved(toward, against, _doubted_by_length(raw, length, rows, rng), given))
    on_label, on_other = (np.stack([column[n] for column in columns], axis=1) for n in (0, 1))
    return Arms(side, on_label, on_other, is_added)


def _moved(toward: Floats, against: Floats, to: Ints, given: Ints) -> tuple[Floats, Floats]:
    """The weights of rows `given` on the rows `to`."""
    here = toward.copy(), against.copy()
    for there, weights in zip(here, (toward, against), strict=True):
        there[to] = weights[given]
    return here


def _doubted_by_length(raw: Ints, length: Floats, rows: Ints, rng: np.random.Generator) -> Ints:
    """Rows, the one whose raw label a length-only head contradicts most first; chance decides among equals."""
    x, y = length[rows, None], raw[rows].astype(np.float64)
    beta = fit_heads(x, y, np.ones((len(rows), 1)), np.ones(1)) if len(rows) else np.zeros((1, 1))
    toward = y * (x @ beta)[:, 0]
    return rows[np.lexsort((rng.permutation(len(rows)), toward))]


def fit_arms(x: Floats, arms: Arms, l2: float) -> Floats:
    """A Bradley-Terry head per column of the arms, [d, arms]: a row's loss counts for both sides by its weights."""
    used = (arms.toward > 0).any(axis=1)
    turned = (arms.against > 0).any(axis=1)
    return fit_heads(
        np.vstack([x[used], x[turned]]),
        np.concatenate([arms.side[used], -arms.side[turned]]),
        np.vstack([arms.toward[used], arms.against[turned]]),
        np.full(arms.toward.shape[1], l2),
    )


def choose_l2(x: Floats, raw: Ints, groups: Ints, rng: np.random.Generator) -> float:
    """By held-out log loss on the raw labels of inner folds: every arm gets the penalty that suits raw best, so that no
    arm wins by its settings, and if any is favoured it is raw."""
    rows = np.flatnonzero(raw != 0)
    if len(rows) > INNER_ROWS:
        names = np.unique(groups[rows])
        share = INNER_ROWS / len(rows)
        rows = rows[np.isin(groups[rows], rng.permutation(names)[: max(INNER_FOLDS, int(share * len(names)))])]
    inner = grouped_folds(groups[rows], INNER_FOLDS, rng)
    y, n_l2 = raw[rows].astype(np.float64), len(L2_CHOICES)
    weights = np.repeat((inner[:, None] != np.arange(INNER_FOLDS)).astype(np.float64), n_l2, axis=1)
    beta = fit_heads(x[rows], y, weights, np.tile(np.array(L2_CHOICES), INNER_FOLDS))
    margins = ((x[rows] @ beta) * y[:, None]).reshape(len(rows), INNER_FOLDS, n_l2)
    losses = np.logaddexp(0.0, -margins[np.arange(len(rows)), inner]).mean(axis=0)
    return L2_CHOICES[int(np.argmin(losses))]
