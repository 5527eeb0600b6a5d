"""What the answers of a finished audit say of P(wrong), of P(holds), or of P(right).

A label is wrong if the person prefers the other response. Ties and "cannot tell" count as not wrong, so that doubt
never speaks for a flip or a drop. A label that a rule gives is right if the person prefers that response; doubt does
not speak for it either. A claim holds if the person says so; "cannot tell" counts as not holding. The bound
is Clopper and Pearson's, one-sided at 95 %. Whoever draws again until it passes would pass by luck, so the k-th
finished audit of a rule on the same signals is held to 1 - 0.05/k.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from curation.audits.bounds import ONE_SIDED, interval, lower_bound
from curation.models import Answer, Audit, AuditAnswer, Question


def findings_of(audit: Audit) -> dict[str, Any]:
    """Of an audit that is about to be finished."""
    standing = AuditAnswer.objects.filter(item__audit=audit, undone_at=None).order_by("item__position")
    columns = ("item__label", "answer", "item__band", "item__is_b_first", "item__comparison__source__name")
    rows = list(standing.values_list(*columns))
    alpha = _alpha(audit)
    name, is_hit = HITS[Question(audit.question)]

    def share(part: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
        return _share(name, [is_hit(label, answer) for label, answer, *_ in part], alpha)

    return {
        **share(rows),
        "confidence": 1 - alpha,
        **_others(audit.question, rows),
        "bands": [
            {"band": number, **share(row for row in rows if row[2] == number)} for number in range(len(audit.bands))
        ],
        "sources": [
            {"source": name, **share(row for row in rows if row[4] == name)}
            for name in sorted({row[4] for row in rows})
        ],
    }


def _others(question: str, rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The answers that are no hits."""
    total = Counter(answer for _, answer, *_ in rows)
    if question == Question.CLAIM:
        return {"no": total[Answer.NO], "unsure": total[Answer.UNSURE]}
    return {
        "ties": total[Answer.TIE],
        "unsure": total[Answer.UNSURE],
        # Whether the place of a response moved the answers: the share of clear answers for the first one shown.
        "first": _first_shown(rows),
    }


def is_wrong(label: int, answer: str) -> bool:
    return answer == (Answer.A if label > 0 else Answer.B)


def is_right(label: int, answer: str) -> bool:
    return answer == (Answer.B if label > 0 else Answer.A)


def holds(label: int, answer: str) -> bool:
    return answer == Answer.YES


# By question: what the hits are called, and which answers are some.
HITS: dict[Question, tuple[str, Callable[[int, str], bool]]] = {
    Question.LABEL: ("wrong", is_wrong),
    Question.CLAIM: ("holds", holds),
    Question.GIVEN: ("right", is_right),
}


def hits_of(share: dict[str, Any], question: str) -> int:
    return int(share[HITS[Question(question)][0]])


def _share(name: str, is_hit: list[bool], alpha: float) -> dict[str, Any]:
    n, hits = len(is_hit), sum(is_hit)
    low, high = interval(hits, n) or (None, None)
    return {
        "n": n,
        name: hits,
        "rate": hits / n if n else None,
        "low": low,
        "high": high,
        "bound": lower_bound(hits, n, alpha),
    }


def _first_shown(rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    clear = [
        (answer == Answer.B) == is_b_first for _, answer, _, is_b_first, _ in rows if answer in {Answer.A, Answer.B}
    ]
    low, high = interval(sum(clear), len(clear)) or (None, None)
    return {"n": len(clear), "hits": sum(clear), "low": low, "high": high}


def best_bound(audit: Audit, n: int) -> float:
    """What the bound would be if every answer of n spoke for the rule."""
    return lower_bound(n, n, _alpha(audit)) or 0.0


def _alpha(audit: Audit) -> float:
    return ONE_SIDED / (_former(audit) + 1)


def _former(audit: Audit) -> int:
    done = Audit.objects.filter(project=audit.project_id, rule_key=audit.rule_key, finished_at__isnull=False)
    return done.filter(runs=audit.runs).count() if audit.rule_key else 0
