"""Finds comparisons that say the same as another comparison of the project.

Idea
    A comparison that comes twice counts twice in training, and a copy in the test split is a leak. What is compared
    is the whole comparison: the conversation together with both responses, whichever of them is a. Two comparisons
    that merely share a prompt, or one response, are not duplicates: each of the two responses must have its
    counterpart.

Formula
    exact: the conversation and the unordered pair of responses are equal character by character.
    semantic: similarity = min(cos(p, p'), max(min(cos(a, a'), cos(b, b')), min(cos(a, b'), cos(b, a')))) >= threshold,
    and the texts' lengths differ by at most a fifth. p is the embedding of the end of the conversation (its last
    1,000 characters), a and b are those of the responses. Groups are what these links connect.

Paper
    Lee et al. 2022, Deduplicating Training Data Makes Language Models Better (exact and near duplicates); the
    embedding variant follows Abbas et al. 2023, SemDeDup.

Needs
    Responses. Labels are not read, so copies with different labels meet in one group.

Signal
    value = similarity, 0..1: that of the nearest duplicate, 1 for an exact one, 0 where there is none. `group` is the
    smallest comparison id of the group, `is_duplicate` is true for all but that one.

Limits
    Links chain: two ends of a group may differ more than the threshold says. The encoder reads 256 tokens and is blind
    to small words: "2 + 3" and "2 + 4" look alike. Only `exact` is a fact; look at semantic groups before you drop.
    Above 60,000 comparisons the neighbour search is approximate and may miss a few.

Cost
    Each distinct text is embedded once and kept; the search over 10,000 comparisons takes some seconds.

Do not use
    To find prompts that ask the same thing with other answers, or plagiarism of parts.

Relations
    Run it before model_vote: copies in other folds would let the votes see the label.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workers.engine.bench import Bench
from workers.methods._base import Outcome, Pair, Signal, param

LABEL = "Near duplicates"
NEEDS = ("responses",)
YIELDS = ("signals",)
SHAPE = "whole"
SCOPE = "project"
QUEUE = "cpu"
FIELDS = {
    "group": "the smallest comparison id of the duplicate group",
    "is_duplicate": "another comparison of the group came first",
    "exact": "another comparison has exactly this conversation and these responses",
    "similarity": "similarity of the nearest duplicate, 0..1; 0 without one",
}
CONVERSATION_TAIL = 1000
MIN_LENGTH_RATIO = 0.8


@dataclass(frozen=True)
class Params:
    threshold: float = param(
        0.95, ge=0.8, le=1.0, help="From this similarity on, two comparisons are duplicates; 1 finds exact ones only."
    )
    model: str = param("minilm", help="The encoder: `minilm` (the packaged one) or a folder on the worker's machine.")


def preflight(params: Params) -> None:
    from workers.engine.embeddings import model_folder

    if params.threshold < 1:
        model_folder(params.model)


def texts(pairs: Sequence[Pair], params: Params) -> list[str]:
    """What will be embedded; for the cost that the page tells beforehand."""
    if params.threshold >= 1:
        return []
    return sorted({text for pair in pairs for text in (_conversation(pair), pair.a, pair.b)})


def prepare(pairs: Sequence[Pair], params: Params, bench: Bench) -> None:
    """Fill the cache of embeddings."""
    bench.embed(texts(pairs, params), model=params.model)


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    from workers.engine.neighbours import Groups

    pairs = sorted(pairs, key=lambda pair: pair.id)
    groups = Groups(len(pairs))
    similarity = [0.0] * len(pairs)
    exact = _link_exact(pairs, groups)
    # One of each exact group stands for all: a thousand copies would be half a million links.
    different = [index for index in range(len(pairs)) if groups.of(index) == index]
    if params.threshold < 1 and different:
        for i, j, near in _semantic_links([pairs[index] for index in different], params, bench):
            one, other = different[i], different[j]
            groups.join(one, other)
            similarity[one] = max(similarity[one], near)
            similarity[other] = max(similarity[other], near)
    signals = []
    for index, pair in enumerate(pairs):
        first = groups.of(index)
        found = 1.0 if exact[index] else similarity[index]
        fields = {
            "group": pairs[first].id, "is_duplicate": first != index, "exact": exact[index], "similarity": found,
        }  # fmt: skip
        signals.append(Signal(pair.id, found, fields))
    return Outcome(signals=signals, result=_summary(signals))


def _summary(signals: Sequence[Signal]) -> dict[str, Any]:
    duplicates = [signal for signal in signals if signal.fields["is_duplicate"]]
    sizes: dict[int, int] = {}
    for signal in signals:
        sizes[signal.fields["group"]] = sizes.get(signal.fields["group"], 0) + 1
    return {
        "n": len(signals),
        "groups": sum(size > 1 for size in sizes.values()),
        "duplicates": len(duplicates),
        "exact_duplicates": sum(signal.fields["exact"] for signal in duplicates),
        "largest_group": max(sizes.values(), default=0),
    }


def _conversation(pair: Pair) -> str:
    turns = [f"{message.get('role', '')}: {message.get('content') or ''}" for message in pair.messages]
    return "\n\n".join(turns)[-CONVERSATION_TAIL:]


def _link_exact(pairs: Sequence[Pair], groups: Any) -> list[bool]:
    seen: dict[tuple[str, str, str], int] = {}
    exact = [False] * len(pairs)
    for index, pair in enumerate(pairs):
        low, high = sorted((pair.a, pair.b))
        turns = repr([(message.get("role"), message.get("content")) for message in pair.messages])
        first = seen.setdefault((turns, low, high), index)
        if first != index:
            groups.join(first, index)
            exact[first] = exact[index] = True
    return exact


def _semantic_links(pairs: Sequence[Pair], params: Params, bench: Bench) -> Iterator[tuple[int, int, float]]:
    """Candidates by the distance of [p, a + b], which a similarity above the threshold bounds; then the formula."""
    import numpy as np

    from workers.engine.neighbours import close_pairs

    all_texts = texts(pairs, params)
    bench.progress(1, 3, "searching neighbours")
    row = {text: index for index, text in enumerate(all_texts)}
    vectors = bench.embed(all_texts, model=params.model).vectors
    p = vectors[[row[_conversation(pair)] for pair in pairs]]
    a = vectors[[row[pair.a] for pair in pairs]]
    b = vectors[[row[pair.b] for pair in pairs]]
    length_a = np.array([len(pair.a) + 1.0 for pair in pairs])
    length_b = np.array([len(pair.b) + 1.0 for pair in pairs])
    # |p - p'|^2 <= 2 (1 - t) and |a + b - a' - b'|^2 <= 4 * 2 (1 - t), in either order of the sides.
    reach = 10.0 * (1.0 - params.threshold) + 1e-4
    for i, j in close_pairs(np.hstack([p, a + b]), squared_distance=reach, check=bench.check_cancelled):
        straight = np.minimum(_match(a, a, length_a, length_a, i, j), _match(b, b, length_b, length_b, i, j))
        crossed = np.minimum(_match(a, b, length_a, length_b, i, j), _match(b, a, length_b, length_a, i, j))
        found = np.minimum((p[i] * p[j]).sum(axis=1), np.maximum(straight, crossed))
        keep = found >= params.threshold
        yield from zip(i[keep].tolist(), j[keep].tolist(), np.minimum(found[keep], 1.0).tolist(), strict=True)


def _match(left: Any, right: Any, length_left: Any, length_right: Any, i: Any, j: Any) -> Any:
    """Cosine of two responses, -1 where their lengths differ by more than a fifth."""
    import numpy as np

    cosine = (left[i] * right[j]).sum(axis=1)
    ratio = np.minimum(length_left[i], length_right[j]) / np.maximum(length_left[i], length_right[j])
    return np.where(ratio >= MIN_LENGTH_RATIO, cosine, -1.0)
