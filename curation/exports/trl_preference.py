"""Preference pairs in the conversational form with an explicit prompt, as TRL's DPOTrainer and its relatives read them.

Columns: `prompt`, `chosen` and `rejected`, each a list of {role, content}; the last two hold the one assistant message.
A margin, a weight or a soft label would be ignored silently by these trainers, so the minimal profile carries none.
Ties and pairs with identical or empty sides are left out. Trainers cut at max_length (1024 tokens by default).
"""

from __future__ import annotations

import pyarrow as pa

from curation.exports._base import (
    Manifest,
    Profile,
    as_answer,
    build,
    chosen,
    only_pairs,
    refuse_without_rows,
    rejected,
    with_provenance,
)
from curation.row_schema import MESSAGES

LABEL = "Preference pairs (TRL: DPO and relatives)"


def accepts(manifest: Manifest) -> str | None:
    return refuse_without_rows(manifest)


def schema(manifest: Manifest, profile: Profile) -> pa.Schema:
    return with_provenance(pa.schema([(name, MESSAGES) for name in ("prompt", "chosen", "rejected")]), profile)


def rows(batch: pa.RecordBatch, manifest: Manifest, profile: Profile) -> pa.RecordBatch:
    pairs = only_pairs(batch)
    columns = {
        "prompt": pairs.column("prompt"),
        "chosen": as_answer(chosen(pairs)),
        "rejected": as_answer(rejected(pairs)),
    }
    return build(pairs, schema(manifest, profile), columns)
