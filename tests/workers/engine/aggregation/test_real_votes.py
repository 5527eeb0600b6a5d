"""The crowds of UKPConvArg1 and PandaLM, where their files are at hand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from workers.engine.aggregation import bradley_terry, dawid_skene, glad, mace
from workers.engine.aggregation.bradley_terry import Duels
from workers.engine.aggregation.fits import Fit
from workers.engine.aggregation.votes import Votes

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arguments:
    votes: Votes
    duels: Duels
    # The origin's own: 0 a1, 1 equal, 2 a2, -1 none; and each worker's competence.
    gold: Ints
    competence: Floats


@pytest.fixture(scope="module")
def arguments() -> Arguments:
    path = DATA / "ukpconvarg1" / "pairs.jsonl.gz"
    if not path.exists():
        pytest.skip("UKPConvArg1 is not here; it is downloaded separately.")
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    code = {"a1": 0, "equal": 1, "a2": 2, None: -1}
    people: dict[str, int] = {}
    texts: dict[tuple[str, str], int] = {}
    said = [
        (number, people.setdefault(vote["turkID"], len(people)), code[vote["value"]], vote["turkCompetence"])
        for number, row in enumerate(rows)
        for vote in row["mTurkAssignments"]
    ]
    item, annotator, answer = (np.array(column) for column in list(zip(*said, strict=True))[:3])
    competence = np.zeros(len(people))
    competence[annotator] = [vote[3] for vote in said]
    a, b = (np.array([texts.setdefault((row["file"], row[side]["id"]), len(texts)) for row in rows])
            for side in ("arg1", "arg2"))  # fmt: skip
    unknown = np.zeros(len(item), dtype=np.int64)
    return Arguments(
        Votes(item, annotator, answer, len(rows), len(people), 3),
        Duels(item, annotator, answer - 1, unknown, a, b, len(people), len(texts)),
        np.array([code[row["goldLabel"]] for row in rows]),
        competence,
    )


def _against_gold(fit: Fit, gold: Ints) -> float:
    return float(np.mean(fit.label[gold >= 0] == gold[gold >= 0]))


def test_dawid_skene_ranks_the_workers_as_the_origin_does(arguments: Arguments) -> None:
    """Half of the 3,732 workers have three votes: .61 over all, .71 over those with ten or more, .74 from twenty."""
    found = dawid_skene.fit(arguments.votes)
    n = arguments.votes.per_annotator
    for least, bound in ((1, 0.55), (10, 0.65), (20, 0.68)):
        kept = n >= least
        assert spearmanr(found.reliability.value[kept], arguments.competence[kept]).statistic > bound
    assert _against_gold(found, arguments.gold) > 0.85


def test_mace_is_nearest_to_an_origin_that_used_mace(arguments: Arguments) -> None:
    found = mace.fit(arguments.votes)
    enough = arguments.votes.per_annotator >= 10
    assert spearmanr(found.reliability.value[enough], arguments.competence[enough]).statistic > 0.65
    assert _against_gold(found, arguments.gold) > 0.92


def test_glad_and_bradley_terry_take_the_whole_crowd(arguments: Arguments) -> None:
    assert _against_gold(glad.fit(arguments.votes), arguments.gold) > 0.88
    strengths = bradley_terry.fit(arguments.duels)
    assert strengths.has_converged
    decided = (strengths.label != 1) & (arguments.gold >= 0) & (arguments.gold != 1)
    assert np.mean(strengths.label[decided] == arguments.gold[decided]) > 0.87


@pytest.mark.parametrize("fit", [dawid_skene.fit, mace.fit, glad.fit], ids=["dawid_skene", "mace", "glad"])
def test_three_careful_annotators_of_pandalm_keep_their_majority(fit: Callable[..., Fit]) -> None:
    path = DATA / "pandalm" / "testset-v1.json"
    if not path.exists():
        pytest.skip("PandaLM's test set is not here; it is downloaded separately.")
    rows = json.loads(path.read_text())
    answer = np.array([[(1, 0, 2)[row[f"annotator{who}"]] for who in (1, 2, 3)] for row in rows])
    n = len(rows)
    votes = Votes(np.repeat(np.arange(n), 3), np.tile(np.arange(3), n), answer.ravel(), n, 3, 3)
    found = fit(votes)
    assert np.mean(found.label == votes.shares.argmax(axis=1)) > 0.97
    if fit is not glad.fit:
        assert (found.reliability.low > 0.85).all()
    assert found.reliability.n.tolist() == [n] * 3
