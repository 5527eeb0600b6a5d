"""Preference strength in the columns that MOSS-RLHF published (fnlp/hh-rlhf-strength-cleaned).

Columns: `chosen` and `rejected` as lists of turns (texts without roles, the last one is the answer), `mean preference
difference` and `std preference difference`, both toward the chosen answer; positive = the votes agree with the label.
`chosen_score_list` and `rejected_score_list` are there when the vote gave each answer a score of its own per head;
heads on differences of features do not, and then the two columns are absent, not made up. `GPT4 label` is not written.
Rows without votes have null in the two differences. Ties and pairs with identical or empty sides are left out.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from curation.exports._base import (
    Manifest,
    Profile,
    build,
    chosen,
    conversation,
    only_pairs,
    refuse_without_rows,
    rejected,
    strength,
    toward,
    with_provenance,
)

LABEL = "Preference strength (MOSS-RLHF columns)"

TURNS = pa.list_(pa.string())
SCORES = pa.list_(pa.float32())


def accepts(manifest: Manifest) -> str | None:
    if not manifest["measured"]["model_vote"]:
        return "No released row has a model vote; run model_vote, then freeze a new release."
    return refuse_without_rows(manifest)


def schema(manifest: Manifest, profile: Profile) -> pa.Schema:
    columns = [("chosen", TURNS), ("rejected", TURNS)]
    if manifest["measured"]["scores"]:
        columns += [("chosen_score_list", SCORES), ("rejected_score_list", SCORES)]
    columns += [("mean preference difference", pa.float32()), ("std preference difference", pa.float32())]
    return with_provenance(pa.schema(columns), profile)


def rows(batch: pa.RecordBatch, manifest: Manifest, profile: Profile) -> pa.RecordBatch:
    pairs = only_pairs(batch)
    columns = {
        "chosen": _turns(conversation(pairs, chosen(pairs))),
        "rejected": _turns(conversation(pairs, rejected(pairs))),
        "chosen_score_list": toward(pairs, "scores_a", "scores_b"),
        "rejected_score_list": toward(pairs, "scores_b", "scores_a"),
        "mean preference difference": strength(pairs),
        "std preference difference": pairs.column("vote_spread"),
    }
    return build(pairs, schema(manifest, profile), columns)


def _turns(conversations: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(conversations.offsets, pc.struct_field(conversations.values, "content"))
