"""Small converters from published layouts to JSON lines that `generic` reads.

python -m benchmarks.convert pandalm testset-v1.json > pandalm.jsonl
python -m benchmarks.convert ukp arguments.jsonl.gz pairs.jsonl.gz > ukp.jsonl
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PANDALM_LABELS = {0: "tie", 1: "a", 2: "b"}
UKP_LABELS = {"a1": "a", "a2": "b", "equal": "tie", None: None}


def pandalm(testset: Path) -> Iterator[dict[str, Any]]:
    """The majority of three annotators; none of the published items splits three ways."""
    for item in json.loads(testset.read_text()):
        votes = [item[f"annotator{number}"] for number in (1, 2, 3)]
        label, count = Counter(votes).most_common(1)[0]
        generator_a, generator_b = item["cmp_key"].split("_", 1)
        yield {
            "id": item["idx"],
            "prompt": item["instruction"] + (f"\n\n{item['input']}" if item["input"] else ""),
            "response_a": _answer(item["response1"]),
            "response_b": _answer(item["response2"]),
            "label": PANDALM_LABELS[label] if count > 1 else None,
            "generator_a": generator_a,
            "generator_b": generator_b,
            "votes": votes,
        }


def ukp(arguments: Path, pairs: Path) -> Iterator[dict[str, Any]]:
    """Which of two arguments convinces more: the debate's title and the stance make the question."""
    texts = {argument["id"]: argument for argument in _lines(arguments)}
    for pair in _lines(pairs):
        first, second = texts[pair["arg1"]["id"]], texts[pair["arg2"]["id"]]
        title = first["debateMetaData"]["title"].strip()
        yield {
            "id": pair["id"],
            "prompt": f"{title}\n\nGive one argument for this side: {first['stance']}",
            "response_a": first["text"],
            "response_b": second["text"],
            "label": UKP_LABELS[pair["goldLabel"]],
            "topic": pair["file"],
            "votes": len(pair["mTurkAssignments"]),
        }


def _answer(value: str | bool) -> str:
    """Six answers "True" were written as JSON's true."""
    return str(value)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        for line in file:
            yield json.loads(line)


def main(arguments: list[str]) -> int:
    converters = {"pandalm": (pandalm, 1), "ukp": (ukp, 2)}
    if not arguments or arguments[0] not in converters or len(arguments) != converters[arguments[0]][1] + 1:
        print(__doc__, file=sys.stderr)
        return 2
    convert: Any = converters[arguments[0]][0]
    for row in convert(*map(Path, arguments[1:])):
        print(json.dumps(row, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
