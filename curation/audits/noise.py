"""How many labels are wrong? From a blind sample of all labels, and from people who answered the same comparison.

From the sample: eta = wrong / n with Clopper and Pearson's two-sided interval. It takes the curator's answer for true.

From repeated votes, ties left out: d is the chance that two votes on the same comparison disagree, a mean over the
comparisons with two votes or more of 2 a b / (n (n - 1)) for a and b votes of n for either side. If each vote is wrong
with the same chance eps, independently of the others, of the side and of the comparison, then d = 2 eps (1 - eps) and

    eps = (1 - sqrt(1 - 2 d)) / 2.

With q the chance that a vote and the imported label disagree, and that label wrong with a chance eta of its own,
q = eta (1 - eps) + (1 - eta) eps and

    eta = (q - eps) / (1 - 2 eps).

Intervals are percentiles of 1,000 seeded bootstrap samples of comparisons. Hard comparisons break the assumption:
people are then wrong together, d is too small and so is eps. Votes from which the label was made are no witnesses.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import Project
from curation.models import Audit

LEAST = 20
SAMPLES = 1_000
SEED = 0
# Beyond it the votes say nothing about the label: 1 - 2 eps is too small to divide by.
MOST_EPS = 0.45


@dataclass(frozen=True)
class Rate:
    """A share of wrong labels or votes, with its 95 % interval, or why there is none."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str = ""
    simulated: int = 0

    def as_document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Noise:
    """Of labels by a blind sample, of one vote, and of the imported labels by votes."""

    sampled: Rate
    votes: Rate
    labels: Rate
    audit_id: int | None = None

    def as_document(self) -> dict[str, Any]:
        parts = {name: getattr(self, name).as_document() for name in ("sampled", "votes", "labels")}
        return {**parts, "audit_id": self.audit_id}


def noise_of(project: Project, *, as_of: datetime | None = None) -> Noise:
    audit = _newest_sample(project, as_of)
    votes, labels = rates_from_votes(_counts(project, as_of))
    return Noise(_sampled(audit), votes, labels, audit.pk if audit else None)


def _newest_sample(project: Project, as_of: datetime | None) -> Audit | None:
    done = Audit.objects.filter(project=project, recipe=None, finished_at__isnull=False)
    return (done.filter(finished_at__lte=as_of) if as_of else done).order_by("-finished_at", "-pk").first()


def _sampled(audit: Audit | None) -> Rate:
    if audit is None:
        return Rate(None, None, None, 0, "no sample of all labels has been checked")
    found = audit.findings
    return Rate(found["rate"], found["low"], found["high"], found["n"])


_VOTES = """
SELECT imported, votes_a, votes_b, count(*), sum(simulated)::bigint FROM (
    SELECT sign(c.label)::int AS imported, count(*) FILTER (WHERE j.choice < 0) AS votes_a,
           count(*) FILTER (WHERE j.choice > 0) AS votes_b,
           count(*) FILTER (WHERE person.is_simulated) AS simulated
    FROM annotation_judgment j
    JOIN annotation_campaign g ON g.id = j.campaign_id AND g.project_id = %(project)s
    JOIN corpus_comparison c ON c.id = j.comparison_id
    JOIN accounts_user person ON person.id = j.annotator_id
    WHERE j.superseded_by_id IS NULL AND j.purpose = 'work' AND j.choice <> 0
      AND (%(as_of)s::timestamptz IS NULL OR j.created_at <= %(as_of)s)
    GROUP BY c.id
) voted GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def _counts(project: Project, as_of: datetime | None) -> list[tuple[int | None, int, int, int, int]]:
    """Comparisons by the sign of their imported label and their votes for either side; the last is simulated votes."""
    with connection.cursor() as cursor:
        cursor.execute(_VOTES, {"project": project.pk, "as_of": as_of})
        return [(sign, int(a), int(b), int(rows), int(made_up)) for sign, a, b, rows, made_up in cursor.fetchall()]


def rates_from_votes(counts: list[tuple[int | None, int, int, int, int]]) -> tuple[Rate, Rate]:
    """The chance that one vote is wrong, and that an imported label is."""
    table = np.array([[sign or 0, a, b, rows, made_up] for sign, a, b, rows, made_up in counts], float).reshape(-1, 5)
    imported, a, b, rows, made_up = table.T
    n = a + b
    repeated = n >= 2
    pairs = int(rows[repeated].sum())
    labelled = int(rows[imported != 0].sum())
    simulated = int(made_up.sum())
    if pairs < LEAST:
        nothing = Rate(None, None, None, pairs, f"fewer than {LEAST} comparisons have two votes", simulated)
        return nothing, Rate(None, None, None, labelled, nothing.reason, simulated)
    disagree = np.divide(2 * a * b, n * (n - 1), out=np.zeros_like(n), where=repeated)
    against = np.where(imported > 0, a, b) / n
    drawn = np.random.default_rng(SEED).multinomial(int(rows.sum()), rows / rows.sum(), SAMPLES)
    eps = _eps(_mean(rows[None], disagree, repeated))[0]
    eps_drawn = _eps(_mean(drawn, disagree, repeated))
    votes = _rate(eps, eps_drawn, pairs, simulated)
    if not labelled:
        return votes, Rate(None, None, None, 0, "no voted comparison has an imported label", simulated)
    if eps > MOST_EPS:
        return votes, Rate(None, None, None, labelled, "votes are too noisy to judge the labels by", simulated)
    eta = _eta(_mean(rows[None], against, imported != 0), np.array([eps]))[0]
    eta_drawn = _eta(_mean(drawn, against, imported != 0), np.minimum(eps_drawn, MOST_EPS))
    return votes, _rate(eta, eta_drawn, labelled, simulated)


Floats = NDArray[np.float64]


def _mean(rows: NDArray[Any], value: Floats, counted: NDArray[np.bool_]) -> Floats:
    """Of the value over the comparisons that count, per bootstrap sample."""
    weights = rows[:, counted]
    return np.asarray(weights @ value[counted] / np.maximum(weights.sum(axis=1), 1), float)


def _eps(disagreement: Floats) -> Floats:
    return np.asarray((1 - np.sqrt(np.maximum(0, 1 - 2 * disagreement))) / 2, float)


def _eta(against: Floats, eps: Floats) -> Floats:
    return np.asarray(np.clip((against - eps) / (1 - 2 * eps), 0, 1), float)


def _rate(value: float, drawn: Floats, n: int, simulated: int) -> Rate:
    """A bootstrap of rows that all agree has no width; there the rule of three gives the upper end."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    none_seen = 1 - 0.025 ** (1 / n)
    return Rate(float(value), float(low), float(max(high, min(none_seen, 1.0))), n, "", simulated)
