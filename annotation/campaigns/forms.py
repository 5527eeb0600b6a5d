"""What the pages ask; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import Project
from accounts.problems import Problem
from annotation.campaigns.create import MAX_OVERLAP
from annotation.campaigns.queries import newest_guidelines
from annotation.kinds._base import kinds
from annotation.models import CampaignState
from corpus.models import Source


class CampaignForm(forms.Form):
    name = forms.CharField(max_length=120, help_text="What annotators see in their list.")
    kind = forms.ChoiceField(label="Kind of judgment")
    overlap = forms.IntegerField(
        label="Judgments per comparison",
        min_value=1,
        max_value=MAX_OVERLAP,
        initial=2,
        help_text="Each by another person. Agreement needs two or more.",
    )
    sources = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="None chosen means all comparisons."
    )
    tie = forms.BooleanField(required=False, initial=True, label="Offer “tie”")
    both_bad = forms.BooleanField(required=False, initial=True, label="Offer “both bad”, apart from a tie")
    reason = forms.ChoiceField(
        label="Short reason",
        choices=[("off", "Do not ask"), ("optional", "May be given"), ("required", "Must be given")],
        help_text="Asked for beside each answer.",
    )
    guidelines = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Markdown. A changed text becomes a new version; every judgment names the one it was given under.",
    )

    def __init__(self, *arguments: Any, project: Project, **named: Any) -> None:
        super().__init__(*arguments, **named)
        names = Source.objects.filter(project=project).order_by("name").values_list("name", flat=True)
        self.fields["kind"] = forms.ChoiceField(
            label="Kind of judgment", choices=[(name, kind.LABEL) for name, kind in kinds().items()]
        )
        sources = self.fields["sources"]
        if isinstance(sources, forms.MultipleChoiceField):
            sources.choices = [(name, name) for name in names]
        self.fields["guidelines"].initial = newest_guidelines(project)

    def as_arguments(self) -> dict[str, Any]:
        """For create_campaign."""
        chosen = self.cleaned_data
        return {
            "name": chosen["name"],
            "kind": chosen["kind"],
            "overlap": chosen["overlap"],
            "sources": chosen["sources"],
            "settings": {name: chosen[name] for name in kinds()[chosen["kind"]].SETTINGS if name in chosen},
            "guidelines": chosen["guidelines"],
        }

    def take(self, problem: Problem) -> None:
        """Shows what a verb refused beside its field."""
        self.add_error(None, problem.message)
        for field, message in problem.fields.items():
            self.add_error(field if field in self.fields else None, message)


class ChangeForm(forms.Form):
    state = forms.TypedChoiceField(
        required=False, choices=CampaignState.choices, coerce=CampaignState, empty_value=None
    )
    overlap = forms.IntegerField(required=False, min_value=1, max_value=MAX_OVERLAP)
