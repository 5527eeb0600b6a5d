"""What one text of words says that another does not, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

# Lines around a change, so that one knows where it is.
AROUND = 1


@dataclass(frozen=True)
class Line:
    """`change` is added, removed, same, or gap: lines left out here."""

    change: str
    text: str


def difference(before: str, after: str) -> list[Line]:
    old, new = before.splitlines(), after.splitlines()
    found: list[Line] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for number, group in enumerate(matcher.get_grouped_opcodes(AROUND)):
        if number:
            found.append(Line("gap", ""))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                found += [Line("same", text) for text in new[new_from:new_to]]
            else:
                found += [Line("removed", text) for text in old[old_from:old_to]]
                found += [Line("added", text) for text in new[new_from:new_to]]
    return found
