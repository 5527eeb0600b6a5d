"""What the upload page asks."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.problems import Problem
from corpus.formats import AUTO, check_mapping, formats
from corpus.mapping import parse_mapping
from corpus.read_file import ImportOptions


def format_choices() -> list[tuple[str, str]]:
    return [(AUTO, "recognise it"), *((name, form.LABEL) for name, form in formats().items())]


class OptionsForm(forms.Form):
    """How to read a file; the same for the preview and for the import itself."""

    format = forms.ChoiceField(choices=format_choices, initial=AUTO)
    source = forms.CharField(
        max_length=120,
        required=False,
        help_text="Where the rows come from. Sources are never pooled. Left empty, it is the column "
        "“source” of each row, or else the file's name.",
    )
    licence = forms.CharField(max_length=120, required=False, help_text="Such as CC-BY-4.0. Releases name it.")
    mapping = forms.CharField(
        required=False,
        label="Names of columns",
        help_text="Only if the file uses its own: prompt=question, response_a=left, response_b=right, label=winner",
    )

    def clean_mapping(self) -> dict[str, str]:
        try:
            mapping = parse_mapping(self.cleaned_data["mapping"])
            check_mapping(mapping)
        except Problem as problem:
            raise forms.ValidationError(problem.message) from problem
        return mapping

    def options(self) -> ImportOptions:
        return ImportOptions(**self.cleaned_options())

    def cleaned_options(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("format", "source", "licence", "mapping")}


class UploadForm(OptionsForm):
    file = forms.FileField(
        help_text="JSON lines, a JSON array, CSV or Parquet; packed with gzip or zstd if you like.",
        error_messages={"empty": "The file is empty.", "required": "Choose a file."},
    )
    field_order = ("file", "format", "source", "licence", "mapping")
