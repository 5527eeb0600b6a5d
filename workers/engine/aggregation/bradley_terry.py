"""Bradley-Terry with ties, position and reliability: how good each response is, and which of two is better.

Idea
    Each response has one strength; a vote on a pair depends on the gap between the two, on which was shown first, and
    on whether the annotator looked. Votes on other pairs of the same prompt then speak for this pair too: a over b
    and b over c say something of a over c.

Formula
    gap g = s_b - s_a;  eta = g - d_j first,   first = 1 where a was shown first, -1 where b was, 0 unknown

        P(answer k | pair, j) proportional to exp(c_|k| + k eta / 2),     k = -L..L, negative = a better

    Davidson's model for L = 1 (a, tie, b); for L = 3 its extension to graded answers, adjacent-categories logits
    (Agresti), where c_0 = tie tendency and c_1 = 0. Davidson, not Rao and Kupper, because it is an exponential
    family: the log-likelihood is concave, a tie is half a win for each side, and graded answers are the same formula
    with more terms. c_0 is t + u_pair: some pairs invite ties more than others. d_j = d + e_j is the lean of
    annotator j, in log-odds toward what is shown first. A vote follows this model with probability r_j, otherwise it
    is a guess from the shares of all answers, a and b alike:

        P(vote) = r_j P(answer | pair, j) + (1 - r_j) q(answer)

    Priors: s ~ N(0, 1 / precision), u ~ N(0, 1.5^2), e ~ N(0, 0.5^2), d, t, c ~ N(0, 2^2), r ~ Beta(4, 2). In turn:
    one Newton step on s (conjugate gradients) and d, e, t, u, c, weighted by the probability that the vote was no
    guess, and never down; the covariance of each prompt's strengths; then r_j, by Newton's method. For r_j a vote is
    judged by what the *other* votes say: g without it is normal with mean g - v' surprise and variance v' = v / (1 -
    h v). Judged by strengths that it has shaped itself, every guess would look well-founded.

Paper
    R. A. Bradley, M. E. Terry 1952; R. R. Davidson 1970, On extending the Bradley-Terry model to accommodate ties; R.
    R. Davidson, R. J. Beaver 1977 (order of presentation); A. Agresti 1992, Analysis of ordinal paired comparison
    data; X. Chen et al. 2013, Pairwise ranking aggregation in a crowdsourced setting (reliability).

Result
    strength [responses], log-odds, mean 0 over responses that are connected; with its standard error. posterior
    [pairs, 3]: the probability that a, a tie, or b is what most people who looked would answer, whatever the order;
    that is where g lies relative to the threshold at which a side overtakes the tie. It grows to 1 with votes, unlike
    their share. effective_votes = (1 / Var g - 1 / Var prior) / (information of one such vote on g): how many direct
    votes of people who looked would say as much; votes on other pairs count, so it may be more than the pair's own
    votes. reliability = r_j, 0..1, interval of 1.96 standard errors, cut at 0 and 1, from the curvature of log P(vote
    | other votes). lean = d_j, with lean_low and lean_high. log_likelihood = sum of log P(vote | other votes): it
    rises as a rule, but is not what is maximised.

Limits
    One strength per response: circles (a > b > c > a) come out as ties of strength, not as circles. A pair that
    nothing connects has only its own votes and the prior. r_j is drawn toward 0.75 and needs fifty votes or more;
    where pairs have one or two votes each, it says little. Implied answers of a ranking are not independent; they
    count as if they were. Strengths of different prompts share no scale beyond the prior. Prompts with more than
    1,000 connected responses get wider intervals than they should.

Cost
    Some twenty rounds, each about ten exponentials per vote and one inverse per prompt.

When not
    One comparison per prompt and no order recorded: `dawid_skene` says the same with fewer assumptions. "Both bad"
    has no place on this scale; leave those votes out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from workers.engine.aggregation.davidson import Moments, log_probability, moments, probability, tie_reach
from workers.engine.aggregation.fits import Fit, Reliability
from workers.engine.aggregation.gaps import Graph
from workers.engine.aggregation.intervals import Z, normal_reliability
from workers.engine.aggregation.votes import Floats, Ints, summed

PAIR_TIE_PRECISION = 1 / 1.5**2
LEAN_PRECISION = 1 / 0.5**2
COMMON_PRECISION = 1 / 2.0**2
RELIABILITY_A, RELIABILITY_B = 4.0, 2.0
NEWTON_STEPS = 2
# Gauss-Hermite with three points.
NODES = ((0.0, 2 / 3), (3**0.5, 1 / 6), (-(3**0.5), 1 / 6))


@dataclass(frozen=True)
class Duels:
    """Votes on pairs of responses.

    pair, annotator, answer, first: arrays [votes]; answer in -levels..levels, negative = a better, 0 = tie; first = 1
    where a was shown first, -1 where b was, 0 unknown. a, b: arrays [pairs] of response indexes, each counting from
    0.
    """

    pair: Ints
    annotator: Ints
    answer: Ints
    first: Ints
    a: Ints
    b: Ints
    n_annotators: int
    n_responses: int
    levels: int = 1

    def __len__(self) -> int:
        return len(self.pair)

    @cached_property
    def graph(self) -> Graph:
        return Graph(self.a, self.b, self.n_responses)

    def per_annotator(self, weights: Floats) -> Floats:
        return summed(self.annotator, weights, self.n_annotators)

    def per_pair(self, weights: Floats) -> Floats:
        return summed(self.pair, weights, len(self.a))


@dataclass(frozen=True)
class BradleyTerry(Fit):
    strength: Floats
    strength_error: Floats
    gap: Floats
    gap_variance: Floats
    # Log-odds toward what is shown first, with 95 % intervals: of all, and per annotator.
    position: float
    position_low: float
    position_high: float
    lean: Floats
    lean_low: Floats
    lean_high: Floats


@dataclass(frozen=True)
class _State:
    s: Floats
    # Of all, and per annotator what is added to it.
    d: float
    e: Floats
    # Tie tendency of all, and per pair what is added to it.
    t: float
    u: Floats
    c: Floats

    def moved(self, step: _State, size: float) -> _State:
        return _State(*(getattr(self, name) + size * getattr(step, name) for name in ("s", "d", "e", "t", "u", "c")))


@dataclass(frozen=True)
class _View:
    """What the model says of every vote at a state, if its annotator looked."""

    eta: Floats
    log_p: Floats
    at: Moments
    log_prior: float

    def objective(self, looked: Floats) -> float:
        return float(looked @ self.log_p) + self.log_prior


@dataclass(frozen=True)
class _Trust:
    """How far each vote is believed, and why."""

    reliability: Floats
    # [votes]: probability that the annotator looked.
    looked: Floats
    # [votes]: probability of the answer by what the other votes say of the pair.
    by_others: Floats
    log_likelihood: float


def fit(
    duels: Duels,
    *,
    precision: float = 0.25,
    is_weighted: bool = True,
    has_position: bool = True,
    max_iterations: int = 60,
    tolerance: float = 1e-5,
    check: Callable[[], None] = lambda: None,
) -> BradleyTerry:
    """Rounds until one changes less than `tolerance` nats per vote; `check` may raise to stop it.

    `precision` keeps strengths finite where nobody was beaten: 0.25 is a prior standard deviation of 2 per response.
    It is not fitted, since fits of it by the mode drift toward no differences at all. `is_weighted` False: everybody
    looked, always. `has_position` False: the order is ignored.
    """
    if not has_position:
        duels = replace(duels, first=np.zeros_like(duels.first))
    guess = _guesses(duels)
    state = _start(duels)
    view = _look(duels, state, precision)
    trust = _Trust(np.ones(duels.n_annotators), np.ones(len(duels)), np.exp(view.log_p), -np.inf)
    history: list[float] = []
    has_converged = False
    while True:
        state, view, gain = _climb(duels, state, view, trust.looked, precision)
        spread = _variances(duels, view, trust.looked, precision)
        last = trust
        trust = _trust(duels, state, view, spread[0], guess, trust, is_weighted=is_weighted and bool(history))
        history.append(trust.log_likelihood)
        is_still = max(gain, abs(trust.log_likelihood - last.log_likelihood)) < tolerance * len(duels)
        has_converged = is_still and len(history) > 2
        if has_converged or len(history) >= max_iterations:
            break
        check()
    return _result(duels, state, view, trust, guess, spread, precision, history, has_converged)


def _guesses(duels: Duels) -> Floats:
    """[votes]: how often people give such an answer at all, both sides together."""
    strength = np.abs(duels.answer)
    share = (np.bincount(strength, minlength=duels.levels + 1) + 1.0) / (len(duels) + duels.levels + 1.0)
    share[1:] /= 2
    return np.asarray(share[strength])


def _start(duels: Duels) -> _State:
    ties = float(np.sum(duels.answer == 0))
    return _State(
        s=np.zeros(duels.n_responses),
        d=0.0,
        e=np.zeros(duels.n_annotators),
        t=float(np.log((2 * ties + 1) / (len(duels) - ties + 1))),
        u=np.zeros(len(duels.a)),
        c=np.zeros(duels.levels),
    )


def _look(duels: Duels, state: _State, tau: float) -> _View:
    eta = (state.s[duels.b] - state.s[duels.a])[duels.pair] - (state.d + state.e)[duels.annotator] * duels.first
    log_tie = (state.t + state.u)[duels.pair]
    at = moments(eta, log_tie, state.c)
    squares = (
        (tau, state.s @ state.s), (LEAN_PRECISION, state.e @ state.e), (PAIR_TIE_PRECISION, state.u @ state.u),
        (COMMON_PRECISION, state.d**2 + state.t**2 + state.c @ state.c),
    )  # fmt: skip
    return _View(
        eta=eta,
        log_p=log_probability(duels.answer, eta, log_tie, state.c, at.log_total),
        at=at,
        log_prior=-0.5 * sum(float(weight * square) for weight, square in squares),
    )


def _climb(duels: Duels, state: _State, view: _View, looked: Floats, tau: float) -> tuple[_State, _View, float]:
    """One step up, halved until it is one; and by how much."""
    before = view.objective(looked)
    step = _step(duels, state, view, looked, tau)
    size = 1.0
    while size > 1e-3:
        moved = state.moved(step, size)
        seen = _look(duels, moved, tau)
        gain = seen.objective(looked) - before
        if gain >= 0:
            return moved, seen, gain
        size /= 2
    return state, view, 0.0


def _step(duels: Duels, state: _State, view: _View, looked: Floats, tau: float) -> _State:
    """Newton's step for each kind of parameter by itself; what is coupled between kinds is coupled weakly."""
    at = view.at
    surprise = looked * (duels.answer / 2 - at.mean)
    curvature = looked * at.variance
    s = duels.graph.newton_step(duels.per_pair(surprise), duels.per_pair(curvature), state.s, tau)
    d, e = _two_levels(
        duels.per_annotator(-surprise * duels.first), duels.per_annotator(curvature * duels.first * duels.first),
        state.d, state.e, LEAN_PRECISION,
    )  # fmt: skip
    t, u = _two_levels(
        duels.per_pair(looked * ((duels.answer == 0) - at.tie)), duels.per_pair(looked * at.tie * (1 - at.tie)),
        state.t, state.u, PAIR_TIE_PRECISION,
    )  # fmt: skip
    c = np.zeros_like(state.c)
    for k in range(2, duels.levels + 1):
        expected = float(looked @ at.by_level[k - 1])
        said = float(np.sum(looked[np.abs(duels.answer) == k]))
        # The diagonal without its square bounds the curvature of all levels together.
        c[k - 1] = (said - expected - COMMON_PRECISION * state.c[k - 1]) / (expected + COMMON_PRECISION)
    return _State(s, d, e, t, u, c)


def _two_levels(
    gradient: Floats, curvature: Floats, common: float, own: Floats, own_precision: float
) -> tuple[float, Floats]:
    """The exact Newton step for `common + own_j` with priors on both: the matrix is an arrow."""
    pull = gradient - own_precision * own
    bend = curvature + own_precision
    left = float(np.sum(curvature)) + COMMON_PRECISION - float(np.sum(curvature**2 / bend))
    right = float(np.sum(gradient)) - COMMON_PRECISION * common - float(np.sum(curvature * pull / bend))
    step = float(np.clip(right / left, -2.0, 2.0))
    return step, np.clip((pull - curvature * step) / bend, -2.0, 2.0)


def _variances(duels: Duels, view: _View, looked: Floats, tau: float) -> tuple[Floats, Floats]:
    curvature = duels.per_pair(looked * view.at.variance)
    return duels.graph.variances(curvature, tau)


def _trust(
    duels: Duels, state: _State, view: _View, variance: Floats, guess: Floats, trust: _Trust, *, is_weighted: bool
) -> _Trust:
    """r_j, and with it who looked, from the votes as the others foresee them."""
    mean, spread = _without_own(duels, view, variance, trust.looked)
    log_tie = (state.t + state.u)[duels.pair]
    p = np.zeros(len(duels))
    for node, weight in NODES:
        p += weight * probability(duels.answer, mean + node * spread, log_tie, state.c)
    r = trust.reliability
    for _ in range(NEWTON_STEPS if is_weighted else 0):
        r = np.clip(r, 0.001, 0.999)
        slope, bend = _reliability_slope(duels, r, p, guess)
        # Newton, but never more than half of the way to either end.
        r = r + np.clip(slope / bend, -r / 2, (1 - r) / 2)
    mixed = r[duels.annotator] * p + (1 - r[duels.annotator]) * guess
    looked = r[duels.annotator] * p / mixed if is_weighted else trust.looked
    return _Trust(r, looked, p, float(np.sum(np.log(np.maximum(mixed, 1e-300)))))


def _reliability_slope(duels: Duels, r: Floats, p: Floats, guess: Floats) -> tuple[Floats, Floats]:
    """First and minus second derivative in r_j of sum log(r_j p + (1 - r_j) q) + log Beta(r_j); it is concave."""
    each = r[duels.annotator]
    pull = (p - guess) / (each * p + (1 - each) * guess)
    slope = duels.per_annotator(pull) + (RELIABILITY_A - 1) / r - (RELIABILITY_B - 1) / (1 - r)
    bend = duels.per_annotator(pull * pull) + (RELIABILITY_A - 1) / r**2 + (RELIABILITY_B - 1) / (1 - r) ** 2
    return slope, bend


def _without_own(duels: Duels, view: _View, variance: Floats, looked: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of eta by the other votes."""
    v = variance[duels.pair]
    v_others = v / (1 - np.minimum(looked * view.at.variance * v, 0.95))
    surprise = looked * (duels.answer / 2 - view.at.mean)
    return view.eta - v_others * surprise, np.sqrt(v_others)


def _result(
    duels: Duels,
    state: _State,
    view: _View,
    trust: _Trust,
    guess: Floats,
    spread: tuple[Floats, Floats],
    precision: float,
    history: list[float],
    has_converged: bool,
) -> BradleyTerry:
    variance, own_variance = spread
    gap = state.s[duels.b] - state.s[duels.a]
    n = np.bincount(duels.annotator, minlength=duels.n_annotators)
    lean = np.where(n > 0, state.d + state.e, np.nan)
    told = _lean_information(duels, view, variance, trust.looked)
    reach = Z / np.sqrt(told + LEAN_PRECISION)
    # Whoever answers tells of the common lean through their own, which varies between people.
    common_reach = Z / np.sqrt(COMMON_PRECISION + np.sum(told * LEAN_PRECISION / (told + LEAN_PRECISION)))
    one_vote = moments(gap, state.t + state.u, state.c).variance
    return BradleyTerry(
        posterior=_posterior(gap, variance, state),
        effective_votes=np.maximum(1 / variance - precision / 2, 0.0) / np.maximum(one_vote, 1e-12),
        reliability=_reliability(duels, trust, guess, n),
        log_likelihood=history,
        has_converged=has_converged,
        strength=state.s,
        strength_error=np.sqrt(own_variance),
        gap=gap,
        gap_variance=variance,
        position=state.d,
        position_low=float(state.d - common_reach),
        position_high=float(state.d + common_reach),
        lean=lean,
        lean_low=lean - reach,
        lean_high=lean + reach,
    )


def _lean_information(duels: Duels, view: _View, variance: Floats, looked: Floats) -> Floats:
    """A vote on a gap that is not known well says less of its annotator: 1 / (1 / h + v')."""
    _, spread = _without_own(duels, view, variance, looked)
    h = looked * view.at.variance
    return duels.per_annotator(h / (1 + h * spread * spread) * duels.first * duels.first)


def _reliability(duels: Duels, trust: _Trust, guess: Floats, n: Ints) -> Reliability:
    _, information = _reliability_slope(duels, np.clip(trust.reliability, 1e-3, 1 - 1e-3), trust.by_others, guess)
    return normal_reliability(trust.reliability, information, n, least=0.0, most=1.0)


def _posterior(gap: Floats, variance: Floats, state: _State) -> Floats:
    """[pairs, (a, tie, b)]: the mass of the gap on either side of the threshold, and between."""
    from scipy.special import ndtr

    threshold = tie_reach(state.t + state.u, state.c)
    error = np.sqrt(variance)
    a, b = ndtr((-threshold - gap) / error), ndtr((gap - threshold) / error)
    return np.stack([a, np.maximum(1.0 - a - b, 0.0), b], axis=1)
