"""What the scores of a source are worth: beside length, beside the strong model alone, and by domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from workers.engine.gain.paired import bootstrap_means, interval
from workers.engine.heads.bradley_terry import Floats, Ints
from workers.engine.probes.agreement import agreement, difference
from workers.engine.ratios.measured import Measured

# From here on length is most of what the scores say.
FOLLOWS_LENGTH = 0.5
# Below this many, a correlation is noise.
LEAST = 10
# Points of the picture, and draws of an interval.
SHOWN, DRAWS = 300, 1000
ARMS = ("accuracy", "strong_accuracy", "length_accuracy")


def report(found: Measured, domains: Sequence[str], *, seed: int) -> dict[str, Any]:
    """`domains` by comparison; all of them empty where nothing was customised."""
    flags = Counter(flag for a, b in found.sides for flag in {*a.flags, *b.flags})
    usable = found.is_clean & np.isfinite(found.mean)
    told = {
        "n": len(found.pairs),
        "labelled": int((found.sign != 0).sum()),
        "unit": found.unit,
        "flagged_rows": int((~found.is_clean).sum()),
        "flagged": dict(sorted(flags.items())),
        "length": length_correlation(found, seed),
        "picture": _picture(found, usable, seed),
    }
    return told | _accuracies(found, usable, seed) | {"domains": _by_domain(found, usable, domains)}


def length_correlation(found: Measured, seed: int) -> dict[str, Any]:
    """Spearman's rho of score and length in tokens over the unflagged responses, with a 95 % interval by prompt."""
    kept = [
        (prompt, one.value(found.unit), one.strong.tokens)
        for _, (prompt, one) in sorted(found.responses().items())
        if one.is_clean
    ]
    table = np.array(kept, dtype=np.float64).reshape(-1, 3)
    table = table[np.isfinite(table).all(axis=1)]
    return _told(spearman(table[:, 1], table[:, 2], table[:, 0].astype(np.int64), seed=seed))


def _told(rho: dict[str, Any]) -> dict[str, Any]:
    if rho["rho"] is None:
        return rho | {"warns": False, "words": f"Nothing to say of length: {rho['problem']}."}
    warns = abs(rho["rho"]) > FOLLOWS_LENGTH
    which = "longer" if rho["rho"] > 0 else "shorter"
    words = (
        f"Scores go with length: the {which} a response, the higher its score, so labels by them would mostly say "
        f"which response is {which}."
        if warns
        else "Scores do not mainly go with length."
    )
    return rho | {"warns": warns, "words": words}


def spearman(one: Floats, other: Floats, groups: Ints, *, seed: int) -> dict[str, Any]:
    """The interval draws whole groups; ranks are those of all rows."""
    from scipy.stats import rankdata

    n, n_groups = len(one), len(np.unique(groups))
    found: dict[str, Any] = {"rho": None, "interval": None, "n": n, "groups": n_groups}
    if n < LEAST:
        return found | {"problem": f"{n} responses have a score, and {LEAST} are needed"}
    x, y = rankdata(one) / n - 0.5, rankdata(other) / n - 0.5
    if not x.std() or not y.std():
        return found | {"problem": "all scores are equal" if not x.std() else "all responses are equally long"}
    sums = np.column_stack([x, y, x * x, y * y, x * y])
    found["rho"] = float(_correlation(sums.mean(axis=0)[None])[0])
    if n_groups > 1:
        drawn = _correlation(bootstrap_means(sums, groups, seed=[seed, n], draws=DRAWS))
        found["interval"] = interval(drawn[np.isfinite(drawn)])
    return found


def _correlation(means: Floats) -> Floats:
    x, y, xx, yy, xy = means.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.clip((xy - x * y) / np.sqrt((xx - x * x) * (yy - y * y)), -1.0, 1.0))


def _accuracies(found: Measured, usable: Any, seed: int) -> dict[str, Any]:
    """All arms on the same rows: labelled, unflagged, no tie."""
    rows = usable & (found.sign != 0) & np.isfinite(found.of_strong)
    sign, prompts = found.sign[rows], found.prompts[rows]
    if not rows.any():
        return {"accuracy": None, "accuracy_problem": _why_none(found)}
    margins = dict(zip(ARMS, (found.mean[rows], found.of_strong[rows], found.length[rows]), strict=True))
    told: dict[str, Any] = {name: agreement(margin, sign, prompts) for name, margin in margins.items()}
    for name, arm in (("ahead_of_strong", "strong_accuracy"), ("ahead_of_length", "length_accuracy")):
        told[name] = difference(margins["accuracy"], margins[arm], sign, prompts, seed=[seed, len(sign)])
    return told


def _why_none(found: Measured) -> str:
    labelled = int((found.sign != 0).sum())
    if not labelled:
        return f"None of the {len(found.pairs):,} comparisons has a label that is no tie, so no accuracy can be told."
    return f"All {labelled:,} labelled comparisons are flagged or have no score, so no accuracy can be told."


def _by_domain(found: Measured, usable: Any, domains: Sequence[str]) -> list[dict[str, Any]]:
    names = np.array(domains, dtype=str)
    told = []
    for name in sorted(set(domains) - {""}):
        at = names == name
        rows = at & usable & (found.sign != 0)
        told.append(
            {
                "domain": name,
                "rows": int(at.sum()),
                "prompts": len(np.unique(found.prompts[at])),
                "flagged_rows": int((at & ~found.is_clean).sum()),
                "accuracy": agreement(found.mean[rows], found.sign[rows], found.prompts[rows]),
                "length_accuracy": agreement(found.length[rows], found.sign[rows], found.prompts[rows]),
            }
        )
    return told


def _picture(found: Measured, usable: Any, seed: int) -> dict[str, Any]:
    """Points of difference in length (tokens) against difference in score, b minus a; a sample where there are many."""
    at = np.flatnonzero(usable)
    rho = spearman(found.mean[at], found.tokens[at], found.prompts[at], seed=seed)
    told = {"of": len(at), "rho": rho["rho"], "interval": rho["interval"], "fifths": _fifths(found, at)}
    if len(at) > SHOWN:
        at = np.sort(np.random.default_rng([seed, len(at)]).choice(at, SHOWN, replace=False))
    return told | {"points": [[float(found.tokens[row]), round(float(found.mean[row]), 4)] for row in at]}


def _fifths(found: Measured, at: Ints) -> list[dict[str, Any]]:
    """In fifths of the difference in length, how often the longer response has the higher score."""
    differ = at[found.tokens[at] != 0]
    if len(differ) < LEAST:
        return []
    order = differ[np.lexsort((differ, np.abs(found.tokens[differ])))]
    told = []
    for rows in np.array_split(order, 5):
        size = np.abs(found.tokens[rows])
        longer = agreement(found.mean[rows], np.sign(found.tokens[rows]).astype(np.int64), found.prompts[rows])
        told.append({"least": float(size.min()), "most": float(size.max()), "longer": longer})
    return told
