"""The contract of an export format: one file, pure, columns in and columns out.

A format file has a module docstring (what it is, who reads it, what to know), and:

    LABEL                          its name for people
    accepts(manifest)              why this release cannot be exported so, as a sentence; None = it can
    schema(manifest, profile)      one Arrow schema for all rows of all splits
    rows(batch, manifest, profile) a batch of canonical rows (curation.row_schema.SCHEMA) as a batch of that schema

It reads nothing but its arguments: no query, no file, no request. Rows may become fewer (ties in a pair format) or
more; what is left out for another reason than those counted in the manifest's splits is a mistake.
Profiles: `minimal` has only the columns that the trainer reads; `full` adds where each row comes from and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.row_schema import MESSAGES

Profile = Literal["minimal", "full"]
PROFILES: tuple[Profile, ...] = ("minimal", "full")
Manifest = Mapping[str, Any]


class Format(Protocol):
    LABEL: str
    __doc__: str | None

    def accepts(self, manifest: Manifest) -> str | None: ...

    def schema(self, manifest: Manifest, profile: Profile) -> pa.Schema: ...

    def rows(self, batch: pa.RecordBatch, manifest: Manifest, profile: Profile) -> pa.RecordBatch: ...


MESSAGE = MESSAGES.value_type

# What the full profile adds. No trainer reads these: they are for audit.
PROVENANCE = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("external_id", pa.string()),
        ("label", pa.int8()),
        ("imported_label", pa.int8()),
        ("action", pa.string()),
        ("reason", pa.string()),
        ("label_probability", pa.float32()),
        ("weight", pa.float32()),
        ("votes", pa.int16()),
        ("simulated_votes", pa.int16()),
        ("consensus_label", pa.int8()),
        ("vote_strength", pa.float32()),
        ("vote_spread", pa.float32()),
        ("chosen_generator", pa.string()),
        ("rejected_generator", pa.string()),
    ]
)


def with_provenance(schema: pa.Schema, profile: Profile) -> pa.Schema:
    return pa.schema([*schema, *PROVENANCE]) if profile == "full" else schema


def build(batch: pa.RecordBatch, schema: pa.Schema, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """The schema's columns: those given, and what provenance it asks for."""
    found = {**columns}
    for name in schema.names:
        if name not in found:
            found[name] = _provenance(batch, name)
    return pa.RecordBatch.from_arrays(
        [found[name].cast(schema.field(name).type) for name in schema.names], schema=schema
    )


def _provenance(batch: pa.RecordBatch, name: str) -> pa.Array:
    if name == "vote_strength":
        return strength(batch)
    if name == "chosen_generator":
        return toward(batch, "generator_a", "generator_b")
    if name == "rejected_generator":
        return toward(batch, "generator_b", "generator_a")
    return batch.column(name)


def only_pairs(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Without ties and identical or empty sides: a trainer would take them without complaint and learn nonsense."""
    is_pair = pc.and_(
        pc.not_equal(batch.column("label"), 0),
        pc.and_(
            pc.not_equal(batch.column("response_a"), batch.column("response_b")),
            pc.and_(_has_text(batch.column("response_a")), _has_text(batch.column("response_b"))),
        ),
    )
    return batch.filter(is_pair)


def _has_text(texts: pa.Array) -> pa.Array:
    return pc.not_equal(pc.utf8_trim_whitespace(texts), "")


def prefers_a(batch: pa.RecordBatch) -> pa.Array:
    return pc.less(batch.column("label"), 0)


def toward(batch: pa.RecordBatch, if_a: str, if_b: str) -> pa.Array:
    """One column where response_a is preferred, the other elsewhere."""
    return pc.if_else(prefers_a(batch), batch.column(if_a), batch.column(if_b))


def chosen(batch: pa.RecordBatch) -> pa.Array:
    return toward(batch, "response_a", "response_b")


def rejected(batch: pa.RecordBatch) -> pa.Array:
    return toward(batch, "response_b", "response_a")


def strength(batch: pa.RecordBatch) -> pa.Array:
    """The votes' mean margin toward the released label; null without votes or for a tie."""
    mean = batch.column("vote_mean")
    directed = pc.if_else(prefers_a(batch), pc.negate(mean), mean)
    return pc.if_else(pc.equal(batch.column("label"), 0), pa.scalar(None, pa.float32()), directed)


def as_answer(texts: pa.Array) -> pa.Array:
    """Each text as a conversation of one assistant message."""
    messages = _assistant(texts)
    return pa.ListArray.from_arrays(np.arange(len(texts) + 1, dtype=np.int32), messages).cast(MESSAGES)


def conversation(batch: pa.RecordBatch, answers: pa.Array) -> pa.Array:
    """The prompt's messages with the answer as the last one."""
    prompts = batch.column("prompt")
    turns = pc.list_value_length(prompts).to_numpy(zero_copy_only=False).astype(np.int64)
    total = int(turns.sum())
    ends = np.cumsum(turns + 1)
    order = np.empty(total + len(turns), dtype=np.int64)
    is_answer = np.zeros(len(order), dtype=bool)
    is_answer[ends - 1] = True
    order[is_answer] = total + np.arange(len(turns))
    order[~is_answer] = np.arange(total)
    both = pa.concat_arrays([prompts.flatten().cast(MESSAGE), _assistant(answers)])
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, both.take(pa.array(order))).cast(MESSAGES)


def _assistant(texts: pa.Array) -> pa.Array:
    roles = pa.repeat(pa.scalar("assistant"), len(texts))
    return pa.StructArray.from_arrays([roles, texts], fields=list(MESSAGE)).cast(MESSAGE)


def refuse_without_rows(manifest: Manifest, count: str = "pairs") -> str | None:
    if any(split[count] for split in manifest["splits"].values()):
        return None
    return "This release has no pair with a preference; ties and identical or empty sides make none."
