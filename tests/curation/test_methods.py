"""Methods over the API and as pages: what is offered, starting it, and who may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Project, User
from corpus.models import Comparison
from curation.handoff.signals import write_signals
from curation.parameters import InvalidParameters, checked, from_texts
from ledger import catalogue
from ledger.catalogue import Card
from ledger.models import Run, Shard, Worker

MakeComparison = Callable[..., Comparison]
MakeRun = Callable[..., Run]
SCHEMA = {
    "type": "object",
    "properties": {
        "heads": {"type": "integer", "default": 10, "minimum": 2, "maximum": 100, "description": "How many heads."},
        "threshold": {"type": "number", "default": 0.5, "minimum": 0, "maximum": 1, "description": "From where on."},
        "form": {"type": "string", "default": "sum", "enum": ["sum", "mean"], "description": "Which."},
        "customise": {"type": "boolean", "default": False, "description": "Whether."},
    },
    "propertyOrder": ["heads", "threshold", "form", "customise"],
    "additionalProperties": False,
}
DOCUMENTATION = """Models vote.

Idea
    Where they <b>
    disagree.

Formula
    a = b
      + c"""
CARD = Card(
    method="model_vote",
    label="Model vote",
    queue="cpu",
    shape="whole",
    documentation=DOCUMENTATION,
    parameters=SCHEMA,
    code_version="1",
    embeds=True,
)


@pytest.fixture
def worker(db: None) -> None:
    catalogue.publish(name="cpu@here", queues=["cpu"], devices=["cpu"], code_version="1", cards=[CARD])


@pytest.fixture
def as_curator(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def _post(client: Client, body: dict[str, Any]) -> Any:
    return client.post("/api/v1/projects/demo/runs", body, content_type="application/json")


def test_the_catalogue_tells_all_a_form_needs(as_curator: Client, worker: None) -> None:
    body = as_curator.get("/api/v1/methods").json()
    (entry,) = body["items"]
    assert body["next"] is None
    assert (entry["method"], entry["alive"], entry["workers"]) == ("model_vote", True, ["cpu@here"])
    assert entry["parameters"] == SCHEMA


def test_a_run_is_accepted_with_its_defaults_filled_in(as_curator: Client, worker: None) -> None:
    response = _post(as_curator, {"method": "model_vote", "params": {"heads": 4}})
    assert response.status_code == 202
    body = response.json()
    assert (body["state"], body["waiting_for"]) == ("queued", "")
    assert body["params"] == {"heads": 4, "threshold": 0.5, "form": "sum", "customise": False}


def test_without_a_live_worker_a_run_is_accepted_and_says_that_it_waits(as_curator: Client, worker: None) -> None:
    Worker.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    response = _post(as_curator, {"method": "model_vote"})
    assert response.status_code == 202
    assert "is alive" in response.json()["waiting_for"]


def test_a_method_never_published_is_refused(as_curator: Client, worker: None) -> None:
    response = _post(as_curator, {"method": "divination"})
    assert response.status_code == 422
    assert "The workers offer model_vote" in response.json()["error"]["message"]
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({"headz": 3}, {"headz": "This method has no parameter 'headz'; it knows heads, threshold, form, customise."}),
        ({"heads": "three"}, {"heads": "This must be a whole number."}),
        ({"heads": True}, {"heads": "This must be a whole number."}),
        ({"heads": 1, "threshold": 2}, {"heads": "This must be 2 or more.", "threshold": "This must be 1 or less."}),
        ({"form": "max"}, {"form": "This must be one of sum, mean."}),
        ({"customise": "yes"}, {"customise": "This must be true or false."}),
    ],
)
def test_wrong_parameters_are_refused_by_name(
    as_curator: Client, worker: None, params: dict[str, Any], fields: dict[str, str]
) -> None:
    response = _post(as_curator, {"method": "model_vote", "params": params})
    assert response.status_code == 422
    assert response.json()["error"]["fields"] == fields


def test_texts_become_the_types_of_the_schema() -> None:
    texts = {"heads": "7", "threshold": "0.25", "customise": "true", "form": "mean"}
    assert checked(SCHEMA, from_texts(SCHEMA, texts)) == {
        "heads": 7, "threshold": 0.25, "form": "mean", "customise": True,
    }  # fmt: skip
    with pytest.raises(InvalidParameters):
        checked(SCHEMA, from_texts(SCHEMA, {"heads": "many"}))


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_number_is_finite(value: str) -> None:
    with pytest.raises(InvalidParameters):
        checked(SCHEMA, from_texts(SCHEMA, {"threshold": value}))


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403)])
def test_only_curators_start_methods(
    client: Client, worker: None, project: Any, request: pytest.FixtureRequest, who: str, status: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert _post(client, {"method": "model_vote"}).status_code == status
    assert client.get("/p/demo/methods/").status_code == status
    assert client.get("/p/demo/methods/model_vote/").status_code == status
    assert client.post("/p/demo/methods/model_vote/").status_code == status
    assert not Run.objects.exists()


def test_without_a_worker_the_page_says_how_to_get_one(as_curator: Client) -> None:
    assert "No method yet" in as_curator.get("/p/demo/methods/").content.decode()


def test_the_list_leads_to_the_method(as_curator: Client, worker: None) -> None:
    page = as_curator.get("/p/demo/methods/").content.decode()
    assert "/p/demo/methods/model_vote/" in page
    assert "Models vote." in page


def test_the_page_shows_documentation_form_and_cost(
    as_curator: Client, worker: None, make_comparison: MakeComparison
) -> None:
    for _ in range(3):
        make_comparison(1)
    page = as_curator.get("/p/demo/methods/model_vote/").content.decode()
    assert "<h3>Idea</h3>" in page
    assert "Where they &lt;b&gt; disagree.</p>" in page
    assert "a = b\n  + c</pre>" in page
    assert 'min="2" max="100"' in page
    assert "9 of 9" in page


def test_a_method_that_embeds_nothing_costs_no_embedding(
    as_curator: Client, worker: None, make_comparison: MakeComparison
) -> None:
    make_comparison(1)
    counting = replace(CARD, method="cycles", embeds=False)
    catalogue.publish(name="cpu@here", queues=["cpu"], devices=["cpu"], code_version="1", cards=[CARD, counting])
    page = as_curator.get("/p/demo/methods/cycles/").content.decode()
    assert "reads letters and labels only" in page


def test_a_method_that_asks_a_model_promises_no_time(
    as_curator: Client, worker: None, make_comparison: MakeComparison
) -> None:
    make_comparison(1)
    schema = {"type": "object", "properties": {"model": {"type": "string", "format": "causal-model", "default": ""}}}
    asking = replace(CARD, method="follow_up", embeds=False, parameters=schema)
    catalogue.publish(name="cpu@here", queues=["cpu"], devices=["cpu"], code_version="1", cards=[CARD, asking])
    page = as_curator.get("/p/demo/methods/follow_up/").content.decode()
    assert "as long as the model that you name takes" in page and "on two cores" not in page


def test_only_runs_that_embed_leave_less_to_embed(
    project: Project, as_curator: Client, worker: None, make_comparison: MakeComparison
) -> None:
    comparison = make_comparison(1)
    for method, left in [("degenerate", 3), ("model_vote", 0)]:
        run = Run.objects.create(project=project, kind="method", method=method, queue="cpu", state="done",
                                 finished_at=timezone.now())  # fmt: skip
        scope = {"source": comparison.source_id, "after": 0, "until": comparison.pk}
        Shard.objects.create(run=run, stage=0, position=0, scope=scope, state="done")
        assert f"{left} of 3" in as_curator.get("/p/demo/methods/model_vote/").content.decode()


def test_the_form_starts_a_run(as_curator: Client, worker: None) -> None:
    response = as_curator.post("/p/demo/methods/model_vote/", {"heads": "3", "threshold": "0.9", "form": "mean"})
    run = Run.objects.get()
    assert response["Location"] == f"/p/demo/runs/{run.pk}/"
    assert run.params == {"heads": 3, "threshold": 0.9, "form": "mean", "customise": False}


def test_a_mistake_in_the_form_is_shown_at_its_field(as_curator: Client, worker: None) -> None:
    response = as_curator.post("/p/demo/methods/model_vote/", {"heads": "1000"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "This must be 100 or less." in page
    assert 'value="1000"' in page


def test_a_method_that_nobody_published_has_no_page(as_curator: Client) -> None:
    assert as_curator.get("/p/demo/methods/divination/").status_code == 404


def test_the_examples_of_a_run_lead_to_its_rows(
    as_curator: Client, make_comparison: MakeComparison, make_run: MakeRun
) -> None:
    agreed, disputed, run = make_comparison(1), make_comparison(-1), make_run()
    write_signals(run_id=run.id, rows=[(agreed.id, 1.0, {}), (disputed.id, 2.0, {})])
    page = as_curator.get(f"/p/demo/runs/{run.id}/examples/").content.decode()
    against = page.split("Votes most against the label")[1]
    assert f"/p/demo/comparisons/{disputed.id}/" in against
    assert f"/p/demo/comparisons/{agreed.id}/" not in against


def test_the_stranger_sees_no_examples(client: Client, stranger: User, make_run: MakeRun) -> None:
    client.force_login(stranger)
    assert client.get(f"/p/demo/runs/{make_run().id}/examples/").status_code == 404
