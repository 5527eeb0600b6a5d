"""What every model returns, and how much a vote is worth.

Effective votes
    A vote of somebody who always errs in the same way, or who guesses, says less than a vote of a careful person. The
    worth of annotator j is the information that an answer of j carries about the truth, as a share of all there is
    to know:

        worth_j = I(answer of j; truth) / H(truth)          0 = says nothing, 1 = says all

    under the fitted model, with the mean posterior as the distribution of the truth. The effective votes of an item are
    the sum of the worths of its votes: five guessers make about 0, five flawless people 5. It is never more than the
    number of votes. A person who is reliably wrong says much, and counts; the fit has turned the answers round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.engine.aggregation.votes import Floats, Ints, Votes

UNDECIDED = -1


@dataclass(frozen=True)
class Reliability:
    """One number per annotator [annotators] with its 95 % interval; nan where the person has no vote.

    What the number means and its unit is the model's to say.
    """

    value: Floats
    low: Floats
    high: Floats
    # Votes behind it.
    n: Ints


@dataclass(frozen=True)
class Fit:
    # [items, answers]: probability of each answer to be the true one; rows sum to 1.
    posterior: Floats
    # [items], at most the number of votes; see above.
    effective_votes: Floats
    reliability: Reliability
    # What the fit maximises, in nats, once per iteration: log-likelihood plus log prior, or what the model says.
    log_likelihood: list[float]
    has_converged: bool

    @property
    def label(self) -> Ints:
        """[items]: the most probable answer, or UNDECIDED where two are as probable as each other."""
        return leading(self.posterior)


def leading(posterior: Floats) -> Ints:
    top_two = np.partition(posterior, posterior.shape[1] - 2, axis=1)[:, -2:]
    return np.where(top_two[:, 1] - top_two[:, 0] > 1e-9, posterior.argmax(axis=1), UNDECIDED)


def worth(confusion: Floats, prior: Floats) -> Floats:
    """I(answer; truth) / H(truth) per leading index: confusion [..., answer, truth], prior [truth] -> [...], 0..1."""
    entropy = -float(np.sum(prior * np.log(np.maximum(prior, 1e-300))))
    if entropy < 1e-12:
        return np.zeros(confusion.shape[:-2])
    said = (confusion * prior).sum(axis=-1, keepdims=True)
    ratio = np.log(np.maximum(confusion, 1e-300)) - np.log(np.maximum(said, 1e-300))
    return np.asarray(np.clip((confusion * prior * ratio).sum(axis=(-2, -1)) / entropy, 0.0, 1.0))


def effective_votes(votes: Votes, worth_of_annotator: Floats) -> Floats:
    return votes.per_item(worth_of_annotator[votes.annotator])


def normalised(log_joint: Floats) -> tuple[Floats, Floats]:
    """log p(votes, truth) [items, truths] -> posterior [items, truths] and log p(votes) [items]."""
    top = log_joint.max(axis=1, keepdims=True)
    joint = np.exp(log_joint - top)
    total = joint.sum(axis=1, keepdims=True)
    return joint / total, (top + np.log(total))[:, 0]
