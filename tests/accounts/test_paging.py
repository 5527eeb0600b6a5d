from __future__ import annotations

import re

import pytest

from accounts.paging import decode, encode, page
from accounts.problems import Invalid


def test_a_cursor_comes_back_as_it_went() -> None:
    position = {"id": 12, "value": -0.5, "text": "ÿ?/é"}
    assert decode(encode(position)) == position


def test_a_cursor_travels_in_a_url_unchanged() -> None:
    for number in range(200):
        assert re.fullmatch(r"[A-Za-z0-9_-]+", encode({"id": number, "text": "ÿþ" * (number % 7)}))


@pytest.mark.parametrize("cursor", ["", "nonsense!", "bnVsbA", "W10", "é", "a" * 5, "http://example.org/?cursor=a"])
def test_anything_else_is_refused_in_words(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode(cursor)
    assert refused.value.fields == {"cursor": "not a cursor"}


def test_the_last_page_has_no_next() -> None:
    assert page([1, 2, 3], limit=3, position=lambda row: {"id": row}) == ([1, 2, 3], None)


def test_a_row_too_many_tells_that_there_is_more() -> None:
    shown, following = page([1, 2, 3], limit=2, position=lambda row: {"id": row})
    assert shown == [1, 2]
    assert following is not None and decode(following) == {"id": 2}
