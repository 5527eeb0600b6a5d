"""Single answers marked desirable or not, as TRL's KTOTrainer reads them.

Columns: `prompt` and `completion` as lists of {role, content}, and `label`, true for the preferred answer. Each pair
gives two rows, the preferred one first. A soft label would be read as true, so there is none. Ties and pairs with
identical or empty sides are left out.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from curation.exports._base import (
    PROVENANCE,
    Manifest,
    Profile,
    as_answer,
    build,
    chosen,
    only_pairs,
    refuse_without_rows,
    rejected,
)
from curation.row_schema import MESSAGES

LABEL = "Desirable and undesirable answers (TRL: KTO)"


def accepts(manifest: Manifest) -> str | None:
    return refuse_without_rows(manifest)


def schema(manifest: Manifest, profile: Profile) -> pa.Schema:
    columns = pa.schema([("prompt", MESSAGES), ("completion", MESSAGES), ("label", pa.bool_())])
    # `label` means something else here than in the other exports' provenance.
    more = [column for column in PROVENANCE if column.name != "label"]
    return pa.schema([*columns, *more]) if profile == "full" else columns


def rows(batch: pa.RecordBatch, manifest: Manifest, profile: Profile) -> pa.RecordBatch:
    pairs = only_pairs(batch)
    count = pairs.num_rows
    twice = pairs.take(pa.array(np.repeat(np.arange(count), 2)))
    both = pa.concat_arrays([chosen(pairs), rejected(pairs)])
    interleaved = both.take(pa.array(np.arange(2 * count).reshape(2, count).T.ravel()))
    columns = {
        "prompt": twice.column("prompt"),
        "completion": as_answer(interleaved),
        "label": pa.array(np.tile([True, False], count), pa.bool_()),
    }
    return build(twice, schema(manifest, profile), columns)
