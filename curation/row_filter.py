"""What a list of comparisons may be narrowed to; the same names in the page's URL and in the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlencode

from ninja import Schema
from pydantic import Field, ValidationError

from accounts.problems import Invalid
from curation.models import Action
from curation.standing import Standing

Strength = Annotated[float, Field(allow_inf_nan=False)]


class BadFilter(Invalid):
    code = "bad_filter"


class RowFilter(Schema):
    """Every part that is set must hold."""

    source: str | None = Field(default=None, description="Name of the source.")
    label: Literal["a", "b", "tie", "none"] | Annotated[int, Field(ge=-3, le=3)] | None = Field(
        default=None, description="The label in force: which side it prefers, none, or its exact value."
    )
    decision: Literal["keep", "flip", "soften", "label", "drop", "review", "any", "none"] | None = None
    band: Literal["incorrect", "ambiguous", "normal", "strong", "none"] | None = Field(
        default=None, description="The model votes' band toward the label."
    )
    min_strength: Strength | None = Field(default=None, description="Mean margin toward the label, at least.")
    max_strength: Strength | None = Field(default=None, description="Mean margin toward the label, at most.")
    people: Literal["a", "b"] | None = Field(default=None, description="The side that people prefer together.")
    models: Literal["a", "b"] | None = Field(default=None, description="The side that the models' votes prefer.")
    people_disagree: bool | None = Field(default=None, description="People prefer the other side than the label.")
    contradicted: bool | None = Field(default=None, description="The import gave two different labels.")
    duplicate: bool | None = Field(default=None, description="Repeats an earlier comparison.")
    judged: bool | None = Field(default=None, description="People answered it.")
    voted: bool | None = Field(default=None, description="Models voted on it.")
    release: str | None = Field(default=None, description="Is in the release of that name.")
    q: str | None = Field(default=None, max_length=200, description="Part of the external id.")

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> RowFilter:
        """From a page's URL, where an empty field of the form means nothing."""
        try:
            return cls.model_validate({name: query[name] for name in cls.model_fields if query.get(name)})
        except ValidationError as error:
            wrong = {str(part["loc"][0]): part["msg"] for part in error.errors()}
            raise BadFilter(f"This filter cannot be read: {', '.join(sorted(wrong))}.", fields=wrong) from error

    @property
    def chosen(self) -> dict[str, str]:
        """What is set, as it stands in a URL."""
        given = self.model_dump(exclude_none=True)
        return {name: str(value).lower() if isinstance(value, bool) else f"{value}" for name, value in given.items()}

    @property
    def query(self) -> str:
        return urlencode(self.chosen)

    def without(self, *names: str) -> RowFilter:
        return self.model_copy(update=dict.fromkeys(names))


_TOWARD = {"a": "<", "b": ">"}


def conditions(rows: RowFilter, standing: Standing) -> str:
    """SQL to follow `standing.from_sql`: empty, or ` AND ...`."""
    parts = [
        *_of_the_row(rows, standing),
        *_of_the_label(rows, standing),
        *_of_the_votes(rows, standing),
        *_of_the_people(rows, standing),
    ]
    return "".join(f" AND {part}" for part in parts)


def _of_the_row(rows: RowFilter, standing: Standing) -> list[str]:
    parts = []
    if rows.source is not None:
        # By id, so that the index over (source, id) serves.
        parts.append(
            "c.source_id = (SELECT id FROM corpus_source WHERE project_id = %(project)s"  # noqa: S608 - bound below
            f" AND name = {standing.param(rows.source)})"
        )
    if rows.contradicted is not None:
        parts.append(_is(standing.field("contradicted"), rows.contradicted))
    if rows.duplicate is not None:
        parts.append(_is(standing.field("near_duplicates.is_duplicate"), rows.duplicate))
    if rows.q is not None:
        parts.append(f"strpos(lower(c.external_id), lower({standing.param(rows.q.strip())})) > 0")
    if rows.release is not None:
        name = standing.param(rows.release)
        parts.append(
            "EXISTS (SELECT 1 FROM curation_releaserow r"  # noqa: S608 - bound below
            " JOIN curation_release f ON f.id = r.release_id"
            f" WHERE r.comparison_id = c.id AND f.project_id = %(project)s AND f.name = {name})"
        )
    return parts


def _of_the_label(rows: RowFilter, standing: Standing) -> list[str]:
    parts = []
    if rows.label is not None:
        sides = {"a": "{} < 0", "b": "{} > 0", "tie": "{} = 0", "none": "{} IS NULL"}
        wanted = sides[rows.label] if isinstance(rows.label, str) else "{} = " + standing.param(rows.label)
        parts.append(wanted.format(standing.field("label")))
    if rows.decision is not None:
        decision = standing.field("decision")
        if rows.decision in Action.values:
            parts.append(decided_as(standing.param(rows.decision)))
        special = {"any": f"{decision} IS NOT NULL", "none": f"{decision} IS NULL"}
        parts.append(special.get(rows.decision) or f"{decision} = {standing.param(rows.decision)}")
    return parts


def decided_as(action: str) -> str:
    """Says less than a condition on the decision in force, but lets the decisions lead to their rows."""
    return (
        "c.id IN (SELECT taken.comparison_id FROM curation_decision taken"  # noqa: S608 - a placeholder or a constant
        f" WHERE taken.is_current AND taken.action = {action})"
    )


def _of_the_votes(rows: RowFilter, standing: Standing) -> list[str]:
    parts = []
    if rows.models is not None:
        parts.append(f"{standing.field('model_vote.mean')} {_TOWARD[rows.models]} 0")
    if rows.voted is not None:
        parts.append(f"{standing.field('model_vote.mean')} IS {'NOT ' if rows.voted else ''}NULL")
    if rows.band == "none":
        parts.append(f"{standing.field('model_vote.band')} IS NULL")
    elif rows.band is not None:
        parts.append(f"{standing.field('model_vote.band')} = {standing.param(rows.band)}")
    if rows.min_strength is None and rows.max_strength is None:
        return parts
    strength, mean = standing.field("model_vote.strength"), standing.field("model_vote.mean")
    toward_b, toward_a = [], []
    if rows.min_strength is not None:
        least = standing.param(rows.min_strength)
        parts.append(f"{strength} >= {least}")
        toward_b.append(f"{mean} >= {least}")
        toward_a.append(f"{mean} <= -({least}::float8)")
    if rows.max_strength is not None:
        most = standing.param(rows.max_strength)
        parts.append(f"{strength} <= {most}")
        toward_b.append(f"{mean} <= {most}")
        toward_a.append(f"{mean} >= -({most}::float8)")
    # Says nothing new, but lets the index over (run, value) find a tail of the distribution.
    parts.append(f"(({' AND '.join(toward_b)}) OR ({' AND '.join(toward_a)}))")
    return parts


def _of_the_people(rows: RowFilter, standing: Standing) -> list[str]:
    parts = []
    if rows.people is not None:
        parts.append(f"{standing.field('consensus.label')} {_TOWARD[rows.people]} 0")
    if rows.people_disagree is not None:
        parts.append(_is(standing.field("consensus.disagrees_with_label"), rows.people_disagree))
    if rows.judged is not None:
        parts.append(f"{standing.field('consensus.votes')} {'>' if rows.judged else '='} 0")
    return parts


def _is(sql: str, wanted: bool) -> str:
    return f"{sql} IS {'TRUE' if wanted else 'NOT TRUE'}"
