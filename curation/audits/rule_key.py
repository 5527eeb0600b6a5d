"""What makes two rules the same to an audit: they act alike on the same rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

from curation.fields import FIELDS
from curation.rules import Rules
from ledger.models import Run


def rule_key(rules: Rules, position: int) -> str:
    """Of the condition, those before it (first match wins) and the action; names and margins do not count.

    A rule that labels matches by what its method has to give, too.
    """
    entries = rules.document["rules"][: position + 1]
    whens = [
        [entry.get("when"), rule.label_by] if rule.label_by else entry.get("when")
        for entry, rule in zip(entries, rules.rules, strict=False)
    ]
    acts = [whens, str(rules.rules[position].action)]
    return hashlib.sha256(orjson.dumps(acts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def runs_read(rules: Rules, position: int, runs: Mapping[str, Run]) -> dict[str, int | None]:
    """By method: the run whose signals decide which rows the rule acts on."""
    upto = Rules(rules.rules[: position + 1], {})
    methods = {FIELDS[name].method for name in upto.asked if name in FIELDS}
    return {name: runs[name].pk if name in runs else None for name in sorted(filter(None, methods))}
