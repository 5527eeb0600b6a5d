"""How an import in the foreground tells how far it is."""

from __future__ import annotations

import sys
from time import monotonic

from django.core.files.storage import default_storage

from ledger.reporter import Reporter

SECONDS_BETWEEN_LINES = 5.0
BAR_WIDTH = 30


class Terminal(Reporter):
    """A bar where somebody watches, else a line now and then; both on standard error."""

    def __init__(self) -> None:
        self._told_at = monotonic()
        self._is_watched = sys.stderr.isatty()

    def progress(self, done: int, total: int | None = None, stage: str = "") -> None:
        is_over = stage == "imported"
        if not self._is_watched and not is_over and monotonic() - self._told_at < SECONDS_BETWEEN_LINES:
            return
        self._told_at = monotonic()
        share = min(done / total, 1.0) if total else 0.0
        if self._is_watched:
            bar = "#" * round(share * BAR_WIDTH)
            sys.stderr.write(f"\r[{bar:<{BAR_WIDTH}}] {done:,} rows {share:4.0%}" + ("\n" if is_over else ""))
        else:
            sys.stderr.write(f"{done:,} rows, {share:.0%}\n")
        sys.stderr.flush()


def where(stored: str) -> str:
    try:
        return default_storage.path(stored)
    except NotImplementedError:
        return stored
