"""What the pages ask; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import Project
from accounts.problems import Problem
from annotation.campaigns.add_tasks import ORDERS
from annotation.campaigns.create import MAX_OVERLAP
from annotation.campaigns.queries import newest_guidelines
from annotation.campaigns.setting_fields import field_of
from annotation.campaigns.stop_rule import MAX_JUDGMENTS
from annotation.consensus.adjudicate import MAX_REASON_CHARACTERS
from annotation.kinds._base import kinds
from annotation.models import CampaignState, Unit
from corpus.models import Source

UNIT_WORDS = {
    Unit.COMPARISON: "Two responses at a time",
    Unit.PROMPT: "All responses to a prompt at once",
    Unit.RESPONSE: "One response at a time",
}
ORDER_WORDS = {"imported": "As imported", "shuffled": "Shuffled", "shortest first": "Shortest texts first"}
OPEN_TO = [("all", "Every annotator of the project"), ("invited", "Only those who are invited")]


class CampaignForm(forms.Form):
    """What every campaign is asked, of whichever kind."""

    name = forms.CharField(max_length=120, help_text="What annotators see in their list.")
    kind = forms.ChoiceField(label="Kind of judgment")
    unit = forms.ChoiceField(label="What one task shows", required=False)
    overlap = forms.IntegerField(
        label="Judgments each",
        min_value=1,
        max_value=MAX_OVERLAP,
        initial=2,
        help_text="Each by another person. Agreement needs two or more.",
    )
    stop_until = forms.FloatField(
        label="Until the leading answer has this posterior",
        required=False,
        min_value=0.5,
        max_value=0.999,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
        help_text="0.5 to 0.999. Left empty, everything gets just the judgments above.",
    )
    stop_max = forms.IntegerField(
        label="At most this many judgments each", required=False, min_value=1, max_value=MAX_JUDGMENTS
    )
    sources = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="None chosen means all comparisons."
    )
    order = forms.ChoiceField(
        label="Order of work", required=False, choices=[(order, ORDER_WORDS[order]) for order in ORDERS]
    )
    seed = forms.IntegerField(
        label="Seed of the shuffle",
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="The same seed, the same order.",
    )
    open_to = forms.ChoiceField(label="Who may work here", required=False, choices=OPEN_TO)
    guidelines = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Markdown. A changed text becomes a new version; every judgment names the one it was given under.",
    )

    def __init__(self, *arguments: Any, project: Project, **named: Any) -> None:
        super().__init__(*arguments, **named)
        names = Source.objects.filter(project=project).order_by("name").values_list("name", flat=True)
        self._choose("kind", [(name, kind.LABEL) for name, kind in kinds().items()])
        self._choose("sources", [(name, name) for name in names])
        self.fields["guidelines"].initial = newest_guidelines(project)
        self._choose("unit", [(unit, UNIT_WORDS[unit]) for unit in kinds()[self.kind_chosen].UNITS])

    def _choose(self, field: str, choices: list[tuple[str, str]]) -> None:
        held = self.fields[field]
        if isinstance(held, forms.ChoiceField):
            held.choices = choices

    @property
    def kind_chosen(self) -> str:
        """Whatever else is wrong."""
        chosen = self.data.get("kind") if self.is_bound else self.initial.get("kind")
        return chosen if chosen in kinds() else "pairwise"

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or {}
        if (chosen.get("stop_until") is None) != (chosen.get("stop_max") is None):
            missing = "stop_max" if chosen.get("stop_max") is None else "stop_until"
            self.add_error(missing, "A stop rule needs both: the posterior and the most judgments.")
        return chosen

    def as_arguments(self) -> dict[str, Any]:
        """For create_campaign."""
        chosen = self.cleaned_data
        until, most = chosen["stop_until"], chosen["stop_max"]
        return {
            "name": chosen["name"],
            "kind": chosen["kind"],
            "unit": chosen["unit"] or None,
            "overlap": chosen["overlap"],
            "stop_rule": None if until is None else {"max": most, "until": until},
            "sources": chosen["sources"],
            "order": chosen["order"] or ORDERS[0],
            "seed": chosen["seed"] or 0,
            "is_invited_only": chosen["open_to"] == "invited",
            "guidelines": chosen["guidelines"],
        }

    def take(self, problem: Problem, settings: SettingsForm) -> None:
        """Shows what a verb refused beside its field."""
        elsewhere = {"stop_rule": "stop_until"}
        left = dict(problem.fields)
        for field, message in problem.fields.items():
            of_setting = field.removeprefix("settings.").split(".")[0]
            if elsewhere.get(field, field) in self.fields:
                self.add_error(elsewhere.get(field, field), message)
            elif of_setting in settings.fields:
                settings.add_error(of_setting, message)
            else:
                continue
            left.pop(field)
        self.add_error(None, " ".join([problem.message, *(f"{name}: {words}." for name, words in left.items())]))


class SettingsForm(forms.Form):
    """The settings of one kind; its fields are made from the kind."""

    prefix = "settings"

    def __init__(self, kind: str, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for name, setting in kinds()[kind].SETTINGS.items():
            self.fields[name] = field_of(name, setting)


class ChangeForm(forms.Form):
    state = forms.TypedChoiceField(
        required=False, choices=CampaignState.choices, coerce=CampaignState, empty_value=None
    )
    overlap = forms.IntegerField(required=False, min_value=1, max_value=MAX_OVERLAP)


class PriorityForm(forms.Form):
    which = forms.ChoiceField(
        label="Which open tasks",
        choices=[
            ("undecided", "Those whose votes are undecided so far"),
            ("source", "Those of a source"),
            ("comparisons", "Comparisons by number"),
            ("shuffled", "All of them, shuffled"),
        ],
    )
    source = forms.ChoiceField(label="Source", required=False)
    comparisons = forms.CharField(
        label="Numbers of comparisons",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Separated by spaces, commas or lines.",
    )
    seed = forms.IntegerField(label="Seed of the shuffle", required=False, min_value=0, max_value=2**31 - 1)
    priority = forms.IntegerField(
        label="Priority", required=False, initial=1, help_text="Higher comes first; all tasks begin with 0."
    )

    def __init__(self, *arguments: Any, project: Project, **named: Any) -> None:
        super().__init__(*arguments, **named)
        source = self.fields["source"]
        if isinstance(source, forms.ChoiceField):
            names = Source.objects.filter(project=project).order_by("name").values_list("name", flat=True)
            source.choices = [("", "–"), *((name, name) for name in names)]

    def clean(self) -> dict[str, Any] | None:
        chosen = super().clean()
        which = self.cleaned_data.get("which")
        if which == "source" and not self.cleaned_data.get("source"):
            self.add_error("source", "Choose a source.")
        if which == "comparisons" and not self.cleaned_data.get("comparisons", True):
            self.add_error("comparisons", "Name at least one comparison.")
        return chosen

    def clean_comparisons(self) -> list[int]:
        words = self.cleaned_data["comparisons"].replace(",", " ").split()
        if wrong := [word for word in words if not word.isdecimal() or len(word) > 18]:
            raise forms.ValidationError(f"This is no number of a comparison: {wrong[0][:40]}")
        return [int(word) for word in words]

    def as_arguments(self) -> dict[str, Any]:
        """For reprioritise."""
        chosen = self.cleaned_data
        which = chosen["which"]
        named = {
            "undecided": True,
            "source": chosen["source"],
            "comparisons": chosen["comparisons"],
            "shuffled": chosen["seed"] or 0,
        }
        return {which: named[which], "priority": chosen["priority"] or 0}


class AdjudicationForm(forms.Form):
    """An answer is a number of the signed scale, or the words both_bad."""

    comparison = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    answer = forms.ChoiceField(choices=[(str(number), str(number)) for number in range(-3, 4)] + [("both_bad", "")])
    reason = forms.CharField(required=False, max_length=MAX_REASON_CHARACTERS)

    def as_arguments(self) -> dict[str, Any]:
        """For adjudicate."""
        answer = self.cleaned_data["answer"]
        is_both_bad = answer == "both_bad"
        return {
            "comparison_id": self.cleaned_data["comparison"],
            "label": None if is_both_bad else int(answer),
            "is_both_bad": is_both_bad,
            "reason": self.cleaned_data["reason"],
        }
