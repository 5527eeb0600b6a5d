"""What a rule says of the text: in words, in general and of one row, and how strongly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curation.models import Audit, AuditItem, Question
from curation.rules import Compare, Condition, Every, Rule, Some, parse
from curation.standing import Standing

# Of one response, and of both.
FLAGS = {
    "empty": ("is empty", "are empty"),
    "key": ("is a phrase that fools judges, and nothing else", "are phrases that fool judges, and nothing else"),
    "echo": ("only repeats the prompt", "only repeat the prompt"),
    "refusal": ("refuses", "refuse"),
    "truncated": ("is cut off", "are cut off"),
    "repetitive": ("says the same over and over", "say the same over and over"),
    "wrong_language": ("is in another language than the prompt", "are in another language than the prompt"),
}
OF_ANY_FLAG = {"any": "a response is no proper answer", "flags_preferred": "the preferred response is no proper answer"}
WORDS = {
    "identical_sides": "both responses are the same text",
    "empty_side": "a response is empty",
    "near_duplicates.exact": "this repeats another comparison letter by letter",
    "near_duplicates.is_duplicate": "this is a near duplicate of an earlier comparison",
    "near_duplicates.similarity": "this is a near duplicate of another comparison",
    "near_duplicates.near_exact": "this has nearly the letters of another comparison",
    "near_duplicates.overlap": "this has nearly the letters of another comparison",
    "contamination.contaminated": "this prompt is one of a benchmark",
    "contamination.overlap": "this prompt is one of a benchmark, by the words",
    "contamination.cosine": "this prompt is one of a benchmark, by the meaning",
    **{f"degenerate.{flag}": f"a response {one}" for flag, (one, _) in FLAGS.items()},
    **{f"degenerate.{name}": words for name, words in OF_ANY_FLAG.items()},
}
# By method: how strongly it claims, as SQL over its join, and what to call that.
STRENGTH = {
    "near_duplicates": ("duplicate.value", "similarity"),
    "contamination": ("contamination.value", "likeness"),
    "degenerate": (
        "jsonb_array_length((degenerate.fields->'flags_a') || (degenerate.fields->'flags_b'))::float8",
        "flags",
    ),
}


@dataclass(frozen=True)
class Row:
    """A row of a sample, and what the signals that the rule read say of it, by method."""

    item: AuditItem
    signals: Mapping[str, Mapping[str, Any]]
    # The comparison that it is held against, if the rule speaks of one.
    other: int | None = None

    def value(self, field: str) -> Any:
        method, _, name = field.rpartition(".")
        said = self.signals.get(method, {})
        if method == "degenerate":
            flags = {"flags_preferred": self.flags("preferred")}.get(name, self.flags("a") + self.flags("b"))
            return len(flags) if name == "flags_preferred" else bool(flags) if name == "any" else name in flags
        if method:
            return said.get(name)
        row = self.item.comparison
        if name == "identical_sides":
            return row.response_a_id == row.response_b_id
        return not row.response_a.content.strip() or not row.response_b.content.strip()

    def flags(self, side: str) -> list[str]:
        if side == "preferred":
            side = "" if self.item.label == 0 else "b" if self.item.label > 0 else "a"
        return list(self.signals.get("degenerate", {}).get(f"flags_{side}") or [])


def rule_of(audit: Audit) -> Rule | None:
    if audit.recipe is None:
        return None
    return next((rule for rule in parse(audit.recipe.document).rules if rule.name == audit.rule), None)


def claim_of_audit(audit: Audit) -> Condition | None:
    rule = rule_of(audit) if audit.question == Question.CLAIM else None
    return rule.claim if rule else None


def claim_words(claim: Condition | None) -> str:
    """In general; empty without a claim."""
    return "" if claim is None else _joined(claim, lambda leaf: WORDS.get(leaf.field, "")) or ""


def leaves(claim: Condition) -> list[Compare]:
    if isinstance(claim, Compare):
        return [claim]
    return [leaf for part in claim.parts for leaf in leaves(part)] if isinstance(claim, Every | Some) else []


def words_of_row(claim: Condition, row: Row) -> str:
    """Of what the claim consists in this row: the parts that hold by the signals."""
    return _joined(claim, lambda leaf: _leaf_words(leaf, row) if fires(leaf, row) else "") or claim_words(claim)


def fires(leaf: Compare, row: Row) -> bool:
    value = row.value(leaf.field)
    if value is None or isinstance(leaf.value, bool):
        return value is leaf.value
    return bool({">": value > leaf.value, ">=": value >= leaf.value}.get(leaf.operator, value == leaf.value))


def method_of(claim: Condition | None) -> str:
    """The method whose strength cuts the bands: that of the first part which is an opinion of one."""
    methods = [leaf.field.partition(".")[0] for leaf in leaves(claim)] if claim else []
    return next((method for method in methods if method in STRENGTH), "")


def strength_sql(claim: Condition, standing: Standing) -> str:
    method = method_of(claim)
    if not method:
        return "NULL::float8"
    standing.join(method)
    return STRENGTH[method][0]


def _joined(claim: Condition, words: Any, inside: bool = False) -> str:
    if isinstance(claim, Compare):
        return str(words(claim))
    if not isinstance(claim, Every | Some):
        return ""
    parts = list(dict.fromkeys(filter(None, (_joined(part, words, inside=True) for part in claim.parts))))
    if isinstance(claim, Every):
        return " and ".join(parts)
    return f"either {' or '.join(parts)}" if inside and len(parts) > 1 else " or ".join(parts)


def _leaf_words(leaf: Compare, row: Row) -> str:
    method, _, name = leaf.field.rpartition(".")
    if method == "degenerate":
        return _flags_in_words(name, row)
    if method == "near_duplicates" and row.other is not None:
        said = WORDS[leaf.field]
        return said.replace("an earlier comparison", f"comparison {row.other}").replace(
            "another comparison", f"comparison {row.other}"
        )
    return WORDS[leaf.field]


def _flags_in_words(name: str, row: Row) -> str:
    """Which response raised which flag, by the place where it is shown."""
    sides = ["b", "a"] if row.item.is_b_first else ["a", "b"]
    shown = {place: row.flags(side) for place, side in zip(("first", "second"), sides, strict=True)}
    if name == "flags_preferred":
        preferred = "b" if row.item.label > 0 else "a"
        shown = {place: flags for (place, flags), side in zip(shown.items(), sides, strict=True) if side == preferred}
    said = []
    for flag in FLAGS if name in OF_ANY_FLAG else [name]:
        places = [place for place, flags in shown.items() if flag in flags]
        if len(places) == 2:
            said.append(f"both responses {FLAGS[flag][1]}")
        elif places:
            said.append(f"the {places[0]} response {FLAGS[flag][0]}")
    return " or ".join(said)
