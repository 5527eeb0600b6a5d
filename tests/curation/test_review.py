from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Project, User
from annotation.models import Consensus
from corpus.models import Comparison
from curation.decide import decide
from curation.models import Action, Decision, DecisionBatch, Signal
from curation.queries import rows_of
from curation.review_queue import left, next_in_queue, why

MakeComparison = Callable[..., Comparison]
PAGE = "/p/demo/review/"


@pytest.fixture
def logged_in(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


@pytest.fixture
def queue(
    project: Project,
    curator: User,
    make_comparison: MakeComparison,
    vote: Callable[..., Signal],
    agree: Callable[..., Consensus],
) -> list[Comparison]:
    """In the order in which they shall come; made in another, with two that do not wait."""
    weakly, fine, strongly = make_comparison(1), make_comparison(1), make_comparison(-1)
    decided, disputed, contradicted, sent = (
        make_comparison(1),
        make_comparison(1),
        make_comparison(labels=[-1, 2]),
        make_comparison(1),
    )
    for row, mean in ((weakly, -0.2), (fine, 1.0), (strongly, 2.0), (decided, -3.0), (sent, 1.0)):
        vote(row, mean)
    agree(disputed, -2)
    decide(project=project, comparison_ids=[decided.pk], action="keep", author=curator)
    decide(project=project, comparison_ids=[sent.pk], action="review", author=curator, reason="Not my subject")
    return [sent, contradicted, disputed, strongly, weakly]


def walked(project: Project) -> list[int]:
    found, cursor = [], None
    while (place := next_in_queue(project, cursor)) is not None:
        found.append(place.comparison_id)
        cursor = place.cursor
    return found


def test_the_most_worthwhile_comes_first_and_each_once(project: Project, queue: list[Comparison]) -> None:
    assert walked(project) == [row.pk for row in queue]
    assert (left(project).count, left(project).is_more) == (5, False)


def test_each_says_in_one_sentence_why_it_is_here(project: Project, queue: list[Comparison]) -> None:
    said = [why(row) for row in rows_of(project, [row.pk for row in queue])]
    assert said == [
        "curator@example.org sent it here: Not my subject.",
        "The import gave two different labels: A slightly better and B better.",
        "3 people say A better, the label says B slightly better.",
        "The votes are against the label: strength −2.00, 0 of 10 heads agree.",
        "The votes are against the label: strength −0.20, 0 of 10 heads agree.",
    ]


def test_what_a_recipe_drops_or_flips_does_not_wait(project: Project, queue: list[Comparison]) -> None:
    batch = DecisionBatch.objects.create(project=project)
    for row, action, label in ((queue[3], Action.FLIP, 1), (queue[4], Action.DROP, None)):
        Decision.objects.create(batch=batch, comparison=row, action=action, label=label, is_by_hand=False)
    assert walked(project) == [row.pk for row in queue[:3]]


def test_the_page_shows_one_pair_with_what_each_key_would_do(logged_in: Client, queue: list[Comparison]) -> None:
    text = logged_in.get(PAGE).content.decode()
    assert "Not my subject" in text and "5 left" in text
    assert "Keep: B slightly better" in text and "Flip: A slightly better" in text


def test_a_contradicted_pair_offers_labels_instead_of_keep_and_flip(logged_in: Client, queue: list[Comparison]) -> None:
    text = logged_in.get(PAGE, {"id": queue[1].pk}).content.decode()
    assert "Keep:" not in text and "Flip:" not in text and "B much better" in text


def test_deciding_goes_on_to_the_next(logged_in: Client, queue: list[Comparison]) -> None:
    headers = {"hx-request": "true", "hx-target": "review"}
    response = logged_in.post(f"{PAGE}decide/", {"ids": [queue[0].pk], "action": "keep"}, headers=headers)
    text = response.content.decode()
    assert "two different labels" in text and "4 left" in text and "<html" not in text
    answered = logged_in.post(f"{PAGE}decide/", {"ids": [queue[1].pk], "label": "-3"}, headers=headers)
    assert "3 people say" in answered.content.decode()
    decision = Decision.objects.get(comparison=queue[1], is_current=True)
    assert (decision.action, decision.label) == ("keep", -3)


def test_undo_brings_the_pair_back(logged_in: Client, queue: list[Comparison]) -> None:
    headers = {"hx-request": "true", "hx-target": "review"}
    logged_in.post(f"{PAGE}decide/", {"ids": [queue[3].pk], "action": "drop"}, headers=headers)
    batch = DecisionBatch.objects.latest("pk")
    text = logged_in.post(f"{PAGE}{batch.pk}/undo/", headers=headers).content.decode()
    assert f"Comparison {queue[3].pk}" in text and "Taken back." in text
    assert left(queue[3].project).count == 5


def test_skipping_leaves_it_in_the_queue(logged_in: Client, queue: list[Comparison]) -> None:
    skipped = logged_in.get(PAGE).context["skip_to"]
    text = logged_in.get(PAGE, {"after": skipped}).content.decode()
    assert "two different labels" in text and "5 left" in text


def test_an_answer_that_cannot_be_given_is_explained(logged_in: Client, queue: list[Comparison]) -> None:
    headers = {"hx-request": "true", "hx-target": "review"}
    text = logged_in.post(f"{PAGE}decide/", {"ids": [queue[1].pk], "action": "flip"}, headers=headers).content.decode()
    assert "no label of their own" in text and f"Comparison {queue[1].pk}" in text


def test_an_empty_queue_says_what_would_come(logged_in: Client, project: Project) -> None:
    assert "Nothing waits for a person" in logged_in.get(PAGE).content.decode()
    assert "0 left" in logged_in.get(f"{PAGE}left/").content.decode()


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403)])
def test_others_review_nothing(
    client: Client, comparison: Comparison, request: pytest.FixtureRequest, who: str, status: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get(PAGE).status_code == status
    assert client.get(f"{PAGE}left/").status_code == status
    body = {"ids": [comparison.pk], "action": "drop"}
    assert client.post(f"{PAGE}decide/", body).status_code == status
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("simulated", "said"),
    [(3, "3 simulated annotators say"), (1, "3 annotators, 1 of them simulated, say"), (0, "3 people say")],
)
def test_votes_that_are_simulated_are_named_so(
    logged_in: Client,
    make_comparison: MakeComparison,
    agree: Callable[..., Consensus],
    simulated_answer: Callable[..., None],
    simulated: int,
    said: str,
) -> None:
    disputed = make_comparison(2)
    agree(disputed, -2)
    for _ in range(simulated):
        simulated_answer(disputed, -2)
    page = logged_in.get("/p/demo/review/").content.decode()
    assert said in page
    assert page.count("speaker--simulated") == simulated
    shown = logged_in.get(f"/api/v1/comparisons/{disputed.pk}").json()["consensus"]
    assert (shown["votes"], shown["simulated_votes"]) == (3, simulated)
