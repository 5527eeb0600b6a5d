"""Whether a server says what it said before: to tell one checkpoint from another where nobody tells the weights.

The same checkpoint says nearly the same of the same text each time: in bf16 the order of work on a busy server moves
the last digits. What is near something that was seen counts as that, and nothing hangs on where a number is rounded.
"""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

# Nats over the fixed conversation: some times what the order of work does, and less than what training does mostly.
SAME = 1.0


def settled(total: float, asked: str, kept: Path) -> float:
    """What was seen first among what is near `total`, or `total` itself, which is kept then; `asked` names what of."""
    kept.mkdir(parents=True, exist_ok=True)
    file = kept / f"{asked}.json"
    with file.with_suffix(".lock").open("w") as lock:
        # Two workers that look for the first time at once agree.
        fcntl.flock(lock, fcntl.LOCK_EX)
        seen = _read(file)
        near = next((one for one in seen if abs(one - total) <= SAME), None)
        if near is not None:
            return near
        written = file.with_suffix(".new")
        written.write_text(json.dumps([*seen, total]))
        written.replace(file)
        return total


def _read(file: Path) -> list[float]:
    try:
        return [float(one) for one in json.loads(file.read_text())]
    except (OSError, ValueError, TypeError):
        return []
