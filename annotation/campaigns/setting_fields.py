"""A form field for a setting of a kind, made from what the setting says of itself."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from annotation.kinds._base import Setting

LEAST_ROWS, MOST_ROWS = 3, 14


def field_of(name: str, setting: Setting) -> forms.Field:
    label = name.replace("_", " ").capitalize()
    if setting.check is not None:
        return DocumentField(setting, label=label)
    if setting.bounds is not None:
        low, high = setting.bounds
        return forms.IntegerField(
            label=label, help_text=setting.help, initial=setting.default, min_value=low, max_value=high
        )
    if isinstance(setting.default, bool):
        return forms.BooleanField(label=label, help_text=setting.help, initial=setting.default, required=False)
    choices = [(choice, choice.replace("_", " ")) for choice in setting.choices]
    return forms.ChoiceField(label=label, help_text=setting.help, initial=setting.default, choices=choices)


class DocumentField(forms.CharField):
    """A list or an object, typed as JSON or as one entry a line; a line `name: question` names and asks."""

    def __init__(self, setting: Setting, *, label: str) -> None:
        self.setting = setting
        shown = written(setting.default)
        rows = min(MOST_ROWS, max(LEAST_ROWS, shown.count("\n") + 1))
        super().__init__(
            label=label,
            required=False,
            initial=setting.default,
            strip=True,
            widget=forms.Textarea(attrs={"rows": rows, "spellcheck": "false"}),
            help_text=f"{setting.help} One a line, or JSON.",
        )

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else written(value)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        readings = readings_of(text)
        problems = [self.setting.problem_with(reading) for reading in readings]
        for reading, problem in zip(readings, problems, strict=True):
            if problem is None:
                return reading
        raise forms.ValidationError(_not_json(text) or str(problems[0]))


def written(value: Any) -> str:
    """As it is typed: plain words by line, all else as JSON."""
    if value is None or value == []:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return "\n".join(value)
    return json.dumps(value, indent=1, ensure_ascii=False)


def readings_of(text: str) -> list[Any]:
    """What the text may mean, likeliest first."""
    if text[:1] in {"[", "{"}:
        try:
            return [json.loads(text)]
        except ValueError:
            return [text]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return [[], None]
    pairs = [line.partition(":") for line in lines]
    named = [{"name": name.strip(), "question": question.strip()} for name, _, question in pairs]
    found: list[Any] = [lines, named]
    return [*found, text] if len(lines) == 1 else found


def _not_json(text: str) -> str:
    if text[:1] not in {"[", "{"}:
        return ""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"This is no JSON: {error.msg} in line {error.lineno}, column {error.colno}."
    except ValueError as error:
        return f"This is no JSON: {error}."
    return ""
