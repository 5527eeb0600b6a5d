"""Lists in pages: `next` is an opaque, URL-safe cursor or null; the same for every area.

A handler takes `cursor: str | None = None, limit: Limit = DEFAULT_LIMIT`, reads `limit + 1` rows after
`decode(cursor)`, and gives them to `page`, which keeps `limit` and encodes where the next page begins.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field

from accounts.problems import Invalid

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT)]

Row = TypeVar("Row")


class BadCursor(Invalid):
    code = "bad_cursor"


def encode(position: Mapping[str, Any]) -> str:
    """Where a page ended, as text that a URL carries unchanged."""
    packed = json.dumps(position, separators=(",", ":"), sort_keys=True, default=str)
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def decode(cursor: str) -> dict[str, Any]:
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = json.loads(packed)
    except (binascii.Error, ValueError, RecursionError):
        position = None
    if not isinstance(position, dict):
        raise BadCursor(
            "This cursor did not come from `next` of this list; leave it out to begin at the first row.",
            fields={"cursor": "not a cursor"},
        )
    return position


def last_id(cursor: str) -> int:
    """For lists in the order of ids: the id of the last row of the page before."""
    last = decode(cursor).get("id")
    if not isinstance(last, int) or isinstance(last, bool) or abs(last) >= 2**63:
        raise BadCursor("This cursor belongs to another list.", fields={"cursor": "not a cursor of this list"})
    return last


def page(
    rows: Iterable[Row], *, limit: int, position: Callable[[Row], Mapping[str, Any]]
) -> tuple[list[Row], str | None]:
    """The rows to show of the `limit + 1` that were read, and the cursor of the page behind them."""
    read = list(rows)
    shown = read[:limit]
    return shown, encode(position(shown[-1])) if len(read) > limit else None
