"""Run the benchmarks: `python -m benchmarks [NAME ...]`; without a name, all of them, one after the other."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

ALL = [
    "import_rows",
    "export_rows",
    "recipe_preview",
    "judging",
    "simulated_crowd",
    "desk_page",
    "embedding",
    "strength",
    "likelihood",
    "near_texts",
    "aggregation",
    "real_data",
    "real_votes",
    "planted_noise",
    "peer_review",
    "gain",
    "next_to_annotate",
    "density_ratio",
    "follow_up",
]


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"No benchmark called {', '.join(unknown)}; there are {', '.join(ALL)}.", file=sys.stderr)
        return 2
    for name in names or ALL:
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "platform"))
    sys.exit(main(sys.argv[1:]))
