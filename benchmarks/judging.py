"""Submit + next over real HTTP: closed-loop annotators on 10,000 and on 1,000,000 tasks, each judged once and three
times, load generator included.

Every worker is one annotator with a token of their own and one kept connection: they claim once, and from then on each
judgment's reply brings the next item. The server is gunicorn as `manage.py up` starts it.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bed import make_bed

SIZES = (10_000, 1_000_000)
CLOSED_LOOP = (1, 8, 32)
SECONDS = 10.0
OVERLAPS = (1, 3)
HUMANS = 50
HUMAN_THINKS_SECONDS = 4.0
HUMAN_SECONDS = 30.0
PORT = 8765
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Outcome:
    tasks: int
    overlap: int
    name: str
    judgments: int
    seconds: float
    milliseconds: np.ndarray[Any, np.dtype[np.float64]]

    @property
    def rate(self) -> float:
        return self.judgments / self.seconds

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.milliseconds, share)) if len(self.milliseconds) else float("nan")


def main(
    sizes: tuple[int, ...] = SIZES, seconds: float = SECONDS, human_seconds: float = HUMAN_SECONDS
) -> list[Outcome]:
    home = make_bed()
    campaigns = {}
    for size in sizes:
        project = _project(size)
        for overlap in OVERLAPS:
            campaigns[size, overlap] = _campaign(project, size, overlap)
    print(
        f"  {'tasks':>9} {'overlap':>7}  {'annotators':<18} {'judgments/s':>11} {'p50':>8} {'p95':>8} {'p99':>8}  (ms)"
    )
    with _server(home):
        phases = [(f"{workers} closed loop", workers, seconds, 0.0) for workers in CLOSED_LOOP]
        phases.append((f"{HUMANS} at human pace", HUMANS, human_seconds, HUMAN_THINKS_SECONDS))
        outcomes = [
            _phase(size, overlap, campaigns[size, overlap], workers, lasting, thinks=thinks, name=name)
            for name, workers, lasting, thinks in phases
            for overlap in OVERLAPS
            for size in sizes
        ]
    _conclude(outcomes, sizes, list(campaigns.values()))
    return outcomes


def _show(outcome: Outcome) -> None:
    figures = " ".join(f"{outcome.percentile(share):8.1f}" for share in (50, 95, 99))
    print(f"  {outcome.tasks:>9,} {outcome.overlap:>7}  {outcome.name:<18} {outcome.rate:11.1f} {figures}", flush=True)


def _conclude(outcomes: list[Outcome], sizes: tuple[int, ...], campaigns: list[Any]) -> None:
    by_name = {(outcome.tasks, outcome.overlap, outcome.name): outcome for outcome in outcomes}
    for overlap in OVERLAPS:
        stress = by_name[sizes[0], overlap, f"{CLOSED_LOOP[-1]} closed loop"]
        humans = by_name[sizes[-1], overlap, f"{HUMANS} at human pace"]
        print(f"  overlap {overlap}")
        print(f"    judgments/s with {CLOSED_LOOP[-1]} on {sizes[0]:,}: {stress.rate:.0f} (target 175), ", end="")
        print(f"p95 {stress.percentile(95):.0f} ms (target under 250)")
        print(f"    p95 at human pace on {sizes[-1]:,}: {humans.percentile(95):.0f} ms (target under 50)")
        for workers in CLOSED_LOOP:
            small, large = (by_name[size, overlap, f"{workers} closed loop"] for size in (sizes[0], sizes[-1]))
            ratio = small.rate / large.rate
            print(f"    cost at {sizes[-1]:,} / at {sizes[0]:,} with {workers}: {ratio:.2f} (target 1.2)")
    print(f"  tasks with more judgments than their cap: {_over_assigned(campaigns)} (must be 0)")
    print(f"  judgments acknowledged and not there: {_lost(outcomes, campaigns)} (must be 0)")
    print(f"  judgments doubled: {_doubled(campaigns)} (must be 0)")


def _project(size: int) -> Any:
    from django.db import connection

    from accounts.models import Project
    from corpus.models import Source

    started = time.perf_counter()
    project = Project.objects.create(slug=f"bench-{size}", name=f"{size:,} comparisons")
    source = Source.objects.create(project=project, name="generated", format="generic")
    with connection.cursor() as cursor:
        # Rows that fit each other by construction: checking a million foreign keys one by one would take minutes.
        cursor.execute("SET session_replication_role = replica")
        for statement in (_PROMPTS, _RESPONSES, _COMPARISONS):
            cursor.execute(statement, {"project": project.id, "source": source.id, "size": size})
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE corpus_prompt, corpus_response, corpus_comparison")
    print(f"  {size:,} comparisons made in {time.perf_counter() - started:.1f} s", flush=True)
    return project


def _campaign(project: Any, size: int, overlap: int) -> Any:
    from annotation.campaigns.create import create_campaign

    started = time.perf_counter()
    campaign = create_campaign(project=project, name=f"Overlap {overlap}", overlap=overlap)
    print(f"  campaign with {size:,} tasks created in {time.perf_counter() - started:.1f} s", flush=True)
    return campaign


def _phase(
    size: int, overlap: int, campaign: Any, workers: int, seconds: float, *, thinks: float, name: str
) -> Outcome:
    tokens = _annotators(campaign, workers, name)
    until = time.perf_counter() + seconds
    found: list[list[float]] = [[] for _ in tokens]
    threads = [
        threading.Thread(target=_annotate, args=(token, campaign.id, until, thinks, found[number], number))
        for number, token in enumerate(tokens)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    latencies = np.array([latency for own in found for latency in own])
    outcome = Outcome(size, overlap, name, len(latencies), took, latencies)
    _show(outcome)
    return outcome


def _annotators(campaign: Any, count: int, name: str) -> list[str]:
    from accounts.models import Membership, Role, Scope, User
    from accounts.tokens import issue_token

    tokens = []
    for number in range(count):
        email = f"{name.replace(' ', '-')}-{number}-of-{campaign.id}@bench.example"
        user = User.objects.create(email=email, is_simulated=True)
        Membership.objects.create(user=user, project=campaign.project, role=Role.ANNOTATOR)
        tokens.append(issue_token(user=user, scope=Scope.ANNOTATE)[1])
    return tokens


def _annotate(token: str, campaign: int, until: float, thinks: float, latencies: list[float], seed: int) -> None:
    rng = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send(path: str, body: str) -> http.client.HTTPResponse:
        connection.request("POST", f"/api/v1/{path}", body, headers)
        return connection.getresponse()

    def post(path: str, body: str) -> Any:
        try:
            reply = send(path, body)
        except (ConnectionError, http.client.RemoteDisconnected):
            # The server closes a connection that was idle for long, as browsers know too; sending again is harmless.
            connection.close()
            reply = send(path, body)
        content = reply.read()
        if reply.status not in {200, 201}:
            raise RuntimeError(f"{path}: {reply.status} {content[:300]!r}")
        return json.loads(content)

    time.sleep(thinks * rng.random())
    claimed = post(f"campaigns/{campaign}/claim", "{}")
    while claimed and time.perf_counter() < until:
        pause = rng.expovariate(1 / thinks) if thinks else 0.0
        if time.perf_counter() + pause >= until:
            # Not cut short: then all would answer in the same last moment, as no people do.
            break
        time.sleep(pause)
        body = json.dumps({"choice": rng.choice([-3, -2, -1, 0, 1, 2, 3, "both_bad"]), "seconds": 4.2})
        started = time.perf_counter()
        claimed = post(f"assignments/{claimed['assignment']['id']}/judgment", body)["next"]
        latencies.append((time.perf_counter() - started) * 1000)
    connection.close()


@contextmanager
def _server(home: Path) -> Iterator[None]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "platform")])
    command = [sys.executable, "-m", "gunicorn", "--config", "python:winnow.web_server", "winnow.wsgi:application"]
    environ = os.environ | {
        "PYTHONPATH": paths,
        "WINNOW_PORT": str(PORT),
        "WINNOW_DATABASE_POOL_SIZE": "8",
        # One closed loop comes to the limit of 100 a second for one token; here the desk is measured, not the limit.
        "WINNOW_API_REQUESTS_PER_SECOND": "1000",
    }
    with open(home / "gunicorn.log", "w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            _wait_until_up()
            yield
        finally:
            server.terminate()
            server.wait(30)


def _wait_until_up() -> None:
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=2)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("gunicorn did not come up within 30 s")


def _over_assigned(campaigns: list[Any]) -> int:
    """Counted from the judgments themselves, not from the counters that the cap is held by."""
    from django.db.models import Count

    from annotation.models import Judgment

    too_many = 0
    for campaign in campaigns:
        of_each = Judgment.objects.standing().filter(campaign=campaign).values("comparison").annotate(n=Count("id"))
        too_many += of_each.filter(n__gt=campaign.overlap).count()
    return too_many


def _doubled(campaigns: list[Any]) -> int:
    """Standing judgments beyond the first of one person on one comparison."""
    from django.db.models import Count

    from annotation.models import Judgment

    standing = Judgment.objects.standing().filter(campaign__in=campaigns)
    each = standing.values("campaign", "comparison", "annotator").annotate(n=Count("id")).filter(n__gt=1)
    return sum(row["n"] - 1 for row in each)


def _lost(outcomes: list[Outcome], campaigns: list[Any]) -> int:
    from annotation.models import Judgment

    acknowledged = sum(outcome.judgments for outcome in outcomes)
    return acknowledged - Judgment.objects.standing().filter(campaign__in=campaigns).count()


_PROMPTS = """
INSERT INTO corpus_prompt (project_id, messages, content_hash, metadata)
SELECT %(project)s, jsonb_build_array(jsonb_build_object('role', 'user', 'content', repeat(md5(n::text) || ' ', 12))),
       sha256(n::text::bytea), '{}' FROM generate_series(1, %(size)s) AS n
"""
_RESPONSES = """
INSERT INTO corpus_response (prompt_id, content, generator, content_hash)
SELECT p.id, repeat(md5(p.id::text || side) || ' ', 20), 'bench', sha256((p.id::text || side)::bytea)
FROM corpus_prompt p, unnest(ARRAY['a', 'b']) AS side WHERE p.project_id = %(project)s ORDER BY p.id, side
"""
_COMPARISONS = """
INSERT INTO corpus_comparison
    (project_id, source_id, prompt_id, response_a_id, response_b_id, labels, row_number, external_id, metadata)
SELECT %(project)s, %(source)s, p.id, min(r.id), max(r.id), '{}', row_number() OVER (ORDER BY p.id), '', '{}'
FROM corpus_prompt p JOIN corpus_response r ON r.prompt_id = p.id WHERE p.project_id = %(project)s GROUP BY p.id
"""
