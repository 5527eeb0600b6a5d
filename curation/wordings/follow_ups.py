"""What a person might say next, by aspect, in praise and in complaint.

{"neutral": "a response that says nothing, for the calibrated form",
 "aspects": [{"name": "relevance", "asks": "what it is about", "positive": ["...", ...], "negative": [...]}, ...]}
"""

from __future__ import annotations

import re
from typing import Any

LABEL = "Follow-ups"
QUESTION = "What would a person say next to a good response, and what to a bad one?"
HELP = (
    "Remarks in the first person by aspect, `positive` and `negative`; `neutral` is a response that says nothing, "
    "which the calibrated form is measured from."
)
ORDER = ("neutral", "aspects", "name", "asks", "positive", "negative")
POLARITIES = ("positive", "negative")
MAX_ASPECTS, MAX_REMARKS, MAX_CHARACTERS = 20, 40, 200
NAME = re.compile(r"[a-z][a-z_]{0,39}")
# What keyboards and word processors make of a quote or a dash.
PLAIN = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "–": "-", "—": "-"}
)


def problems(document: Any) -> dict[str, str]:
    if not isinstance(document, dict):
        return {"document": 'must be an object with "neutral" and the list "aspects"'}
    found = _other_keys(document, "", {"neutral", "aspects"})
    if problem := _text_problem(document.get("neutral")):
        found["neutral"] = problem
    aspects = document.get("aspects")
    if not isinstance(aspects, list) or not 1 <= len(aspects) <= MAX_ASPECTS:
        return found | {"aspects": f"must be a list of 1 to {MAX_ASPECTS} aspects"}
    for place, aspect in enumerate(aspects):
        found |= _aspect_problems(aspect, f"aspects.{place}")
    return found | _repeated(aspects)


def shaped(document: dict[str, Any]) -> dict[str, Any]:
    aspects = [
        {
            "name": aspect["name"],
            "asks": plain(aspect.get("asks") or ""),
            **{polarity: [plain(text) for text in aspect[polarity]] for polarity in POLARITIES},
        }
        for aspect in document["aspects"]
    ]
    return {"neutral": plain(document["neutral"]), "aspects": aspects}


def plain(text: str) -> str:
    """Straight quotes and single spaces, so that one remark is written in one way."""
    return " ".join(text.translate(PLAIN).split())


def _aspect_problems(aspect: Any, path: str) -> dict[str, str]:
    if not isinstance(aspect, dict):
        return {path: "must be an object with name, positive and negative"}
    found = _other_keys(aspect, f"{path}.", {"name", "asks", *POLARITIES})
    name = aspect.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        found[f"{path}.name"] = "must be a name of small letters and _"
    if aspect.get("asks") is not None and (problem := _text_problem(aspect["asks"], least=0)):
        found[f"{path}.asks"] = problem
    for polarity in POLARITIES:
        texts = aspect.get(polarity)
        if not isinstance(texts, list) or not 1 <= len(texts) <= MAX_REMARKS:
            found[f"{path}.{polarity}"] = f"must be a list of 1 to {MAX_REMARKS} remarks"
            continue
        for place, text in enumerate(texts):
            if problem := _text_problem(text):
                found[f"{path}.{polarity}.{place}"] = problem
    return found


def _other_keys(given: dict[Any, Any], path: str, known: set[str]) -> dict[str, str]:
    return {f"{path}{str(key)[:40]}": "is not known here" for key in given if key not in known}


def _text_problem(text: Any, *, least: int = 1) -> str | None:
    if not isinstance(text, str):
        return "must be text; put it in quotes if it reads as a number or as yes and no"
    if any(not character.isprintable() and not character.isspace() for character in text) or "\x00" in text:
        return "has a character that cannot be printed"
    if not least <= len(plain(text)) <= MAX_CHARACTERS:
        return f"must have {least} to {MAX_CHARACTERS} characters"
    return None


def _repeated(aspects: list[Any]) -> dict[str, str]:
    """A remark or a name that is there twice would count twice."""
    found: dict[str, str] = {}
    first: dict[str, str] = {}
    names: dict[str, int] = {}
    for place, aspect in enumerate(aspects):
        if not isinstance(aspect, dict):
            continue
        name = aspect.get("name")
        if isinstance(name, str) and names.setdefault(name, place) != place:
            found[f"aspects.{place}.name"] = f"is the name of aspects.{names[name]} too"
        for polarity in POLARITIES:
            texts = aspect.get(polarity)
            for nth, text in enumerate(texts if isinstance(texts, list) else []):
                path = f"aspects.{place}.{polarity}.{nth}"
                if isinstance(text, str) and (before := first.setdefault(_key(text), path)) != path:
                    found[path] = f"says the same as {before}"
    return found


def _key(text: str) -> str:
    """What remains of a remark when case and punctuation do not count."""
    return " ".join(re.findall(r"\w+", plain(text).casefold())) or plain(text)
