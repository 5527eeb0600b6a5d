from __future__ import annotations

import pytest
from ninja import NinjaAPI, Router
from ninja.testing import TestClient

from winnow.joined_router import TwoNamesForOnePlace, joined


def _router(method: str, path: str, answer: str) -> Router:
    router = Router(tags=[answer])
    router.api_operation([method], path)(lambda request: answer)
    return router


def test_two_areas_answer_at_one_address() -> None:
    api = NinjaAPI(urls_namespace="joined")
    api.add_router("", joined([_router("GET", "/runs", "list"), _router("POST", "/runs", "start")]))
    client = TestClient(api)
    assert (client.get("/runs").json(), client.post("/runs").json()) == ("list", "start")
    described = api.get_openapi_schema(path_prefix="")["paths"]["/runs"]
    assert described["get"]["tags"] == ["list"] and described["post"]["tags"] == ["start"]


def test_one_address_has_one_name_for_its_parameter() -> None:
    one = Router()
    one.get("/runs/{id}")(lambda request, id: id)
    other = Router()
    other.post("/runs/{run_id}")(lambda request, run_id: run_id)
    with pytest.raises(TwoNamesForOnePlace):
        joined([one, other])


def test_routers_inside_routers_are_found() -> None:
    outer = Router()
    outer.add_router("/inner", _router("GET", "/leaf", "found"))
    api = NinjaAPI(urls_namespace="nested")
    api.add_router("", joined([outer]))
    assert TestClient(api).get("/inner/leaf").json() == "found"
