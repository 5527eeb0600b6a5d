"""Ability, side bias and length bias of annotators, told apart from each other.

Idea
    Somebody who prefers the response shown first in 60 % of the answers may have met better firsts, and somebody who
    prefers the longer one may be right to. So each preference is explained by three things at once: which response is
    better, which was shown first, and which is longer. Which one is better nobody knows; it is a hidden truth of the
    item, for which the answers of all people on it are evidence, weighed by their own ability and cleared of their own
    biases. (Dawid-Skene with covariates; taking the others' majority for the truth instead would shrink every bias
    towards the others' and towards nothing.)
Formula
    t_i = +1 if response_b of item i is better, else -1. P(t_i = +1) = sigma(2 d x_i).
    P(u prefers b | t_i) = sigma(a_u t_i + s_u f_i + l_u x_i), where f_i = +1 if b was shown first, else -1, and
    x_i = log2(length b / length a) in characters, held to -3..3.
    a_u is the ability of annotator u, s_u the side bias, l_u the length bias, d how the truth itself leans to length.
    Fitted by EM to the maximum of the posterior under a_u ~ N(mean of all, 1), s_u, l_u ~ N(0, 1.5^2), d ~ N(0, 1): the
    E step is the posterior of t_i, the M step one Newton step for every person at once; steps are extrapolated. Whoever
    has fewer than MIN_PREFERENCES shares one set of parameters with all others who have.
    sigma(s_u) is the share choosing the first at equal quality and length; sigma(l_u) the share choosing the longer of
    two equally good responses, one of them twice as long as the other. accuracy_u is the mean over the answers of u of
    the probability of preferring the better response.
Papers
    A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied
    Statistics 28, 1979. V. C. Raykar et al., "Learning from crowds", JMLR 11, 2010. T. A. Louis, "Finding the observed
    information matrix when using the EM algorithm", JRSS B 44, 1982.
Inputs
    Preferences only (no tie, no "both bad"), at most one per person and item, on items that several people judged.
Range
    Log odds; shares and accuracy 0..1. 0.5 = no bias, accuracy 0.5 = guessing.
Interval
    Wald at 95 % on the log odds, from the observed information (Louis) of all parameters together, so that not knowing
    the truth and the others' biases is in it. With more than MOST_JOINT people the parameters of the others are taken
    as known; tried on simulated votes, such intervals are up to a tenth too short for the length bias.
Limits
    Ability and length are told apart from the hidden truth by how answers to one item go together: what pulls all
    people alike on the same items (all take the longer, whatever it says) is told from what is true of the items only
    because answers are taken as independent given the truth, which is one of two. Where some items are clearer than
    others, that part of the length bias which everybody shares comes out too low (by 0.1 to 0.2 in log odds, tried on
    simulated votes); differences between people do not suffer, nor does the side bias. With two answers per item
    abilities hardly separate. Neighbouring answers of one person are taken as independent: a tired hour is not known.
    Answers that look at the screen together (a team) break all of it.
When not to use it
    With one answer per item: nothing tells taste from quality. Where each item was shown in one order only: nothing
    tells the side from quality.
Cost
    Linear in preferences, about 40 passes: 0.3 s for 50,000.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from annotation.statistics.estimates import Floats, Ints

MIN_PREFERENCES = 20
MOST_JOINT = 150
MAX_LOG2_LENGTHS = 3.0
ABILITY_SD, BIAS_SD, TRUTH_SD = 1.0, 1.5, 1.0
MOST_ROUNDS = 100
# In log odds; a share moves by a quarter of it.
TOLERANCE = 1e-4
_FIRST_ABILITY = 1.2
ABILITY, SIDE, LENGTH = 0, 1, 2


@dataclass(frozen=True)
class Preferences:
    """A row per preference; items and people are numbered from 0."""

    item: Ints
    person: Ints
    # 1.0 where response_b is preferred, else 0.0
    is_b: Floats
    # +1.0 where response_b was shown first, else -1.0
    first: Floats
    # Per item.
    log2_lengths: Floats
    n_people: int


@dataclass(frozen=True)
class Fit:
    """Of each person: log odds (person x ability, side, length) with their covariance, and the accuracy."""

    parameters: Floats
    covariance: Floats
    # Mean probability of preferring the better one, and the standard error of its log odds.
    accuracy: Floats
    accuracy_error: Floats
    # Of the mean over all people, each by their number of preferences: side and length.
    mean: Floats
    mean_error: Floats
    # P(t_i = +1) per item, and how the truth leans to length.
    truth: Floats
    lean: float
    # The group whose parameters a person has; people with few preferences are all in the last.
    n_preferences: Ints


@dataclass(frozen=True)
class _State:
    parameters: Floats
    lean: float
    # Of the step that led here: what it took for the truth, its curvature, and the log posterior where it began.
    truth: Floats = field(default_factory=lambda: np.empty(0))
    hessian: Floats = field(default_factory=lambda: np.empty(0))
    posterior_before: float = -np.inf

    @property
    def vector(self) -> Floats:
        return np.append(self.parameters.ravel(), self.lean)


def _extrapolated(state: _State, once: _State, twice: _State) -> _State:
    """R. Varadhan, C. Roland, "Simple and globally convergent methods for accelerating the convergence of any EM
    algorithm", Scandinavian Journal of Statistics 35, 2008: scheme S3."""
    r = once.vector - state.vector
    v = twice.vector - once.vector - r
    leap = max(1.0, float(np.linalg.norm(r)) / max(float(np.linalg.norm(v)), 1e-12))
    far = state.vector + 2 * leap * r + leap**2 * v
    return _State(far[:-1].reshape(state.parameters.shape), float(far[-1]))


def fit(preferences: Preferences) -> Fit:
    n = np.bincount(preferences.person, minlength=preferences.n_people)
    group, n_groups = _groups(n)
    of_answer = group[preferences.person]
    x = np.clip(preferences.log2_lengths, -MAX_LOG2_LENGTHS, MAX_LOG2_LENGTHS)
    model = _Model(preferences, of_answer, n_groups, x)
    state = model.run()
    covariance, mean_error = model.covariance(state)
    answers = np.bincount(of_answer, minlength=n_groups)
    accuracy, error = model.accuracy(state, covariance)
    mean = np.average(state.parameters[:, SIDE:], axis=0, weights=answers)
    return Fit(
        parameters=state.parameters[group],
        covariance=covariance[group],
        accuracy=accuracy[group],
        accuracy_error=error[group],
        mean=mean,
        mean_error=mean_error,
        truth=state.truth,
        lean=state.lean,
        n_preferences=n,
    )


def sigma(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))


def _groups(n: Ints) -> tuple[Ints, int]:
    """Everybody with enough preferences is a group, and all others together are the last one."""
    is_own = n >= MIN_PREFERENCES
    n_own = int(is_own.sum())
    group = np.where(is_own, np.cumsum(is_own) - 1, n_own)
    return group, n_own + (0 if is_own.all() else 1)


class _Model:
    def __init__(self, preferences: Preferences, group: Ints, n_groups: int, x: Floats) -> None:
        self.item, self.group, self.n_groups = preferences.item, group, n_groups
        self.is_b, self.first, self.x = preferences.is_b, preferences.first, x
        self.n_items = len(x)
        self.x_of = x[preferences.item]
        self.sign = 2 * preferences.is_b - 1
        self.precision = np.array([ABILITY_SD, BIAS_SD, BIAS_SD]) ** -2.0

    def run(self) -> _State:
        """EM, sped up by extrapolating every two steps: plain steps creep where length and truth are hard to part."""
        start = np.zeros((self.n_groups, 3))
        start[:, ABILITY] = _FIRST_ABILITY
        state = self._improved(_State(start, 0.0))
        for _ in range(MOST_ROUNDS):
            once = self._improved(state)
            twice = self._improved(once)
            if np.abs(twice.vector - once.vector).max() < TOLERANCE:
                return twice
            leap = self._improved(_extrapolated(state, once, twice))
            # What is known of the leap is how good the place was from which its own step began.
            state = leap if leap.posterior_before >= twice.posterior_before else twice
        return state

    def _odds(self, state: _State) -> tuple[Floats, Floats]:
        """Of preferring b by each answer if a, and if b, is the better one."""
        own = state.parameters[self.group]
        pull = own[:, SIDE] * self.first + own[:, LENGTH] * self.x_of
        return pull - own[:, ABILITY], pull + own[:, ABILITY]

    def _improved(self, state: _State) -> _State:
        """One E and one M step from here."""
        if_a, if_b = self._odds(state)
        # log P(answer | a better), and how much more likely it is if b is the better one
        log_a = -np.logaddexp(0, -self.sign * if_a)
        evidence = -np.logaddexp(0, -self.sign * if_b) - log_a
        prior = 2 * state.lean * self.x
        odds = prior + np.bincount(self.item, evidence, self.n_items)
        truth = sigma(odds)
        w = truth[self.item]
        p_a, p_b = sigma(if_a), sigma(if_b)
        left_a, left_b = (1 - w) * (self.is_b - p_a), w * (self.is_b - p_b)
        hessian = self._hessian((1 - w) * p_a * (1 - p_a), w * p_b * (1 - p_b))
        gradient = self._gradient(state, left_a, left_b)
        step = np.clip(np.linalg.solve(hessian, gradient[..., None])[..., 0], -1, 1)
        slope = (2 * self.x * (truth - sigma(prior))).sum() - state.lean / TRUTH_SD**2
        lean_step = np.clip(slope / self._lean_bend(state), -0.5, 0.5)
        likelihood = log_a.sum() + (np.logaddexp(0, odds) - np.logaddexp(0, prior)).sum()
        return _State(
            parameters=state.parameters + step,
            lean=state.lean + float(lean_step),
            truth=truth,
            hessian=hessian,
            posterior_before=float(likelihood) - self._penalty(state),
        )

    def _penalty(self, state: _State) -> float:
        apart = state.parameters - [state.parameters[:, ABILITY].mean(), 0.0, 0.0]
        return float((self.precision * apart**2).sum() / 2 + state.lean**2 / (2 * TRUTH_SD**2))

    def _gradient(self, state: _State, left_a: Floats, left_b: Floats) -> Floats:
        both = left_a + left_b
        found = np.stack(
            [self._sums(left_b - left_a), self._sums(both * self.first), self._sums(both * self.x_of)], axis=1
        )
        middle = np.array([state.parameters[:, ABILITY].mean(), 0.0, 0.0])
        return np.asarray(found - self.precision * (state.parameters - middle))

    def _hessian(self, bend_a: Floats, bend_b: Floats) -> Floats:
        both, apart = bend_a + bend_b, bend_b - bend_a
        found = np.empty((self.n_groups, 3, 3))
        found[:, ABILITY, ABILITY] = found[:, SIDE, SIDE] = self._sums(both)
        found[:, LENGTH, LENGTH] = self._sums(both * self.x_of**2)
        found[:, ABILITY, SIDE] = found[:, SIDE, ABILITY] = self._sums(apart * self.first)
        found[:, ABILITY, LENGTH] = found[:, LENGTH, ABILITY] = self._sums(apart * self.x_of)
        found[:, SIDE, LENGTH] = found[:, LENGTH, SIDE] = self._sums(both * self.first * self.x_of)
        found[:, range(3), range(3)] += self.precision
        return found

    def _lean_bend(self, state: _State) -> float:
        expected = sigma(2 * state.lean * self.x)
        return float((4 * self.x**2 * expected * (1 - expected)).sum() + 1 / TRUTH_SD**2)

    def _sums(self, values: Floats) -> Floats:
        return np.asarray(np.bincount(self.group, values, self.n_groups), dtype=np.float64)

    def covariance(self, state: _State) -> tuple[Floats, Floats]:
        """Of each group's parameters, and the standard errors of the mean side and length bias."""
        weights = np.bincount(self.group, minlength=self.n_groups) / len(self.group)
        scores = self._score_differences(state)
        if self.n_groups > MOST_JOINT:
            covariance = np.asarray(np.linalg.inv(state.hessian - self._missing_per_group(scores)), dtype=np.float64)
            spread = (weights[:, None] ** 2 * covariance[:, [SIDE, LENGTH], [SIDE, LENGTH]]).sum(axis=0)
            return covariance, np.asarray(np.sqrt(spread))
        joint = np.asarray(np.linalg.inv(self._joint_information(state, scores)), dtype=np.float64)
        blocks = joint[:-1, :-1].reshape(self.n_groups, 3, self.n_groups, 3)
        groups = np.arange(self.n_groups)
        means = np.einsum("g,gihj,h->ij", weights, blocks, weights)
        return np.asarray(blocks[groups, :, groups, :]), np.asarray(np.sqrt(np.diag(means)[SIDE:]))

    def _score_differences(self, state: _State) -> Floats:
        """Per answer the score if b is the better one less that if a is, times the spread of the truth."""
        if_a, if_b = self._odds(state)
        left_a, left_b = self.is_b - sigma(if_a), self.is_b - sigma(if_b)
        spread = np.sqrt(state.truth * (1 - state.truth))[self.item]
        apart = left_b - left_a
        return np.asarray(np.stack([left_a + left_b, apart * self.first, apart * self.x_of], axis=1) * spread[:, None])

    def _missing_per_group(self, scores: Floats) -> Floats:
        found = np.empty((self.n_groups, 3, 3))
        for row in range(3):
            for column in range(3):
                found[:, row, column] = self._sums(scores[:, row] * scores[:, column])
        return found

    def _joint_information(self, state: _State, scores: Floats) -> Floats:
        """What the answers would tell were the truth known, less what is lost for not knowing it."""
        size = 3 * self.n_groups + 1
        information = np.zeros((size, size))
        for group in range(self.n_groups):
            block = slice(3 * group, 3 * group + 3)
            information[block, block] = state.hessian[group]
        information[-1, -1] = self._lean_bend(state)
        spread = np.sqrt(state.truth * (1 - state.truth))
        order = np.argsort(self.item, kind="stable")
        for start in range(0, self.n_items, _ITEMS_AT_ONCE):
            stop = min(start + _ITEMS_AT_ONCE, self.n_items)
            rows = order[slice(*np.searchsorted(self.item[order], [start, stop]))]
            lost = np.zeros((stop - start, size))
            for number in range(3):
                np.add.at(lost, (self.item[rows] - start, 3 * self.group[rows] + number), scores[rows, number])
            lost[:, -1] = 2 * self.x[start:stop] * spread[start:stop]
            information -= lost.T @ lost
        return information

    def accuracy(self, state: _State, covariance: Floats) -> tuple[Floats, Floats]:
        """Per group the mean probability of preferring the better one, and the standard error of its log odds."""
        if_a, if_b = self._odds(state)
        w, n = state.truth[self.item], np.maximum(np.bincount(self.group, minlength=self.n_groups), 1)
        p_a, p_b = sigma(if_a), sigma(if_b)
        value = self._sums((1 - w) * (1 - p_a) + w * p_b) / n
        bend_a, bend_b = (1 - w) * p_a * (1 - p_a), w * p_b * (1 - p_b)
        slope = np.stack(
            [
                self._sums(bend_a + bend_b) / n,
                self._sums((bend_b - bend_a) * self.first) / n,
                self._sums((bend_b - bend_a) * self.x_of) / n,
            ],
            axis=1,
        )
        variance = np.einsum("gi,gij,gj->g", slope, covariance, slope)
        value = np.clip(value, 1e-6, 1 - 1e-6)
        return value, np.sqrt(variance) / (value * (1 - value))


_ITEMS_AT_ONCE = 4096
