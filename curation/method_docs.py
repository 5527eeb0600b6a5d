"""The docstring of a method as sections of a page: a heading is a line at the margin above an indented block."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from itertools import groupby

# Its lines are kept as they are; everything else flows.
VERBATIM = {"Formula"}


@dataclass(frozen=True)
class Section:
    heading: str
    paragraphs: list[str]

    @property
    def is_verbatim(self) -> bool:
        return self.heading in VERBATIM


def sections_of(documentation: str) -> list[Section]:
    found: list[tuple[str, list[str]]] = [("", [])]
    lines = documentation.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_heading = bool(line) and not line[0].isspace() and following[:1].isspace()
        if is_heading:
            found.append((line.strip(), []))
        else:
            found[-1][1].append(line)
    return [section for section in (_section(*part) for part in found) if section.heading or section.paragraphs]


def _section(heading: str, lines: list[str]) -> Section:
    block = inspect.cleandoc("\n".join(["", *lines]))
    if heading in VERBATIM:
        return Section(heading, [block])
    runs = groupby(block.splitlines(), key=lambda line: bool(line.strip()))
    return Section(heading, [" ".join(line.strip() for line in run) for is_text, run in runs if is_text])
