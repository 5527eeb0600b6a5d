"""The page and the API of probes: which methods may label, and an owner's word for one that may not."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import orjson
import pytest
from django.test import Client

from accounts.models import AuditEvent, Project, User
from curation.audits.answer import answer_item, finish_audit
from curation.audits.draw import CannotAudit, Sampling, draw_rule
from curation.audits.evidence import checked
from curation.audits.override import AlreadyOverridden, NoteMissing, NothingToOverride, override_probes
from curation.audits.policy import set_policy
from curation.audits.rule_key import rule_key
from curation.models import Action, Audit, ProbeOverride, Signal
from curation.preview import preview
from curation.recipes import save_recipe
from curation.rules import parse
from ledger.models import Run

FIGURE = {
    "name": "one-token keys", "passed": False, "value": 0.62, "low": 0.5, "high": 0.73, "n": 60, "bar": 0.1,
    "words": "Share of real answers that a key beats.",
}  # fmt: skip
LABEL = {"rules": [{"name": "by ratio", "then": {"label": "density_ratio"}}]}


@pytest.fixture
def failed(corpus: Any) -> Run:
    source = corpus.source("hh")
    run: Run = corpus.run(
        "density_ratio",
        {
            "sources": {str(source.pk): {"name": "hh"}},
            "models": {"strong": {"name": "dpo"}},
            "probes": {
                "passed": False,
                "reasons": ["In hh a key beats 62 % of real answers."],
                "sources": {str(source.pk): {"keys": FIGURE, "echo": FIGURE | {"name": "echo", "passed": None}}},
            },
        },
    )
    return run


def test_the_page_shows_each_probe_with_its_interval_and_says_why(
    client: Client, project: Project, curator: User, failed: Run
) -> None:
    client.force_login(curator)
    page = client.get(f"/p/{project.slug}/probes/").content.decode()
    for shown in ("density_ratio", "may not label", "In hh a key beats", "cannot be said"):
        assert shown in page
    assert "62.0 %, 50.0 to 73.0 %, n = 60" in page
    assert "An owner of the project can" in page and "<textarea" not in page


def test_an_owner_answers_for_a_run_on_the_page_and_takes_it_back(
    client: Client, project: Project, owner: User, failed: Run
) -> None:
    client.force_login(owner)
    address = f"/p/{project.slug}/probes/{failed.pk}/override/"
    page = client.post(address, {"note": "Keys do not occur here."}, follow=True).content.decode()
    assert "on an owner’s word" in page and "Keys do not occur here." in page
    assert ProbeOverride.objects.get().by == owner
    assert "Somebody answers" in client.post(address, {"note": "again"}, follow=True).content.decode()
    assert "may not label" in client.post(address, {"take_back": "yes"}, follow=True).content.decode()
    actions = list(AuditEvent.objects.filter(project=project).values_list("action", flat=True).order_by("pk"))
    assert actions[-2:] == ["override probes", "withdraw override"]


def test_curators_and_strangers_cannot_override(
    client: Client, project: Project, curator: User, stranger: User, failed: Run
) -> None:
    for user, status in ((curator, 403), (stranger, 404)):
        client.force_login(user)
        assert client.post(f"/p/{project.slug}/probes/{failed.pk}/override/", {"note": "x"}).status_code == status
    assert not ProbeOverride.objects.exists()


def test_the_api_says_the_same_and_takes_the_note(client: Client, project: Project, owner: User, failed: Run) -> None:
    client.force_login(owner)
    base = f"/api/v1/projects/{project.slug}"
    (found,) = client.get(f"{base}/probes").json()
    assert (found["method"], found["run"], found["may_label"]) == ("density_ratio", failed.pk, False)
    assert found["sources"]["hh"][0]["high"] == 0.73
    address = f"{base}/runs/{failed.pk}/probe-override"
    said = client.post(address, json.dumps({"note": "Looked."}), content_type="application/json")
    assert said.status_code == 201 and said.json()["override"]["note"] == "Looked."
    assert client.post(address, json.dumps({"note": " "}), content_type="application/json").status_code == 422
    assert client.delete(address).json()["may_label"] is False


def test_an_override_needs_a_note_and_a_run_that_may_label(corpus: Any, owner: User, failed: Run) -> None:
    for note in ("", " \x00 ", "x" * 2001):
        with pytest.raises(NoteMissing):
            override_probes(run=failed, note=note, by=owner)
    with pytest.raises(NothingToOverride):
        override_probes(run=corpus.run("degenerate"), note="why not", by=owner)
    with pytest.raises(NothingToOverride):
        override_probes(run=corpus.run("follow_up", {"probes": {"passed": True}}), note="sure", by=owner)
    override_probes(run=failed, note="once", by=owner)
    with pytest.raises(AlreadyOverridden):
        override_probes(run=failed, note="twice", by=owner)


def _scored(corpus: Any, means: list[float]) -> Run:
    run: Run = corpus.run("density_ratio", {"probes": {"passed": True}})
    for mean in means:
        Signal.objects.create(
            run=run, comparison=corpus.add(label=None), value=mean, fields={"mean": mean, "flagged": False}
        )
    return run


def _audited(project: Project, by: User, *, right: int, of: int) -> Audit:
    recipe = save_recipe(project=project, name="r", document=LABEL, by=by)
    audit = draw_rule(recipe=recipe, rule="by ratio", sampling=Sampling(per_band=of, bands=1), by=by)
    for item in audit.items.order_by("position"):
        better, other = ("b", "a") if item.label > 0 else ("a", "b")
        answer_item(audit=audit, position=item.position, answer=better if item.position < right else other, by=by)
    return finish_audit(audit=audit, by=by)


def test_a_blind_sample_of_the_labels_that_a_rule_gives_bears_it_out(
    project: Project, corpus: Any, curator: User, owner: User
) -> None:
    _scored(corpus, [1.0, -2.0] * 10)
    set_policy(project=project, unaudited="review", drop_threshold=0.35, by=owner)
    assert preview(project=project, rules=parse(LABEL)).rules[0].action == Action.REVIEW
    audit = _audited(project, curator, right=19, of=20)
    assert audit.findings["right"] == 19 and audit.question == "given" and audit.population == 20
    rule = preview(project=project, rules=parse(LABEL)).rules[0]
    assert rule.action == Action.LABEL and rule.evidence is not None and rule.evidence.measured == "P(right)"
    document = rule.evidence.as_document()
    assert document["right"] == 19 and document["wrong"] is None and document["bound"] > 0.5


def test_a_sample_does_not_open_the_gate_of_the_probes(project: Project, corpus: Any, curator: User) -> None:
    run = _scored(corpus, [1.0] * 20)
    _audited(project, curator, right=20, of=20)
    Run.objects.filter(pk=run.pk).update(result={"probes": {"passed": False, "reasons": ["An echo wins."]}})
    found = checked(project, parse(LABEL))
    assert found.evidence[0] is not None and found.evidence[0].is_audited
    assert found.rules.rules[0].action == Action.REVIEW and [name for name, _ in found.blocked] == ["by ratio"]


def test_what_a_sample_found_of_labels_is_shown(client: Client, project: Project, corpus: Any, curator: User) -> None:
    _scored(corpus, [1.0, -1.0] * 5)
    audit = _audited(project, curator, right=4, of=10)
    client.force_login(curator)
    page = client.get(f"/p/{project.slug}/audits/{audit.pk}/").content.decode()
    assert "labels right" in page and "P(right)" in page and "difference" in page
    assert client.get(f"/p/{project.slug}/audits/").status_code == 200


def test_nothing_can_be_drawn_where_the_rule_labels_nothing(project: Project, corpus: Any, curator: User) -> None:
    corpus.add(label=None)
    recipe = save_recipe(project=project, name="r", document=LABEL, by=curator)
    with pytest.raises(CannotAudit):
        draw_rule(recipe=recipe, rule="by ratio", sampling=Sampling(), by=curator)


def test_the_method_of_a_label_is_part_of_what_an_audit_holds_for() -> None:
    other = {"rules": [{"name": "by ratio", "then": {"label": "follow_up"}}]}
    assert rule_key(parse(LABEL), 0) != rule_key(parse(other), 0)


def test_keys_of_rules_that_do_not_label_are_what_they_were() -> None:
    first = {"field": "has_label", "op": "==", "value": True}
    rules = parse({"rules": [{"when": first, "then": "keep"}, {"then": "flip"}]})
    told = orjson.dumps([[first, None], "flip"], option=orjson.OPT_SORT_KEYS)
    assert rule_key(rules, 1) == hashlib.sha256(told).hexdigest()
