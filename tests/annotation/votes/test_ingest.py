"""Files of votes become a closed campaign, each vote once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db.models import Sum

from accounts.models import Membership, Project, User
from annotation.campaigns.create import create_campaign
from annotation.campaigns.queries import work_of
from annotation.models import Assignment, Campaign, CampaignState, Consensus, Judgment, Task
from annotation.votes.campaign import WorkedOn
from corpus.models import Comparison, Prompt
from tests.annotation.votes.files import (
    OIL,
    WATER,
    BringVotes,
    argument,
    counts,
    lines,
    packed,
    panda,
    preferred_texts,
    ukp_pair,
    ukp_vote,
    vote,
)

pytestmark = pytest.mark.django_db


def test_ukp_needs_both_files_in_any_order(bring: BringVotes) -> None:
    pairs = packed(ukp_pair(1, 2, ukp_vote("w1"), ukp_vote("w2", "a2"), ukp_vote("w3", "equal")))
    result = bring(pairs__jsonl_gz=pairs, arguments__jsonl_gz=packed(argument(1), argument(2)))
    assert (result["format"], counts(result), result["comparisons"], result["annotators"]) == (
        "ukpconvarg1", (3, 0, 0), 1, 3,
    )  # fmt: skip
    assert preferred_texts() == {"w1": "Argument 1.", "w2": "Argument 2.", "w3": None}
    prompt = Prompt.objects.get()
    assert prompt.messages[0]["content"] == "Should eggs be boiled?\n\nGive one argument for this side: Yes"
    assert prompt.metadata == {"subject": "eggs_yes"}


def test_the_times_of_a_hit_are_no_seconds_on_a_pair(bring: BringVotes) -> None:
    pairs = lines(ukp_pair(1, 2, ukp_vote("w1")))
    bring(pairs__jsonl=pairs, arguments__jsonl=lines(argument(1), argument(2)))
    judgment = Judgment.objects.select_related("assignment").get()
    assert judgment.created_at == datetime(2016, 2, 1, 20, 6, 14, tzinfo=UTC)
    assert judgment.assignment.claimed_at == datetime(2016, 2, 1, 20, 0, 46, tzinfo=UTC)
    assert judgment.active_seconds is None
    assert judgment.payload["imported"]["times_are_of"] == "the whole HIT"
    assert judgment.payload["reason"] == "w1 says so"


def test_the_origins_gold_label_is_the_imported_label(bring: BringVotes) -> None:
    pairs = lines(ukp_pair(1, 2, ukp_vote("w1"), gold="a2"), ukp_pair(1, 3, ukp_vote("w1"), gold=None))
    bring(pairs__jsonl=pairs, arguments__jsonl=lines(argument(1), argument(2), argument(3)))
    labels = {c.external_id: c.label for c in Comparison.objects.all()}
    assert labels["arg1_arg3"] is None and labels["arg1_arg2"] in {-1, 1}


def test_pandalm_has_a_person_per_column_and_no_times(bring: BringVotes) -> None:
    before = datetime.now(tz=UTC)
    result = bring(testset__json=b"[" + lines(panda(0, 1, 2, 0)).strip() + b"]")
    assert (result["format"], counts(result)) == ("pandalm", (3, 0, 0))
    assert preferred_texts() == {"annotator 1": WATER, "annotator 2": OIL, "annotator 3": None}
    judgment = Judgment.objects.first()
    assert judgment is not None
    assert judgment.created_at >= before and judgment.active_seconds is None
    assert judgment.payload["imported"]["time_known"] is False
    assert Comparison.objects.get().label is None
    assert {r.generator for r in Comparison.objects.get().prompt.responses.all()} == {"hen-7b", "duck-7b"}


def test_the_campaign_is_closed_and_says_how_it_came_about(bring: BringVotes) -> None:
    bring(testset__jsonl=lines(panda(0, 1, 2, 0), panda(1, 1, 1, 1, a="Never.")))
    campaign = Campaign.objects.get()
    assert (campaign.state, campaign.preset, campaign.kind) == (CampaignState.CLOSED, "imported", "pairwise")
    assert (campaign.task_count, campaign.overlap, campaign.settings["scale"]) == (2, 3, "3-way")
    assert campaign.settings["order_known"] is False
    task = Task.objects.first()
    assert task is not None
    assert (task.cap, task.judged, task.slots_a_first + task.slots_b_first) == (3, 3, 3)
    assert set(Assignment.objects.values_list("state", "purpose")) == {("submitted", "work")}


def test_consensus_is_counted(bring: BringVotes) -> None:
    bring(testset__jsonl=lines(panda(0, 1, 1, 2)))
    consensus = Consensus.objects.get()
    assert (consensus.votes, round(consensus.confidence, 3)) == (3, 0.667)
    comparison = consensus.comparison
    better = comparison.response_a if (consensus.label or 0) < 0 else comparison.response_b
    assert better.content == WATER


def test_annotators_are_users_who_cannot_log_in_and_are_no_members(bring: BringVotes) -> None:
    bring(votes__jsonl=lines(vote("ann"), vote("bob", "b")))
    people = User.objects.filter(is_imported=True)
    assert {person.name for person in people} == {"ann", "bob"}
    assert not any(person.is_active or person.has_usable_password() for person in people)
    assert all(person.email.endswith(".imported.winnow.example") for person in people)
    assert not Membership.objects.filter(user__in=people).exists()


def test_the_same_name_is_one_person_in_a_project_and_another_elsewhere(bring: BringVotes, owner: User) -> None:
    bring(votes__jsonl=lines(vote("ann")))
    bring(votes__jsonl=lines(vote("ann")), campaign="Again")
    assert User.objects.filter(is_imported=True).count() == 1
    other = Project.objects.create(slug="other", name="Other", created_by=owner)
    bring(votes__jsonl=lines(vote("ann")), into=other)
    assert User.objects.filter(is_imported=True).count() == 2


def test_a_column_is_a_person_within_its_source_only(bring: BringVotes) -> None:
    bring(testset__jsonl=lines(panda(0, 1, 1)))
    bring(testset__jsonl=lines(panda(0, 1, 1)), source="another set", campaign="Other")
    assert User.objects.filter(is_imported=True).count() == 4


def test_importing_twice_changes_nothing(bring: BringVotes) -> None:
    content = lines(panda(0, 1, 2, 0), panda(1, 1, 1, 1, a="Never."), panda(2, 2, 2, 2))
    first = bring(testset__jsonl=content)
    before = list(Judgment.objects.order_by("id").values()), list(Task.objects.order_by("id").values())
    again = bring(testset__jsonl=content)
    assert (counts(first), counts(again)) == ((6, 0, 3), (0, 6, 3))
    assert before == (list(Judgment.objects.order_by("id").values()), list(Task.objects.order_by("id").values()))
    assert Campaign.objects.get().task_count == 2


def test_a_later_file_adds_its_votes_to_the_same_tasks(bring: BringVotes) -> None:
    bring(votes__jsonl=lines(vote("ann")))
    bring(votes__jsonl=lines(vote("ann"), vote("bob"), vote("cleo", "b")))
    task, campaign = Task.objects.get(), Campaign.objects.get()
    assert (task.cap, task.judged, campaign.task_count, campaign.overlap) == (3, 3, 1, 3)
    assert Consensus.objects.get().votes == 3


def test_a_campaign_of_imported_votes_is_complete(bring: BringVotes, project: Project, owner: User) -> None:
    bring(votes__jsonl=lines(vote("ann"), vote("bob"), vote("ann", prompt="Why?")))
    bring(votes__jsonl=lines(vote("cleo"), vote("bob", prompt="Where?")))
    (work,) = work_of(project, owner)
    assert (work.judged, work.left_for_me) == (5, 0)
    assert Task.objects.aggregate(caps=Sum("cap"))["caps"] == 5


def test_votes_never_go_into_a_campaign_that_people_work_in(bring: BringVotes, project: Project) -> None:
    create_campaign(project=project, name="Eggs")
    with pytest.raises(WorkedOn):
        bring(votes__jsonl=lines(vote("ann")))


def test_the_order_shown_is_kept_where_the_file_has_it(bring: BringVotes) -> None:
    bring(votes__jsonl=lines(vote("ann", order="ab"), vote("bob", order="ba")))
    first_texts = {}
    for judgment in Judgment.objects.select_related("annotator", "comparison__response_a", "comparison__response_b"):
        assert judgment.comparison is not None
        sides = (judgment.comparison.response_a, judgment.comparison.response_b)
        first_texts[judgment.annotator.name] = {side.pk: side.content for side in sides}[judgment.order_shown[0]]
    assert first_texts == {"ann": WATER, "bob": OIL}
    assert Campaign.objects.get().settings["order_known"] is True
    task = Task.objects.get()
    assert (task.slots_a_first, task.slots_b_first) == (1, 1)


def test_a_known_comparison_takes_its_votes(bring: BringVotes, comparisons: list[Comparison]) -> None:
    named = Comparison.objects.filter(id=comparisons[0].pk)
    named.update(external_id="nine")
    row = {"external_id": "nine", "source": "hand made", "annotator": "ann", "choice": -2}
    result = bring(votes__jsonl=lines(row, row | {"external_id": "ten"}))
    assert counts(result) == (1, 0, 1)
    assert result["reasons"] == {"unknown_comparison": 1}
    assert Judgment.objects.get().choice == -2
    assert Task.objects.get().comparison_id == comparisons[0].pk


def test_an_id_that_several_comparisons_have_names_none(bring: BringVotes, comparisons: list[Comparison]) -> None:
    Comparison.objects.update(external_id="same")
    row = {"external_id": "same", "source": "hand made", "annotator": "ann", "choice": 1}
    assert bring(votes__jsonl=lines(row))["reasons"] == {"ambiguous_comparison": 1}


def test_a_vote_may_name_the_preferred_response(bring: BringVotes) -> None:
    ids = {"response_a_id": "r1", "response_b_id": 2}
    rows = [vote("ann", None, response_id="r1", **ids), vote("bob", None, response_id="2", **ids)]
    bring(votes__jsonl=lines(*rows))
    assert preferred_texts() == {"ann": WATER, "bob": OIL}


def test_both_bad_and_both_good_are_answers_of_their_own(bring: BringVotes) -> None:
    bring(votes__jsonl=lines(vote("ann", "both_bad"), vote("bob", "both_good"), vote("cleo", "tie")))
    found = {j.annotator.name: (j.choice, j.is_both_bad, j.payload["choice"]) for j in Judgment.objects.all()}
    assert found == {"ann": (None, True, "both_bad"), "bob": (0, False, "both_good"), "cleo": (0, False, 0)}
