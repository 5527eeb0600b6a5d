"""What follow-up scores of a source are worth: beside length, aspect by aspect, and what else they may be saying."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from workers.engine.followups.said import Measured
from workers.engine.gain.paired import bootstrap_means, interval
from workers.engine.heads.bradley_terry import Floats, Ints
from workers.engine.people.clustered import clustered_share
from workers.engine.probes.agreement import agreement, difference
from workers.engine.ratios.report import FOLLOWS_LENGTH, LEAST, spearman
from workers.engine.texts.checks import is_refusal

DRAWS = 1000
# Mean correlation of the aspects from which on they are one, or nearly.
ONE_FACTOR, ALIKE = 0.8, 0.5


def report(found: Measured, names: list[str], *, seed: int) -> dict[str, Any]:
    usable = found.is_clean & np.isfinite(found.mean)
    flags = Counter(flag for a, b in found.sides for flag in {*a.flags, *b.flags})
    return {
        "n": len(found.pairs),
        "labelled": int((found.sign != 0).sum()),
        "flagged_rows": int((~found.is_clean).sum()),
        "flagged": dict(sorted(flags.items())),
        **_accuracies(found, usable, names, seed),
        "factors": factors(found.aspects[usable], found.prompts[usable], names, seed=seed),
        **_of_responses(found, seed),
        "refusals": _refusals(found, usable),
    }


def _accuracies(found: Measured, usable: Any, names: list[str], seed: int) -> dict[str, Any]:
    """All on the same rows: labelled, unflagged, no tie."""
    rows = usable & (found.sign != 0)
    sign, prompts = found.sign[rows], found.prompts[rows]
    if not rows.any():
        return {"accuracy": None, "accuracy_problem": _why_none(found), "aspects": [{"aspect": name} for name in names]}
    total, length = found.mean[rows], found.length[rows]
    aspects = found.aspects[rows]
    return {
        "accuracy": agreement(total, sign, prompts),
        "length_accuracy": agreement(length, sign, prompts),
        "ahead_of_length": difference(total, length, sign, prompts, seed=[seed, len(sign)]),
        "aspects": [
            {"aspect": name, **agreement(aspects[:, column], sign, prompts)} for column, name in enumerate(names)
        ],
    }


def _why_none(found: Measured) -> str:
    labelled = int((found.sign != 0).sum())
    if not labelled:
        return f"None of the {len(found.pairs):,} comparisons has a label that is no tie, so no accuracy can be told."
    return f"All {labelled:,} labelled comparisons are flagged or have no score, so no accuracy can be told."


def factors(differences: Floats, prompts: Ints, names: list[str], *, seed: int) -> dict[str, Any]:
    """How far the aspects' differences go together over the rows: correlations about zero, since which side is a and
    which is b is chance; intervals (95 %) draw whole prompts."""
    n, width = len(differences), len(names)
    groups = len(np.unique(prompts))
    found: dict[str, Any] = {"names": names, "n": n, "groups": groups, "correlations": None, "mean": None}
    if width < 2:
        return found | {"words": "One aspect alone goes together with nothing."}
    if n < LEAST or (differences == 0).all(axis=0).any():
        why = f"{n} comparisons are usable, and {LEAST} are needed" if n < LEAST else "an aspect is 0 in all of them"
        return found | {"words": f"Nothing to say of how the aspects go together: {why}."}
    upper = np.triu_indices(width)
    products = differences[:, upper[0]] * differences[:, upper[1]]
    exact = _matrices(products.mean(axis=0)[None], width)[0]
    found["correlations"] = exact.tolist()
    off = np.triu_indices(width, 1)
    found["mean"] = {"value": float(exact[off].mean()), "interval": None, "n": n, "groups": groups}
    if groups > 1:
        drawn = _matrices(bootstrap_means(products, prompts, seed=[seed, n], draws=DRAWS), width)
        drawn = drawn[np.isfinite(drawn).all(axis=(1, 2))]
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        found["low"], found["high"] = low.tolist(), high.tolist()
        found["mean"]["interval"] = interval(drawn[:, off[0], off[1]].mean(axis=1))
    return found | {"words": _in_words(found["mean"]["value"])}


def _matrices(products: Floats, width: int) -> Floats:
    """[draws, width * (width + 1) / 2] mean products -> correlations [draws, width, width]."""
    full = np.zeros((len(products), width, width))
    upper = np.triu_indices(width)
    full[:, upper[0], upper[1]] = products
    full[:, upper[1], upper[0]] = products
    root = np.sqrt(np.einsum("dii->di", full))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.clip(full / (root[:, :, None] * root[:, None, :]), -1.0, 1.0))


def _in_words(mean: float) -> str:
    if mean >= ONE_FACTOR:
        return "The aspects measure one thing: a single number says as much, and fewer aspects would cost less."
    if mean >= ALIKE:
        return "The aspects mostly go together; what one of them says alone is a small part of it."
    return "The aspects tell different things."


def _of_responses(found: Measured, seed: int) -> dict[str, Any]:
    """How scores go with length and with the remarks' own words, and how polite the model is to everybody."""
    told = [
        (prompt, one.total, len(text), one.echo, one.echo_tilt)
        for prompt, text, one in found.responses().values()
        if not one.flags
    ]
    table = np.array(told, dtype=np.float64).reshape(-1, 5)
    table = table[np.isfinite(table).all(axis=1)]
    prompts, total = table[:, 0].astype(np.int64), table[:, 1]
    length = spearman(total, table[:, 2], prompts, seed=seed)
    tilt = spearman(total, table[:, 4], prompts, seed=seed)
    if tilt.get("problem") == "all responses are equally long":
        tilt["problem"] = "no response repeats more of one kind than of the other"
    return {
        "length": length | _length_words(length),
        "echo": {"share": float(table[:, 3].mean()) if len(table) else None, "n": len(table), "tilt": tilt},
        "above_zero": clustered_share(total > 0, prompts),
    }


def _length_words(rho: dict[str, Any]) -> dict[str, Any]:
    if rho["rho"] is None:
        return {"warns": False, "words": f"Nothing to say of length: {rho['problem']}."}
    if abs(rho["rho"]) <= FOLLOWS_LENGTH:
        return {"warns": False, "words": "Scores do not mainly go with length."}
    which = "longer" if rho["rho"] > 0 else "shorter"
    words = (
        f"Scores go with length: the {which} a response, the higher its score, so labels by them would mostly say "
        f"which response is {which}."
    )
    return {"warns": True, "words": words}


def _refusals(found: Measured, usable: Any) -> dict[str, Any]:
    """Where just one response refuses: how often it has the higher score, and how often the label prefers it."""
    refuses = np.array([(is_refusal(pair.a), is_refusal(pair.b)) for pair in found.pairs], dtype=bool).reshape(-1, 2)
    rows = usable & (refuses[:, 0] != refuses[:, 1])
    toward = np.where(refuses[:, 1], 1, -1)
    labelled = rows & (found.sign != 0)
    return {
        "responses": int(refuses.sum()),
        "scored_higher": clustered_share((toward * found.mean)[rows] > 0, found.prompts[rows]),
        "preferred": clustered_share((toward * found.sign)[labelled] > 0, found.prompts[labelled]),
    }
