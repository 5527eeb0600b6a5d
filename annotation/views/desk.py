"""The pages of somebody who judges."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import caller_of, project_for
from accounts.models import Role, Scope
from annotation.access import judgment_for
from annotation.campaigns import queries
from annotation.campaigns.mine import my_work
from annotation.desk.flags import FLAG_REASONS
from annotation.desk.items import own_judgments
from annotation.desk.keys import ACTIONS, FIXED, KeysRefused, bind_keys, reset_keys
from annotation.desk.presentation import HISTORY_ROWS, SKIP_REASONS, desk_keys, history_rows, key_groups
from annotation.desk.rendering import rendered
from annotation.views._page import campaign_of, context, number_in


@login_required
@require_GET
def annotate(request: HttpRequest, slug: str) -> HttpResponse:
    """What can I work on, and how much is left for me?"""
    project = project_for(caller_of(request), slug, role=Role.ANNOTATOR, scope=Scope.READ)
    rows = my_work(project, caller_of(request).user)
    return render(request, "annotation/annotate.html", context(request, project, rows=rows))


@login_required
@require_GET
def judge(request: HttpRequest, slug: str, campaign_id: int, judgment_id: int | None = None) -> HttpResponse:
    """The desk; its item comes by the API, so that opening the page claims nothing by itself."""
    held = campaign_of(request, slug, campaign_id, role=Role.ANNOTATOR, scope=Scope.READ)
    work = queries.work_in(held, caller_of(request).user)
    page = context(
        request,
        held.project,
        campaign=held,
        work=work,
        start=judgment_id,
        guidelines=rendered(queries.guidelines_of(held)),
        skip_reasons=SKIP_REASONS,
        flag_reasons=FLAG_REASONS,
        **desk_keys(caller_of(request).user, held.kind),
    )
    return render(request, "annotation/judge.html", page)


@login_required
@require_GET
def answer(request: HttpRequest, slug: str, campaign_id: int, judgment_id: int) -> HttpResponse:
    """The desk, opened at one of one's own answers."""
    judgment_for(caller_of(request), judgment_id)
    return judge(request, slug, campaign_id, judgment_id)


@login_required
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """Which key does what at my desk?"""
    user, problems, typed = caller_of(request).user, {}, {}
    if request.method == "POST":
        typed = {action.name: request.POST.get(action.name, action.key) for action in ACTIONS}
        try:
            if "reset" in request.POST:
                reset_keys(user=user, action=request.POST["reset"] or None)
            else:
                bind_keys(user=user, keys=typed)
        except KeysRefused as refused:
            problems = refused.fields
        else:
            messages.success(request, "Your keys are saved.")
            return redirect("annotation:keys")
    page = {"groups": key_groups(user, typed, problems), "fixed": FIXED, "has_problems": bool(problems)}
    return render(request, "annotation/keys.html", page, status=422 if problems else 200)


@login_required
@require_GET
def history(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(caller_of(request), slug, role=Role.ANNOTATOR, scope=Scope.READ)
    me, before = caller_of(request).user, number_in(request.GET.get("before", ""))
    own = own_judgments(project, me, before=before)
    chosen = number_in(request.GET.get("campaign", ""))
    found = list((own if chosen is None else own.filter(campaign=chosen))[: HISTORY_ROWS + 1])
    page = context(request, project, rows=history_rows(found[:HISTORY_ROWS]), is_later=before is not None)
    page["before"] = found[HISTORY_ROWS - 1].id if len(found) > HISTORY_ROWS else None
    page |= {"campaigns": queries.answered_by(project, me), "chosen": chosen}
    return render(request, "annotation/history.html", page)
