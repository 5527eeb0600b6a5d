"""Words as a person edits them: YAML or JSON in, YAML out, and the line on which something is wrong."""

from __future__ import annotations

from typing import Any

import yaml

from curation.wordings.kinds import InvalidWording, kind_of

MAX_CHARACTERS = 200_000


def read_text(text: str) -> Any:
    """The document; JSON is YAML."""
    if len(text) > MAX_CHARACTERS:
        _refuse(f"has more than {MAX_CHARACTERS:,} characters")
    try:
        # An alias would let a short text stand for an endless one.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            _refuse("has a YAML alias; write the words out")
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise InvalidWording("This text cannot be read.", {"document": f"is neither YAML nor JSON{where}"}) from error


def _refuse(words: str) -> None:
    raise InvalidWording("This text cannot be read.", {"document": words})


def text_of(kind: str, document: dict[str, Any]) -> str:
    """The database does not keep the order of keys; the kind knows how people read them."""
    ordered = _in_order(document, kind_of(kind).ORDER)
    return yaml.dump(ordered, Dumper=_Lines, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False)


class _Lines(yaml.SafeDumper):
    """Text of several lines is written as these lines."""


def _as_lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Lines.add_representer(str, _as_lines)


def _in_order(part: Any, order: Any) -> Any:
    if isinstance(part, list):
        return [_in_order(each, order) for each in part]
    if not isinstance(part, dict):
        return part
    known = [key for key in order if key in part]
    return {key: _in_order(part[key], order) for key in [*known, *sorted(set(part) - set(known))]}


def lines_of(text: str, paths: list[str]) -> dict[str, int]:
    """The line, from 1, of each path that the text has; of one that it lacks, that of the nearest part above it."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    return {} if root is None else {path: _line(root, path.split(".")) for path in paths}


def _line(node: Any, parts: list[str]) -> int:
    line = int(node.start_mark.line) + 1
    for part in parts:
        following = None
        if isinstance(node, yaml.SequenceNode) and part.isascii() and part.isdigit() and int(part) < len(node.value):
            following = node.value[int(part)]
        elif isinstance(node, yaml.MappingNode):
            following = next((value for key, value in node.value if key.value == part), None)
        if following is None:
            break
        node, line = following, int(following.start_mark.line) + 1
    return line
