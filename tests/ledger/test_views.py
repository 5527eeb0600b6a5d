"""The pages of runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Project, User
from ledger.models import Run, Shard, State

MakeRun = Callable[..., Run]


@pytest.fixture
def as_curator(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def _page(client: Client, run: Run, **headers: str) -> str:
    response = client.get(f"/p/demo/runs/{run.id}/", headers=headers or None)
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_list_says_what_would_be_here(as_curator: Client) -> None:
    assert "Nothing has run yet" in as_curator.get("/p/demo/runs/").content.decode()


def test_the_list_shows_state_and_why_a_run_waits(as_curator: Client, make_run: MakeRun) -> None:
    make_run()
    page = as_curator.get("/p/demo/runs/").content.decode()
    assert "No worker that can run model_vote is alive" in page
    assert 'hx-trigger="every 2s"' in page


def test_a_running_run_shows_its_bar_its_pieces_and_renews_itself(as_curator: Client, make_run: MakeRun) -> None:
    run = make_run(state=State.RUNNING, done_items=5, total_items=20, stage="embedding")
    for position, state in enumerate([State.DONE, State.RUNNING, State.QUEUED]):
        Shard.objects.create(run=run, position=position, state=state)
    page = _page(as_curator, run)
    assert 'value="0.2500"' in page
    assert "5 of 20" in page
    assert "shard--running" in page
    assert "Cancel run" in page
    assert 'hx-trigger="every 1s"' in page


def test_a_failed_run_shows_its_error_and_offers_to_resume(as_curator: Client, make_run: MakeRun) -> None:
    page = _page(as_curator, make_run(state=State.FAILED, error="There is no model in <x>."))
    assert "There is no model in &lt;x&gt;." in page
    assert "Resume run" in page


def test_a_vote_shows_accuracy_beside_length_and_a_histogram(as_curator: Client, make_run: MakeRun) -> None:
    found = {"share": 0.61, "interval": [0.59, 0.63], "n": 2343}
    source = {
        "name": "helpful", "n": 2345, "labelled": 2343, "accuracy": found, "length_accuracy": found | {"share": 0.55},
        "below_zero": 0.39, "truncated_share": 0.01, "folds_by": "prompt",
        "histogram": {"edges": [-2.0, -1.0, 0.0, 1.0, 2.0], "counts": [1, 2, 3, 4]},
    }  # fmt: skip
    bare = {"name": "empty", "n": 3, "labelled": 0, "problem": "Too little to learn from."}
    page = _page(as_curator, make_run(state=State.DONE, result={"sources": {"1": source, "2": bare}}))
    assert "0.61, 0.59 to 0.63, n = 2,343" in page
    assert "0.55, 0.59 to 0.63" in page
    assert page.count('<rect class="bar') == 4
    assert "Too little to learn from." in page


def test_a_vote_names_its_voters_and_what_they_are_worth(as_curator: Client, make_run: MakeRun) -> None:
    found = {"share": 0.61, "interval": [0.59, 0.63], "n": 900}
    families = [
        {"family": family, "kind": "head", "voters": n, "sha256": "5" * 64, "accuracy": found}
        for family, n in (("heads on minilm", 10), ("tiny@5555", 1), ("silent@5555", 1))
    ]
    source = {
        "name": "helpful", "n": 1000, "labelled": 900, "accuracy": found, "length_accuracy": found,
        "folds_by": "prompt", "below_zero": 0.39, "truncated_share": 0.0, "families": families,
        "voters": [
            {"name": "tiny@5555", "sha256": "5" * 64, "accuracy": found, "unscored": 3},
            {"name": "silent@5555", "sha256": "5" * 64, "accuracy": found, "problem": "silent gave no finite score."},
        ],
        "ensemble": {
            "voters": 12, "counted": 11, "n": 897, "groups": 800, "correlation": 0.713, "effective": 1.35,
            "interval": [1.31, 1.42],
            "between": {"families": ["heads on minilm", "tiny@5555"], "rows": [[0.81, 0.12], [0.12, None]]},
        },
    }  # fmt: skip
    alone = {
        "name": "small",
        "n": 12,
        "labelled": 0,
        "voters": [{}],
        "below_zero": None,
        "note": "Only the reward models voted.",
    }
    alone["ensemble"] = {"voters": 2, "problem": "Fewer than two voters err."}
    page = _page(as_curator, make_run(state=State.DONE, result={"sources": {"1": source, "2": alone}}))
    assert "11 voters are worth 1.4</strong>" in page
    assert "1.3 to 1.4 (95 %, 897 labels of 800 prompts)" in page
    assert "correlate with 0.71 on average" in page
    assert "0.81 with each other, 0.12 with tiny@5555</td>" in page
    assert "not counted: no errors to compare" in page
    assert "tiny@5555 gave no finite score in 3 of 1,000 comparisons" in page
    assert "silent gave no finite score." in page
    assert "Only the reward models voted." in page
    assert "cannot be said. Fewer than two voters err." in page


def test_pooling_shows_dots_with_intervals_and_the_figures(as_curator: Client, make_run: MakeRun) -> None:
    found = {"share": 0.61, "interval": [0.59, 0.63], "n": 900}
    sources = [
        {"name": name, "own": found, "pooled": found, "length": found, "verdict": verdict, "difference": difference}
        for name, verdict, difference in (
            ("helpful", "pooling harms", {"value": -0.1, "interval": [-0.2, -0.05], "n": 900, "groups": 850}),
            ("other", "no difference shown", {"value": 0.0, "interval": [-0.0001, 0.01], "n": 1900, "groups": 85}),
        )
    ]
    result = {"sources": sources, "verdict": "Pooling harms helpful.", "folds": 5,
              "left_out": [{"name": "tiny", "why": "12 labels."}]}  # fmt: skip
    page = _page(as_curator, make_run(method="pooling", state=State.DONE, result=result))
    assert 'd="M26.0 8 h0"' in page and 'd="M50.0 8 h0"' in page
    assert 'x1="2.0" x2="38.0"' in page
    assert "−10.0 points, −20.0 to −5.0, n = 900 on 850 prompts" in page
    assert "0.0 points, 0.0 to +1.0, n = 1,900 on 85 prompts" in page
    assert "tiny was left out of both fits: 12 labels." in page
    bare = make_run(method="pooling", state=State.DONE, result={"problem": "Nothing to pool.", "sources": []})
    assert "Nothing to pool." in _page(as_curator, bare)


def test_htmx_gets_the_part_that_changes(as_curator: Client, make_run: MakeRun) -> None:
    part = _page(as_curator, make_run(), **{"HX-Request": "true"})
    assert part.lstrip().startswith("<div")


def test_cancel_and_resume_by_button(as_curator: Client, make_run: MakeRun) -> None:
    run = make_run()
    as_curator.post(f"/p/demo/runs/{run.id}/cancel/")
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    as_curator.post(f"/p/demo/runs/{run.id}/resume/")
    run.refresh_from_db()
    assert run.state == State.QUEUED


def test_a_second_click_on_cancel_is_harmless(as_curator: Client, make_run: MakeRun) -> None:
    run = make_run(state=State.DONE)
    response = as_curator.post(f"/p/demo/runs/{run.id}/cancel/", follow=True)
    assert "nothing left to cancel" in response.content.decode()


def test_a_get_does_not_cancel(as_curator: Client, make_run: MakeRun) -> None:
    assert as_curator.get(f"/p/demo/runs/{make_run().id}/cancel/").status_code == 405


def test_a_run_of_another_project_is_not_found(as_curator: Client, make_run: MakeRun, owner: User) -> None:
    Project.objects.create(slug="other", name="Other", created_by=owner)
    assert as_curator.get(f"/p/other/runs/{make_run().id}/").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403)])
def test_only_curators_open_them(
    client: Client, make_run: MakeRun, request: pytest.FixtureRequest, who: str, status: int
) -> None:
    run = make_run()
    client.force_login(request.getfixturevalue(who))
    assert client.get("/p/demo/runs/").status_code == status
    assert client.get(f"/p/demo/runs/{run.id}/").status_code == status
    assert client.post(f"/p/demo/runs/{run.id}/cancel/").status_code == status
    assert client.post(f"/p/demo/runs/{run.id}/resume/").status_code == status
