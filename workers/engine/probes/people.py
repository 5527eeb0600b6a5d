"""Does the scorer agree with the labels, and more than length alone does?

Labels are those of the data, of people together or of a curator's hand; those that a rule gave are not among them.
"""

from __future__ import annotations

from workers.engine.heads.bradley_terry import Floats, Ints
from workers.engine.probes.agreement import agreement, difference
from workers.engine.probes.record import Probe, ends, percent

CHANCE, LEAST = 0.5, 50


def ask(margin: Floats, length: Floats, sign: Ints, prompts: Ints, *, seed: int) -> list[Probe]:
    """All of them labelled; `length`: by how much b is longer."""
    return [_agreement(margin, sign, prompts), _beyond_length(margin, length, sign, prompts, seed)]


def _agreement(margin: Floats, sign: Ints, prompts: Ints) -> Probe:
    n = len(sign)
    found = agreement(margin, sign, prompts)
    low, high = ends(found["interval"])
    if n < LEAST or low is None or high is None:
        words = (
            f"Whether it agrees with the labels cannot be said: {n:,} labels that are no tie, and {LEAST} are needed."
        )
        return Probe("agreement", None, words, found["share"], low, high, n, CHANCE)
    passed = low > CHANCE
    words = f"It gives the label in {percent(found['share'])} of {n:,} comparisons ({percent(low)} to {percent(high)})"
    words += "." if passed else ": it is not shown to do better than a coin."
    return Probe("agreement", passed, words, found["share"], low, high, n, CHANCE, details={"prompts": found["groups"]})


def _beyond_length(margin: Floats, length: Floats, sign: Ints, prompts: Ints, seed: int) -> Probe:
    """Length may choose its direction by these very labels, which is more than the scorer may."""
    n = len(sign)
    longer = float(((length * sign > 0) + 0.5 * (length * sign == 0)).mean()) if n else 0.5
    which, directed = ("longer", length) if longer >= 0.5 else ("shorter", -length)
    found = difference(margin, directed, sign, prompts, seed=[seed, n])
    low, high = ends(found["interval"])
    of_length = max(longer, 1 - longer)
    details = {"length": of_length, "prefers": which}
    if n < LEAST or low is None or high is None:
        words = f"Whether it tells more than length cannot be said from {n:,} labels; {LEAST} are needed."
        return Probe("beyond_length", None, words, found["value"], low, high, n, 0.0)
    points = f"{100 * found['value']:+.1f} points, {100 * low:+.1f} to {100 * high:+.1f}"
    beside = f"Taking the {which} response gives the label in {percent(of_length)} of the same {n:,} comparisons"
    if low > 0:
        words = f"{beside}; it gives it more often ({points})."
        return Probe("beyond_length", True, words, found["value"], low, high, n, 0.0, details=details)
    if high < 0:
        words = f"{beside}, and it gives it less often than that ({points})."
        return Probe("beyond_length", False, words, found["value"], low, high, n, 0.0, details=details)
    words = f"{beside}; that it tells more than length is not shown ({points})."
    return Probe("beyond_length", None, words, found["value"], low, high, n, 0.0, details=details)
