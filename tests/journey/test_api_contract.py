"""The contract of DESIGN section 8, spoken over HTTP to a whole running site."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from tests.running_site import Site

pytestmark = pytest.mark.processes


def pairs(count: int) -> str:
    """Generic rows in which the longer, friendlier answer is the better one."""
    rows = []
    for number in range(count):
        good = (
            f"Yes. Take the {number} tram to the end, walk past the mill, and ask for the blue gate; they open at nine."
        )
        bad = f"No idea about {number}."
        label = "a" if number % 2 == 0 else "b"
        first, second = (good, bad) if label == "a" else (bad, good)
        rows.append(
            {
                "id": f"row-{number}",
                "prompt": f"How do I reach stop number {number}?",
                "response_a": first,
                "response_b": second,
                "label": label,
                "source": "trams",
            }
        )
    return "\n".join(json.dumps(row) for row in rows)


@pytest.fixture(scope="module")
def slug(site: Site) -> str:
    site.api.post("/projects", json={"slug": "trams", "name": "Trams"}).raise_for_status()
    answer = site.api.post("/projects/trams/imports?source=trams", content=pairs(120) + '\n{"broken": \n')
    assert answer.status_code == 202, answer.text
    run = site.wait_for_run(answer.json()["id"])
    assert run["state"] == "done", run
    assert {k: run["result"][k] for k in ("accepted", "unchanged", "rejected", "contradicted")} == {
        "accepted": 120,
        "unchanged": 0,
        "rejected": 1,
        "contradicted": 0,
    }
    return "trams"


def all_comparisons(site: Site, slug: str, limit: int = 50) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query: dict[str, str | int] = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        page = site.api.get(f"/projects/{slug}/comparisons", params=query).raise_for_status().json()
        items += page["items"]
        cursor = page["next"]
    return items


def test_an_import_keeps_every_row_and_names_the_broken_one(site: Site, slug: str) -> None:
    again = site.api.post(f"/projects/{slug}/imports?source=trams", content=pairs(120) + '\n{"broken": \n').json()
    run = site.wait_for_run(again["id"])
    assert (run["result"]["accepted"], run["result"]["unchanged"]) == (0, 120)
    rejects = site.api.get(f"/runs/{run['id']}/rejects.jsonl")
    assert rejects.headers["content-type"].startswith("application/x-ndjson")
    [reject] = [json.loads(line) for line in rejects.text.splitlines()]
    assert reject["line"] == 121
    assert reject["reason"] and reject["message"]


def test_comparisons_carry_the_label_turned_with_the_sides(site: Site, slug: str) -> None:
    items = all_comparisons(site, slug)
    assert len(items) == 120 == len({item["id"] for item in items})
    for item in items:
        preferred = item["response_a"] if item["label"] < 0 else item["response_b"]
        assert preferred["content"].startswith("Yes."), item
        assert item["prompt"]["messages"][-1]["role"] == "user"
        assert item["source"] == "trams"
    assert {item["external_id"] for item in items} == {f"row-{number}" for number in range(120)}


def test_a_campaign_goes_from_claim_to_consensus(site: Site, slug: str) -> None:
    campaign = site.api.post(f"/projects/{slug}/campaigns", json={"name": "first", "kind": "pairwise", "overlap": 1})
    assert campaign.status_code == 201, campaign.text
    claim = site.api.post(f"/campaigns/{campaign.json()['id']}/claim")
    assert claim.status_code == 200, claim.text
    held = claim.json()
    judged: list[int] = []
    for choice in [-3, 0, "both_bad", 2]:
        assignment, item = held["assignment"], held["item"]
        assert [response["id"] for response in item["responses"]] == assignment["order"]
        assert not {"generator", "label", "signals"} & set(item["responses"][0])
        url = f"/assignments/{assignment['id']}"
        site.api.put(f"{url}/draft", json={"choice": choice}).raise_for_status()
        answer = site.api.post(f"{url}/judgment", json={"choice": choice})
        assert answer.status_code == 201, answer.text
        assert site.api.post(f"{url}/judgment", json={"choice": choice}).json()["judgment"] == answer.json()["judgment"]
        judged.append(answer.json()["judgment"]["id"])
        held = answer.json()["next"]
    assert len(set(judged)) == 4
    assert site.api.get(f"/projects/{slug}/agreement").status_code == 200
    said = [item["consensus"] for item in all_comparisons(site, slug) if item["consensus"]]
    assert len(said) == 4


def test_votes_a_release_and_its_exports(site: Site, slug: str) -> None:
    methods = {card["method"] for card in site.api.get("/methods").json()["items"]}
    assert {"model_vote", "near_duplicates"} <= methods
    for method in ("model_vote", "near_duplicates"):
        started = site.api.post(f"/projects/{slug}/runs", json={"method": method, "params": {}})
        assert started.status_code == 202, started.text
        run = site.wait_for_run(started.json()["id"])
        assert run["state"] == "done", run

    items = all_comparisons(site, slug)
    for item in items:
        vote = item["signals"]["model_vote"]
        assert set(vote) >= {"mean", "spread", "strength", "share", "z", "band", "n"}
        assert vote["strength"] == pytest.approx(vote["mean"] * (1 if item["label"] > 0 else -1))
    agreeing = sum(item["signals"]["model_vote"]["strength"] > 0 for item in items)
    assert agreeing > 100

    recipe = {
        "rules": [
            {
                "name": "against",
                "when": {"field": "model_vote.strength", "op": "<", "value": -10},
                "then": "review",
            },
            {"name": "rest", "then": "keep"},
        ]
    }
    preview = site.api.post(f"/projects/{slug}/recipes/preview", json={"recipe": recipe})
    assert preview.status_code == 200, preview.text
    answer = site.api.post(f"/projects/{slug}/releases", json={"name": "v1", "recipe": recipe})
    assert answer.status_code == 202, answer.text
    release, run = answer.json()["release"]["id"], answer.json()["run"]["id"]
    assert site.wait_for_run(run)["state"] == "done"
    manifest = site.api.get(f"/releases/{release}").raise_for_status().json()
    assert manifest

    rows = exported(site, release, "trl_reward")
    assert len(rows) == 120
    for row in rows:
        assert row["chosen"][-1]["content"].startswith("Yes.")
        assert isinstance(row["margin"], float)
    parquet = site.api.get(f"/releases/{release}/export/trl_preference/train.parquet").raise_for_status().content
    assert {"prompt", "chosen", "rejected"} <= set(pq.read_table(io.BytesIO(parquet)).column_names)


def exported(site: Site, release: int, format_name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for split in ("train", "validation", "test"):
        answer = site.api.get(f"/releases/{release}/export/{format_name}/{split}.jsonl")
        if answer.status_code == 200:
            assert answer.headers["content-type"].startswith("application/x-ndjson")
            rows += [json.loads(line) for line in answer.text.splitlines()]
        else:
            assert answer.status_code == 404
    return rows


def test_errors_have_one_shape(site: Site, slug: str) -> None:
    wrong = [
        site.api.post(f"/projects/{slug}/runs", json={"method": "no_such_method", "params": {}}),
        site.api.get("/projects/no-such-project/comparisons"),
        site.api.get(f"/projects/{slug}/comparisons?limit=1001"),
        site.api.post(f"/projects/{slug}/recipes/preview", json={"recipe": {"rules": [{"then": "burn"}]}}),
        site.api.get("/no/such/route"),
        httpx.get(f"{site.url}/api/v1/projects"),
    ]
    assert [answer.status_code for answer in wrong] == [422, 404, 422, 422, 404, 401]
    for answer in wrong:
        assert set(answer.json()["error"]) == {"code", "message", "fields"}


def test_health_readiness_and_the_offline_documentation(site: Site) -> None:
    assert httpx.get(f"{site.url}/healthz").status_code == 200
    assert httpx.get(f"{site.url}/readyz").status_code == 200
    assert "winnow_runs" in httpx.get(f"{site.url}/metrics").text
    document = httpx.get(f"{site.url}/api/v1/openapi.json").json()
    assert "/api/v1/projects/{slug}/comparisons" in document["paths"]
