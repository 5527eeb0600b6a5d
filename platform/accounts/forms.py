"""What the account pages ask for. Forms check; verbs do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Project, Role, Scope

ROLE_CHOICES = [
    (Role.ANNOTATOR.value, "Annotator: judges what campaigns ask"),
    (Role.CURATOR.value, "Curator: imports, runs methods, decides, freezes releases"),
    (Role.OWNER.value, "Owner: all that, and people and settings"),
]
SCOPE_CHOICES = [
    (Scope.READ.value, "Read: see, change nothing"),
    (Scope.ANNOTATE.value, "Annotate: read, and judge"),
    (Scope.CURATE.value, "Curate: annotate, and import, run, decide, freeze"),
    (Scope.ADMIN.value, "Admin: all that you may do"),
]
LIFETIMES = {"30": "30 days", "90": "90 days", "365": "One year", "": "Never"}


class ProjectForm(forms.Form):
    name = forms.CharField(max_length=200, label="Name", help_text="What people call it.")
    slug = forms.SlugField(
        max_length=64,
        label="Address",
        help_text="Letters, digits, hyphens and underscores. It stays, since links and programs hold it.",
    )


class RenameForm(forms.Form):
    name = forms.CharField(max_length=200, label="Name")


class InviteForm(forms.Form):
    role = forms.ChoiceField(choices=ROLE_CHOICES, initial=Role.ANNOTATOR.value, label="Role")
    email = forms.EmailField(
        max_length=254,
        required=False,
        label="E-mail (optional)",
        help_text="With it, only that person can use the link. Winnow sends nothing: you pass the link on.",
    )


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class TokenForm(forms.Form):
    name = forms.CharField(max_length=120, label="Name", help_text="What it is for: “training cluster”.")
    scope = forms.ChoiceField(choices=SCOPE_CHOICES, initial=Scope.READ.value, label="Scope")
    lifetime = forms.ChoiceField(choices=list(LIFETIMES.items()), required=False, initial="90", label="Expires after")

    def __init__(self, *args: Any, projects: QuerySet[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"] = forms.ModelChoiceField(
            queryset=projects,
            required=False,
            to_field_name="slug",
            empty_label="All projects that I can see",
            label="Project",
        )
        self.order_fields(["name", "scope", "project", "lifetime"])

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class JoinForm(forms.Form):
    email = forms.EmailField(
        max_length=254, label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    name = forms.CharField(
        max_length=120,
        required=False,
        label="Name (optional)",
        help_text="How others in the project see you.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        max_length=1024,
        label="Password",
        help_text="Eight characters or more, and not a common one.",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
