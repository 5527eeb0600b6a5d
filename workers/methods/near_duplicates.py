"""Finds comparisons that say the same as another comparison of the project.

Idea
    A comparison that comes twice counts twice in training, and a copy in the test split is a leak. What is compared
    is the whole comparison: the conversation together with both responses, whichever of them is a. Two comparisons
    that merely share a prompt, or one response, are not duplicates: each of the two responses must have its
    counterpart.

Formula
    exact: the conversation and the unordered pair of responses are equal character by character.
    near exact: overlap = min(J(p, p'), max(min(J(a, a'), J(b, b')), min(J(a, b'), J(b, a')))) >= jaccard. J is the
    Jaccard similarity of the sets of runs of nine bytes, lower-cased, white space made one. Candidates come from
    MinHash (128 bins, one permutation) of the union of both responses, in bands that miss a pair at the threshold in
    about 1 of 100; the overlap itself decides.
    semantic: similarity = min(cos(p, p'), max(min(cos(a, a'), cos(b, b')), min(cos(a, b'), cos(b, a')))) >= threshold
    In both, the lengths of responses differ by at most a fifth, p is the end of the conversation (its last 1,000
    characters) and a, b are the responses, for cos their embeddings. Groups are what these links connect.

Paper
    Lee et al. 2022, Deduplicating Training Data Makes Language Models Better (exact and near duplicates). MinHash:
    Broder 1997; by one permutation: Li, Owen and Zhang 2012. The embedding variant follows Abbas et al. 2023, SemDeDup.

Needs
    Responses. Labels are not read, so copies with different labels meet in one group.

Signal
    value = similarity, 0..1: that of the nearest duplicate (the larger of cosine and overlap), 1 for an exact one, 0
    where there is none. `group` is the smallest comparison id of the group, `is_duplicate` is true for all but that
    one. `near_exact` and `overlap` tell of the letters alone; an exact copy is near exact, with overlap 1.

Limits
    Links chain: two ends of a group may differ more than the threshold says. The encoder reads 256 tokens and is blind
    to small words: "2 + 3" and "2 + 4" look alike. Only `exact` is a fact; look at the others before you drop. Of more
    than nine alike in a bucket of MinHash, each is compared with the first eight only, and so chained through them.
    Above 60,000 comparisons the neighbour search is approximate and may miss a few.

Cost
    Each distinct text is embedded once and kept; the search over 10,000 comparisons takes some seconds. MinHash reads a
    few million characters a second on one core and needs no model.

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
    "near_exact": "another comparison has nearly these letters",
    "overlap": "Jaccard overlap of letters with the nearest of those, 0..1; 0 without one",
}
CONVERSATION_TAIL = 1000
MIN_LENGTH_RATIO = 0.8


@dataclass(frozen=True)
class Params:
    threshold: float = param(
        0.95,
        ge=0.8,
        le=1.0,
        help="From this cosine similarity on, two comparisons are duplicates; 1 with `all` finds exact ones only.",
    )
    look_for: str = param(
        "all", choices=("all", "text", "meaning", "exact"),
        help="Besides exact ones: near-exact text (MinHash), the same meaning (embeddings, needs the model), or all.",
    )  # fmt: skip
    jaccard: float = param(
        0.85, ge=0.5, le=1.0, help="From this overlap of letters on, two comparisons are near exact."
    )
    model: str = param("minilm", help="The encoder: `minilm` (the packaged one) or a folder on the worker's machine.")

    @property
    def is_semantic(self) -> bool:
        return self.threshold < 1 and self.look_for in {"all", "meaning"}

    @property
    def is_near_exact(self) -> bool:
        return self.look_for == "text" or (self.look_for == "all" and self.threshold < 1)


def preflight(params: Params) -> None:
    from workers.engine.texts.embeddings import model_folder

    if params.is_semantic:
        model_folder(params.model)


def texts(pairs: Sequence[Pair], params: Params) -> list[str]:
    """What will be embedded; for the cost that the page tells beforehand."""
    if not params.is_semantic:
        return []
    return sorted({text for pair in pairs for text in (_conversation(pair), pair.a, pair.b)})


def prepare(pairs: Sequence[Pair], params: Params, bench: Bench) -> None:
    """Fill the cache of embeddings."""
    bench.embed(texts(pairs, params), model=params.model)


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    from workers.engine.texts.neighbours import Groups

    pairs = sorted(pairs, key=lambda pair: pair.id)
    groups = Groups(len(pairs))
    similarity, overlap = [0.0] * len(pairs), [0.0] * len(pairs)
    exact = _link_exact(pairs, groups)
    # One of each exact group stands for all: a thousand copies would be half a million links.
    different = [index for index in range(len(pairs)) if groups.of(index) == index]
    some = [pairs[index] for index in different]
    for links, found in (
        (_near_exact_links(some, params, bench) if params.is_near_exact else (), overlap),
        (_semantic_links(some, params, bench) if params.is_semantic and some else (), similarity),
    ):
        for i, j, near in links:
            groups.join(different[i], different[j])
            for index in (different[i], different[j]):
                found[index] = max(found[index], near)
    signals = []
    for index, pair in enumerate(pairs):
        first = groups.of(index)
        letters = 1.0 if exact[index] else overlap[index]
        nearest = max(letters, similarity[index])
        fields = {
            "group": pairs[first].id, "is_duplicate": first != index, "exact": exact[index], "similarity": nearest,
            "near_exact": letters > 0, "overlap": letters,
        }  # fmt: skip
        signals.append(Signal(pair.id, nearest, fields))
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
        "near_exact_duplicates": sum(signal.fields["near_exact"] for signal in duplicates),
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


def _near_exact_links(pairs: Sequence[Pair], params: Params, bench: Bench) -> Iterator[tuple[int, int, float]]:
    """Candidates by MinHash of both responses together, whichever is a; then the formula."""
    import numpy as np

    from workers.engine.texts.minhash import Overlap, candidates, sketch

    bench.check_cancelled()
    bench.progress(0, 3, "comparing letters")
    all_texts = sorted({text for pair in pairs for text in (_conversation(pair), pair.a, pair.b)})
    row = {text: index for index, text in enumerate(all_texts)}
    sides = [(row[_conversation(pair)], row[pair.a], row[pair.b]) for pair in pairs]
    bins = sketch(all_texts, check=bench.check_cancelled)
    both = np.array([[a, b] for _, a, b in sides], dtype=np.int64).reshape(len(pairs), 2)
    # Parts that overlap each other may leave their union a little less alike than they are.
    reach = max(0.4, params.jaccard - 0.05)
    letters = Overlap(all_texts)

    def overlap(one: int, other: int) -> float:
        short, long = sorted((len(all_texts[one]) + 1, len(all_texts[other]) + 1))
        return letters(one, other) if short >= MIN_LENGTH_RATIO * long else 0.0

    for i, j in candidates(np.minimum(bins[both[:, 0]], bins[both[:, 1]]), reach, check=bench.check_cancelled):
        (p, a, b), (q, c, d) = sides[i], sides[j]
        found = overlap(p, q)
        if found >= params.jaccard:
            straight, crossed = min(overlap(a, c), overlap(b, d)), min(overlap(a, d), overlap(b, c))
            found = min(found, max(straight, crossed))
        if found >= params.jaccard:
            yield i, j, found


def _semantic_links(pairs: Sequence[Pair], params: Params, bench: Bench) -> Iterator[tuple[int, int, float]]:
    """Candidates by the distance of [p, a + b], which a similarity above the threshold bounds; then the formula."""
    import numpy as np

    from workers.engine.texts.neighbours import close_pairs

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
