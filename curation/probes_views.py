"""Which methods may label, and who answers for one whose probes failed?"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import caller_of
from accounts.problems import Problem
from curation.access import frame_of, owned_project, readable_project, run_of
from curation.audits.override import MAX_NOTE, override_probes, withdraw_override
from curation.audits.probe_figures import never_run, probed_runs


@require_GET
def probes(request: HttpRequest, slug: str) -> HttpResponse:
    project = readable_project(request, slug)
    found = probed_runs(project)
    context = {**frame_of(request, project), "found": found, "never_run": never_run(found), "max_note": MAX_NOTE}
    return render(request, "curation/probes.html", context)


@require_POST
def probe_override(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """Let a run label all the same; `take_back` takes that back."""
    project = owned_project(request, slug)
    run = run_of(project, run_id)
    try:
        if "take_back" in request.POST:
            withdraw_override(run=run, by=caller_of(request).user)
            messages.success(request, f"Taken back. The probes of run {run.pk} speak again; what is frozen stays.")
        else:
            override_probes(run=run, note=request.POST.get("note", ""), by=caller_of(request).user)
            messages.success(request, f"Kept. Rules may label by run {run.pk}, and the card repeats your note.")
    except Problem as problem:
        messages.error(request, problem.message)
    return redirect("curation:probes", slug)
