"""Runs of words that texts share with a list of benchmark prompts, and the reading of such a list."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.engine.bench import Unworkable

WORD = re.compile(r"[぀-ヿ㐀-鿿가-힯]|\w+")
# A benchmark prompt with fewer words than a run is one run; with fewer than this it would be found everywhere.
MIN_WORDS = 6
TEXT_KEYS = ("prompt", "question", "instruction", "input", "text", "content", "goal")
MAX_BYTES = 256 * 1024 * 1024
SUFFIXES = (".jsonl", ".ndjson", ".txt")


@dataclass(frozen=True)
class Benchmark:
    """`name` says where the prompt stands: a line of the file or a prompt of the source."""

    name: str
    text: str


def words_of(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(text)]


class Runs:
    """All runs of `n` words of the benchmark prompts."""

    def __init__(self, benchmarks: Sequence[Benchmark], n: int) -> None:
        self._where: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._sizes: list[int] = []
        self.too_short = 0
        for number, benchmark in enumerate(benchmarks):
            runs = _runs(words_of(benchmark.text), n)
            self.too_short += not runs
            self._sizes.append(len(runs))
            for run in runs:
                self._where[run].append(number)
        self._lengths = sorted({len(run) for run in self._where})

    def most_shared(self, text: str) -> tuple[int, int, float] | None:
        """The benchmark with the largest share of its runs in the text: its number, the runs, the share; else None."""
        words = words_of(text)
        shared: Counter[int] = Counter()
        for length in self._lengths:
            seen = {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}
            for run in seen:
                shared.update(self._where.get(run, ()))
        if not shared:
            return None
        best = min(shared, key=lambda number: (-shared[number] / self._sizes[number], -shared[number], number))
        return best, shared[best], shared[best] / self._sizes[best]


def _runs(words: Sequence[str], n: int) -> set[tuple[str, ...]]:
    if len(words) < min(MIN_WORDS, n):
        return set()
    return {tuple(words[start : start + n]) for start in range(max(1, len(words) - n + 1))}


def read_benchmarks(path: str) -> list[Benchmark]:
    """JSON lines with a prompt under one of TEXT_KEYS, a list of messages, or a string; or plain text, one a line."""
    file = Path(path).expanduser()
    if file.suffix not in SUFFIXES:
        raise Unworkable(f"{path!r} is not a list of prompts that can be read: name a file {', '.join(SUFFIXES)}.")
    if not file.is_file():
        raise Unworkable(f"There is no file {path!r} on the worker's machine.")
    if file.stat().st_size > MAX_BYTES:
        raise Unworkable(f"{path!r} is larger than {MAX_BYTES // 2**20} MiB.")
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise Unworkable(f"{path!r} is not UTF-8.") from error
    is_plain = file.suffix == ".txt"
    found = [
        Benchmark(f"line {number}", line if is_plain else _text_of(line, number, path))
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not found:
        raise Unworkable(f"{path!r} is empty.")
    return found


def _text_of(line: str, number: int, path: str) -> str:
    try:
        text = _prompt_in(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise Unworkable(f"Line {number} of {path!r} is not JSON.") from error
    if text is None:
        raise Unworkable(f"Line {number} of {path!r} has no prompt: none of {', '.join(TEXT_KEYS)}, messages.")
    return text


def _prompt_in(row: Any) -> str | None:
    if isinstance(row, str):
        return row
    if isinstance(row, list):
        turns = [turn.get("content") for turn in row if isinstance(turn, dict) and turn.get("role") != "assistant"]
        return "\n".join(turn for turn in turns if isinstance(turn, str)) or None
    if isinstance(row, dict):
        for key in ("messages", *TEXT_KEYS):
            if key in row and (text := _prompt_in(row[key])) is not None:
                return text
    return None
