"""Labels and signed numbers as a person reads them."""

from __future__ import annotations

STRENGTHS = {1: "slightly better", 2: "better", 3: "much better"}


def label_words(label: int | None, nothing: str = "no label") -> str:
    if label is None:
        return nothing
    if label == 0:
        return "tie"
    return f"{'A' if label < 0 else 'B'} {STRENGTHS[abs(label)]}"


def signed(value: float | None) -> str:
    """Two digits behind the point, with a true minus."""
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")
