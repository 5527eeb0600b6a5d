"""Made-up annotators who vote on the bundled sample through the real verbs, named as simulated wherever they appear.

Each knows the quality that the sample's author gave every response by hand, blurred by their own noise, and leans
towards the response shown first by their own bias; so agreement, majority and side bias have something to show.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import yaml
from django.db import transaction

from accounts.models import Membership, Project, Role, User
from annotation.campaigns.create import create_campaign, set_state
from annotation.desk.assign import claim
from annotation.desk.items import ClaimedItem
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign, CampaignState

SIMULATED_CAMPAIGN = "Simulated votes (sample)"
OPEN_CAMPAIGN = "Compare responses"
OVERLAP = 3
VOTES_EACH = 100
GUIDELINES = """Choose the response that you would rather have been given.

* **Correct before pleasant.** A friendly answer that is wrong loses to a dry one that is right.
* **Asked before thorough.** More is not better when less was asked for.
* **Tie** means that you would take either. **Both bad** means that you would take neither; it is not a tie.
* Skip what you cannot judge, and say why: it goes to somebody who can.
"""


@dataclass(frozen=True)
class Temper:
    """How one simulated annotator judges, in steps of the quality scale 1..5."""

    noise: float
    # Towards the response shown first.
    first_bias: float
    # Differences up to this are called a tie.
    tie_within: float


TEMPERS = (
    Temper(noise=0.4, first_bias=0.0, tie_within=0.4),
    Temper(noise=0.7, first_bias=0.2, tie_within=0.5),
    Temper(noise=0.9, first_bias=-0.1, tie_within=0.3),
    Temper(noise=1.2, first_bias=0.6, tie_within=0.6),
    Temper(noise=2.2, first_bias=0.3, tie_within=0.5),
)


def simulate_votes(*, project: Project, seed: int = 7) -> Campaign:
    """A closed campaign of simulated votes, and a fresh one for people; doing it again changes nothing."""
    campaign = _campaign(project, SIMULATED_CAMPAIGN, OVERLAP)
    _campaign(project, OPEN_CAMPAIGN, 2)
    if campaign.state == CampaignState.OPEN:
        for number, temper in enumerate(TEMPERS, start=1):
            _vote(campaign, _annotator(project, number), temper, random.Random(f"{seed} {number}"))  # noqa: S311
        set_state(campaign=campaign, state=CampaignState.CLOSED, by=None)
    return campaign


def _campaign(project: Project, name: str, overlap: int) -> Campaign:
    held = Campaign.objects.filter(project=project, name=name).first()
    owner = project.created_by
    return held or create_campaign(project=project, name=name, overlap=overlap, guidelines=GUIDELINES, created_by=owner)


def _annotator(project: Project, number: int) -> User:
    email = f"simulated-{number}@winnow.example"
    with transaction.atomic():
        user = User.objects.filter(email=email).first() or User.objects.create_user(
            email, None, name=f"Simulated annotator {number}", is_simulated=True
        )
        Membership.objects.get_or_create(user=user, project=project, defaults={"role": Role.ANNOTATOR})
    return user


def _vote(campaign: Campaign, annotator: User, temper: Temper, rng: random.Random) -> None:
    given = Assignment.objects.filter(campaign=campaign, annotator=annotator, state="submitted").count()
    item = claim(campaign=campaign, annotator=annotator) if given < VOTES_EACH else None
    while item is not None:
        given += 1
        assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
        done = submit(
            assignment=assignment,
            payload={"choice": _choice(item, temper, rng)},
            active_seconds=round(rng.lognormvariate(3.0, 0.6), 1),
            with_next=given < VOTES_EACH,
        )
        item = done.next


def _choice(item: ClaimedItem, temper: Temper, rng: random.Random) -> int | str:
    quality = qualities()
    contents = {response.id: response.content for response in item.responses}
    a, b = (
        quality.get(contents[number].strip(), 3.0) for number in sorted(contents, key=lambda n: n != item.response_a_id)
    )
    lean = temper.first_bias if item.order[0] == item.response_b_id else -temper.first_bias
    margin = b - a + lean + rng.gauss(0, temper.noise)
    if max(a, b) <= 1 and rng.random() < 0.7:
        return "both_bad"
    if abs(margin) <= temper.tie_within:
        return 0
    strength = 1 if abs(margin) < 1.5 else 2 if abs(margin) < 3 else 3
    return strength if margin > 0 else -strength


@lru_cache
def qualities() -> dict[str, float]:
    """The quality 1..5 that the sample's author gave, by the text of the response."""
    found: dict[str, float] = {}
    for file in files("corpus").joinpath("sample").iterdir():
        if not file.name.endswith(".yaml"):
            continue
        for entry in yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or []:
            for response in entry.get("responses", []):
                found[response["content"].strip()] = float(response["quality"])
    return found
