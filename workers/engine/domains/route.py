"""To which domain a prompt belongs, by what its last turn says: by words, by meaning, or as a model reads it.

rules      the domain of which most keywords occur; at a tie the one that is told first
centroid   the domain whose questions have the nearest mean embedding, if it is nearer than the next by MARGIN
model      the domain whose name a causal model finds most probable as the reply to a fixed question, beyond how
           probable it finds the name when the question holds no prompt; a likelihood, so nothing is sampled
What none of them can place is `chat`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from workers.engine.bench import Bench
from workers.engine.domains.document import FALLBACK, Domain, Domains

if TYPE_CHECKING:
    from workers.engine.likelihood.cached import Likely

MARGIN = 0.03
# Characters of a prompt that a model is shown: its beginning says what it is about.
SHOWN = 2000
NO_PROMPT = "(nothing)"
ROWS_AT_ONCE = 2048
Route = Callable[[Sequence[str], Domains, Bench], list[str]]


def by_rules(texts: Sequence[str], domains: Domains, bench: Bench) -> list[str]:
    return [_most_keywords(text, domains) for text in texts]


def _most_keywords(text: str, domains: Domains) -> str:
    best, most = FALLBACK, 0
    for domain in domains.all:
        found = {word.casefold() for word in domain.pattern.findall(text)} if domain.pattern else set()
        if len(found) > most:
            best, most = domain.name, len(found)
    return best


def by_centroid(encoder: str) -> Route:
    def route(texts: Sequence[str], domains: Domains, bench: Bench) -> list[str]:
        if not texts or len(domains.all) < 2:
            return [FALLBACK] * len(texts)
        centres = np.stack([_centre(domain, bench, encoder) for domain in domains.all])
        near = bench.embed(texts, model=encoder).vectors.astype(np.float64) @ centres.T
        order = np.sort(near, axis=1)
        is_clear = order[:, -1] - order[:, -2] >= MARGIN
        names = [domains.all[place].name for place in near.argmax(axis=1)]
        return [name if clear else FALLBACK for name, clear in zip(names, is_clear, strict=True)]

    return route


def _centre(domain: Domain, bench: Bench, encoder: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    examples = [domain.asks, *(one.question for one in domain.exemplars)]
    mean = bench.embed(examples, model=encoder).vectors.astype(np.float64).mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9))


def by_model(model: str) -> Route:
    def route(texts: Sequence[str], domains: Domains, bench: Bench) -> list[str]:
        names = [domain.name for domain in domains.all]

        def said(some: Sequence[str]) -> list[list[Likely]]:
            asked = [([_turn(_question(text[:SHOWN], domains))], names) for text in some]
            return bench.likelihoods(asked, model=model)

        [before] = said([NO_PROMPT])
        # In pieces, since the token ids of all prompts need not lie in memory at once.
        rows = (
            row for start in range(0, len(texts), ROWS_AT_ONCE) for row in said(texts[start : start + ROWS_AT_ONCE])
        )
        return [_likeliest(row, before, names) for row in rows]

    return route


def _likeliest(row: Sequence[Likely], before: Sequence[Likely], names: Sequence[str]) -> str:
    if not all(one.is_clean for one in (*row, *before)):
        return FALLBACK
    return names[int(np.argmax([one.total - other.total for one, other in zip(row, before, strict=True)]))]


def _question(text: str, domains: Domains) -> str:
    kinds = "\n".join(f"- {domain.name}: {domain.asks}" for domain in domains.all)
    *others, last = (domain.name for domain in domains.all)
    names = f"{', '.join(others)} or {last}" if others else last
    # The prompt last, so that what it says is not taken for a place to be filled in.
    return domains.question.replace("{kinds}", kinds).replace("{names}", names).replace("{message}", text)


def _turn(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}
