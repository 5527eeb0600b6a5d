"""What the answers of a finished audit say of P(wrong).

A label is wrong if the person prefers the other response. Ties and "cannot tell" count as not wrong, so that doubt
never speaks for a flip or a drop. The bound is Clopper and Pearson's, one-sided at 95 %. Whoever draws again until it
passes would pass by luck, so the k-th finished audit of a rule on the same signals is held to 1 - 0.05/k.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from curation.audits.bounds import ONE_SIDED, interval, lower_bound
from curation.models import Answer, Audit, AuditAnswer


def findings_of(audit: Audit) -> dict[str, Any]:
    standing = AuditAnswer.objects.filter(item__audit=audit, undone_at=None).order_by("item__position")
    columns = ("item__label", "answer", "item__band", "item__is_b_first", "item__comparison__source__name")
    rows = list(standing.values_list(*columns))
    alpha = ONE_SIDED / (_former(audit) + 1)
    total = Counter(answer for _, answer, *_ in rows)
    return {
        **_share([(label, answer) for label, answer, *_ in rows], alpha),
        "confidence": 1 - alpha,
        "ties": total[Answer.TIE],
        "unsure": total[Answer.UNSURE],
        # Whether the place of a response moved the answers: the share of clear answers for the first one shown.
        "first": _first_shown(rows),
        "bands": [
            {"band": number, **_share([row[:2] for row in rows if row[2] == number], alpha)}
            for number in range(len(audit.bands))
        ],
        "sources": [
            {"source": name, **_share([row[:2] for row in rows if row[4] == name], alpha)}
            for name in sorted({row[4] for row in rows})
        ],
    }


def is_wrong(label: int, answer: str) -> bool:
    return answer == (Answer.A if label > 0 else Answer.B)


def _share(rows: list[tuple[int, str]], alpha: float) -> dict[str, Any]:
    n, wrong = len(rows), sum(is_wrong(label, answer) for label, answer in rows)
    low, high = interval(wrong, n) or (None, None)
    return {
        "n": n,
        "wrong": wrong,
        "rate": wrong / n if n else None,
        "low": low,
        "high": high,
        "bound": lower_bound(wrong, n, alpha),
    }


def _first_shown(rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    clear = [
        (answer == Answer.B) == is_b_first for _, answer, _, is_b_first, _ in rows if answer in {Answer.A, Answer.B}
    ]
    low, high = interval(sum(clear), len(clear)) or (None, None)
    return {"n": len(clear), "hits": sum(clear), "low": low, "high": high}


def _former(audit: Audit) -> int:
    done = Audit.objects.filter(project=audit.project_id, rule_key=audit.rule_key, finished_at__isnull=False)
    return done.filter(runs=audit.runs).count() if audit.rule_key else 0
