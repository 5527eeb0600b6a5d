"""The canonical row of a release: everything known of it, in one Arrow schema that every export reads."""

from __future__ import annotations

import pyarrow as pa

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))

SCHEMA = pa.schema(
    [
        # Made from the source's name and the hashes of the two texts, so it is the same wherever the row was imported.
        ("id", pa.string()),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("external_id", pa.string()),
        ("row_number", pa.int64()),
        ("prompt", MESSAGES),
        ("response_a", pa.string()),
        ("response_b", pa.string()),
        ("generator_a", pa.string()),
        ("generator_b", pa.string()),
        # -3..3, negative = response_a is better, 0 = tie.
        ("label", pa.int8()),
        ("imported_label", pa.int8()),
        ("action", pa.string()),
        ("reason", pa.string()),
        ("rule", pa.string()),
        ("is_by_hand", pa.bool_()),
        # The probability that the label holds, where a rule or person softened it.
        ("label_probability", pa.float32()),
        ("margin", pa.float32()),
        ("weight", pa.float32()),
        ("votes", pa.int16()),
        ("simulated_votes", pa.int16()),
        ("consensus_label", pa.int8()),
        ("consensus_confidence", pa.float32()),
        # The model vote in a/b orientation: positive = response_b is better.
        ("vote_mean", pa.float32()),
        ("vote_spread", pa.float32()),
        ("vote_share_b", pa.float32()),
        ("vote_heads", pa.int16()),
        ("scores_a", pa.list_(pa.float32())),
        ("scores_b", pa.list_(pa.float32())),
        ("duplicate_similarity", pa.float32()),
        ("is_duplicate", pa.bool_()),
        # JSON.
        ("metadata", pa.string()),
    ]
)
