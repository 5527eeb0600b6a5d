"""The allow-list of fields that filters, recipes and lists may name, each with its SQL over the standing query.

A field's SQL reads the tables that `curation.standing` joins for it. In it `{label}` is the label asked for, and
`{metadata_key}` for the bound name of a metadata key, so that nothing a user wrote ever becomes SQL text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from accounts.problems import Invalid
from curation.method_fields import LINES, METHODS, sql_of

FieldType = Literal["number", "text", "boolean"]
METADATA = "metadata."


class UnknownField(Invalid):
    code = "unknown_field"


@dataclass(frozen=True)
class Field:
    """`needs` names joins of `curation.standing.JOINS`; a label used by the SQL adds the joins of the label itself."""

    name: str
    type: FieldType
    help: str
    sql: str
    needs: tuple[str, ...] = ()

    @property
    def uses_label(self) -> bool:
        return "{label}" in self.sql

    @property
    def method(self) -> str | None:
        """The method whose newest run gives this field its values."""
        prefix = self.name.partition(".")[0]
        return prefix if prefix in {"model_vote", "near_duplicates"} | METHODS else None


_SHARE_B = "(vote.fields->>'share_b')::float8"
_DIRECTION = "NULLIF(sign({label}), 0)"
_STRENGTH = f"({_DIRECTION} * vote.value)"
_SHARE = f"(CASE WHEN {{label}} > 0 THEN {_SHARE_B} WHEN {{label}} < 0 THEN 1 - {_SHARE_B} END)"
_SPREAD = "(vote.fields->>'spread')::float8"
_Z = f"({_STRENGTH} / NULLIF(GREATEST({_SPREAD}, 0.05 * vote_cut.rms_margin), 0))"
# METHODS section 1; the small slack keeps a share such as 1 - 0.8 on its own side of the bound.
_BAND = (
    f"(CASE WHEN {_STRENGTH} IS NULL THEN NULL"
    f" WHEN {_STRENGTH} < 0 AND {_SHARE} <= 0.2 + 1e-9 THEN 'incorrect'"
    f" WHEN abs({_Z}) < 1 OR ({_SHARE} > 0.2 + 1e-9 AND {_SHARE} < 0.8 - 1e-9)"
    f" OR {_STRENGTH} * ({_SHARE} - 0.5) < 0 THEN 'ambiguous'"
    f" WHEN {_SHARE} > 1 - 1e-9 AND {_STRENGTH} >= vote_cut.strong_cut THEN 'strong'"
    " ELSE 'normal' END)"
)
_LOWEST_A, _LOWEST_B = "(vote.fields->>'lowest_a')::float8", "(vote.fields->>'lowest_b')::float8"
# By rank of strength among the labels of the source when the votes were cast.
_PAPER_BAND = (
    f"(CASE WHEN {_STRENGTH} IS NULL OR vote_cut.ambiguous_from IS NULL THEN NULL"
    f" WHEN {_STRENGTH} < vote_cut.ambiguous_from THEN 'incorrect'"
    f" WHEN {_STRENGTH} < vote_cut.normal_from THEN 'ambiguous'"
    f" WHEN {_STRENGTH} >= vote_cut.strong_from THEN 'strong'"
    " ELSE 'normal' END)"
)
_CONSENSUS_DISAGREES = (
    "(consensus.label IS NOT NULL AND COALESCE(hand.label, c.label) IS NOT NULL"
    " AND sign(consensus.label) <> sign(COALESCE(hand.label, c.label)))"
)
_IS_EMPTY = "SELECT id FROM corpus_response WHERE content ~ '^\\s*$'"

_VOTE = ("model_vote",)
_VOTE_CUT = ("model_vote", "vote_cut")
_DUPLICATE = ("near_duplicates",)
_SIDES = ("response_a", "response_b")

_ALL = (
    Field("id", "number", "The comparison's number in this project.", "c.id"),
    Field("external_id", "text", "The input column `id`, as text.", "c.external_id"),
    Field("source", "text", "Name of the source the row came from.", "source.name", ("source",)),
    Field("licence", "text", "Licence of the source.", "source.licence", ("source",)),
    Field(
        "label",
        "number",
        "The label in force, -3..3, negative = response_a better, 0 = tie. In a recipe: before any recipe.",
        "{label}",
    ),
    Field(
        "base_label",
        "number",
        "The label before any recipe: a person's decision, else the imported label, else the consensus.",
        "COALESCE(hand.label, c.label, consensus.label)",
        ("hand", "consensus"),
    ),
    Field("imported_label", "number", "The one imported label, -3..3; missing when contradicted.", "c.label"),
    Field("has_label", "boolean", "There is a label in force; a tie is one.", "({label} IS NOT NULL)"),
    Field("contradicted", "boolean", "The import gave two different labels.", "(cardinality(c.labels) > 1)"),
    Field("identical_sides", "boolean", "Both responses are the same text.", "(c.response_a_id = c.response_b_id)"),
    Field(
        "empty_side",
        "boolean",
        "A response is empty or only white space.",
        f"(c.response_a_id IN ({_IS_EMPTY}) OR c.response_b_id IN ({_IS_EMPTY}))",
    ),
    Field("length_a", "number", "Characters of response_a.", "length(response_a.content)", ("response_a",)),
    Field("length_b", "number", "Characters of response_b.", "length(response_b.content)", ("response_b",)),
    Field(
        "length_difference",
        "number",
        "Characters of the preferred response minus those of the other; missing without a label or for a tie.",
        f"({_DIRECTION} * (length(response_b.content) - length(response_a.content)))",
        _SIDES,
    ),
    Field("generator_a", "text", "The model or person that wrote response_a.", "response_a.generator", ("response_a",)),
    Field("generator_b", "text", "The model or person that wrote response_b.", "response_b.generator", ("response_b",)),
    Field("consensus.label", "number", "What people said together, -3..3.", "consensus.label", ("consensus",)),
    Field("consensus.confidence", "number", "Share of people behind it, 0..1.", "consensus.confidence", ("consensus",)),
    Field("consensus.votes", "number", "How many people answered.", "COALESCE(consensus.votes, 0)", ("consensus",)),
    Field(
        "consensus.both_bad",
        "boolean",
        "People said both are bad.",
        "COALESCE(consensus.is_both_bad, false)",
        ("consensus",),
    ),
    Field(
        "consensus.disagrees_with_label",
        "boolean",
        "People prefer the other side than the label (a person's decision, else the imported one) says.",
        _CONSENSUS_DISAGREES,
        ("hand", "consensus"),
    ),
    Field("model_vote.mean", "number", "Mean margin of the votes; positive = response_b better.", "vote.value", _VOTE),
    Field("model_vote.spread", "number", "Standard deviation of the votes, 0 or more.", _SPREAD, _VOTE),
    Field(
        "model_vote.strength",
        "number",
        "Mean margin toward the label: positive = the votes agree with it. Missing without a label or for a tie.",
        _STRENGTH,
        _VOTE,
    ),
    Field(
        "model_vote.share", "number", "Share of the votes for the label, 0..1; no margin counts half.", _SHARE, _VOTE
    ),
    Field("model_vote.z", "number", "Strength over spread (at least 5 % of the source's usual margin).", _Z, _VOTE_CUT),
    Field("model_vote.band", "text", "incorrect, ambiguous, normal or strong, toward the label.", _BAND, _VOTE_CUT),
    Field("model_vote.n", "number", "How many heads and reward models voted.", "(vote.fields->>'n')::float8", _VOTE),
    Field(
        "model_vote.lowest",
        "number",
        "The margin of the voter that is least for the label; positive = all are for it.",
        f"(CASE WHEN {{label}} > 0 THEN {_LOWEST_B} WHEN {{label}} < 0 THEN {_LOWEST_A} END)",
        _VOTE,
    ),
    Field(
        "model_vote.highest",
        "number",
        "The margin of the voter that is most for the label; negative = all are against it.",
        f"(CASE WHEN {{label}} > 0 THEN -{_LOWEST_A} WHEN {{label}} < 0 THEN -{_LOWEST_B} END)",
        _VOTE,
    ),
    Field(
        "model_vote.cautious",
        "number",
        "Strength minus the run's caution times the variance of the votes.",
        f"({_STRENGTH} - (vote.fields->>'penalty')::float8)",
        _VOTE,
    ),
    Field(
        "model_vote.paper_band",
        "text",
        "By rank of strength in the source: lowest fifth incorrect, next ambiguous, top tenth strong, rest normal.",
        _PAPER_BAND,
        _VOTE_CUT,
    ),
    Field(
        "near_duplicates.is_duplicate",
        "boolean",
        "Repeats an earlier comparison; the first of a group is not a duplicate.",
        "(duplicate.fields->>'is_duplicate')::boolean",
        _DUPLICATE,
    ),
    Field(
        "near_duplicates.exact",
        "boolean",
        "Repeats an earlier comparison letter by letter.",
        "(duplicate.fields->>'exact')::boolean",
        _DUPLICATE,
    ),
    Field(
        "near_duplicates.similarity",
        "number",
        "Similarity to the nearest other comparison, by meaning or by letters.",
        "(duplicate.fields->>'similarity')::float8",
        _DUPLICATE,
    ),
    Field(
        "near_duplicates.near_exact",
        "boolean",
        "Another comparison has nearly these letters.",
        "(duplicate.fields->>'near_exact')::boolean",
        _DUPLICATE,
    ),
    Field(
        "near_duplicates.overlap",
        "number",
        "Overlap of letters with the nearest of those, 0..1.",
        "(duplicate.fields->>'overlap')::float8",
        _DUPLICATE,
    ),
    Field(
        "near_duplicates.group", "number", "Number of its group.", "(duplicate.fields->>'group')::bigint", _DUPLICATE
    ),
    *(
        Field(f"{method}.{name}", kind, help, sql_of(method, sql, _DIRECTION), (method,))
        for method, lines in LINES.items()
        for name, kind, help, sql in lines
    ),
    Field("decision", "text", "keep, flip, soften, drop or review, as decided.", "{decision}"),
)

FIELDS: dict[str, Field] = {field.name: field for field in _ALL}

_METADATA_SQL: dict[FieldType, str] = {
    "text": "(c.metadata->>{metadata_key})",
    "number": "(CASE WHEN jsonb_typeof(c.metadata->{metadata_key}) = 'number'"
    " THEN (c.metadata->>{metadata_key})::float8 END)",
    "boolean": "(CASE WHEN jsonb_typeof(c.metadata->{metadata_key}) = 'boolean'"
    " THEN (c.metadata->>{metadata_key})::boolean END)",
}


def find_field(name: object, *, wanted: FieldType = "text") -> Field:
    """The field of that name; `wanted` is how to read a metadata key, which has no type of its own."""
    if isinstance(name, str) and name in FIELDS:
        return FIELDS[name]
    if isinstance(name, str) and name.startswith(METADATA) and len(name) > len(METADATA):
        return Field(name, wanted, "A value that came with the row.", _METADATA_SQL[wanted])
    known = ", ".join([*FIELDS, "metadata.<key>"])
    raise UnknownField(f"There is no field {str(name)[:80]!r}. Fields: {known}.")
