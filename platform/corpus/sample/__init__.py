"""The bundled sample: conversations written for Winnow, with labels some of which are known mistakes.

A file is a subject: a list of {id, prompt | messages, responses, labels}. A response has a key, its generator, a
quality from 1 to 5 and its content; a label names the better and the worse key with a strength from 1 to 3, or a tie.
What the sample knows about its own quality goes into metadata under keys that begin with `sample_`.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from accounts.models import Project
from corpus.hashing import Message, content_hash
from corpus.importers._base import ParsedRow
from corpus.prepare import PreparedRow, prepare
from corpus.store import BatchWriter, FileFacts

FOLDER = Path(__file__).parent
SOURCE = "sample"
LICENCE = "Apache-2.0"


def load(project: Project) -> dict[str, int]:
    """Import the sample as the source `sample`; a second time changes nothing."""
    done = {"accepted": 0, "unchanged": 0, "contradicted": 0}
    for path in files():
        content = path.read_bytes()
        facts = FileFacts(path.name, sha256(content).hexdigest(), len(content), SOURCE, LICENCE)
        written = BatchWriter(project.id, facts).write(list(_prepared_rows(path)))
        for name in done:
            done[name] += getattr(written, name)
    return done


def files() -> list[Path]:
    return sorted(FOLDER.glob("*.yaml"))


def items(path: Path) -> list[dict[str, Any]]:
    """The prompts of one subject, as written."""
    loaded: list[dict[str, Any]] = yaml.safe_load(path.read_text())
    return loaded


def messages_of(item: dict[str, Any]) -> list[Message]:
    if "prompt" in item:
        return [{"role": "user", "content": item["prompt"]}]
    return [{"role": message["role"], "content": message["content"]} for message in item["messages"]]


def _prepared_rows(path: Path) -> Iterator[PreparedRow]:
    number = 0
    for item in items(path):
        for label in item["labels"]:
            number += 1
            yield prepare(number, _row(path.stem, item, label), SOURCE)


def _row(subject: str, item: dict[str, Any], label: dict[str, Any]) -> ParsedRow:
    keys = label.get("tie") or [label["better"], label["worse"]]
    responses = {response["key"]: response for response in item["responses"]}
    pair = [responses[key] for key in keys]
    sides = sorted(pair, key=lambda side: content_hash(side["content"]))
    # In the order of the table, so that the qualities belong to response_a and response_b.
    sign = -1 if sides[0] is pair[0] else 1
    return ParsedRow(
        messages=messages_of(item),
        response_a=sides[0]["content"],
        response_b=sides[1]["content"],
        label=sign * label.get("strength", 0),
        external_id=f"{item['id']}:{'-'.join(keys)}",
        source=SOURCE,
        generator_a=sides[0]["generator"],
        generator_b=sides[1]["generator"],
        metadata={
            "subject": subject,
            "sample_quality_a": sides[0]["quality"],
            "sample_quality_b": sides[1]["quality"],
            "sample_known_mistake": bool(label.get("mistake")),
        },
    )
