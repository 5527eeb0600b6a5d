"""What the operator sees: a table that is redrawn on a terminal, plain lines anywhere else."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from winnow.supervisor.part import Watched

ERASE_BELOW = "\x1b[J"


class Screen:
    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._table: list[str] = []
        self._shown: dict[str, str] = {}

    def say(self, line: str) -> None:
        self._erase()
        self._write(line + "\n")
        self._draw()

    def show(self, parts: Sequence[Watched]) -> None:
        if self._is_terminal:
            table = _table(parts)
            if table != self._table:
                self._erase()
                self._table = table
                self._draw()
            return
        for part in parts:
            if self._shown.get(part.name) != part.state:
                self._shown[part.name] = part.state
                self._write(f"{time.strftime('%H:%M:%S')} {part.name}: {part.state}{_pid(part)}\n")

    def _erase(self) -> None:
        if self._table:
            self._write(f"\x1b[{len(self._table)}A\r{ERASE_BELOW}")

    def _draw(self) -> None:
        if self._table:
            width = shutil.get_terminal_size().columns
            self._write("".join(line[: width - 1] + "\n" for line in self._table))

    def _write(self, text: str) -> None:
        # A closed pipe or terminal is no reason to leave the parts alone.
        with suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()


def _table(parts: Sequence[Watched]) -> list[str]:
    head = f"{'service':<12}{'pid':>8}{'restarts':>10}  state"
    rows = [f"{part.name:<12}{part.pid or '-':>8}{part.restarts:>10}  {part.state}" for part in parts]
    return ["", head, *rows]


def _pid(part: Watched) -> str:
    return f" (pid {part.pid})" if part.pid and part.state in {"starting", "running"} else ""
