"""Is what a rule says of labels true? A blind sample, answered by keyboard, and the bound that it gives."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import caller_of
from accounts.models import Project, Scope
from accounts.problems import Problem
from curation.access import audit_for, curated_project, frame_of, owned_project, readable_project
from curation.audits.answer import AlreadyAnswered, answer_item, cancel_audit, finish_audit, undo_answer
from curation.audits.claim_parts import parts_of
from curation.audits.claims import claim_of_audit, claim_words
from curation.audits.draw import BANDS, MAX_BANDS, MAX_PER_BAND, MAX_SEED, PER_BAND, Sampling, draw_labels, draw_rule
from curation.audits.evidence import MEASURED, checked
from curation.audits.findings import best_bound
from curation.audits.noise import noise_of
from curation.audits.policy import FLIP_THRESHOLD, policy_of, set_policy, threshold
from curation.audits.queries import audits_of, may_undo, next_asked, progress_of, state_of
from curation.audits.shown import bars_of, measure_of
from curation.comparisons_views import HtmxRequest
from curation.models import Audit, Question, Unaudited
from curation.recipes import newest_recipe, newest_recipes
from curation.rules import parse
from curation.word_diff import marked


class DrawForm(forms.Form):
    recipe = forms.CharField(required=False, max_length=120)
    rule = forms.CharField(required=False, max_length=120)
    per_band = forms.IntegerField(min_value=1, max_value=MAX_PER_BAND, initial=PER_BAND)
    bands = forms.IntegerField(min_value=1, max_value=MAX_BANDS, initial=BANDS)
    seed = forms.IntegerField(min_value=0, max_value=MAX_SEED, initial=0)

    @property
    def sampling(self) -> Sampling:
        return Sampling(**{name: self.cleaned_data[name] for name in ("per_band", "bands", "seed")})


class PolicyForm(forms.Form):
    unaudited = forms.ChoiceField(choices=Unaudited.choices)
    drop_threshold = forms.FloatField()
    claim_threshold = forms.FloatField(required=False)


@require_http_methods(["GET", "POST"])
def audits(request: HttpRequest, slug: str) -> HttpResponse:
    """What was checked, and how noisy the labels are; POST draws a sample of a rule, or of all labels."""
    project = curated_project(request, slug) if request.method == "POST" else readable_project(request, slug)
    form, problem = DrawForm(request.POST or None), ""
    if request.method == "POST":
        problem = "Choose how many rows to draw."
        if form.is_valid():
            try:
                return redirect("curation:audit_label", slug, _drawn(request, project, form).pk)
            except Problem as refused:
                problem = refused.message
    context = {**frame_of(request, project), **_overview(project), "form": form, "problem": problem}
    return render(request, "curation/audits.html", context, status=422 if problem else 200)


@require_POST
def audit_policy(request: HttpRequest, slug: str) -> HttpResponse:
    project = owned_project(request, slug)
    form = PolicyForm(request.POST)
    try:
        if form.is_valid():
            set_policy(project=project, by=caller_of(request).user, **form.cleaned_data)
            messages.success(request, "Kept. Recipes follow it from now on; what is frozen stays.")
        else:
            messages.error(request, "Choose what becomes of unaudited rules, and a threshold from 0 to below 1.")
    except Problem as problem:
        messages.error(request, problem.message)
    return redirect("curation:audits", slug)


@require_GET
def audit(request: HttpRequest, slug: str, audit_id: int) -> HttpResponse:
    """What the sample found; nothing of it before every row is answered."""
    found = audit_for(caller_of(request), audit_id, slug=slug)
    needed = threshold(policy_of(found.project), found.action, found.question) if found.rule_key else None
    context = {
        **frame_of(request, found.project),
        "audit": found,
        "state": state_of(found),
        "progress": progress_of(found),
        "too_few": _too_few(found),
        "needed": needed,
        "needed_at": None if needed is None else 100 * needed,
        "bars": bars_of(found),
        "measure": measure_of(found),
        "is_claim": found.question == Question.CLAIM,
        "is_given": found.question == Question.GIVEN,
        "measured": MEASURED[Question(found.question)],
        "claim": claim_words(claim_of_audit(found)),
        "confidence": f"{100 * found.findings['confidence']:.3g}" if found.findings else "",
    }
    return render(request, "curation/audit.html", context)


@require_http_methods(["GET", "POST"])
def audit_label(request: HtmxRequest, slug: str, audit_id: int) -> HttpResponse:
    """One pair of the sample; POST keeps the answer and asks the next."""
    found = audit_for(caller_of(request), audit_id, slug=slug, scope=Scope.CURATE)
    refused = ""
    if request.method == "POST":
        position = request.POST.get("position", "")
        place = int(position) if position.isdecimal() and len(position) < 10 else -1
        try:
            answer_item(audit=found, position=place, answer=request.POST.get("answer", ""), by=caller_of(request).user)
        except AlreadyAnswered:
            refused = "Somebody answered that one before you; here is the next."
        except Problem as problem:
            refused = problem.message
        if not request.htmx and not refused:
            return redirect("curation:audit_label", slug, audit_id)
    return _labelling(request, found, refused)


@require_POST
def audit_undo(request: HtmxRequest, slug: str, audit_id: int) -> HttpResponse:
    """The caller's last answer is asked again."""
    found = audit_for(caller_of(request), audit_id, slug=slug, scope=Scope.CURATE)
    undo_answer(audit=found, by=caller_of(request).user)
    if not request.htmx:
        return redirect("curation:audit_label", slug, audit_id)
    return _labelling(request, found, "")


@require_POST
def audit_finish(request: HttpRequest, slug: str, audit_id: int) -> HttpResponse:
    found = audit_for(caller_of(request), audit_id, slug=slug, scope=Scope.CURATE)
    finish_audit(audit=found, by=caller_of(request).user)
    return redirect("curation:audit", slug, audit_id)


@require_POST
def audit_cancel(request: HttpRequest, slug: str, audit_id: int) -> HttpResponse:
    found = audit_for(caller_of(request), audit_id, slug=slug, scope=Scope.CURATE)
    cancel_audit(audit=found, by=caller_of(request).user)
    messages.success(request, "Cancelled. Its answers are not counted.")
    return redirect("curation:audits", slug)


def _drawn(request: HttpRequest, project: Project, form: DrawForm) -> Audit:
    by, given = caller_of(request).user, form.cleaned_data
    if not given["recipe"]:
        return draw_labels(project=project, sampling=form.sampling, by=by)
    recipe = newest_recipe(project, given["recipe"])
    return draw_rule(recipe=recipe, rule=given["rule"], sampling=form.sampling, by=by)


def _overview(project: Project) -> dict[str, Any]:
    recipes = [(recipe, checked(project, parse(recipe.document))) for recipe in newest_recipes(project)]
    asked = [
        (recipe, rule, known)
        for recipe, found in recipes
        for rule, known in zip(found.rules.rules, found.evidence, strict=True)
        if known is not None
    ]
    return {
        "asked": asked,
        "audits": [(each, state_of(each)) for each in audits_of(project)],
        "noise": noise_of(project),
        "policy": policy_of(project),
        "choices": Unaudited.choices,
        "flip_threshold": FLIP_THRESHOLD,
    }


def _too_few(audit: Audit) -> str:
    """Why to stop before the first answer: of few rows even the best is not enough."""
    if not audit.rule_key or audit.finished_at is not None:
        return ""
    needed = threshold(policy_of(audit.project), audit.action, audit.question)
    best = best_bound(audit, progress_of(audit).size)
    if best > needed:
        return ""
    return (
        f"Even if every answer speaks for the rule, its lower bound is {best:.2f} and does not pass {needed:g}: the"
        " sample is too small. Cancel it and draw more, or, if the rule acts on no more rows, decide them by hand."
    )


def _labelling(request: HtmxRequest, audit: Audit, refused: str) -> HttpResponse:
    if audit.finished_at or audit.cancelled_at:
        return redirect("curation:audit", audit.project.slug, audit.pk)
    asked = next_asked(audit)
    is_claim = audit.question == Question.CLAIM
    parts = parts_of(asked) if asked else []
    context = {
        **frame_of(request, audit.project),
        "audit": audit,
        "asked": asked,
        "too_few": _too_few(audit),
        "is_claim": is_claim,
        "parts": parts,
        "can_mark": any(part.is_marked for part in parts),
        "diff": marked(asked.first.content, asked.second.content) if asked and not is_claim else None,
        "progress": progress_of(audit),
        "may_undo": may_undo(audit, caller_of(request).user),
        "refused": refused,
    }
    name = "curation/_audit_item.html" if request.htmx.target == "audit" else "curation/audit_label.html"
    return render(request, name, context)
