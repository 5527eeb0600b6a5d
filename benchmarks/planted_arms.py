"""Who looks for the planted flips: each arm is given signs and a seed, and says what it believes and suspects.

belief [n]: positive where b is held to be better, by fits on other folds; suspicion [n]: larger = more likely flipped.
Every source is fitted by itself, as a run of Winnow does it, but for the arms that say "as one source".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.planted_data import Ints, Planted
from workers.engine.heads.bradley_terry import Floats, grouped_folds
from workers.methods import item_strength, model_vote

if TYPE_CHECKING:
    from workers.engine.bench import Bench
    from workers.methods._base import Outcome, Pair

FOLDS = 5
Arm = Callable[[Ints, int], tuple[Floats, Floats]]
OURS = ("item_strength", "model_vote")


def arms_for(planted: Planted, bench: Bench) -> dict[str, Arm]:
    x, length = _plain_features(planted.pairs, bench)
    arms: dict[str, Arm] = {
        "length alone": _each_source(planted, length, _plain),
        "one plain head": _each_source(planted, x, _plain),
        "cleanlab, same head": _each_source(planted, x, _cleanlab),
        "cleanlab, pruned and refit": _each_source(planted, x, _clean_learning),
    }
    if len(_sources(planted)) > 1:
        arms["length, as one source"] = lambda sign, seed: _plain(length, sign, planted.group, seed)
        arms["one head, as one source"] = lambda sign, seed: _plain(x, sign, planted.group, seed)
    if planted.is_by_pair:
        arms["share of others won"] = lambda sign, seed: _suspect(_share_won(planted, sign, seed), sign)
        arms["plain item strengths"] = lambda sign, seed: _suspect(_items_alone(planted, sign, seed), sign)
        arms["item_strength"] = lambda sign, seed: _suspect(_item_strength(planted, sign, seed, bench), sign)
    arms["model_vote"] = lambda sign, seed: _suspect(_model_vote(planted, sign, seed, bench), sign)
    return arms


def _sources(planted: Planted) -> list[Ints]:
    """The rows of each source."""
    source = np.array([pair.source for pair in planted.pairs])
    return [np.flatnonzero(source == one) for one in np.unique(source)]


def _each_source(planted: Planted, x: Floats, says: Callable[[Floats, Ints, Ints, int], tuple[Floats, Floats]]) -> Arm:
    def arm(sign: Ints, seed: int) -> tuple[Floats, Floats]:
        belief, suspicion = np.zeros(len(sign)), np.zeros(len(sign))
        for rows in _sources(planted):
            belief[rows], suspicion[rows] = says(x[rows], sign[rows], planted.group[rows], seed)
        return belief, suspicion

    return arm


def _plain_features(pairs: Sequence[Pair], bench: Bench) -> tuple[Floats, Floats]:
    """e(b) - e(a), and the difference of log(1 + characters)."""
    texts = sorted({text for pair in pairs for text in (pair.a, pair.b)})
    vectors = bench.embed(texts, model="minilm").vectors.astype(np.float64)
    row = {text: index for index, text in enumerate(texts)}
    a, b = (np.array([row[getattr(pair, side)] for pair in pairs]) for side in ("a", "b"))
    log_length = np.log1p([len(text) for text in texts])
    return vectors[b] - vectors[a], (log_length[b] - log_length[a])[:, None]


def _suspect(belief: Floats, sign: Ints) -> tuple[Floats, Floats]:
    return belief, -belief * sign


def _plain(x: Floats, sign: Ints, group: Ints, seed: int) -> tuple[Floats, Floats]:
    return _suspect(_out_of_fold(x, sign, group, seed), sign)


def _head(x: Any) -> Any:
    """C = 1; for few columns a solver that reaches the same minimum some twenty times sooner."""
    from sklearn.linear_model import LogisticRegression

    solver = "newton-cholesky" if isinstance(x, np.ndarray) else "lbfgs"
    return LogisticRegression(fit_intercept=False, max_iter=1000, solver=solver)


def _out_of_fold(x: Any, sign: Ints, group: Ints, seed: int) -> Floats:
    fold = grouped_folds(group, FOLDS, np.random.default_rng(seed))
    belief = np.zeros(len(sign))
    for k in range(FOLDS):
        head = _head(x).fit(x[fold != k], sign[fold != k])
        belief[fold == k] = head.decision_function(x[fold == k])
    return belief


def _cleanlab(x: Floats, sign: Ints, group: Ints, seed: int) -> tuple[Floats, Floats]:
    """cleanlab's score of each label from the plain head's out-of-fold probabilities."""
    from cleanlab.rank import get_label_quality_scores

    belief = _out_of_fold(x, sign, group, seed)
    p = 1 / (1 + np.exp(-belief))
    labels = (sign > 0).astype(int)
    quality = get_label_quality_scores(labels, np.stack([1 - p, p], axis=1), adjust_pred_probs=True)
    return belief, -np.asarray(quality, dtype=np.float64)


def _clean_learning(x: Floats, sign: Ints, group: Ints, seed: int) -> tuple[Floats, Floats]:
    """cleanlab's CleanLearning on the training folds: the plain head fitted again without the labels it doubts."""
    from cleanlab.classification import CleanLearning

    fold = grouped_folds(group, FOLDS, np.random.default_rng(seed))
    labels = (sign > 0).astype(int)
    belief = np.zeros(len(sign))
    for k in range(FOLDS):
        learner = CleanLearning(_head(x), seed=seed, verbose=False)
        learner.fit(x[fold != k], labels[fold != k])
        belief[fold == k] = learner.predict_proba(x[fold == k])[:, 1] - 0.5
    return _suspect(belief, sign)


def _numbered(planted: Planted) -> tuple[Ints, Ints, int]:
    names, index = np.unique([(pair.a_id, pair.b_id) for pair in planted.pairs], return_inverse=True)
    a, b = index.reshape(-1, 2).T
    return a, b, len(names)


def _share_won(planted: Planted, sign: Ints, seed: int) -> Floats:
    """Wins less defeats over their number and two more, on pairs of other folds; b's less a's."""
    a, b, n = _numbered(planted)
    fold = grouped_folds(planted.group, FOLDS, np.random.default_rng(seed))
    belief = np.zeros(len(sign))
    for k in range(FOLDS):
        train = fold != k
        won, met = np.zeros(n), np.full(n, 2.0)
        for side, toward in ((b, sign), (a, -sign)):
            np.add.at(won, side[train], toward[train])
            np.add.at(met, side[train], 1)
        belief[~train] = ((won / met)[b] - (won / met)[a])[~train]
    return belief


def _items_alone(planted: Planted, sign: Ints, seed: int) -> Floats:
    """A logistic regression with one column per response, on pairs of other folds."""
    from scipy.sparse import csr_array

    a, b, n = _numbered(planted)
    rows, ones = np.arange(len(a)), np.ones(len(a))
    z = csr_array((np.concatenate([ones, -ones]), (np.tile(rows, 2), np.concatenate([b, a]))), (len(a), n))
    return _out_of_fold(z, sign, planted.group, seed)


def _by_source(planted: Planted, sign: Ints, says: Callable[[list[Pair]], Outcome]) -> Floats:
    """As a run does it: every source by itself."""
    said: dict[int, float] = {}
    for source in sorted({pair.source for pair in planted.pairs}):
        turned = zip(planted.pairs, sign, strict=True)
        rows = [replace(pair, label=int(one)) for pair, one in turned if pair.source == source]
        said |= {signal.pair_id: signal.value or 0.0 for signal in says(rows).signals}
    return np.array([said[pair.id] for pair in planted.pairs])


def _model_vote(planted: Planted, sign: Ints, seed: int, bench: Bench) -> Floats:
    params = model_vote.Params(seed=seed, folds_by="pair" if planted.is_by_pair else "prompt")
    return _by_source(planted, sign, lambda rows: model_vote.run(rows, params, bench))


def _item_strength(planted: Planted, sign: Ints, seed: int, bench: Bench) -> Floats:
    params = item_strength.Params(seed=seed)
    return _by_source(planted, sign, lambda rows: item_strength.run(rows, params, bench))
