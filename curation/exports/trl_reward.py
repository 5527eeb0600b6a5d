"""Preference pairs with a margin, as TRL's RewardTrainer reads them.

Columns: those of `trl_preference`, and `margin`: float32 and finite in every row, or absent everywhere. It is the
recipe's; where a rule gives none, model_vote's strength toward the released label; 0.0 where a row has no votes. A
release with neither has no such column. The trainer subtracts it inside the log-sigmoid; a negative one asks for less.
A margin that is not finite is refused: the trainer would log a loss of 0 and end with a model of NaN.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accounts.problems import Invalid
from curation.exports import trl_preference
from curation.exports._base import Manifest, Profile, build, only_pairs, strength, with_provenance

LABEL = "Reward model pairs with margin (TRL)"


class MarginNotFinite(Invalid):
    code = "margin_not_finite"


def accepts(manifest: Manifest) -> str | None:
    return trl_preference.accepts(manifest)


def schema(manifest: Manifest, profile: Profile) -> pa.Schema:
    columns = trl_preference.schema(manifest, "minimal")
    if manifest["margin"] is not None:
        columns = columns.append(pa.field("margin", pa.float32()))
    return with_provenance(columns, profile)


def rows(batch: pa.RecordBatch, manifest: Manifest, profile: Profile) -> pa.RecordBatch:
    pairs = only_pairs(batch)
    texts = trl_preference.rows(batch, manifest, "minimal")
    columns = dict(zip(texts.schema.names, texts.columns, strict=True))
    columns["margin"] = pc.coalesce(pairs.column("margin"), strength(pairs), pa.scalar(0.0, pa.float32()))
    if not pc.all(pc.is_finite(columns["margin"]), min_count=0).as_py():
        raise MarginNotFinite("A margin of this release is not a finite number; freeze it anew with another margin.")
    return build(pairs, schema(manifest, profile), columns)
