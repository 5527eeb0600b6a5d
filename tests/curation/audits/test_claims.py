"""Rules that drop for what the text is are asked whether that holds, and not whether a label is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent, Project, User
from curation.audits.answer import UnknownAnswer, answer_item, undo_answer
from curation.audits.bounds import lower_bound
from curation.audits.claim_asked import Claimed
from curation.audits.claims import claim_words
from curation.audits.draw import CannotAudit, Sampling, draw_rule
from curation.audits.evidence import Evidence, UnauditedRules, checked
from curation.audits.noise import noise_of
from curation.audits.policy import InvalidPolicy, set_policy
from curation.audits.queries import next_asked, state_of
from curation.card import card
from curation.freeze import freeze, new_release
from curation.models import Action, Audit, AuditAnswer, Decision, Recipe, Signal
from curation.preview import preview
from curation.recipes import apply_recipe, save_recipe
from curation.rules import parse
from ledger.reporter import Reporter
from tests.curation.audits.claim_rows import (
    DUPLICATES,
    REFUSALS,
    alike,
    answer_claims,
    asks,
    claim_of_rule,
    draw_claim,
    dropping,
    flag,
    refusing_rows,
)
from tests.curation.audits.conftest import FLIP, Check

REFUSAL, ECHO, VOTED = asks("degenerate.refusal"), asks("degenerate.echo"), asks("model_vote.strength", "<", 0)
FACT = asks("identical_sides")


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (REFUSAL, "a response refuses"),
        ({"all": [REFUSAL, VOTED]}, "a response refuses"),
        ({"all": [REFUSAL, ECHO]}, "a response refuses and a response only repeats the prompt"),
        ({"any": [REFUSAL, ECHO]}, "a response refuses or a response only repeats the prompt"),
        ({"any": [REFUSAL, FACT]}, "a response refuses or both responses are the same text"),
        ({"all": [ECHO, {"any": [REFUSAL, FACT]}]},
         "a response only repeats the prompt and either a response refuses or both responses are the same text"),
        ({"all": [{"not": ECHO}, REFUSAL]}, "a response refuses"),
        (asks("near_duplicates.similarity", ">=", 0.97), "this is a near duplicate of another comparison"),
        (asks("contamination.overlap", ">", 0), "this prompt is one of a benchmark, by the words"),
        (asks("degenerate.flags_preferred", ">=", 1), "the preferred response is no proper answer"),
    ],
)  # fmt: skip
def test_a_claim_is_what_every_match_says_of_the_text(when: Any, words: str) -> None:
    assert claim_words(claim_of_rule(when)) == words
    assert claim_of_rule(when, "flip") is None and claim_of_rule(when, "keep") is None


@pytest.mark.parametrize(
    "when",
    [
        {"not": REFUSAL}, {"any": [REFUSAL, VOTED]}, asks("degenerate.refusal", "==", False), VOTED, None,
        asks("degenerate.refusal", "!=", False), asks("near_duplicates.similarity", ">=", 0),
        asks("contamination.overlap", "<", 0.5), asks("near_duplicates.group", ">", 3),
        # These take sides: they speak of the label.
        asks("degenerate.strength", "<", 0),
    ],
)  # fmt: skip
def test_other_drops_are_asked_about_the_label(when: Any) -> None:
    rule = parse({"rules": [dropping(when) if when else {"then": "drop"}]}).rules[0]
    assert rule.needs_audit and rule.claim is None


@pytest.mark.parametrize("field", ["degenerate.empty", "degenerate.key", "near_duplicates.exact"])
def test_what_anybody_can_check_to_the_letter_needs_no_audit(field: str) -> None:
    for when in (asks(field), {"all": [REFUSAL, asks(field)]}, {"any": [FACT, asks(field)]}):
        rule = parse({"rules": [dropping(when)]}).rules[0]
        assert not rule.needs_audit and rule.claim is None


def test_the_sample_is_of_all_rows_strongest_claims_first(project: Project, corpus: Any, curator: User) -> None:
    rows = refusing_rows(corpus)
    corpus.decide(rows[0], Action.KEEP, curator, label=-1)
    audit = draw_claim(project, curator, per_band=20)
    assert (audit.question, audit.population) == ("claim", 29)
    assert {item.comparison_id for item in audit.items.all()} == {row.pk for row in rows[1:]}
    assert {item.label for item in audit.items.all()} == {0, -1}
    assert [(band["low"], band["high"]) for band in audit.bands] == [(3.0, 3.0), (1.0, 1.0)]
    places = list(audit.items.values_list("is_b_first", flat=True))
    assert abs(places.count(True) - places.count(False)) <= 1


def test_the_same_seed_draws_the_same(project: Project, corpus: Any, curator: User) -> None:
    refusing_rows(corpus)
    drawn = []
    for seed in (5, 5, 6):
        audit = draw_claim(project, curator, seed=seed, per_band=4)
        drawn.append(list(audit.items.order_by("position").values_list("comparison", flat=True)))
        answer_claims(audit, curator, 0)
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_rule_that_acts_on_nothing_says_so(project: Project, corpus: Any, curator: User) -> None:
    corpus.run("degenerate")
    with pytest.raises(CannotAudit, match="acts on no row"):
        draw_claim(project, curator)


def evidence(project: Project, rule: dict[str, Any] = REFUSALS) -> Evidence:
    found = checked(project, parse({"rules": [rule]})).evidence[0]
    assert found is not None
    return found


def test_it_is_audited_when_the_bound_of_p_holds_passes(project: Project, corpus: Any, curator: User) -> None:
    refusing_rows(corpus)
    before = evidence(project)
    assert (before.known, before.question, before.threshold) == ("none", "claim", 0.8)
    audit = draw_claim(project, curator)
    assert evidence(project).known == "open"
    answer_claims(audit, curator, holding=20)
    found = evidence(project)
    assert found.is_audited and state_of(audit_again(audit)) == "audited"
    assert found.words.startswith("P(holds) 1.00, n = 20, at least 0.86") and "passes 0.8" in found.words
    document = found.as_document()
    assert (document["holds"], document["wrong"], document["claim"]) == (20, None, "a response refuses")


def audit_again(audit: Audit) -> Audit:
    return Audit.objects.get(pk=audit.pk)


@pytest.mark.parametrize("doubt", ["no", "unsure"])
def test_doubt_counts_as_not_holding(project: Project, corpus: Any, curator: User, doubt: str) -> None:
    refusing_rows(corpus)
    found = answer_claims(draw_claim(project, curator), curator, holding=18, other=doubt).findings
    assert (found["n"], found["holds"], found["rate"], found["no"] + found["unsure"]) == (20, 18, 0.9, 2)
    assert found["bound"] == lower_bound(18, 20) and "wrong" not in found and "first" not in found
    assert evidence(project).known == "not shown"
    assert [band["n"] for band in found["bands"]] == [10, 10]


def test_whoever_draws_again_is_held_to_more(project: Project, corpus: Any, curator: User) -> None:
    refusing_rows(corpus)
    answer_claims(draw_claim(project, curator), curator, holding=10)
    found = answer_claims(draw_claim(project, curator, seed=1), curator, holding=20).findings
    assert found["confidence"] == 0.975 and found["bound"] == lower_bound(20, 20, 0.025)


def test_the_owner_says_from_where_on(project: Project, corpus: Any, curator: User, owner: User) -> None:
    refusing_rows(corpus)
    answer_claims(draw_claim(project, curator), curator, holding=18)
    set_policy(project=project, unaudited="mark", drop_threshold=0.9, claim_threshold=0.6, by=owner)
    assert evidence(project).is_audited
    set_policy(project=project, unaudited="mark", drop_threshold=0.1, by=owner)
    assert evidence(project).threshold == 0.6
    for share in (1.0, -0.1, float("nan")):
        with pytest.raises(InvalidPolicy):
            set_policy(project=project, unaudited="mark", drop_threshold=0.1, claim_threshold=share, by=owner)
    details = AuditEvent.objects.filter(action="set audit policy").order_by("pk").values_list("details", flat=True)
    assert ["claim_threshold" in each for each in details] == [True, False]


def test_a_claim_is_answered_by_yes_and_no_only_and_a_pair_by_its_sides(
    project: Project, corpus: Any, curator: User, recipe: Recipe, voted_rows: list[Any]
) -> None:
    refusing_rows(corpus)
    claim = draw_claim(project, curator)
    label = draw_rule(recipe=recipe, rule="flip", sampling=Sampling(4), by=curator)
    for audit, answers in ((claim, ("a", "b", "tie")), (label, ("yes", "no"))):
        for answer in answers:
            with pytest.raises(UnknownAnswer, match="yes, no or unsure" if audit == claim else "a, b, tie or unsure"):
                answer_item(audit=audit, position=0, answer=answer, by=curator)
    assert not AuditAnswer.objects.exists()


def test_an_answer_is_taken_back_and_asked_again(project: Project, corpus: Any, curator: User) -> None:
    refusing_rows(corpus)
    audit = draw_claim(project, curator)
    answer_item(audit=audit, position=0, answer="yes", by=curator)
    assert (item := undo_answer(audit=audit, by=curator)) is not None and item.position == 0
    asked = next_asked(audit)
    assert asked is not None and asked.position == 0
    answer_item(audit=audit, position=0, answer="no", by=curator)
    assert AuditAnswer.objects.get(undone_at=None).answer == "no"


def claimed(audit: Audit) -> Claimed:
    asked = next_asked(audit)
    assert asked is not None and asked.claimed is not None
    return asked.claimed


def test_the_claim_names_the_response_by_its_place(project: Project, corpus: Any, curator: User) -> None:
    run, row = corpus.run("degenerate"), corpus.add(label=1)
    flag(run, row, ["truncated"], ["refusal"])
    audit = draw_claim(project, curator, dropping({"any": [REFUSAL, ECHO]}))
    place = "first" if audit.items.get().is_b_first else "second"
    assert claimed(audit) == Claimed(f"the {place} response refuses", None, [])
    other = "second" if place == "first" else "first"
    every = draw_claim(project, curator, dropping(asks("degenerate.any")))
    assert every.items.get().is_b_first == audit.items.get().is_b_first
    assert claimed(every).words == f"the {place} response refuses or the {other} response is cut off"
    preferred = draw_claim(project, curator, dropping(asks("degenerate.flags_preferred", ">", 0)))
    assert claimed(preferred).words == f"the {place} response refuses"
    Signal.objects.update(fields={"flags_a": ["refusal"], "flags_b": ["refusal"]})
    assert claimed(audit).words == "both responses refuse"


def test_a_duplicate_stands_beside_the_one_that_stays(project: Project, corpus: Any, curator: User) -> None:
    run = corpus.run("near_duplicates")
    first, second = corpus.add("one two", "three four"), corpus.add("three four five", "one two six")
    alike(run, first, first.pk, 0.97)
    alike(run, second, first.pk, 0.97)
    audit = draw_claim(project, curator, DUPLICATES)
    found = claimed(audit)
    assert audit.population == 1 and found.words == f"this is a near duplicate of comparison {first.pk}"
    # Whichever response is shown first, the one that says nearly the same stands beside it.
    assert found.other is not None and found.other.number == first.pk
    beside = "one two" if audit.items.get().is_b_first else "three four"
    asked = next_asked(audit)
    assert asked is not None and asked.first.content.startswith(beside) and found.other.first == beside


def test_without_a_first_one_it_stands_beside_the_most_alike(project: Project, corpus: Any, curator: User) -> None:
    run = corpus.run("near_duplicates")
    rows = [corpus.add(a, "b") for a in ("one two three four", "nine eight seven", "one two three five")]
    for row, near in zip(rows, (True, False, True), strict=True):
        alike(run, row, rows[0].pk, 0.9, near_exact=near)
    audit = draw_claim(project, curator, dropping(asks("near_duplicates.near_exact")), per_band=1, bands=2)
    beside = {}
    for item in audit.items.order_by("position"):
        other = claimed(audit).other
        assert other is not None
        beside[item.comparison_id] = other.number
        answer_item(audit=audit, position=item.position, answer="yes", by=curator)
    assert beside == {rows[0].pk: rows[2].pk, rows[2].pk: rows[0].pk}


def test_a_prompt_stands_beside_the_benchmarks_as_far_as_it_is_known(
    project: Project, corpus: Any, curator: User
) -> None:
    run = corpus.run("contamination")
    bench, row = corpus.add(prompt="How high is it?", source="bench"), corpus.add(prompt="How tall is it?")
    said = {"contaminated": True, "overlap": 0.5, "benchmark": "line 12", "cosine": 0.95}
    Signal.objects.create(run=run, comparison=row, value=0.95, fields={**said, "nearest": f"prompt {bench.prompt_id}"})
    run.params = {"file": "/somewhere/secret/bench.jsonl", "threshold": 0.9}
    run.save()
    found = claimed(draw_claim(project, curator, dropping(asks("contamination.contaminated"))))
    assert found.words == "this prompt is one of a benchmark" and found.other is None
    assert [(each.name, each.text) for each in found.benchmarks] == [
        ("line 12 of bench.jsonl", None), (f"prompt {bench.prompt_id}", "How high is it?"),
    ]  # fmt: skip
    words = claimed(draw_claim(project, curator, dropping(asks("contamination.overlap", ">", 0))))
    assert [each.name for each in words.benchmarks] == ["line 12 of bench.jsonl"]


def test_both_questions_on_one_recipe(
    project: Project, corpus: Any, curator: User, voted_rows: list[Any], check: Check, tmp_path: Any, settings: Any
) -> None:
    settings.MEDIA_ROOT = settings.WINNOW_HOME = tmp_path
    refusing_rows(corpus)
    document = {"rules": [REFUSALS, FLIP, {"name": "rest", "then": "keep"}]}
    recipe = save_recipe(project=project, name="both", document=document, by=curator)
    label = draw_rule(recipe=recipe, rule="flip", sampling=Sampling(10), by=curator)
    claim = draw_rule(recipe=recipe, rule="refusals", sampling=Sampling(10), by=curator)
    check(label, wrong=20)
    answer_claims(claim, curator, holding=20)
    assert checked(project, parse(document)).unaudited == []
    release = new_release(project=project, name="v1", recipe=recipe, by=curator)
    freeze(release, Reporter())
    refusals, flip, _ = [rule["audit"] for rule in release.manifest["counts"]["rules"]]
    assert (refusals["question"], refusals["holds"], refusals["wrong"]) == ("claim", 20, None)
    assert (flip["question"], flip["holds"], flip["wrong"]) == ("label", None, 20)
    text = card(release.manifest)
    assert "it held of 20 that a response refuses; P(holds) is at least 0.86" in text
    assert "20 labels were wrong; P(wrong) is at least 0.86" in text and "Unaudited" not in text
    # A sample of claims says nothing of how noisy the labels are.
    assert noise_of(project).sampled.value is None


def test_a_claim_that_nobody_bears_out_is_marked_reviewed_or_refused(
    project: Project, corpus: Any, curator: User, owner: User
) -> None:
    refusing_rows(corpus)
    recipe = save_recipe(project=project, name="texts", document={"rules": [REFUSALS]}, by=curator)
    apply_recipe(recipe=recipe, by=curator)
    assert Decision.objects.filter(action="drop", is_current=True).count() == 30
    set_policy(project=project, unaudited="review", drop_threshold=0.35, by=owner)
    apply_recipe(recipe=recipe, by=curator)
    assert set(Decision.objects.filter(is_current=True).values_list("action", flat=True)) == {"review"}
    set_policy(project=project, unaudited="refuse", drop_threshold=0.35, by=owner)
    with pytest.raises(UnauditedRules):
        apply_recipe(recipe=recipe, by=curator)
    answer_claims(draw_claim(project, curator), curator, holding=20)
    apply_recipe(recipe=recipe, by=curator)
    assert set(Decision.objects.filter(is_current=True).values_list("action", flat=True)) == {"drop"}
    assert not preview(project=project, rules=parse(recipe.document)).rules[0].is_unaudited


def test_an_audit_from_before_rules_had_claims_still_tells_what_it_told(
    project: Project, corpus: Any, curator: User
) -> None:
    refusing_rows(corpus)
    old = answer_claims(draw_claim(project, curator), curator, holding=0)
    findings = {**old.findings, "wrong": 14, "rate": 0.7, "bound": 0.49}
    Audit.objects.filter(pk=old.pk).update(question="label", findings=findings)
    found = evidence(project)
    assert found.is_audited and (found.threshold, found.question, found.claim) == (0.35, "label", "")
    assert found.words.startswith("P(wrong) 0.70")
    answer_claims(draw_claim(project, curator, seed=2), curator, holding=0)
    assert evidence(project).known == "not shown" and evidence(project).question == "claim"
