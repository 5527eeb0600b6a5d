"""How the votes of people lean, together and one by one, and who leans otherwise than the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from workers.engine.heads.bradley_terry import Floats, Ints
from workers.engine.people.clustered import clustered_share

FALSE_DISCOVERIES = 0.05


def lean_of_people(toward: Mapping[str, Any], person: Ints, prompt: Ints, *, least: int, shown: int) -> dict[str, Any]:
    """`toward[trait][vote]` is 1 where the vote goes with the trait, -1 where it goes against it, 0 where neither.

    People with fewer than `least` votes are counted only. `stands_out`: the share differs from that of everybody
    else, at a false discovery rate of 5 % over all people of that trait.
    """
    names, inverse, sizes = np.unique(person, return_inverse=True, return_counts=True)
    together = [{"trait": trait, "share": _share(lean, prompt, lean != 0)} for trait, lean in toward.items()]
    votes_of = np.split(np.argsort(inverse, kind="stable"), np.cumsum(sizes)[:-1])
    many = np.flatnonzero(sizes >= least).tolist()
    people: list[dict[str, Any]] = [
        {"annotator": int(names[index]), "n": int(sizes[index]), "leans": [], "stands_out": [], "distance": 0.0}
        for index in many
    ]
    for trait, lean in toward.items():
        whole = np.array([(lean > 0).sum(), (lean != 0).sum()], dtype=np.float64)
        distances = []
        for index, told in zip(many, people, strict=True):
            own = votes_of[index][lean[votes_of[index]] != 0]
            told["leans"].append({"trait": trait, "share": _share(lean, prompt, own)})
            part = np.array([(lean[own] > 0).sum(), len(own)], dtype=np.float64)
            distances.append(_distance(part, whole - part))
            told["distance"] = max(told["distance"], abs(distances[-1]))
        for told, is_found in zip(people, _discovered(np.array(distances)), strict=True):
            if is_found:
                told["stands_out"].append(trait)
    people.sort(key=lambda told: (-len(told["stands_out"]), -told["distance"], told["annotator"]))
    return {
        "votes": len(person), "voters": len(names), "voters_with_enough": len(many), "least_votes": least,
        "vote_traits": together, "people": people[:shown],
    }  # fmt: skip


def _share(lean: Any, prompt: Ints, counts: Any) -> dict[str, Any]:
    return clustered_share(lean[counts] > 0, prompt[counts])


def _distance(own: Floats, rest: Floats) -> float:
    """Two shares (hits, votes) apart, in standard errors of their difference were they one; 0 without votes."""
    if not own[1] or not rest[1]:
        return 0.0
    both = (own[0] + rest[0]) / (own[1] + rest[1])
    spread = math.sqrt(max(both * (1 - both), 1e-12) * (1 / own[1] + 1 / rest[1]))
    return float((own[0] / own[1] - rest[0] / rest[1]) / spread)


def _discovered(distances: Floats) -> Any:
    """Benjamini and Hochberg on two-sided normal p-values."""
    if not len(distances):
        return np.zeros(0, np.bool_)
    p = np.array([math.erfc(abs(distance) / math.sqrt(2)) for distance in distances])
    order = np.argsort(p, kind="stable")
    passes = p[order] <= FALSE_DISCOVERIES * np.arange(1, len(p) + 1) / len(p)
    last = int(np.flatnonzero(passes).max()) if passes.any() else -1
    found = np.zeros(len(p), np.bool_)
    found[order[: last + 1]] = True
    return found
