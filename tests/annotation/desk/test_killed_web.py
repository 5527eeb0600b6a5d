"""kill -9 of the web server while annotators submit: what was acknowledged is there, once."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count, F

from accounts.models import Project, Scope, User
from accounts.tokens import issue_token
from annotation.campaigns.create import create_campaign
from annotation.models import Judgment, Task
from tests.web_server import WebServer

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
ANNOTATORS = 6


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(tmp_path / "gunicorn.log")
    yield server
    server.kill()


class Annotator(threading.Thread):
    """Judges until told to stop; sends an answer again, as it was, until the server has acknowledged it."""

    def __init__(self, port: int, token: str, campaign: int, number: int) -> None:
        super().__init__()
        self.port, self.campaign, self.number = port, campaign, number
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.acknowledged: dict[int, tuple[int, int]] = {}
        self.interrupted = 0
        self.is_done = threading.Event()

    def run(self) -> None:
        claimed = self._post(f"campaigns/{self.campaign}/claim", {})
        while claimed and not self.is_done.is_set():
            assignment = claimed["assignment"]["id"]
            choice = (assignment + self.number) % 7 - 3
            reply = self._post(f"assignments/{assignment}/judgment", {"choice": choice})
            self.acknowledged[assignment] = (reply["judgment"]["id"], choice)
            claimed = reply["next"]

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        while True:
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                link.request("POST", f"/api/v1/{path}", json.dumps(body), self.headers)
                reply = link.getresponse()
                content = reply.read()
            except (OSError, http.client.HTTPException):
                self.interrupted += 1
                time.sleep(0.05)
                continue
            finally:
                link.close()
            assert reply.status in {200, 201}, content
            return json.loads(content)


def test_every_acknowledged_judgment_survives_a_killed_web_server(
    web: WebServer, project: Project, people: Callable[[int], list[User]], grow: Callable[[int], object]
) -> None:
    grow(400)
    campaign = create_campaign(project=project, name="Until the power goes", overlap=2)
    web.start()
    crowd = [
        Annotator(web.port, issue_token(user=user, scope=Scope.ANNOTATE)[1], campaign.id, number)
        for number, user in enumerate(people(ANNOTATORS))
    ]
    for annotator in crowd:
        annotator.start()
    for _ in range(2):
        _wait_for_more(crowd, 30)
        web.kill()
        web.start()
    _wait_for_more(crowd, 30)
    for annotator in crowd:
        annotator.is_done.set()
    for annotator in crowd:
        annotator.join()
    acknowledged = {judgment: choice for own in crowd for judgment, choice in own.acknowledged.values()}
    assert sum(annotator.interrupted for annotator in crowd) > 0
    assert dict(Judgment.objects.values_list("id", "choice")) == acknowledged
    doubled = Judgment.objects.values("assignment").annotate(n=Count("id")).filter(n__gt=1)
    assert not doubled.exists()
    assert not Task.objects.filter(judged__gt=F("cap")).exists()
    for judged in Judgment.objects.values("comparison").annotate(n=Count("id")):
        assert Task.objects.get(comparison=judged["comparison"]).judged == judged["n"] <= 2


def _wait_for_more(crowd: list[Annotator], count: int) -> None:
    goal = sum(len(annotator.acknowledged) for annotator in crowd) + count
    for _ in range(600):
        if sum(len(annotator.acknowledged) for annotator in crowd) >= goal:
            return
        time.sleep(0.05)
    pytest.fail("the annotators did not get on within 30 s")
