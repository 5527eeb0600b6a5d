"""The sections of a campaign's settings page: each is a form of its own, and saves by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict

from accounts.problems import Problem
from annotation.campaigns.consensus_method import METHODS
from annotation.campaigns.create import MAX_OVERLAP
from annotation.campaigns.ordering import MOST_BETWEEN
from annotation.campaigns.queries import guidelines_of
from annotation.campaigns.stop_rule import MAX_JUDGMENTS
from annotation.campaigns.taking_part import who_can_be_invited
from annotation.models import Campaign
from annotation.quality.settings import MAX_DAYS, MAX_EVERY, MAX_ITEMS


class SectionForm(forms.Form):
    """A part of the settings, filled in from the campaign."""

    # Where a verb names a field otherwise than the form does.
    ALSO: ClassVar[dict[str, str]] = {}

    def __init__(self, campaign: Campaign, data: QueryDict | None = None) -> None:
        self.campaign = campaign
        super().__init__(data, initial=self.held(campaign), auto_id=f"id_{type(self).__name__.lower()}_%s")

    def held(self, campaign: Campaign) -> dict[str, Any]:
        """What the campaign has now, by field."""
        raise NotImplementedError

    @property
    def changes(self) -> dict[str, Any]:
        """For change_campaign."""
        return {name: value for name, value in self.cleaned_data.items() if name in self.changed_data}

    def take(self, problem: Problem) -> None:
        """Shows what a verb refused beside its field."""
        for field, message in problem.fields.items():
            place = self.ALSO.get(field, field)
            self.add_error(place if place in self.fields else None, message)
        if not problem.fields:
            self.add_error(None, problem.message)


class Name(SectionForm):
    name = forms.CharField(max_length=120)

    def held(self, campaign: Campaign) -> dict[str, Any]:
        return {"name": campaign.name}


class Guidelines(SectionForm):
    guidelines = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="Markdown. A changed text is a new version, which annotators read from now on.",
    )

    def held(self, campaign: Campaign) -> dict[str, Any]:
        return {"guidelines": guidelines_of(campaign)}


class Amount(SectionForm):
    ALSO: ClassVar[dict[str, str]] = {"stop_rule": "until"}

    overlap = forms.IntegerField(
        label="Judgments each",
        max_value=MAX_OVERLAP,
        help_text="It can grow, and never shrink: they may be in already.",
    )
    until = forms.FloatField(
        label="One more while undecided: until the leading answer has this posterior",
        required=False,
        min_value=0.5,
        max_value=0.999,
        widget=forms.NumberInput(attrs={"step": "0.001"}),
        help_text="Left empty, everything gets just the judgments above.",
    )
    max = forms.IntegerField(
        label="… and at most this many judgments each", required=False, min_value=1, max_value=MAX_JUDGMENTS
    )

    def held(self, campaign: Campaign) -> dict[str, Any]:
        return {"overlap": campaign.overlap, **(campaign.stop_rule or {})}

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or {}
        if (chosen.get("until") is None) != (chosen.get("max") is None) and not self.errors:
            missing = "max" if chosen.get("max") is None else "until"
            self.add_error(missing, "A stop rule needs both: the posterior and the most judgments.")
        return chosen

    @property
    def changes(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        changes: dict[str, Any] = {}
        if "overlap" in self.changed_data:
            changes["overlap"] = chosen["overlap"]
        if {"until", "max"} & set(self.changed_data):
            is_rule = chosen["until"] is not None
            changes["stop_rule"] = {"max": chosen["max"], "until": chosen["until"]} if is_rule else None
        return changes


class Quality(SectionForm):
    """Each part is on when its numbers are filled in."""

    training_items = forms.IntegerField(
        label="Training: items first, with feedback", required=False, min_value=1, max_value=MAX_ITEMS
    )
    qualification_items = forms.IntegerField(
        label="Qualification: items before the work begins", required=False, min_value=1, max_value=MAX_ITEMS
    )
    qualification_threshold = forms.FloatField(
        label="… and the share of them that must be right",
        required=False,
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
    )
    gold_every = forms.IntegerField(
        label="Gold: one item of known answer among how many", required=False, min_value=1, max_value=MAX_EVERY
    )
    repeats_every = forms.IntegerField(
        label="Quiet repeats: one own comparison again among how many",
        required=False,
        min_value=1,
        max_value=MAX_EVERY,
        help_text="With the sides swapped: tells how far a person agrees with themselves.",
    )
    repeats_after_items = forms.IntegerField(
        label="… after this many other items", required=False, min_value=1, max_value=MAX_EVERY
    )
    repeats_after_days = forms.IntegerField(
        label="… or after this many days", required=False, min_value=1, max_value=MAX_DAYS
    )

    def held(self, campaign: Campaign) -> dict[str, Any]:
        return {
            f"{part}_{field}": value
            for part, fields in campaign.quality.items()
            if isinstance(fields, dict)
            for field, value in fields.items()
        }

    @property
    def changes(self) -> dict[str, Any]:
        quality: dict[str, dict[str, Any]] = {}
        for name, value in self.cleaned_data.items():
            part, _, field = name.partition("_")
            if value is not None:
                quality.setdefault(part, {})[field] = value
        return {"quality": quality} if self.changed_data else {}

    def take(self, problem: Problem) -> None:
        for path, message in problem.fields.items():
            place = path.removeprefix("quality.").replace(".", "_")
            first = next((name for name in self.fields if name == place or name.startswith(f"{place}_")), None)
            self.add_error(first, message)


class People(SectionForm):
    is_invited_only = forms.BooleanField(
        label="Only those who are invited may work here",
        required=False,
        help_text="Who has answered already goes on. Otherwise every annotator of the project may.",
    )

    def held(self, campaign: Campaign) -> dict[str, Any]:
        return {"is_invited_only": campaign.is_invited_only}


class Consensus(SectionForm):
    consensus_method = forms.ChoiceField(label="Method in force", choices=list(METHODS.items()))

    def held(self, campaign: Campaign) -> dict[str, Any]:
        return {"consensus_method": campaign.consensus_method}


class Order(SectionForm):
    reorder_every = forms.IntegerField(
        label="Order the work again after every so many judgments",
        min_value=0,
        max_value=MOST_BETWEEN,
        help_text="By where a minute is worth most, from what people have said by then. 0 = never.",
    )

    def held(self, campaign: Campaign) -> dict[str, Any]:
        return {"reorder_every": campaign.reorder_every}


SECTIONS: dict[str, Callable[..., SectionForm]] = {
    "name": Name,
    "guidelines": Guidelines,
    "amount": Amount,
    "quality": Quality,
    "people": People,
    "consensus": Consensus,
    "order": Order,
}


class InviteForm(forms.Form):
    people = forms.TypedMultipleChoiceField(
        coerce=int, required=False, widget=forms.CheckboxSelectMultiple, label="People of this project"
    )
    email = forms.EmailField(
        required=False, label="Somebody else, by e-mail", help_text="Makes a link, shown once, for you to send."
    )

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or {}
        if not chosen.get("people") and not chosen.get("email") and not self.errors:
            raise forms.ValidationError("Choose somebody, or give an e-mail.")
        return chosen


def invite_form(campaign: Campaign, data: QueryDict | None = None) -> InviteForm:
    form = InviteForm(data)
    people = form.fields["people"]
    if isinstance(people, forms.TypedMultipleChoiceField):
        people.choices = [(person.pk, str(person)) for person in who_can_be_invited(campaign)]
    return form
