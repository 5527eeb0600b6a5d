"""Whole conversations, as RLHFlow and reward-bench read them.

Columns: `chosen` and `rejected`, each the full list of {role, content}: the prompt's messages, then the answer. Both
share the prompt as their beginning. Ties and pairs with identical or empty sides are left out.
"""

from __future__ import annotations

import pyarrow as pa

from curation.exports._base import (
    Manifest,
    Profile,
    build,
    chosen,
    conversation,
    only_pairs,
    refuse_without_rows,
    rejected,
    with_provenance,
)
from curation.row_schema import MESSAGES

LABEL = "Whole conversations (RLHFlow, reward-bench)"


def accepts(manifest: Manifest) -> str | None:
    return refuse_without_rows(manifest)


def schema(manifest: Manifest, profile: Profile) -> pa.Schema:
    return with_provenance(pa.schema([("chosen", MESSAGES), ("rejected", MESSAGES)]), profile)


def rows(batch: pa.RecordBatch, manifest: Manifest, profile: Profile) -> pa.RecordBatch:
    pairs = only_pairs(batch)
    columns = {
        "chosen": conversation(pairs, chosen(pairs)),
        "rejected": conversation(pairs, rejected(pairs)),
    }
    return build(pairs, schema(manifest, profile), columns)
