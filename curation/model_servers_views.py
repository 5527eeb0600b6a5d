"""Which model servers may this project's texts be sent to? Curators see it, owners change it."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import caller_of
from accounts.models import Project
from accounts.problems import Problem
from curation.access import frame_of, model_server_for, owned_project, readable_project
from curation.model_servers.change import add_server, remove_server
from curation.model_servers.queries import servers_of


class ModelServerForm(forms.Form):
    url = forms.CharField(
        max_length=300,
        label="URL",
        help_text="Of an OpenAI-compatible server, up to and with /v1: https://host/v1. Its key, if it wants one, is "
        "the operator's to set.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    tokenizer = forms.CharField(
        max_length=100,
        required=False,
        label="Tokenizer (only where the server has no /tokenize)",
        help_text="The name of a folder in WINNOW_HOME/models with the model's tokenizer.",
    )
    note = forms.CharField(max_length=500, required=False, label="Note", help_text="Whose it is, what runs on it.")


@require_http_methods(["GET", "POST"])
def model_servers(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method == "GET":
        return _page(request, readable_project(request, slug), ModelServerForm())
    project = owned_project(request, slug)
    form = ModelServerForm(request.POST)
    if not form.is_valid():
        return _page(request, project, form, status=422)
    try:
        server = add_server(project=project, by=caller_of(request).user, **form.cleaned_data)
    except Problem as problem:
        for name in problem.fields or {"url": ""}:
            form.add_error(name, problem.message)
        return _page(request, project, form, status=problem.status)
    messages.success(request, f"Methods of this project may now send texts to {server.url}.")
    return redirect("curation:model_servers", slug)


@require_POST
def model_server_remove(request: HttpRequest, slug: str, server_id: int) -> HttpResponse:
    server = model_server_for(caller_of(request), server_id, slug=slug)
    remove_server(server=server, by=caller_of(request).user)
    messages.success(request, f"Nothing is sent to {server.url} any more.")
    return redirect("curation:model_servers", slug)


def _page(request: HttpRequest, project: Project, form: ModelServerForm, status: int = 200) -> HttpResponse:
    frame = frame_of(request, project)
    context = {
        **frame,
        "servers": servers_of(project),
        "form": form,
        "may_change": frame["role"] == "owner",
        "private": sorted(settings.WINNOW_PRIVATE_MODEL_SERVERS),
    }
    return render(request, "curation/model_servers.html", context, status=status)
