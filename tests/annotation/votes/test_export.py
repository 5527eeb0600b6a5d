"""Raw votes out: a row per judgment, pseudonyms, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.desk.judge import revise, submit
from annotation.models import Assignment, Campaign, Judgment
from annotation.votes.export import COLUMNS, VotesExport
from annotation.votes.pseudonyms import Pseudonyms
from corpus.models import Comparison
from tests.annotation.votes.files import BringVotes, counts, lines, vote

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged(campaign: Campaign, annotator: User) -> Judgment:
    """An answer that its author has replaced by one with a formula for a reason."""
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None
    assignment = Assignment.objects.get(id=item.assignment_id)
    done = submit(assignment=assignment, payload={"choice": -2}, active_seconds=3.5)
    first = Judgment.objects.get(id=done.judgment_id)
    revise(judgment=first, payload={"choice": 1, "reason": '=HYPERLINK("x")'}, active_seconds=4.5)
    return first


def fetch(user: User, campaign: Campaign, name: str) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(f"/api/v1/campaigns/{campaign.pk}/{name}")


def rows_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def table_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_a_row_says_all_of_a_judgment(curator: User, campaign: Campaign, judged: Judgment) -> None:
    (row,) = rows_of(fetch(curator, campaign, "votes.jsonl"))
    standing = Judgment.objects.get(superseded_by=None)
    comparison = standing.comparison
    assert comparison is not None
    assert tuple(row) == COLUMNS
    expected = {
        "campaign": "First look",
        "kind": "pairwise",
        "unit": "comparison",
        "purpose": "work",
        "annotator_kind": "person",
        "source": "hand made",
        "comparison_id": comparison.pk,
        "response_ids": standing.order_shown,
        "order": "ab" if standing.order_shown[0] == comparison.response_a_id else "ba",
        "choice": 1,
        "both_bad": False,
        "response_id": comparison.response_b_id,
        "reason": '=HYPERLINK("x")',
        "seconds": 4.5,
        "superseded": False,
        "payload": standing.payload,
        "response_a_sha256": bytes(comparison.response_a.content_hash).hex(),
    }
    assert {name: row[name] for name in expected} == expected


def test_replaced_answers_come_when_asked_for(curator: User, campaign: Campaign, judged: Judgment) -> None:
    rows = rows_of(fetch(curator, campaign, "votes.jsonl?replaced=true"))
    assert [(row["superseded"], row["choice"]) for row in rows] == [(True, -2), (False, 1)]
    assert rows[0]["judgment"] == judged.pk


def test_texts_come_when_asked_for(curator: User, campaign: Campaign, judged: Judgment) -> None:
    (row,) = rows_of(fetch(curator, campaign, "votes.jsonl?texts=true"))
    assert row["prompt_messages"][0]["role"] == "user"
    assert row["response_a"] and row["response_b"]


def test_no_formula_is_left_in_a_table(curator: User, campaign: Campaign, judged: Judgment) -> None:
    Campaign.objects.update(name="@campaign")
    (row,) = table_of(fetch(curator, campaign, "votes.csv"))
    assert (row["reason"], row["campaign"]) == ('\'=HYPERLINK("x")', "'@campaign")
    assert (row["choice"], row["both_bad"]) == ("1", "false")
    assert json.loads(row["payload"])["reason"] == '=HYPERLINK("x")'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"], ids=["eq", "plus", "minus", "at", "tab", "cr"])
def test_every_start_of_a_formula_is_neutralised(bring: BringVotes, curator: User, start: str) -> None:
    bring(votes__jsonl=lines(vote("ann", reason=f"{start}1+1")))
    (row,) = table_of(fetch(curator, Campaign.objects.get(), "votes.csv"))
    assert row["reason"] == f"'{start}1+1"


def test_it_can_be_packed(curator: User, campaign: Campaign, judged: Judgment) -> None:
    answer = fetch(curator, campaign, "votes.jsonl?gzip=true")
    assert answer["Content-Type"] == "application/gzip"
    assert answer["Content-Disposition"].endswith('votes.jsonl.gz"')
    assert json.loads(gzip.decompress(b"".join(answer.streaming_content)))["choice"] == 1


def test_a_campaign_without_votes_is_a_header_alone(curator: User, campaign: Campaign) -> None:
    content = b"".join(fetch(curator, campaign, "votes.csv").streaming_content).decode()
    assert content.strip() == ",".join(COLUMNS)
    assert rows_of(fetch(curator, campaign, "votes.jsonl")) == []


def test_another_ending_is_not_found(curator: User, campaign: Campaign) -> None:
    assert fetch(curator, campaign, "votes.xlsx").status_code == 404


def test_who_may_not_see_others_votes(annotator: User, stranger: User, campaign: Campaign) -> None:
    assert fetch(annotator, campaign, "votes.csv").status_code == 403
    assert fetch(stranger, campaign, "votes.csv").status_code == 404


def test_nothing_in_the_file_says_who_it_was(
    curator: User, annotator: User, campaign: Campaign, judged: Judgment
) -> None:
    annotator.name = "Ada Lovelace"
    annotator.save()
    content = b"".join(fetch(curator, campaign, "votes.jsonl?replaced=true&texts=true").streaming_content).decode()
    assert "Lovelace" not in content and annotator.email not in content


def test_a_pseudonym_is_stable_in_a_project_and_differs_between_projects(
    project: Project, owner: User, annotator: User
) -> None:
    other = Project.objects.create(slug="other", name="Other", created_by=owner)
    here = Pseudonyms(project).of(annotator.pk)
    assert here == Pseudonyms(project).of(annotator.pk)
    assert here != Pseudonyms(other).of(annotator.pk)
    assert here != Pseudonyms(project).of(owner.pk)
    assert here[0] == "p" and len(here) == 17 and here.isalnum()


@pytest.mark.parametrize("name", ["votes.jsonl", "votes.csv", "votes.jsonl?texts=true", "votes.csv?texts=true"])
def test_what_went_out_comes_in_again_as_it_was(bring: BringVotes, curator: User, name: str) -> None:
    rows = [
        vote("ann", -2, reason="=1+1", seconds=4.25, created_at="2024-02-29T12:00:00+00:00", order="ba"),
        vote("bob", "both_bad", response_a="=cmd", response_b="-x", id="-7", order="ab"),
        vote("bob", "both_good", seconds="", prompt=[{"role": "user", "content": "Hi"}], order="ab"),
        vote("cleo", 0, response_b="'=quoted"),
    ]
    bring(votes__jsonl=lines(*rows), source="=eggs")
    first = Campaign.objects.get()
    sent = list(VotesExport(first, "jsonl").rows())
    content = b"".join(fetch(curator, first, name).streaming_content)
    again = bring(**{"back__csv" if "csv" in name else "back__jsonl": content}, campaign="Back")
    assert counts(again) == (4, 0, 0)
    assert Comparison.objects.count() == 4
    back = list(VotesExport(Campaign.objects.get(name="Back"), "jsonl").rows())
    same = ("comparison_id", "choice", "both_bad", "response_ids", "order", "reason", "seconds", "created_at")
    assert [{name: row[name] for name in same} for row in back] == [{name: row[name] for name in same} for row in sent]
    people = {row["annotator"] for row in sent}
    assert len({row["annotator"] for row in back}) == len(people) == 3
    assert set(Judgment.objects.filter(campaign__name="Back").values_list("annotator__name", flat=True)) == people


def test_the_page_links_the_files(curator: User, stranger: User, campaign: Campaign, judged: Judgment) -> None:
    client = Client()
    client.force_login(curator)
    page = client.get(f"/p/demo/campaigns/{campaign.pk}/votes/")
    assert f"/api/v1/campaigns/{campaign.pk}/votes.csv" in page.content.decode()
    assert "1 more were replaced" in page.content.decode()
    client.force_login(stranger)
    assert client.get(f"/p/demo/campaigns/{campaign.pk}/votes/").status_code == 404


def test_other_kinds_go_out_with_their_payload(project: Project, curator: User, comparisons: list[Comparison]) -> None:
    campaign = create_campaign(project=project, name="Rank", kind="ranking")
    item = claim(campaign=campaign, annotator=curator)
    assert item is not None
    ranking = [[response.id] for response in item.responses]
    submit(assignment=Assignment.objects.get(id=item.assignment_id), payload={"ranking": ranking}, active_seconds=None)
    (row,) = rows_of(fetch(curator, campaign, "votes.jsonl?texts=true"))
    assert (row["kind"], row["unit"], row["comparison_id"], row["order"]) == ("ranking", "prompt", None, None)
    assert (row["payload"]["ranking"], row["prompt_id"]) == (ranking, item.prompt_id)
    assert row["response_ids"] == [response.id for response in item.responses]
