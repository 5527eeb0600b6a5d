"""How a curator chooses known answers."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from accounts.models import User
from accounts.problems import Problem
from annotation.models import Campaign, Purpose, Unit
from annotation.quality.gold import PHASES, mark_gold
from annotation.quality.known_from import LEAST_VOTES, mark_own_judgments, mark_unanimous

JUDGMENTS, CONSENSUS, LIST = "judgments", "consensus", "list"


class GoldForm(forms.Form):
    """Where they come from, and for what they are asked."""

    phase = forms.ChoiceField(label="Use them for", choices=[(phase.value, phase.label) for phase in PHASES])
    limit = forms.IntegerField(label="At most", min_value=1, max_value=10_000, initial=50)
    items = forms.CharField(
        label="A list as JSON",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="Each with the number of its item, what is expected, and if you like an explanation and a phase.",
    )
    source = forms.ChoiceField(
        choices=[(JUDGMENTS, "judgments"), (CONSENSUS, "consensus"), (LIST, "list")], widget=forms.HiddenInput
    )

    def clean_items(self) -> list[dict[str, Any]]:
        text = self.cleaned_data["items"].strip()
        if not text:
            return []
        try:
            found = json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(f"This is no JSON: {error}.") from None
        if not isinstance(found, list):
            raise forms.ValidationError("This must be a list: [{...}, {...}].")
        return found

    def mark(self, campaign: Campaign, by: User) -> int:
        """How many have a known answer now."""
        phase, limit = Purpose(self.cleaned_data["phase"]), self.cleaned_data["limit"]
        if self.cleaned_data["source"] == JUDGMENTS:
            return mark_own_judgments(campaign=campaign, phase=phase, by=by, limit=limit)
        if self.cleaned_data["source"] == CONSENSUS:
            return mark_unanimous(campaign=campaign, phase=phase, by=by, limit=limit, least_votes=LEAST_VOTES)
        items = [{"phase": phase.value, **one} if isinstance(one, dict) else one for one in self.cleaned_data["items"]]
        return len(mark_gold(campaign=campaign, items=items, by=by))

    def take(self, problem: Problem) -> None:
        """Shows what a verb refused."""
        place = "items" if self.cleaned_data.get("source") == LIST else None
        self.add_error(place, problem.message)
        for path, message in problem.fields.items():
            if path.startswith("items"):
                self.add_error("items", f"{path} {message}")


def example_for(campaign: Campaign) -> str:
    """One entry of the list, as this campaign's kind wants it."""
    expected = {
        "rating": '{"ratings": {"RESPONSE_ID": {"NAME": [3, 4]}}}',
        "rubric": '{"criteria": {"RESPONSE_ID": {"NAME": "yes"}}}',
    }.get(campaign.kind, '{"better": "a"}')
    named = "comparison" if campaign.unit == Unit.COMPARISON else str(campaign.unit)
    return f'[{{"{named}": 123, "expected": {expected}, "explanation": "Why"}}]'
