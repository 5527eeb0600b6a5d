"""What makes two prompts or two responses the same: the bytes of their text, nothing normalised."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypedDict

import orjson


class Message(TypedDict):
    role: str
    content: str


def content_hash(text: str) -> bytes:
    """sha256 of the UTF-8 bytes; a lone surrogate raises UnicodeEncodeError."""
    return sha256(text.encode()).digest()


def canonical_json(messages: Sequence[Message]) -> bytes:
    """UTF-8, keys in order, no spaces: the same bytes for the same conversation."""
    return orjson.dumps(messages, option=orjson.OPT_SORT_KEYS)


def messages_hash(messages: Sequence[Message]) -> bytes:
    return sha256(canonical_json(messages)).digest()
