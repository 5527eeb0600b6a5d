"""Finds labels that contradict each other in a circle: A over B, B over C, C over A.

Idea
    Where a prompt has three responses or more, its labels can be at odds with each other although no two are about the
    same pair. If one order of the responses is true, at least one label of every circle is wrong. The smallest set of
    labels whose removal leaves no circle is the cheapest explanation, and its labels are the ones to look at first.

Formula
    Per prompt and source, a graph: an arc from the preferred to the other response of every label that is no tie, of
    weight |label| (`weighted`) or 1. Strongly connected pieces hold all circles.
    in_cycle = both ends of the arc lie in one piece
    feedback = the arc is in the minimum feedback arc set of its piece: of all orders of the responses, the one with
        the least weight of arcs that point backward; those arcs. Exact up to 16 responses (dynamic programming over
        subsets); above, a greedy order improved by moving single responses, with a lower bound from disjoint circles.
    triads = third responses that have labels with both sides,   circles = those of them that close a circle
    value = (circles + feedback) / (triads + 1), 0 where the arc is in no circle

Paper
    Eades, Lin and Smyth 1993, A fast and effective heuristic for the feedback arc set problem. Kendall and Babington
    Smith 1940 count circular triads. The weighted set is the Slater, or with counts of votes the Kemeny, order.

Needs
    Labels (decided by hand, imported, or agreed by people), and prompts with labels on three responses or more. Nothing
    is pooled across sources. Ties and unlabelled comparisons make no arc and get no value.

Signal
    value 0..1, 1 = at odds with everything that can be said through third responses; null without a label or for a
    tie. `responses` is the number of responses in its piece, `exact` whether the set is known to be smallest.

Limits
    Of a circle of three equal labels any one may be wrong: the set names one, by a fixed rule (smaller ids first), so
    see all labels that are `in_cycle`. Preferences of several people, or on several grounds, can be circular with no
    label wrong. A wrong label that closes no circle is not seen. A tie that contradicts two labels is not counted.

Cost
    Milliseconds a prompt up to 16 responses in a piece; a second or so for 40. No text is read.

Do not use
    On data with one pair per prompt: it says nothing there, and the run says so. To drop without a look.

Relations
    item_strength and consensus (bradley_terry) weigh circles instead of naming their labels; model_vote sees labels
    that no circle touches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from workers.methods._base import Bench, Outcome, Pair, Signal, param

LABEL = "Cycles: labels in a circle"
NEEDS = ("responses", "labels")
YIELDS = ("signals",)
SHAPE = "whole"
SCOPE = "source"
QUEUE = "cpu"
FIELDS = {
    "in_cycle": "the label lies on a circle",
    "feedback": "the label is in the smallest set without which there is no circle",
    "circles": "circles of three through the label",
    "triads": "third responses that have labels with both sides",
    "responses": "responses in the label's strongly connected piece; 1 where it is in no circle",
    "exact": "the set of the piece is known to be smallest",
}
SHOWN_PROMPTS = 10


@dataclass(frozen=True)
class Params:
    weighted: bool = param(
        True, help="Much better weighs 3, slightly better 1; without it every label weighs the same."
    )


def preflight(params: Params) -> None:
    """Any parameters will do."""


@dataclass(frozen=True)
class _Found:
    """What one prompt's graph says of one of its labels."""

    in_cycle: bool = False
    feedback: bool = False
    circles: int = 0
    triads: int = 0
    responses: int = 1
    exact: bool = True

    @property
    def value(self) -> float:
        return (self.circles + self.feedback) / (self.triads + 1) if self.in_cycle else 0.0


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    by_prompt: dict[int, list[Pair]] = {}
    for pair in sorted(pairs, key=lambda pair: pair.id):
        by_prompt.setdefault(pair.prompt_id, []).append(pair)
    found: dict[int, _Found] = {}
    prompts = []
    for done, (prompt, some) in enumerate(sorted(by_prompt.items())):
        bench.check_cancelled()
        if done % 100 == 0:
            bench.progress(done, len(by_prompt), "looking for circles")
        labelled = [pair for pair in some if pair.sign and pair.a_id != pair.b_id]
        told, bounds = _of_prompt(labelled, params, bench) if len(labelled) > 2 else ({}, (0.0, 0.0))
        found |= told
        prompts.append(_about(prompt, labelled, told, bounds))
    signals = [_signal(pair, found.get(pair.id)) for some in by_prompt.values() for pair in some]
    return Outcome(
        signals=sorted(signals, key=lambda signal: signal.pair_id), result=_summary(len(pairs), prompts, found)
    )


def _of_prompt(labelled: Sequence[Pair], params: Params, bench: Bench) -> tuple[dict[int, _Found], tuple[float, float]]:
    """What the graph says of each label; the least weight that any feedback set can have, and that of the one found."""
    import numpy as np

    from workers.engine.feedback import components, feedback_set, triangles

    ids = sorted({side for pair in labelled for side in (pair.a_id, pair.b_id)})
    node = {response: number for number, response in enumerate(ids)}
    weights = np.zeros((len(ids), len(ids)))
    for pair in labelled:
        weights[_arc(pair, node)] += abs(pair.label or 0) if params.weighted else 1.0
    circles, triads = triangles(weights > 0)
    piece = components(weights > 0)
    told = {}
    for pair in labelled:
        arc = _arc(pair, node)
        told[pair.id] = _Found(circles=int(circles[arc]), triads=int(triads[arc]))
    at_least = weight = 0.0
    for name, size in sorted(Counter(piece.tolist()).items()):
        if size == 1:
            continue
        members = np.flatnonzero(piece == name)
        local = {ids[member]: number for number, member in enumerate(members)}
        chosen = feedback_set(weights[np.ix_(members, members)], check=bench.check_cancelled)
        at_least += chosen.at_least
        weight += chosen.weight
        for pair in labelled:
            if pair.a_id in local and pair.b_id in local:
                told[pair.id] = replace(
                    told[pair.id], in_cycle=True, feedback=bool(chosen.arcs[_arc(pair, local)]),
                    responses=int(size), exact=chosen.is_minimum,
                )  # fmt: skip
    return told, (at_least, weight)


def _arc(pair: Pair, node: dict[int, int]) -> tuple[int, int]:
    a, b = node[pair.a_id], node[pair.b_id]
    return (b, a) if pair.sign > 0 else (a, b)


def _signal(pair: Pair, found: _Found | None) -> Signal:
    told = found or _Found()
    fields = {name: getattr(told, name) for name in FIELDS}
    is_arc = pair.sign != 0 and pair.a_id != pair.b_id
    return Signal(pair.id, told.value if is_arc else None, fields)


def _about(
    prompt: int, labelled: Sequence[Pair], told: dict[int, _Found], bounds: tuple[float, float]
) -> dict[str, Any]:
    responses = {side for pair in labelled for side in (pair.a_id, pair.b_id)}
    return {
        "prompt": prompt, "labels": len(labelled), "responses": len(responses),
        "in_cycle": sum(found.in_cycle for found in told.values()),
        "feedback": sum(found.feedback for found in told.values()),
        "exact": all(found.exact for found in told.values()),
        "at_least": bounds[0], "weight": bounds[1],
        "comparisons": sorted(key for key, found in told.items() if found.feedback)[:SHOWN_PROMPTS],
    }  # fmt: skip


def _summary(n: int, prompts: Sequence[dict[str, Any]], found: dict[int, _Found]) -> dict[str, Any]:
    from workers.engine.heads.bradley_terry import wilson

    labels = sum(prompt["labels"] for prompt in prompts)
    feedback = sum(prompt["feedback"] for prompt in prompts)
    # Each pair of arcs with a third response is seen from three sides.
    triads, circular = (sum(getattr(told, name) for told in found.values()) // 3 for name in ("triads", "circles"))
    result: dict[str, Any] = {
        "n": n,
        "labels": labels,
        "prompts": sum(prompt["responses"] > 2 for prompt in prompts),
        "prompts_with_circles": sum(prompt["in_cycle"] > 0 for prompt in prompts),
        "in_cycle": sum(prompt["in_cycle"] for prompt in prompts),
        "feedback": feedback,
        # Labels of a prompt are taken as independent.
        "feedback_share": _share(feedback, labels) | {"interval": wilson(feedback, labels)},
        # Triads share labels, so no interval of independent rows would be true.
        "circular_triads": _share(circular, triads),
        "not_exact": sum(not prompt["exact"] for prompt in prompts),
        "most": sorted(prompts, key=lambda prompt: (-prompt["feedback"], prompt["prompt"]))[:SHOWN_PROMPTS],
    }  # fmt: skip
    result["most"] = [prompt for prompt in result["most"] if prompt["feedback"]]
    if not result["prompts"]:
        result["problem"] = "No prompt of this source has labels on three responses, so there can be no circle."
    return result


def _share(hits: int, n: int) -> dict[str, Any]:
    return {"share": hits / n if n else None, "interval": None, "n": n}
