"""Rubrics in other shapes: JSON and YAML texts, and rubrics of one scored criterion as BiGGen-Bench has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson
import yaml

from annotation.rubrics.document import InvalidRubric

MAX_DOCUMENT_CHARACTERS = 200_000
SCORE = re.compile(r"score([0-9]{1,2})_description")
FORMAT = "winnow.rubric/1"


@dataclass(frozen=True)
class ReadRubric:
    """What a text says: the criteria are not checked yet, and the name may be missing."""

    name: str
    criteria: Any


def read_text(text: str) -> ReadRubric:
    """JSON, or YAML."""
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        limit = f"must have at most {MAX_DOCUMENT_CHARACTERS:,} characters"
        raise InvalidRubric("This text is too long for a rubric.", {"document": limit})
    document = _parsed(text)
    named = document if isinstance(document, dict) else {}
    name = next((named[key] for key in ("name", "task", "id") if isinstance(named.get(key), str)), "")
    return ReadRubric(name=name, criteria=criteria_in(document))


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        pass
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines):
        _refuse_item_specific(len(lines))
    try:
        # Aliases would let a short text stand for an endless one.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            raise InvalidRubric("This text cannot be read.", {"document": "must have no YAML aliases"})
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        place = f" (line {where.line + 1}, column {where.column + 1})" if where else ""
        message = f"is neither JSON nor YAML{place}"
        raise InvalidRubric("This text cannot be read.", {"document": message}) from None


def criteria_in(document: Any) -> Any:
    """The list of criteria in a document of any shape that is known here; checked later."""
    if isinstance(document, list):
        if document and all(isinstance(row, dict) and _scored(row) for row in document):
            if len(document) > 1:
                _refuse_item_specific(len(document))
            return [_scored_criterion(document[0])]
        return document
    if isinstance(document, dict):
        if _scored(document):
            return [_scored_criterion(document)]
        if "criteria" in document:
            return document["criteria"]
    raise InvalidRubric(
        "This is no rubric.", {"criteria": 'must be a list of criteria, {"criteria": [...]} or {"score_rubric": {...}}'}
    )


def _scored(row: dict[str, Any]) -> dict[str, Any] | None:
    """The part that holds {"criteria": text, "score1_description": text, ...}, if there is one."""
    held = row.get("score_rubric", row)
    is_scored = isinstance(held, dict) and any(isinstance(key, str) and SCORE.fullmatch(key) for key in held)
    return held if is_scored else None


def _scored_criterion(row: dict[str, Any]) -> dict[str, Any]:
    held = _scored(row) or {}
    anchors = {str(int(match[1])): held[key] for key in held if (match := SCORE.fullmatch(str(key)))}
    points = sorted(int(point) for point in anchors)
    return {
        "id": "score",
        "text": held.get("criteria"),
        "kind": "principle",
        "answers": "scale",
        "least": points[0],
        "most": points[-1],
        "anchors": anchors,
    }


def _refuse_item_specific(count: int) -> None:
    raise InvalidRubric(
        "These rubrics belong to one prompt each, and a campaign asks all of its items by one rubric.",
        {"document": f"holds {count} rubrics; send one. Rubrics that come with each row are not imported yet"},
    )


def exported(name: str, version: int, criteria: Any) -> bytes:
    """What `read_text` reads again."""
    document = {"format": FORMAT, "name": name, "version": version, "criteria": criteria}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)
