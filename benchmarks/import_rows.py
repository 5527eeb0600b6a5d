"""Rows a second into an indexed corpus, beside PostgreSQL's own COPY of the very same rows into the same tables."""

from __future__ import annotations

import json
import random
import statistics
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.bed import make_bed

ROWS = 40_000
ROW_BYTES = 2_500
ROUNDS = 3
TABLES = ("corpus_prompt", "corpus_response", "corpus_comparison")


def main(rows: int = ROWS, rounds: int = ROUNDS) -> None:
    home = make_bed()
    file = home / "rows.jsonl"
    write_rows(file, rows)
    imports, copies, memory, again = [], [], [], []
    for _ in range(rounds):
        _empty_tables()
        seconds, peak = _import(file)
        imports.append(seconds)
        memory.append(peak)
        again.append(_import(file)[0])
        copies.append(_copy_the_same(home))
    ours, theirs = statistics.median(imports), statistics.median(copies)
    print(f"{rows:,} rows of {file.stat().st_size / rows / 1000:.2f} kB, median of {rounds} rounds")
    print(f"  import                  {rows / ours:10,.0f} rows/s   (target 10,000)")
    print(f"  PostgreSQL's own COPY   {rows / theirs:10,.0f} rows/s")
    print(f"  ratio                   {theirs / ours:10.2f}          (target 0.50)")
    print(f"  import once more        {rows / statistics.median(again):10,.0f} rows/s   (nothing changes)")
    print(f"  peak memory above idle  {max(memory) / 2**20:10.0f} MiB      (target under 300)")


def write_rows(path: Path, rows: int, seed: int = 7) -> None:
    """Chat-like rows in mixed words, about a fifth of them prompt and the rest two answers."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmnoprstuvwy", k=rng.randint(2, 9))) for _ in range(5_000)]
    with path.open("w") as file:
        for number in range(rows):
            row = {
                "id": f"row-{number}",
                "prompt": _text(rng, words, 480),
                "response_a": _text(rng, words, 920),
                "response_b": _text(rng, words, 920),
                "label": rng.choice(["a", "b", "tie"]),
                "subject": rng.choice(words),
            }
            file.write(json.dumps(row) + "\n")


def _text(rng: random.Random, words: list[str], length: int) -> str:
    return " ".join(rng.choices(words, k=length // 6))


def _empty_tables() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_project CASCADE")
        cursor.execute("CHECKPOINT")


def _import(path: Path) -> tuple[float, int]:
    """Seconds, and the peak of this process's memory above what it held before."""
    from accounts.models import Project
    from corpus.ingest import ingest, local_file
    from corpus.read_file import ImportOptions
    from ledger.reporter import Reporter

    project, _ = Project.objects.get_or_create(slug="bench", defaults={"name": "Bench"})
    with PeakMemory() as memory:
        started = time.perf_counter()
        result = ingest(
            project=project,
            files=[local_file(path)],
            options=ImportOptions(),
            reporter=Reporter(),
            rejects_name="imports/bench/rejects.jsonl",
        )
        seconds = time.perf_counter() - started
    assert result["rejected"] == 0, result
    return seconds, memory.above_idle


def _copy_the_same(home: Path) -> float:
    """The rows as they now are, out to files, the tables emptied, and in again by nothing but COPY."""
    from django.db import connection

    connection.ensure_connection()
    raw: Any = connection.connection
    for table in TABLES:
        with (home / table).open("wb") as file, raw.cursor() as cursor, cursor.copy(_copy(table, "TO STDOUT")) as out:
            for piece in out:
                file.write(piece)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
        cursor.execute("CHECKPOINT")
    started = time.perf_counter()
    with raw.transaction():
        for table in TABLES:
            source = (home / table).open("rb")
            with source as file, raw.cursor() as cursor, cursor.copy(_copy(table, "FROM STDIN")) as into:
                while piece := file.read(2**20):
                    into.write(piece)
    return time.perf_counter() - started


def _copy(table: str, direction: str) -> bytes:
    return f"COPY {table} {direction} (FORMAT BINARY)".encode()


class PeakMemory:
    """Resident memory of this process, looked at every 20 ms."""

    def __init__(self) -> None:
        self.above_idle = 0
        self._is_over = threading.Event()

    def __enter__(self) -> PeakMemory:
        self._idle = _resident()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.02):
            self.above_idle = max(self.above_idle, _resident() - self._idle)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
