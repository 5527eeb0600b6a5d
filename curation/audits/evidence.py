"""What audits say of the rules of a recipe, and what becomes of rules that none bears out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from accounts.models import Project
from accounts.problems import Invalid
from curation.audits.claims import claim_words
from curation.audits.findings import hits_of
from curation.audits.policy import policy_of, threshold
from curation.audits.probed import Probed, gates_of
from curation.audits.rule_key import rule_key, runs_read
from curation.models import Action, Audit, AuditPolicy, Question, Unaudited
from curation.rules import Rule, Rules
from curation.standing import newest_runs
from ledger.models import Run

# Borne out; audited and not borne out; the signals are newer than the audit; under way; never audited.
Known = Literal["audited", "not shown", "outdated", "open", "none"]


MEASURED = {Question.LABEL: "P(wrong)", Question.CLAIM: "P(holds)", Question.GIVEN: "P(right)"}


class UnauditedRules(Invalid):
    code = "unaudited_rules"


@dataclass(frozen=True)
class Evidence:
    """Of a rule that labels, flips or drops on an opinion; `proposes` is what the recipe says, whatever the project
    allows.

    `hits` of `n` rows are labels that were wrong, rows of which `claim`, what the rule says of the text, holds, or
    labels of the rule's own that are right.
    """

    known: Known
    proposes: Action
    threshold: float
    audit_id: int | None = None
    n: int = 0
    hits: int = 0
    population: int = 0
    bound: float | None = None
    confidence: float | None = None
    question: str = Question.LABEL
    claim: str = ""

    @property
    def is_audited(self) -> bool:
        return self.known == "audited"

    @property
    def rate(self) -> float | None:
        return self.hits / self.n if self.n else None

    @property
    def measured(self) -> str:
        return MEASURED[Question(self.question)]

    @property
    def words(self) -> str:
        if self.bound is None or self.rate is None or self.confidence is None:
            return {"open": "an audit is under way"}.get(self.known, "nobody has checked a sample of what it does")
        sure = f"{100 * self.confidence:.3g}\N{NO-BREAK SPACE}% confidence"
        found = f"{self.measured} {self.rate:.2f}, n = {self.n}, at least {self.bound:.2f} with {sure}"
        if self.known == "outdated":
            return f"{found}, of signals that a newer run replaced"
        return f"{found}; the bound {'passes' if self.is_audited else 'does not pass'} {self.threshold:g}"

    def as_document(self) -> dict[str, Any]:
        """For manifests and the API: labels that are `wrong`, rows where the claim `holds`, or given labels that are
        `right`, whichever was asked; null else."""
        names = ("known", "threshold", "audit_id", "n", "population", "rate", "bound", "confidence")
        right = {"right": self.hits} if self.question == Question.GIVEN else {}
        return {
            "proposes": str(self.proposes),
            **{name: getattr(self, name) for name in names},
            "question": str(self.question),
            "claim": self.claim or None,
            "wrong": self.hits if self.question == Question.LABEL else None,
            "holds": self.hits if self.question == Question.CLAIM else None,
            **right,
        }


@dataclass(frozen=True)
class Checked:
    """Rules as the project lets them act, beside what is known of each; null for a rule that needs no audit.

    `gates` are what probes say of the methods by whose word a rule labels or changes labels.
    """

    rules: Rules
    evidence: tuple[Evidence | None, ...]
    policy: Unaudited
    gates: tuple[tuple[Probed, ...], ...] = ()

    @property
    def blocked(self) -> list[tuple[str, Probed]]:
        """Rules that act as review because of probes, each with what is said."""
        named = zip(self.rules.rules, self.gates, strict=True)
        return [(rule.name, gate) for rule, gates in named for gate in gates if not gate.is_open]

    @property
    def unaudited(self) -> list[str]:
        return [
            rule.name
            for rule, known in zip(self.rules.rules, self.evidence, strict=True)
            if known is not None and not known.is_audited
        ]


def checked(
    project: Project, rules: Rules, *, runs: Mapping[str, Run] | None = None, as_of: datetime | None = None
) -> Checked:
    policy = policy_of(project)
    runs = newest_runs(project) if runs is None else runs
    asked = [number for number, rule in enumerate(rules.rules) if rule.needs_audit]
    keys = {number: rule_key(rules, number) for number in asked}
    audits = _audits(project, set(keys.values()), as_of)
    evidence: list[Evidence | None] = [None] * len(rules.rules)
    for number, key in keys.items():
        read = runs_read(rules, number, runs)
        evidence[number] = _known(audits.get(key, []), read, rules.rules[number], policy)
    gates = tuple(gates_of(rule, runs, as_of=as_of) for rule in rules.rules)
    acting = _behind(gates, _under(Unaudited(policy.unaudited), rules, evidence))
    return Checked(acting, tuple(evidence), Unaudited(policy.unaudited), gates)


def refuse_unaudited(found: Checked) -> None:
    """For whoever is about to act on a recipe."""
    for sentence in refusal(found) if found.policy == Unaudited.REFUSE else []:
        raise UnauditedRules(sentence, fields=dict.fromkeys(found.unaudited, "unaudited"))


def refusal(found: Checked) -> list[str]:
    """Why the recipe may not act, or what the project makes of it; nothing where rules are only marked."""
    if not found.unaudited or found.policy == Unaudited.MARK:
        return []
    named = ", ".join(f"“{name}”" for name in found.unaudited)
    if found.policy == Unaudited.REVIEW:
        return [f"Only audited rules {_act(found)} in this project; these send their rows to review: {named}."]
    return [
        f"Only audited rules may {_act(found)} in this project, and these are not: {named}. Audit them, or let them"
        " send their rows to review."
    ]


def _act(found: Checked) -> str:
    labels = any(known and known.proposes == Action.LABEL for known in found.evidence)
    return "label, flip or drop" if labels else "flip or drop"


def closed_gates(found: Checked) -> list[str]:
    """Why rules send their rows to review although they say something else."""
    return [f"“{name}” sends its rows to review. {gate.words}" for name, gate in found.blocked]


def _audits(project: Project, keys: set[str], as_of: datetime | None) -> dict[str, list[Audit]]:
    """By rule, newest first."""
    rows = Audit.objects.filter(project=project, rule_key__in=keys, cancelled_at=None).order_by("-pk")
    found: dict[str, list[Audit]] = {}
    for audit in rows:
        if as_of is None or (audit.finished_at is not None and audit.finished_at <= as_of):
            found.setdefault(audit.rule_key, []).append(audit)
    return found


def _known(audits: list[Audit], runs: dict[str, int | None], rule: Rule, policy: AuditPolicy) -> Evidence:
    """An audit that was asked about the label before rules had claims still tells what it told."""
    finished = [audit for audit in audits if audit.finished_at is not None]
    current = next((audit for audit in finished if audit.runs == runs), None)
    audit = current or next(iter(finished), None)
    question = audit.question if audit else question_of(rule)
    needed = threshold(policy, rule.action, question)
    nothing = Evidence(
        "open" if audits else "none",
        rule.action,
        needed,
        audits[0].pk if audits else None,
        question=question,
        claim=claim_words(rule.claim) if question == Question.CLAIM else "",
    )
    if audit is None:
        return nothing
    says = audit.findings
    known: Known = "outdated" if current is None else "audited" if says["bound"] > needed else "not shown"
    return replace(
        nothing,
        known=known,
        audit_id=audit.pk,
        n=says["n"],
        hits=hits_of(says, question),
        population=audit.population,
        bound=says["bound"],
        confidence=says["confidence"],
    )


def question_of(rule: Rule) -> Question:
    if rule.action == Action.LABEL:
        return Question.GIVEN
    return Question.LABEL if rule.claim is None else Question.CLAIM


def _behind(gates: tuple[tuple[Probed, ...], ...], rules: Rules) -> Rules:
    """A rule of which one gate is closed sends the rows that it matches to review."""
    acting = tuple(
        rule if all(gate.is_open for gate in found) else replace(rule, action=Action.REVIEW)
        for rule, found in zip(rules.rules, gates, strict=True)
    )
    return Rules(acting, rules.document)


def _under(policy: Unaudited, rules: Rules, evidence: list[Evidence | None]) -> Rules:
    if policy != Unaudited.REVIEW:
        return rules
    acting = tuple(
        rule if known is None or known.is_audited else replace(rule, action=Action.REVIEW)
        for rule, known in zip(rules.rules, evidence, strict=True)
    )
    return Rules(acting, rules.document)
