"""Twelve simulated annotators of known ability, side bias and length bias judge through the real HTTP routes; then what
was planted is compared with what the pages say.

python -m benchmarks simulated_crowd      # ../shared/data beside the checkout, or WINNOW_REAL_DATA; else the sample

The comparisons are helpful pairs with their real texts, so lengths are real; which response is better is drawn, since
nobody could check it otherwise, and leans to the longer one as the labels of those pairs do. Each annotator is a person
marked as simulated with a token and a connection of their own; all work at once, claim and judge as anybody would, and
see nothing but what the API hands them. Choices are drawn from

    odds of response_b = exp(ability t + side f + length log2(length b / length a))

with t = +1 or -1 for the better one and f = +1 or -1 for the one shown first; ties after Davidson, which leaves the
odds of a preference as they are. The last round draws a continuous t ~ N(0, 1) instead: items that are clear and items
that are not, which is not what the statistics assume.
"""

from __future__ import annotations

import gzip
import http.client
import json
import math
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bed import make_bed

ROOT = Path(__file__).resolve().parents[1]
SEEDS = (1, 2, 3)
ITEMS = 1000
OVERLAP = 4
# How far the better one tends to be the longer one; 0.17 makes it so in 59 % at the usual ratio of lengths.
LEAN = 0.17
TIES = 0.15
# Of a side and a length bias, none is as common as one.
SIDES = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.35, 0.35, 0.7, 0.7, 1.1, -0.5)
LENGTHS = (0.0, 0.0, 0.0, 0.0, 0.3, 0.3, 0.3, 0.6, 0.6, 0.9, -0.3, -0.6)
SHOWN = {"first": "chooses the first", "longer": "chooses the longer", "accuracy": "accuracy"}


@dataclass(frozen=True)
class Temper:
    """In log odds; `side` towards the response shown first, `length` towards one twice as long."""

    ability: float
    side: float = 0.0
    length: float = 0.0


@dataclass(frozen=True)
class Answered:
    temper: Temper
    # Each preference: the probability that it would be for the better one.
    right: list[float] = field(default_factory=list)
    judgments: list[int] = field(default_factory=list)


Truth = Callable[[int, float], float]


def two_classes(seed: int) -> Truth:
    """Which response of an item is better: +1.0 for b; leaning to the longer one."""

    def truth(item: int, log2_lengths: float) -> float:
        return 1.0 if random.Random(f"{seed} {item}").random() < sigma(2 * LEAN * log2_lengths) else -1.0

    return truth


def continuous(seed: int) -> Truth:
    def truth(item: int, log2_lengths: float) -> float:
        return LEAN * log2_lengths + random.Random(f"{seed} {item}").gauss(0, 1)

    return truth


def sigma(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


class Annotator(threading.Thread):
    """One simulated person: each judgment brings the next item, and where it brings none, it is asked for once more."""

    def __init__(self, port: int, token: str, campaign: int, temper: Temper, truth: Truth, seed: str) -> None:
        super().__init__()
        self.answered = Answered(temper)
        self.problem: BaseException | None = None
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._campaign, self._truth, self._seed = campaign, truth, seed

    def run(self) -> None:
        try:
            held = self._post(f"campaigns/{self._campaign}/claim", {})
            while held:
                body = {"choice": self._choice(held["item"]), "seconds": 4.0}
                reply = self._post(f"assignments/{held['assignment']['id']}/judgment", body)
                self.answered.judgments.append(reply["judgment"]["id"])
                # The last open item may be in somebody's hands for the moment of their own claim.
                held = reply["next"] or self._post(f"campaigns/{self._campaign}/claim", {})
        except Exception as problem:  # noqa: BLE001 - told by whoever joins
            self.problem = problem
        finally:
            self._link.close()

    def _choice(self, item: dict[str, Any]) -> int:
        """From what the API handed out; the same item shown in the same order gets the same answer."""
        temper, first = self.answered.temper, item["responses"][0]["id"] == item["response_b"]
        content = {response["id"]: len(response["content"]) or 1 for response in item["responses"]}
        ratio = math.log2(content[item["response_b"]] / content[item["response_a"]])
        better = self._truth(item["id"], ratio)
        held = max(-3.0, min(3.0, ratio))
        odds = temper.ability * better + temper.side * (1 if first else -1) + temper.length * held
        rng = random.Random(f"{self._seed} {item['id']} {first}")
        if rng.random() < TIES / (math.exp(odds / 2) + math.exp(-odds / 2) + TIES):
            return 0
        self.answered.right.append(sigma(odds if better > 0 else -odds))
        strength = rng.choice([1, 1, 2, 2, 3])
        return strength if rng.random() < sigma(odds) else -strength

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        try:
            reply = self._send(path, body)
        except (ConnectionError, http.client.RemoteDisconnected):
            self._link.close()
            reply = self._send(path, body)
        content = reply.read()
        if reply.status not in {200, 201, 204}:
            raise RuntimeError(f"{path}: {reply.status} {content[:300]!r}")
        return json.loads(content) if content else None

    def _send(self, path: str, body: dict[str, Any]) -> http.client.HTTPResponse:
        self._link.request("POST", f"/api/v1/{path}", json.dumps(body), self._headers)
        return self._link.getresponse()


def crowd_of(seed: int) -> list[Temper]:
    """The same biases, dealt to other abilities by another seed."""
    rng = random.Random(seed)
    sides, lengths = list(SIDES), list(LENGTHS)
    rng.shuffle(sides)
    rng.shuffle(lengths)
    return [Temper(rng.uniform(0.6, 2.4), side, length) for side, length in zip(sides, lengths, strict=True)]


def annotate(port: int, campaign: Any, tempers: list[Temper], truth: Truth, name: str) -> dict[int, Answered]:
    """All of them at once, until nothing is left; what each did, by the id of the person."""
    from accounts.models import Membership, Role, Scope, User
    from accounts.tokens import issue_token

    crowd: dict[int, Annotator] = {}
    for number, temper in enumerate(tempers, start=1):
        email = f"{name}-{number}@simulated.winnow.example"
        user = User.objects.create_user(email, None, name=f"Simulated {number} ({name})", is_simulated=True)
        Membership.objects.create(user=user, project=campaign.project, role=Role.ANNOTATOR)
        token = issue_token(user=user, scope=Scope.ANNOTATE)[1]
        crowd[user.id] = Annotator(port, token, campaign.id, temper, truth, f"{name} {number}")
    for annotator in crowd.values():
        annotator.start()
    for annotator in crowd.values():
        annotator.join()
    problems = [annotator.problem for annotator in crowd.values() if annotator.problem]
    if problems:
        raise RuntimeError(f"{len(problems)} annotators stopped") from problems[0]
    return {person: annotator.answered for person, annotator in crowd.items()}


@dataclass(frozen=True)
class Recovered:
    """One planted figure as a share, and what the pages say of it."""

    person: int
    what: str
    planted: float
    value: float
    low: float
    high: float
    n: int

    @property
    def is_inside(self) -> bool:
        return self.low <= self.planted <= self.high


def recovered(campaign: Any, crowd: dict[int, Answered]) -> list[Recovered]:
    from annotation.statistics.people import people_in
    from annotation.statistics.read import votes_of

    people = people_in(votes_of(campaign), {})
    found = []
    for number, (person, answered) in enumerate(crowd.items(), start=1):
        figures = people.figures(people.place_of(person) or 0)
        temper, right = answered.temper, float(np.mean(answered.right))
        planted = {"first": sigma(temper.side), "longer": sigma(temper.length), "accuracy": right}
        for what, truth in planted.items():
            figure = figures[what]
            if figure.value is None or figure.low is None or figure.high is None:
                raise RuntimeError(f"{what} of {number}: {figure.reason}")
            found.append(Recovered(number, what, truth, figure.value, figure.low, figure.high, figure.n))
    return found


def main(items: int = ITEMS) -> None:
    from benchmarks.judging import PORT, _server

    home = make_bed()
    project, source = _project(items)
    totals: dict[str, list[Recovered]] = {}
    with _server(home):
        for seed in SEEDS:
            totals.setdefault("two classes", []).extend(_round(PORT, project, source, seed, two_classes(seed), ""))
        totals["continuous"] = _round(PORT, project, source, SEEDS[-1] + 1, continuous(SEEDS[-1] + 1), " continuous")
    for name, found in totals.items():
        _conclude(name, found)


def _round(port: int, project: Any, source: str, seed: int, truth: Truth, name: str) -> list[Recovered]:
    from annotation.campaigns.create import create_campaign

    campaign = create_campaign(project=project, name=f"Crowd {seed}{name}", overlap=OVERLAP, sources=[source])
    started = time.perf_counter()
    crowd = annotate(port, campaign, crowd_of(seed), truth, f"crowd-{seed}")
    took, judged = time.perf_counter() - started, sum(len(one.judgments) for one in crowd.values())
    found = recovered(campaign, crowd)
    print(f"  seed {seed}{name}: {judged:,} judgments by {len(crowd)} annotators in {took:.1f} s", flush=True)
    _show(found)
    _lose_nothing(campaign, crowd)
    return found


def _show(found: list[Recovered]) -> None:
    print(f"    {'annotator':>9}  {'what':<20} {'planted':>8} {'found':>7} {'interval':>15} {'n':>6}  inside")
    for one in found:
        interval = f"{one.low:.3f} to {one.high:.3f}"
        words = f"{SHOWN[one.what]:<20} {one.planted:8.3f} {one.value:7.3f} {interval:>15} {one.n:>6,}"
        print(f"    {one.person:>9}  {words}  {'yes' if one.is_inside else 'NO'}", flush=True)


def _lose_nothing(campaign: Any, crowd: dict[int, Answered]) -> None:
    from annotation.models import Judgment

    held = set(Judgment.objects.filter(campaign=campaign).values_list("id", flat=True))
    told = [number for answered in crowd.values() for number in answered.judgments]
    print(f"    judgments acknowledged and not there: {len(set(told) - held)}; twice: {len(told) - len(set(told))}")


def _conclude(name: str, found: list[Recovered]) -> None:
    print(f"  {name}: planted values inside their 95 % interval")
    for what, label in SHOWN.items():
        own = [one for one in found if one.what == what]
        inside = sum(one.is_inside for one in own)
        error = math.sqrt(sum((one.value - one.planted) ** 2 for one in own) / len(own))
        print(f"    {label:<20} {inside:>3} of {len(own)} ({inside / len(own):.0%}), rms error {error:.3f}")
    unbiased = [one for one in found if one.what == "first" and one.planted == 0.5]
    strong = [one for one in found if one.what == "first" and one.planted >= sigma(0.7) - 1e-9]
    accused = sum(not one.is_inside for one in unbiased)
    caught = sum(one.low > 0.5 for one in strong)
    print(f"    without side bias and flagged: {accused} of {len(unbiased)} (5 % by chance)")
    print(f"    planted 0.67 or more and flagged: {caught} of {len(strong)}")


def _project(items: int) -> tuple[Any, str]:
    """Helpful pairs where they are at hand, else the bundled sample."""
    from django.core.management import call_command

    from accounts.models import Project
    from corpus import sample

    data = Path(os.environ.get("WINNOW_REAL_DATA", ROOT.parent / "shared" / "data"))
    file = data / "hh-rlhf" / "helpful-base.test.jsonl.gz"
    if not file.is_file():
        project = Project.objects.create(slug="crowd", name="Simulated crowd")
        sample.load(project)
        print("  on the bundled sample: there are no helpful pairs at hand")
        return project, "sample"
    with tempfile.TemporaryDirectory() as folder, gzip.open(file, "rt") as lines:
        part = Path(folder) / "helpful.jsonl"
        part.write_text("".join(islice(lines, items)))
        call_command("import_data", str(part), "--project", "crowd", "--source", "helpful", "--format", "hh")
    return Project.objects.get(slug="crowd"), "helpful"
