"""All probes of a scorer on one source, and what they say together about a run.

What keeps a scorer from labelling: a text with nothing in it that wins in more than 1 % of the prompts; that keys win
cannot be ruled out, for want of prompts; no more than chance where prompts are alike; no more than chance, or less than
length, where people gave labels. What cannot be said otherwise, and calibration, is told and blocks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from workers.engine.bench import Bench
from workers.engine.probes import calibration, contrast, keys, people
from workers.engine.probes.contrast import Answered
from workers.engine.probes.keys import CRITERIA, Case, Messages, Scores
from workers.engine.probes.record import Probe
from workers.engine.texts.checks import is_empty, is_key

# The most prompts for keys, prompts to look for contrasts in, and labelled comparisons.
PROMPTS, ANSWERED, LABELLED = 200, 2000, 1000


class Compared(Protocol):
    """A comparison; `workers.methods._base.Pair` says what is in it."""

    @property
    def id(self) -> int: ...
    @property
    def prompt_id(self) -> int: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def last_turn(self) -> str: ...
    @property
    def a(self) -> str: ...
    @property
    def b(self) -> str: ...
    @property
    def sign(self) -> int: ...


def probe(
    score: Scores,
    pairs: Sequence[Compared],
    bench: Bench,
    *,
    seed: int,
    criteria: str = CRITERIA,
    encoder: str = "minilm",
    prompts: int = PROMPTS,
) -> dict[str, Any]:
    """Of one source: {"passed", "reasons", "probes": [a record each]}; the same whatever the order of the pairs."""
    bench.check_cancelled()
    by_prompt = _one_per_prompt(pairs)
    found = keys.ask(score, [_case(pair) for pair in _drawn(by_prompt, prompts, seed)], criteria=criteria)
    answered = [_answered(pair) for pair in _drawn(by_prompt, ANSWERED, seed)]
    found.append(contrast.ask(score, contrast.pairs_of(answered, bench, encoder=encoder), check=bench.check_cancelled))
    found += _with_labels(score, pairs, seed)
    return _together(found)


def of_run(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """From the results of the sources, each with its name and its own `probes`: what the run's result keeps."""
    probed = {key: told for key, told in sources.items() if "probes" in told}
    reasons = [
        f"{told['name']}: {reason}" if told.get("name") else reason
        for told in probed.values()
        for reason in told["probes"]["reasons"]
    ]
    return {
        "passed": bool(probed) and not reasons,
        "reasons": reasons if probed else ["No source had comparisons to probe the scorer with."],
        "sources": {key: {"source": told.get("name", ""), **told["probes"]} for key, told in probed.items()},
    }


def _together(found: Sequence[Probe]) -> dict[str, Any]:
    reasons = [one.words for one in found if one.is_in_the_way]
    return {"passed": not reasons, "reasons": reasons, "probes": [one.as_record() for one in found]}


def _one_per_prompt(pairs: Sequence[Compared]) -> list[Compared]:
    """The first comparison of each prompt whose sides differ and both say something."""
    found: dict[int, Compared] = {}
    for pair in sorted(pairs, key=lambda pair: pair.id):
        if pair.prompt_id not in found and pair.a.strip() != pair.b.strip() and not _says_nothing(pair):
            found[pair.prompt_id] = pair
    return list(found.values())


def _says_nothing(pair: Compared) -> bool:
    return any(is_empty(text) or is_key(text) for text in (pair.a, pair.b))


def _drawn(pairs: Sequence[Compared], most: int, seed: int) -> Sequence[Compared]:
    if len(pairs) <= most:
        return pairs
    at = np.random.default_rng([seed, len(pairs)]).choice(len(pairs), most, replace=False)
    return [pairs[place] for place in sorted(at.tolist())]


def _case(pair: Compared) -> Case:
    return Case(pair.messages, pair.last_turn, (pair.a, pair.b))


def _answered(pair: Compared) -> Answered:
    return Answered(pair.messages, pair.last_turn, pair.b if pair.sign > 0 else pair.a)


def _with_labels(score: Scores, pairs: Sequence[Compared], seed: int) -> list[Probe]:
    labelled = _drawn(sorted((pair for pair in pairs if pair.sign), key=lambda pair: pair.id), LABELLED, seed)
    rows = score([(pair.messages, (pair.a, pair.b)) for pair in labelled])
    margin = np.array([b - a for a, b in rows], dtype=np.float64)
    kept = np.flatnonzero(np.isfinite(margin))
    sign = np.array([pair.sign for pair in labelled], dtype=np.int64)[kept]
    length = np.array([float(len(pair.b) - len(pair.a)) for pair in labelled])[kept]
    of = np.array([pair.prompt_id for pair in labelled], dtype=np.int64)[kept]
    margin = margin[kept]
    return [*people.ask(margin, length, sign, of, seed=seed), calibration.ask(margin, sign, of, seed=seed)]
