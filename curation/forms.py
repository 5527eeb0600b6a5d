"""What the pages send when somebody decides."""

from __future__ import annotations

from typing import Any

from django import forms

from curation.decide import BY_HAND
from curation.models import Action

# Beyond one row the reason is asked: it is read long after the key was pressed.
MAX_CHOSEN = 1000


class IdsField(forms.Field):
    """Checkboxes of one name."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[int]:
        try:
            return [int(part) for part in value or []]
        except (TypeError, ValueError) as error:
            raise forms.ValidationError("These are not numbers of comparisons.") from error


class DecideForm(forms.Form):
    ids = IdsField(required=False)
    # Whoever gives a label alone keeps the row with it.
    action = forms.ChoiceField(choices=[(action, action) for action in BY_HAND], required=False)
    reason = forms.CharField(required=False, max_length=2000)
    label = forms.TypedChoiceField(
        required=False, choices=[(str(label), str(label)) for label in range(-3, 4)], coerce=int, empty_value=None
    )
    # Every row of the filter, if there are still `expected` of them.
    every = forms.BooleanField(required=False)
    expected = forms.IntegerField(required=False, min_value=0)
    filter = forms.CharField(required=False)

    @property
    def decision(self) -> dict[str, Any]:
        """What `decide` takes."""
        return {name: self.cleaned_data[name] for name in ("action", "reason", "label")}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        chosen = given.get("ids") or []
        if not given.get("action") and given.get("label") is not None:
            given["action"] = Action.KEEP
        if not given.get("action") and "action" not in self.errors:
            self.add_error("action", "Choose what to do.")
        if not given.get("every") and not chosen:
            self.add_error("ids", "Choose a row first.")
        if len(chosen) > MAX_CHOSEN:
            self.add_error("ids", f"Choose at most {MAX_CHOSEN:,} rows, or every row of the filter.")
        if (given.get("every") or len(chosen) > 1) and not (given.get("reason") or "").strip():
            self.add_error("reason", "Say why, once for all of these rows.")
        return given
