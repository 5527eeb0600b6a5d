"""Labels and signed numbers as a person reads them."""

from __future__ import annotations

STRENGTHS = {1: "slightly better", 2: "better", 3: "much better"}


def label_words(label: int | None, nothing: str = "no label") -> str:
    if label is None:
        return nothing
    if label == 0:
        return "tie"
    return f"{'A' if label < 0 else 'B'} {STRENGTHS[abs(label)]}"


def people_say(votes: int, simulated: int) -> str:
    """ "3 people say"; whoever is made up is named as simulated."""
    if simulated == votes:
        return "One simulated annotator says" if votes == 1 else f"{votes} simulated annotators say"
    if simulated:
        return f"{votes} annotators, {simulated} of them simulated, say"
    return "One person says" if votes == 1 else f"{votes} people say"


def signed(value: float | None) -> str:
    """Two digits behind the point, with a true minus."""
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")
