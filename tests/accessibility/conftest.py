"""A project in which something of everything has happened, hostile texts included."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.invite import invite
from accounts.models import Membership, Project, Role, Scope, User
from accounts.tokens import issue_token
from annotation.campaigns.create import create_campaign
from annotation.models import Campaign, CampaignState, Rubric
from annotation.quality.gold import mark_gold
from annotation.quality.participants import let_in
from annotation.rubrics.save import save_rubric
from annotation.simulate import simulate_votes
from annotation.votes.ingest import VoteOptions
from annotation.votes.request import import_vote_files
from corpus import sample
from corpus.models import Comparison
from curation.audits.answer import answer_item, finish_audit
from curation.audits.draw import Sampling, draw_labels, draw_rule
from curation.decide import decide
from curation.freeze import freeze, new_release
from curation.models import Audit, Signal
from curation.recipes import STARTER, apply_recipe, save_recipe
from ledger import catalogue
from ledger.models import Run, RunKind, Shard, State
from ledger.reporter import Reporter
from tests.accessibility.followed import follow
from tests.accessibility.ordered import order_and_review
from tests.accessibility.rated import rate
from tests.accessibility.voters import ensemble, pool
from tests.accessibility.written import write
from tests.curation.gains.measured import measured

LONG_WORD = "W" * 20_000
RIGHT_TO_LEFT = "أيهما أفضل؟ " * 40
PROJECT_NAME = "مشروع المقارنات " + "N" * 90
METHOD_DOCUMENTATION = """Models vote.

Idea
    Where `they` *disagree* with the label.

Formula
    strength = sign(label) * mean(d_1, d_2, d_3, d_4, d_5, d_6, d_7, d_8, d_9, d_10) / max(spread, 0.05 * rms of it)
"""


@dataclass(frozen=True)
class Filled:
    project: Project
    owner: User
    annotator: User
    campaign: Campaign
    simulated: Campaign
    simulated_person: User
    # Its prompt is one word, one side is written from right to left.
    hostile: Comparison
    voted: Run
    failed: Run
    # A gain report, which the release keeps.
    gained: Run
    invitation: str
    ordered: Run
    reviewed: Run
    pooled: Run
    # Follow-up scores whose probes failed.
    followed: Run
    # Density ratios, of a scorer that likes short texts.
    ratios: Run
    # Candidates, and pairs of them that a rule labels.
    written: Run
    chosen: Run
    # Its second version.
    rubric: Rubric
    checked: Campaign
    rated: Campaign
    # An import of votes, two of which were refused.
    brought: Run
    # One sample that is answered, and one that is not.
    audited: Audit
    auditing: Audit
    # The same of a rule that drops for what the text is.
    claimed: Audit
    claiming: Audit


@pytest.fixture
def filled(transactional_db: None, tmp_path: Path) -> Filled:
    owner, annotator = (User.objects.create_user(f"{name}@example.org", "a pass phrase") for name in ("owner", "ann"))
    project = Project.objects.create(slug="demo", name=PROJECT_NAME, created_by=owner)
    Membership.objects.create(user=owner, project=project, role=Role.OWNER)
    Membership.objects.create(user=annotator, project=project, role=Role.ANNOTATOR)
    sample.load(project)
    simulated = simulate_votes(project=project)
    hostile = _make_hostile(project)
    voted = _vote(project)
    failed = _run(project, "near_duplicates", State.FAILED, error="MemoryError: " + LONG_WORD[:400])
    for place, state in enumerate((State.DONE, State.DONE, State.FAILED)):
        Shard.objects.create(run=failed, position=place, state=state)
    _publish()
    rows = list(Comparison.objects.filter(project=project).order_by("-id").values_list("id", flat=True)[:3])
    decide(project=project, comparison_ids=rows, action="flip", reason=LONG_WORD[:300], author=owner)
    starter = save_recipe(project=project, name="starter", document=STARTER, by=owner)
    apply_recipe(recipe=starter, by=owner)
    gained = measured(starter)
    freeze(new_release(project=project, name="v1", recipe="starter", by=owner), Reporter())
    issue_token(user=owner, scope=Scope.READ, name="N" * 100)
    campaign = Campaign.objects.get(project=project, state=CampaignState.OPEN)
    audited, auditing = _audit(project, owner)
    claimed, claiming = _audit_claims(hostile, owner)
    _know(campaign, owner, annotator)
    _, secret = invite(project=project, by=owner, role=Role.ANNOTATOR)
    return Filled(
        project=project,
        owner=owner,
        annotator=annotator,
        campaign=campaign,
        simulated=simulated,
        simulated_person=User.objects.filter(is_simulated=True).order_by("id")[0],
        hostile=hostile,
        voted=voted,
        failed=failed,
        gained=gained,
        invitation=secret,
        brought=_bring_votes(project, tmp_path / f"{LONG_WORD[:80]}.jsonl"),
        audited=audited,
        auditing=auditing,
        claimed=claimed,
        claiming=claiming,
        pooled=pool(project),
        followed=follow(project),
        ratios=rate(project),
        **write(project, owner),
        **_ask_more(project, owner),
        **order_and_review(campaign),
    )


def _audit(project: Project, owner: User) -> tuple[Audit, Audit]:
    """A rule with a long name that flips on an opinion, checked; and a sample of all labels."""
    name = LONG_WORD[:110]
    rule = {"name": name, "when": {"field": "model_vote.strength", "op": "<", "value": 0}, "then": "flip"}
    recipe = save_recipe(project=project, name="flipping", document={"rules": [rule]}, by=owner)
    audited = draw_rule(recipe=recipe, rule=name, sampling=Sampling(per_band=3), by=owner)
    for item in audited.items.all():
        answer_item(audit=audited, position=item.position, answer="a", by=owner)
    auditing = draw_labels(project=project, sampling=Sampling(per_band=3), by=owner)
    answer_item(audit=auditing, position=0, answer="tie", by=owner)
    return finish_audit(audit=audited, by=owner), auditing


def _audit_claims(hostile: Comparison, owner: User) -> tuple[Audit, Audit]:
    """Hostile text beside what it is said to repeat, under way; and refusals, checked."""
    project = hostile.project
    first = Comparison.objects.filter(project=project).order_by("-id")[0]
    said = {
        "near_duplicates": {"group": first.pk, "is_duplicate": True, "exact": False, "similarity": 0.96},
        "degenerate": {"flags_a": ["refusal"], "flags_b": ["truncated"]},
    }
    rules = []
    for method, field in (("near_duplicates", "is_duplicate"), ("degenerate", "any")):
        run = _run(project, method, State.DONE)
        Signal.objects.create(run=run, comparison=hostile, value=0.96, fields=said[method])
        rules.append(
            {"name": method, "when": {"field": f"{method}.{field}", "op": "==", "value": True}, "then": "drop"}
        )
    recipe = save_recipe(project=project, name="texts", document={"rules": rules[::-1]}, by=owner)
    claimed = draw_rule(recipe=recipe, rule="degenerate", sampling=Sampling(per_band=1), by=owner)
    answer_item(audit=claimed, position=0, answer="yes", by=owner)
    alone = save_recipe(project=project, name="copies", document={"rules": rules[:1]}, by=owner)
    claiming = draw_rule(recipe=alone, rule="near_duplicates", sampling=Sampling(per_band=1), by=owner)
    return finish_audit(audit=claimed, by=owner), claiming


def _know(campaign: Campaign, owner: User, annotator: User) -> None:
    """Two known answers, one with all that an explanation may hold, and somebody who was let in."""
    first, second = campaign.tasks.order_by("-id").values_list("comparison_id", flat=True)[:2]
    items = [
        {"comparison": first, "expected": {"better": "a"}, "explanation": LONG_WORD[:400]},
        {"comparison": second, "expected": {"accept": [-1, 0, "both_bad"]}, "phase": "training"},
    ]
    mark_gold(campaign=campaign, items=items, by=owner)
    let_in(campaign=campaign, person=annotator, by=owner)


def _ask_more(project: Project, owner: User) -> dict[str, Any]:
    """Ratings, and a rubric whose campaign still asks by its first version."""
    scale = {"id": "tone", "text": RIGHT_TO_LEFT, "answers": "scale", "least": 1, "most": 5}
    scale["anchors"] = {"1": "Cold", "5": LONG_WORD[:200]}
    hard = {"id": "honest", "text": "Is it free of invented facts?", "kind": "hard"}
    checked = create_campaign(project=project, name="Checks", kind="rubric", rubric=[scale, hard], created_by=owner)
    rated = create_campaign(project=project, name="Ratings", kind="rating", settings={"compare": "7-step"})
    rubric = save_rubric(project=project, name="Checks", criteria=[hard, scale, LONG_WORD[:900]], by=owner)
    return {"rubric": rubric, "checked": checked, "rated": rated}


def _bring_votes(project: Project, path: Path) -> Run:
    pair = {"prompt": RIGHT_TO_LEFT, "response_a": LONG_WORD[:900], "response_b": "Shorter."}
    votes = [{"annotator": LONG_WORD[:60], "choice": "a", **pair}, {"annotator": "second", "choice": "tie", **pair}]
    refused = [{"annotator": "third", "choice": LONG_WORD[:300], **pair}, {"annotator": "", "choice": "a", **pair}]
    path.write_text("\n".join(map(json.dumps, votes + refused)))
    return import_vote_files(
        project=project, paths=[path], options=VoteOptions(campaign="Brought"), reporter=Reporter()
    )


def _make_hostile(project: Project) -> Comparison:
    comparison = Comparison.objects.filter(project=project).order_by("id").select_related("prompt", "response_a")[0]
    comparison.prompt.messages = [{"role": "user", "content": LONG_WORD}]
    comparison.prompt.save()
    comparison.response_a.content = RIGHT_TO_LEFT
    comparison.response_a.save()
    comparison.response_b.content = f"`{LONG_WORD}`\n\n```\n{LONG_WORD}\n```\n\n|a|b|\n|-|-|\n|{LONG_WORD[:200]}|1|"
    comparison.response_b.save()
    comparison.external_id = LONG_WORD[:200]
    comparison.save()
    return comparison


def _run(project: Project, method: str, state: State, **fields: object) -> Run:
    now = timezone.now()
    return Run.objects.create(
        project=project,
        kind=RunKind.METHOD,
        method=method,
        queue="cpu",
        state=state,
        started_at=now,
        finished_at=now,
        **fields,
    )


def _vote(project: Project) -> Run:
    source = project.sources.get()
    measured = {"share": 0.72, "interval": [0.67, 0.76], "n": 406}
    found = {
        "name": source.name,
        "n": 433,
        "labelled": 406,
        "accuracy": measured,
        "length_accuracy": measured,
        "below_zero": 0.28,
        "rms_margin": 1.0,
        "strong_cut": 1.5,
        "truncated_share": 0.0,
        "folds_by": "prompt",
        "histogram": {"edges": [float(edge) for edge in range(-4, 5)], "counts": [1, 9, 20, 30, 60, 40, 9, 2]},
    }
    run = _run(project, "model_vote", State.DONE, result={"sources": {str(source.pk): found | ensemble()}})
    chance = random.Random(5)
    for comparison in Comparison.objects.filter(project=project):
        mean = chance.gauss(comparison.label or 0, 1.5)
        fields = {"mean": mean, "spread": 0.4, "share_b": float(mean > 0), "n": 10, "length_mean": 0.1}
        Signal.objects.create(run=run, comparison=comparison, value=mean, fields=fields)
    return run


def _publish() -> None:
    card = catalogue.Card(
        method="model_vote",
        label="Model vote",
        queue="cpu",
        shape="whole",
        documentation=METHOD_DOCUMENTATION,
        parameters={
            "type": "object",
            "properties": {
                "heads": {"type": "integer", "default": 10, "minimum": 2, "maximum": 99, "description": "How `many`."}
            },
        },
        code_version="1",
        embeds=True,
    )
    catalogue.publish(name="w@here", queues=["cpu"], devices=[], code_version="1", cards=[card])
