"""A gain report in sentences: for its page, the page of the release and the dataset card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VERIFIED, IMPORTED = "verified", "imported"
NOT_MEASURED = "Whether training on it is better than on the raw data has not been measured."
AGAINST = {
    "raw": "raw labels",
    "random": "the same actions at random rows",
    "length": "the same actions by length alone",
}
ARMS = {
    "raw": "Raw",
    "curated": "Curated",
    "random": "Same actions, random rows",
    "length": "Same actions, by length",
    "longer": "No training: the longer one",
}


def difference(figure: Mapping[str, Any]) -> str:
    """+0.029, +0.012 to +0.046."""
    return f"{signed(figure['value'])}, {signed(figure['low'])} to {signed(figure['high'])}"


def signed(value: float) -> str:
    """With a true minus, and without one for a zero."""
    return f"{value:+.3f}".replace("-", "−") if abs(value) >= 0.0005 else "0.000"


def headline(overall: Mapping[str, Any] | None) -> str:
    """The verdict with its figures."""
    if overall is None:
        return "Not measured: no source has enough labels to train and to test on."
    found = overall["differences"]["raw"]
    size = f"n = {overall['n']:,} held-out rows in {overall['groups']:,} groups of prompts"
    return f"{str(overall['verdict']).capitalize()}: curated less raw is {difference(found)} in accuracy, {size}."


def beside(overall: Mapping[str, Any] | None) -> list[str]:
    """What one has to know with it."""
    if overall is None:
        return []
    found = overall["differences"]
    arms = overall["arms"]
    said = [
        f"Accuracy {arms['curated']['value']:.3f} curated, {arms['raw']['value']:.3f} raw; choosing the longer response"
        f" without any training has {arms['longer']['value']:.3f}.",
        f"Against {AGAINST['random']}: {difference(found['random'])}. Against {AGAINST['length']}:"
        f" {difference(found['length'])}.",
    ]
    if overall["beats_raw_only"]:
        said.append("It beats raw, but not the same actions at random rows: what helps is not which rows it chose.")
    if overall["length_does_as_well"]:
        said.append("Choosing the same number of rows by length alone does as well, as far as this shows.")
    if overall["verdict"] == "harm shown":
        said.append("A learner does worse on it than on the raw labels: do not release with these rules.")
    return [*said, judged_by(overall["basis"])]


def of_source(source: Mapping[str, Any], overall: Mapping[str, Any] | None) -> str:
    """One source in a line."""
    one = source_judged(source, overall["basis"] if overall else IMPORTED)[1]
    if one is None:
        return str(source.get("problem", "not measured"))
    return f"{one['verdict']}, curated less raw {difference(one['differences']['raw'])}, n = {one['n']:,}."


def source_judged(source: Mapping[str, Any], basis: str) -> tuple[str, Mapping[str, Any] | None]:
    """By people where the whole is and the source has enough of them, else by its imported labels."""
    judged = source.get("judged", {})
    return (basis, judged[basis]) if basis in judged else (IMPORTED, judged.get(IMPORTED))


def judged_by(basis: str) -> str:
    if basis == VERIFIED:
        return "Held-out rows are judged by labels of people, who verified rows that somebody chose."
    return (
        "Held-out rows are judged by the imported labels, whose noise is in the figures: fewer than 100 are verified."
    )


def verified(sources: list[Mapping[str, Any]]) -> str:
    """How many labels of people there are, and of what kind."""
    counts: dict[str, int] = {}
    for source in sources:
        for origin, n in source.get("verified", {}).items():
            counts[origin] = counts.get(origin, 0) + n
    made_up = counts.pop("simulated", 0)
    named = ", ".join(f"{n:,} {origin}" for origin, n in counts.items() if n)
    said = f"Labels of people: {sum(counts.values()):,}" + (f" ({named})." if named else ".")
    return said + (f" {made_up:,} rows have simulated votes alone, which verify nothing." if made_up else "")
