"""What kind of help a prompt asks for, what a good answer of that kind does, and worked cases to put before it.

{"question": "what a model is asked: {message}, {kinds} and {names} are filled in",
 "domains": [{"name": "safety", "asks": "when a prompt belongs here", "before": "criteria_and_exemplar",
              "criteria": "what a good answer does", "keywords": ["poison*", ...],
              "exemplars": [{"name": "safety_drain", "instruction": "...", "question": "...", "good": "...",
                             "bad": "...", "why": "..."}, ...]}, ...]}
"""

from __future__ import annotations

import re
from typing import Any

LABEL = "Domains"
QUESTION = "What does a prompt ask for, and what does a good answer to it look like?"
HELP = (
    "Domains by which density_ratio customises a prompt: `criteria` and one of the `exemplars` are put before it as "
    "`before` says. The domain `chat` takes what fits nowhere else."
)
ORDER = (
    "question", "domains", "name", "asks", "before", "criteria", "keywords", "exemplars", "instruction", "good", "bad",
    "why",
)  # fmt: skip
BEFORE = ("criteria_and_exemplar", "criteria", "exemplar", "nothing")
FALLBACK = "chat"
PLACES = ("{message}", "{kinds}", "{names}")
REQUIRED, OPTIONAL = ("instruction", "question", "good"), ("bad", "why")
MAX_DOMAINS, MAX_KEYWORDS, MAX_EXEMPLARS, MAX_CHARACTERS = 12, 400, 60, 4000
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def problems(document: Any) -> dict[str, str]:
    if not isinstance(document, dict):
        return {"document": 'must be an object with "question" and the list "domains"'}
    found = _other_keys(document, "", {"question", "domains"})
    question = document.get("question")
    if problem := _text_problem(question):
        found["question"] = problem
    elif missing := [place for place in PLACES if place not in str(question)]:
        found["question"] = f"must have {', '.join(missing)}, which are filled in"
    domains = document.get("domains")
    if not isinstance(domains, list) or not 1 <= len(domains) <= MAX_DOMAINS:
        return found | {"domains": f"must be a list of 1 to {MAX_DOMAINS} domains"}
    for place, domain in enumerate(domains):
        found |= _domain_problems(domain, f"domains.{place}")
    if FALLBACK not in [domain.get("name") for domain in domains if isinstance(domain, dict)]:
        found["domains"] = f"must have one of the name {FALLBACK}, which takes what fits nowhere else"
    return found | _repeated(domains)


def shaped(document: dict[str, Any]) -> dict[str, Any]:
    return {"question": document["question"].strip(), "domains": [_shaped(domain) for domain in document["domains"]]}


def _shaped(domain: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": domain["name"],
        "asks": domain["asks"].strip(),
        "before": domain["before"],
        "criteria": domain["criteria"].strip(),
        "keywords": [" ".join(word.split()).casefold() for word in domain.get("keywords") or []],
        "exemplars": [
            {"name": one["name"]} | {key: (one.get(key) or "").strip() for key in REQUIRED + OPTIONAL}
            for one in domain["exemplars"]
        ],
    }


def _domain_problems(domain: Any, path: str) -> dict[str, str]:
    if not isinstance(domain, dict):
        return {path: "must be an object with name, asks, before, criteria, keywords and exemplars"}
    found = _other_keys(domain, f"{path}.", {"name", "asks", "before", "criteria", "keywords", "exemplars"})
    if not isinstance(domain.get("name"), str) or not NAME.fullmatch(domain["name"]):
        found[f"{path}.name"] = "must be a name of small letters, digits and _"
    if domain.get("before") not in BEFORE:
        found[f"{path}.before"] = f"must be one of {', '.join(BEFORE)}"
    for key in ("asks", "criteria"):
        if problem := _text_problem(domain.get(key)):
            found[f"{path}.{key}"] = problem
    keywords = domain.get("keywords") or []
    if not isinstance(keywords, list) or len(keywords) > MAX_KEYWORDS:
        found[f"{path}.keywords"] = f"must be a list of at most {MAX_KEYWORDS} words"
    else:
        found |= {
            f"{path}.keywords.{nth}": problem for nth, word in enumerate(keywords) if (problem := _word_problem(word))
        }
    exemplars = domain.get("exemplars")
    if not isinstance(exemplars, list) or not 1 <= len(exemplars) <= MAX_EXEMPLARS:
        return found | {f"{path}.exemplars": f"must be a list of 1 to {MAX_EXEMPLARS} exemplars"}
    for place, one in enumerate(exemplars):
        found |= _exemplar_problems(one, f"{path}.exemplars.{place}")
    return found


def _exemplar_problems(one: Any, path: str) -> dict[str, str]:
    if not isinstance(one, dict):
        return {path: "must be an object with name, instruction, question and good"}
    found = _other_keys(one, f"{path}.", {"name", *REQUIRED, *OPTIONAL})
    if not isinstance(one.get("name"), str) or not NAME.fullmatch(one["name"]):
        found[f"{path}.name"] = "must be a name of small letters, digits and _"
    for key in REQUIRED:
        if problem := _text_problem(one.get(key)):
            found[f"{path}.{key}"] = problem
    for key in OPTIONAL:
        if one.get(key) is not None and (problem := _text_problem(one[key], least=0)):
            found[f"{path}.{key}"] = problem
    return found


def _other_keys(given: dict[Any, Any], path: str, known: set[str]) -> dict[str, str]:
    return {f"{path}{str(key)[:40]}": "is not known here" for key in given if key not in known}


def _text_problem(text: Any, *, least: int = 1) -> str | None:
    if not isinstance(text, str):
        return "must be text; put it in quotes if it reads as a number or as yes and no"
    if any(not character.isprintable() and not character.isspace() for character in text):
        return "has a character that cannot be printed"
    if not least <= len(text.strip()) <= MAX_CHARACTERS:
        return f"must have {least} to {MAX_CHARACTERS:,} characters"
    return None


def _word_problem(word: Any) -> str | None:
    if not isinstance(word, str) or not word.strip(" *"):
        return "must be a word, in quotes if it reads as a number"
    if "*" in word.strip()[:-1]:
        return "may have a * at its end only"
    return None


def _repeated(domains: list[Any]) -> dict[str, str]:
    """A name that is there twice would hide one of them, and a run names its exemplar by it."""
    found: dict[str, str] = {}
    seen: dict[str, str] = {}
    for place, domain in enumerate(domains):
        if not isinstance(domain, dict):
            continue
        exemplars = domain.get("exemplars")
        named = [(f"domains.{place}", domain)]
        if isinstance(exemplars, list):
            named += [(f"domains.{place}.exemplars.{nth}", one) for nth, one in enumerate(exemplars)]
        for path, one in named:
            name = one.get("name") if isinstance(one, dict) else None
            if isinstance(name, str) and (before := seen.setdefault(name, path)) != path:
                found[f"{path}.name"] = f"is the name of {before} too"
    return found
