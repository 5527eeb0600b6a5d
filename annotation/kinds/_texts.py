"""What a person wrote or marked, checked the same way by every kind that asks for it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from django.db.models.functions import Length

from corpus.models import Response

MAX_REASON_CHARACTERS = 4000
# A draft of it, other fields included, still fits what is kept of drafts.
MAX_IDEAL_CHARACTERS = 20_000
MAX_HIGHLIGHTS = 200
MARKS = ("good", "bad")
_OF_A_HIGHLIGHT = {"response", "start", "end", "mark"}


def problem_with_text(text: object, *, most: int, least: int = 0) -> str | None:
    """Characters are code points; white space at the ends does not count towards the least."""
    if not isinstance(text, str):
        return "must be text"
    if "\0" in text:
        return "must not hold a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "must not hold half of a surrogate pair"
    if len(text) > most:
        return f"must have at most {most:,} characters, and has {len(text):,}"
    if len(text.strip()) < least:
        return f"must have at least {least:,} characters"
    return None


def problem_with_reason(reason: object, settings: dict[str, Any]) -> str | None:
    """One that is sent without being asked for is kept too; the least length counts once there is one."""
    if problem := problem_with_text(reason, most=MAX_REASON_CHARACTERS):
        return problem
    written = str(reason).strip()
    if settings["reason"] == "required" and not written:
        return "this campaign asks for a short reason"
    if settings["reason"] == "off" or not written:
        return None
    return problem_with_text(reason, most=MAX_REASON_CHARACTERS, least=settings["min_reason_characters"])


def problem_with_ideal(ideal: object, settings: dict[str, Any]) -> str | None:
    if problem := problem_with_text(ideal, most=MAX_IDEAL_CHARACTERS):
        return problem
    written = str(ideal).strip()
    if settings["ideal"] == "required" and not written:
        return "this campaign asks for an ideal response"
    return "this campaign asks for no ideal response" if settings["ideal"] == "off" and written else None


def problem_with_tags(tags: object, settings: dict[str, Any]) -> str | None:
    offered = settings["tags"]
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        return "must be a list of tags"
    if unknown := [tag for tag in tags if tag not in offered]:
        held = f"must be one of: {', '.join(offered)}" if offered else "this campaign offers no tags"
        return f"{ascii(unknown[0])[:80]} is not offered; {held}"
    if len(set(tags)) < len(tags):
        return "must not name a tag twice"
    if offered and settings["tags_required"] and not tags:
        return "this campaign asks for at least one tag"
    return None


def problem_with_highlights(highlights: object, settings: dict[str, Any], response_ids: tuple[int, ...]) -> str | None:
    """Spans [start, end) in code points of the text as written, inside it, never both good and bad at one place."""
    if not isinstance(highlights, list):
        return "must be a list of highlights"
    if highlights and settings["highlights"] == "off":
        return "this campaign asks for no highlights"
    if len(highlights) > MAX_HIGHLIGHTS:
        return f"must be at most {MAX_HIGHLIGHTS}, and are {len(highlights):,}"
    lengths = _lengths(response_ids) if highlights else {}
    for number, span in enumerate(highlights, start=1):
        if problem := _problem_with_span(span, lengths):
            return f"number {number} {problem}"
    if _is_contradictory(highlights):
        return "must not mark the same words as good and as bad"
    return None


def _lengths(response_ids: tuple[int, ...]) -> dict[int, int]:
    """In code points, which is what PostgreSQL counts."""
    found = Response.objects.filter(id__in=response_ids).annotate(characters=Length("content"))
    return dict(found.values_list("id", "characters"))


def _problem_with_span(span: object, lengths: dict[int, int]) -> str | None:
    if not isinstance(span, dict) or set(span) != _OF_A_HIGHLIGHT:
        return "must have response, start, end and mark, and nothing else"
    response, start, end = (span[name] for name in ("response", "start", "end"))
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in (response, start, end)):
        return "must name response, start and end as whole numbers"
    if response not in lengths:
        return "names a response that was not shown"
    if span["mark"] not in MARKS:
        return f"must be marked {' or '.join(MARKS)}"
    if not 0 <= start < end <= lengths[response]:
        return f"must lie inside the text: 0 <= start < end <= {lengths[response]:,}"
    return None


def _is_contradictory(highlights: list[dict[str, Any]]) -> bool:
    """Of neighbours in merged order, since spans of one mark no longer overlap there."""
    merged = merged_highlights(highlights)
    return any(
        one["response"] == following["response"] and following["start"] < one["end"]
        for one, following in pairwise(merged)
    )


def merged_highlights(highlights: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In order of the text; overlapping spans with the same mark become one."""
    merged: list[dict[str, Any]] = []
    last: dict[tuple[int, str], dict[str, Any]] = {}
    for span in sorted(highlights, key=lambda span: (span["response"], span["start"], span["end"])):
        before = last.get((span["response"], span["mark"]))
        if before is not None and span["start"] < before["end"]:
            before["end"] = max(before["end"], span["end"])
        else:
            last[span["response"], span["mark"]] = dict(span)
            merged.append(last[span["response"], span["mark"]])
    return merged
