"""All published votes at hand, through the importer into PostgreSQL, and the known figures read back from there."""

from __future__ import annotations

import pytest

from accounts.models import Project
from annotation.models import Consensus, Judgment
from annotation.statistics.agreement import agreement_per_subject, campaign_agreement
from benchmarks import real_votes
from benchmarks.real_votes import FILES, KNOWN, KNOWN_COHEN, KNOWN_MAJORITY, KNOWN_UNANIMOUS

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not all(path.is_file() for paths in FILES.values() for path in paths),
        reason=f"the real data is not at {real_votes.DATA}",
    ),
]


def test_all_of_ukpconvarg1(project: Project) -> None:
    result = real_votes.bring(project, "UKPConvArg1", FILES["UKPConvArg1"], "apart")
    assert (result["accepted"], result["rejected"]) == (56_830, 0)
    assert (result["comparisons"], result["annotators"]) == (11_394, 3_732)
    campaign = real_votes.campaign_named(project, "UKPConvArg1, apart")
    alpha = real_votes.alpha_of_file(campaign)
    assert (alpha.n_items, alpha.n_answers) == (11_394, 56_830)
    assert alpha.value == pytest.approx(KNOWN["UKPConvArg1"], abs=0.00005)
    agreed = real_votes.agreed_with_gold(campaign)
    assert (round(agreed.unanimous, 3), agreed.n_items) == (KNOWN_UNANIMOUS, 11_394)
    assert (round(agreed.right, 3), agreed.n_golds) == (KNOWN_MAJORITY, 10_801)
    shown = campaign_agreement(campaign)
    assert shown.alpha_nominal.value == pytest.approx(KNOWN["UKPConvArg1"], abs=0.001)
    subjects = agreement_per_subject(campaign)
    assert len(subjects) == 22 and sum(one.alpha.n_items for one in subjects) == 11_394
    assert not Judgment.objects.exclude(active_seconds=None).exists()


def test_all_of_pandalm(project: Project) -> None:
    result = real_votes.bring(project, "PandaLM", FILES["PandaLM"], "apart")
    assert (result["accepted"], result["comparisons"], result["annotators"]) == (2_997, 999, 3)
    campaign = real_votes.campaign_named(project, "PandaLM, apart")
    assert real_votes.alpha_of_file(campaign).value == pytest.approx(KNOWN["PandaLM"], abs=0.0005)
    kappas = real_votes.cohen_of_file(campaign)
    assert [kappa.value for kappa in kappas] == pytest.approx(KNOWN_COHEN, abs=0.0005)
    confidences = set(Consensus.objects.filter(campaign=campaign).values_list("confidence", flat=True))
    assert confidences == {1.0, 2 / 3}
    assert Consensus.objects.filter(campaign=campaign, confidence=1.0).count() == 879


def test_pandalm_with_its_repeated_pairs_together(project: Project) -> None:
    """136 items repeat a pair of texts: 863 comparisons, on which 408 votes are a second one by the same person."""
    result = real_votes.bring(project, "PandaLM", FILES["PandaLM"], "together")
    assert (result["accepted"], result["rejected"], result["comparisons"]) == (2_589, 408, 863)
    assert result["reasons"] == {"voted_twice": 408}
    campaign = real_votes.campaign_named(project, "PandaLM, together")
    assert campaign_agreement(campaign).alpha_nominal.value == pytest.approx(0.8605, abs=0.0005)
    again = real_votes.bring(project, "PandaLM", FILES["PandaLM"], "together")
    assert (again["accepted"], again["unchanged"], again["rejected"]) == (0, 2_589, 408)
