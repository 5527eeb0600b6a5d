"""What the page for importing votes asks."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from accounts.problems import Problem
from annotation.votes.ingest import APART, TOGETHER, VoteOptions
from annotation.votes.request import MAX_FILES
from annotation.votes.shapes import shapes
from corpus.formats import AUTO
from corpus.uploads import MAX_NAME


def shape_choices() -> list[tuple[str, str]]:
    return [(AUTO, "recognise it"), *((name, shape.LABEL) for name, shape in shapes().items())]


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or several files."""

    widget = FilesInput
    default_error_messages: ClassVar[dict[str, Any]] = {
        "required": "Choose a file.",
        "too_many": f"Choose at most {MAX_FILES} files.",
    }

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list | tuple) else [data]
        if len(files) > MAX_FILES:
            raise forms.ValidationError(self.error_messages["too_many"], code="too_many")
        clean_one = super().clean
        return [clean_one(file, initial) for file in files or [None]]


class VotesForm(forms.Form):
    file = FilesField(
        label="Files",
        help_text="All files of one data set together: JSON lines, a JSON array, CSV or Parquet; packed with gzip or "
        "zstd if you like.",
    )
    campaign = forms.CharField(
        max_length=120,
        help_text="The votes go into a closed campaign of their own. An earlier import of this name is continued.",
    )
    format = forms.ChoiceField(label="Shape", choices=shape_choices, initial=AUTO)
    source = forms.CharField(
        max_length=MAX_NAME,
        required=False,
        help_text="Where the comparisons come from. Left empty, it is the data set's name, or else the file's.",
    )
    licence = forms.CharField(max_length=MAX_NAME, required=False, help_text="Such as CC-BY-4.0. Releases name it.")
    repeats = forms.ChoiceField(
        label="A pair that comes again under another id",
        choices=[
            (TOGETHER, "is the same comparison"),
            (APART, "is a comparison of its own"),
        ],
        initial=TOGETHER,
        required=False,
        help_text="The same comparison: its votes count together, and who voted on it twice counts once. "
        "Its own: items are counted as the data set counts them, in a further source for each repeat.",
    )

    def options(self) -> VoteOptions:
        chosen = self.cleaned_data
        return VoteOptions(
            campaign=chosen["campaign"],
            source=chosen["source"],
            format=chosen["format"],
            licence=chosen["licence"],
            repeats=chosen["repeats"] or TOGETHER,
        )

    def take(self, problem: Problem) -> None:
        """Shows what was refused beside its field."""
        name = next((name for name in problem.fields if name in self.fields), "file")
        self.add_error(name, problem.message)
