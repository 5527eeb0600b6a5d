"""Column mappings as people write them."""

from __future__ import annotations

import json

from corpus.formats import BadMapping


def parse_mapping(text: str) -> dict[str, str]:
    """`prompt=question,response_a=left`, or a JSON object."""
    if not text.strip():
        return {}
    if text.lstrip().startswith("{"):
        try:
            mapping = json.loads(text)
        except ValueError as error:
            raise BadMapping("The mapping is not JSON.", {"mapping": "not JSON"}) from error
        if not all(isinstance(column, str) for column in mapping.values()):
            raise BadMapping("Each value of the mapping should be the name of a column.", {"mapping": "not text"})
        return dict(mapping)
    pairs = [pair.partition("=") for pair in text.split(",")]
    if any(not equals for _, equals, _ in pairs):
        raise BadMapping("Write the mapping as prompt=question,response_a=left.", {"mapping": "no ="})
    return {name.strip(): column.strip() for name, _, column in pairs}
