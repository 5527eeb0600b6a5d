from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from workers.engine.models.seen_before import settled


def test_what_is_near_is_the_same_wherever_a_number_would_be_rounded(tmp_path: Path) -> None:
    assert settled(-101.99, "one", tmp_path) == -101.99
    assert [settled(total, "one", tmp_path) for total in (-102.01, -102.5, -101.2)] == [-101.99] * 3
    assert settled(-104.0, "one", tmp_path) == -104.0
    # Between two, the one that was there first: no answer depends on which came last.
    assert settled(-102.98, "one", tmp_path) == -101.99
    assert settled(-103.2, "one", tmp_path) == -104.0


def test_other_servers_have_other_memories_and_a_broken_one_begins_anew(tmp_path: Path) -> None:
    settled(-10.0, "one", tmp_path)
    assert settled(-10.3, "other", tmp_path) == -10.3
    (tmp_path / "one.json").write_text("{")
    assert settled(-10.3, "one", tmp_path) == -10.3


def test_workers_that_look_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda nth: settled(-10.0 - nth / 100, "one", tmp_path), range(40)))
    assert len(found) == 1
