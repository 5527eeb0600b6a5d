"""Methods that may give a label to a comparison that has none.

Each says of both sides how good they are: a signal's value is score_b - score_a, and its field `flagged` tells that the
two scores are not to be compared (cut off, empty, not a number). Such a method must pass its probes first:
`curation.audits.probed`.
"""

from __future__ import annotations

LABELLERS = ("density_ratio", "follow_up")
