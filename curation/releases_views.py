"""The pages of releases: can I trust it, and how do I load it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.middleware import HtmxDetails

from accounts.access import caller_of
from accounts.problems import Problem
from curation.access import curated_project, frame_of, named_release, readable_project
from curation.exports import find_format, format_names
from curation.freeze import folder, request_release
from curation.gains_views import told
from curation.manifest import splits_in_order
from curation.models import Release
from curation.recipes import newest_recipes
from curation.releases_api import release_state
from curation.splits import Shares
from ledger.models import FINISHED_STATES
from ledger.queries import progress_of, waiting_for


class HtmxRequest(HttpRequest):
    htmx: HtmxDetails


class FreezeForm(forms.Form):
    name = forms.CharField(max_length=120)
    recipe = forms.CharField(max_length=120)
    train = forms.FloatField(initial=90)
    validation = forms.FloatField(initial=5)
    test = forms.FloatField(initial=5)


@dataclass(frozen=True)
class Offer:
    """A format as the page offers it: where it loads from, or why it cannot."""

    name: str
    label: str
    refused: str | None
    splits: list[str]


@require_http_methods(["GET", "POST"])
def releases(request: HttpRequest, slug: str) -> HttpResponse:
    """What was frozen; POST freezes a new one."""
    project = curated_project(request, slug) if request.method == "POST" else readable_project(request, slug)
    form = FreezeForm(request.POST or None, initial={"recipe": request.GET.get("recipe", "")})
    context = {**frame_of(request, project), "form": form, "recipes": newest_recipes(project)}
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            shares = Shares(given["train"], given["validation"], given["test"])
            request_release(
                project=project, name=given["name"], recipe=given["recipe"], by=caller_of(request).user, shares=shares
            )
            return redirect("curation:release", slug, given["name"])
        except Problem as problem:
            context["problem"] = problem
    found = Release.objects.filter(project=project).select_related("recipe", "run").order_by("-id")
    context["releases"] = [(release, release_state(release)) for release in found]
    return render(request, "curation/releases.html", context, status=422 if request.method == "POST" else 200)


@require_GET
def release(request: HtmxRequest, slug: str, name: str) -> HttpResponse:
    """The page renews its middle until the release is frozen."""
    found = named_release(readable_project(request, slug), name)
    context = {**frame_of(request, found.project), "release": found, "state": release_state(found)}
    if found.frozen_at:
        context |= _frozen(request, found)
    elif found.run:
        context |= {
            "is_moving": found.run.state not in FINISHED_STATES,
            "progress": progress_of(found.run),
            "waiting_for": waiting_for(found.run),
        }
    return render(request, "curation/_release.html" if request.htmx else "curation/release.html", context)


def _frozen(request: HttpRequest, release: Release) -> dict[str, Any]:
    with default_storage.open(f"{folder(release)}/README.md", "rb") as stored:
        readme = stored.read().decode()
    offers = [_offer(name, release) for name in format_names()]
    gain = release.manifest.get("gain")
    return {
        **(told(gain) | {"older": gain["older_signals"]} if gain else {}),
        "manifest": release.manifest,
        "splits": splits_in_order(release.manifest),
        "offers": offers,
        "shown": next((offer for offer in offers if offer.name == "trl_reward" and not offer.refused), None),
        "card": readme.split("---\n", 2)[-1],
        "site": request.build_absolute_uri("/").rstrip("/"),
        "pairs": sum(split["pairs"] for split in release.manifest["splits"].values()),
    }


def _offer(name: str, release: Release) -> Offer:
    found = find_format(name)
    splits = [split for split, counted in splits_in_order(release.manifest).items() if counted["pairs"]]
    return Offer(name, found.LABEL, found.accepts(release.manifest), splits)
