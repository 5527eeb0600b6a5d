from __future__ import annotations

from accounts.models import Project, User
from annotation.models import Campaign, CampaignState, Judgment
from annotation.simulate import SIMULATED_CAMPAIGN, qualities, simulate_votes
from corpus.models import Comparison, Prompt, Response, Source


def _sample_pairs(project: Project, count: int) -> list[Comparison]:
    source = Source.objects.create(project=project, name="sample", format="sample")
    ranked = sorted(qualities().items(), key=lambda pair: pair[1])
    pairs = list(zip(ranked[:count], reversed(ranked[-count:]), strict=True))
    made = []
    for number, ((worse, _), (better, _)) in enumerate(pairs):
        prompt = Prompt.objects.create(project=project, messages=[], content_hash=bytes([number]) * 32)
        a, b = (
            Response.objects.create(prompt=prompt, content=content, content_hash=f"{number} {side}".encode().ljust(32))
            for side, content in enumerate((worse, better))
        )
        made.append(
            Comparison.objects.create(
                project=project, source=source, prompt=prompt, response_a=a, response_b=b, row_number=number
            )
        )
    return made


def test_simulated_people_vote_by_the_quality_given_by_hand(project: Project) -> None:
    _sample_pairs(project, 20)
    campaign = simulate_votes(project=project)
    votes = list(Judgment.objects.filter(campaign=campaign))
    assert len(votes) == 20 * 3
    assert sum((vote.choice or 0) > 0 for vote in votes) > 50
    assert all(vote.annotator.is_simulated for vote in votes)
    assert {user.name for user in User.objects.filter(is_simulated=True)} == {
        f"Simulated annotator {number}" for number in range(1, 6)
    }


def test_simulating_again_changes_nothing(project: Project) -> None:
    _sample_pairs(project, 5)
    simulate_votes(project=project)
    before = list(Judgment.objects.order_by("id").values_list("id", "choice"))
    simulate_votes(project=project)
    assert list(Judgment.objects.order_by("id").values_list("id", "choice")) == before


def test_the_simulated_campaign_is_closed_and_a_fresh_one_waits_for_people(project: Project) -> None:
    _sample_pairs(project, 3)
    simulate_votes(project=project)
    states = dict(Campaign.objects.values_list("name", "state"))
    assert states == {SIMULATED_CAMPAIGN: CampaignState.CLOSED, "Compare responses": CampaignState.OPEN}


def test_every_sample_response_has_a_quality() -> None:
    assert len(qualities()) > 300
    assert all(1 <= quality <= 5 for quality in qualities().values())
