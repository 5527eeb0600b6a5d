"""What an audit lets a rule do, and what a project makes of rules without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEvent, Project, User
from curation.audits.draw import Sampling, draw_rule
from curation.audits.evidence import UnauditedRules, checked
from curation.audits.policy import InvalidPolicy, set_policy
from curation.card import card
from curation.freeze import freeze, new_release
from curation.models import Audit, Decision, Recipe
from curation.preview import preview
from curation.recipes import apply_recipe, save_recipe
from curation.rules import parse
from ledger.reporter import Reporter
from tests.curation.audits.conftest import DROP, FLIP, Check

Draw = Callable[..., Audit]


def known(project: Project, *rules: Any) -> list[str | None]:
    found = checked(project, parse({"rules": list(rules)}))
    return [each.known if each else None for each in found.evidence]


def test_a_rule_is_audited_when_the_bound_passes(draw: Draw, check: Check, project: Project) -> None:
    assert known(project, FLIP) == ["none"]
    audit = draw()
    assert known(project, FLIP) == ["open"]
    check(audit, wrong=15)
    assert known(project, FLIP) == ["audited"]


def test_a_flip_needs_more_than_a_half_and_not_just_a_rate_above_it(draw: Draw, check: Check, project: Project) -> None:
    check(draw(), wrong=14)
    found = checked(project, parse({"rules": [FLIP]})).evidence[0]
    assert found is not None and found.known == "not shown" and found.rate == 0.7
    assert found.bound is not None and found.bound < 0.5 and "does not pass 0.5" in found.words


def test_a_drop_needs_what_the_owner_says(draw: Draw, check: Check, project: Project, owner: User) -> None:
    drop = {**FLIP, "then": "drop"}
    recipe = save_recipe(project=project, name="mine", document={"rules": [{**drop, "name": "flip"}]}, by=None)
    assert recipe.version == 2
    check(draw_of(recipe, owner), wrong=14)
    assert known(project, drop) == ["audited"]
    set_policy(project=project, unaudited="mark", drop_threshold=0.6, by=owner)
    assert known(project, drop) == ["not shown"]


def draw_of(recipe: Recipe, by: User) -> Audit:
    return draw_rule(recipe=recipe, rule="flip", sampling=Sampling(10, 2), by=by)


def test_name_and_margin_do_not_matter_and_condition_and_earlier_rules_do(
    draw: Draw, check: Check, project: Project
) -> None:
    check(draw(), wrong=20)
    renamed = {**FLIP, "name": "other", "margin": 1.0}
    narrower = {**FLIP, "when": {**FLIP["when"], "value": -1}}  # type: ignore[dict-item]  # of the dict above
    before = {"name": "first", "when": {"field": "label", "op": "==", "value": 3}, "then": "keep"}
    assert known(project, renamed) == ["audited"]
    assert known(project, narrower) == ["none"]
    assert known(project, before, FLIP) == [None, "none"]
    assert known(project, FLIP, before) == ["audited", None]


def test_newer_signals_need_a_newer_audit(draw: Draw, check: Check, project: Project, corpus: Any) -> None:
    check(draw(), wrong=20)
    corpus.run("model_vote")
    assert known(project, FLIP) == ["outdated"]


def test_an_audit_of_another_project_says_nothing_here(draw: Draw, check: Check, owner: User) -> None:
    check(draw(), wrong=20)
    assert known(Project.objects.create(slug="other", name="Other", created_by=owner), FLIP) == ["none"]


def test_by_default_unaudited_rules_act_and_are_marked(project: Project, recipe: Recipe, voted_rows: list[Any]) -> None:
    apply_recipe(recipe=recipe, by=None)
    assert Decision.objects.filter(action="flip", is_current=True).count() == 30
    found = preview(project=project, rules=parse(recipe.document))
    assert [rule.is_unaudited for rule in found.rules] == [True, True, False] and not found.warnings


def test_sent_to_review_nothing_unaudited_flips_or_drops(
    project: Project, recipe: Recipe, voted_rows: list[Any], owner: User, draw: Draw, check: Check
) -> None:
    set_policy(project=project, unaudited="review", drop_threshold=0.35, by=owner)
    apply_recipe(recipe=recipe, by=None)
    current = Decision.objects.filter(is_current=True)
    assert not current.filter(action__in=["flip", "drop"]).exists()
    assert current.filter(action="review", rule="flip", label=None).count() == 30
    found = preview(project=project, rules=parse(recipe.document))
    assert str(found.rules[0].action) == "review" and "send their rows to review" in found.warnings[0]
    check(draw(), wrong=20)
    apply_recipe(recipe=recipe, by=None)
    assert Decision.objects.filter(is_current=True, action="flip", label=1).count() == 30


def test_refused_the_recipe_neither_applies_nor_freezes(
    project: Project, recipe: Recipe, voted_rows: list[Any], owner: User
) -> None:
    set_policy(project=project, unaudited="refuse", drop_threshold=0.35, by=owner)
    for act in (
        lambda: apply_recipe(recipe=recipe, by=None),
        lambda: new_release(project=project, name="v1", recipe=recipe, by=None),
    ):
        with pytest.raises(UnauditedRules) as refused:
            act()
        assert refused.value.fields == {"flip": "unaudited", "drop": "unaudited"}
    facts = {"rules": [{"when": {"field": "identical_sides", "op": "==", "value": True}, "then": "drop"}]}
    apply_recipe(recipe=save_recipe(project=project, name="facts", document=facts, by=None), by=None)
    assert not project.releases.exists() and not Decision.objects.exists()


def test_a_release_keeps_what_was_known_when_it_was_asked_for(
    project: Project, recipe: Recipe, draw: Draw, check: Check, tmp_path: Any, settings: Any
) -> None:
    settings.MEDIA_ROOT = settings.WINNOW_HOME = tmp_path
    early = new_release(project=project, name="early", recipe=recipe, by=None)
    audit = check(draw(), wrong=20)
    late = new_release(project=project, name="late", recipe=recipe, by=None)
    for release in (early, late):
        freeze(release, Reporter())
    assert early.manifest["recipe"]["unaudited_rules"] == ["flip", "drop"]
    assert late.manifest["recipe"]["unaudited_rules"] == ["drop"]
    rule = late.manifest["counts"]["rules"][0]
    assert rule["audit"]["audit_id"] == audit.pk and rule["audit"]["n"] == 20 and not rule["unaudited"]
    text = card(late.manifest)
    assert "flip (audited)" in text and "at least 0.86 with 95 % confidence" in text
    assert "no blind sample bears out what “drop” did" in text and "How noisy the labels were" in text
    assert late.content_sha256 == early.content_sha256


def test_a_policy_out_of_range_is_refused_and_a_good_one_is_on_the_trail(project: Project, owner: User) -> None:
    for unaudited, threshold in (("perhaps", 0.3), ("mark", 1.0), ("mark", -0.1), ("mark", float("nan"))):
        with pytest.raises(InvalidPolicy):
            set_policy(project=project, unaudited=unaudited, drop_threshold=threshold, by=owner)
    set_policy(project=project, unaudited="refuse", drop_threshold=0.4, by=owner)
    event = AuditEvent.objects.get(action="set audit policy")
    assert event.details == {"unaudited": "refuse", "drop_threshold": 0.4}


def test_only_rules_that_flip_or_drop_on_an_opinion_are_asked_about(project: Project) -> None:
    fact = {"name": "fact", "when": {"field": "empty_side", "op": "==", "value": True}, "then": "drop"}
    assert known(project, fact, DROP, {"then": "review"}) == [None, "none", None]
