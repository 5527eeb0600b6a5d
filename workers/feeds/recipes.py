"""A recipe with the comparisons of one source and all that its rules read; a report comes back, and no signal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields as fields_of
from dataclasses import replace
from functools import partial
from typing import Any

from curation import rules as curated
from curation.audits.evidence import checked, closed_gates, refusal
from curation.fields import find_field
from curation.handoff.trials import TrialRow, read_trial, samples
from curation.models import Recipe
from curation.recipes import newest_recipe, version_of
from curation.standing import newest_runs
from ledger.models import Run, Shard
from ledger.shards import Draft
from workers.engine.gain.arms import Hand
from workers.engine.gain.fields import DERIVED
from workers.engine.gain.recipes import Compare, Condition, Every, Key, Negation, Rule, Some, keys_of
from workers.engine.gain.trial import Trial
from workers.feeds import comparisons
from workers.feeds._base import CannotRun
from workers.methods._base import Method, Outcome, Pair

# What they say of a row rests on labels of its own prompt alone, and a prompt is never divided.
WITHIN_PROMPT = frozenset({"cycles"})
# They read what other methods and people say of all labels, and are never fitted on a part.
BY_OTHERS = frozenset({"next_to_annotate"})


def drafts(run: Run, method: Method, params: Any) -> list[Draft]:
    """One piece per source; which version of the recipe, which rows and whose signals is settled here."""
    recipe = version_of(newest_recipe(run.project, params.recipe), str(params.version) if params.version else None)
    found = samples(run.project, max_rows=params.max_rows, seed=params.seed)
    if not found:
        raise CannotRun("The project has no comparisons yet; import some first.")
    runs = {name: one.pk for name, one in newest_runs(run.project).items()}
    return [
        Draft(
            stage=1,
            scope={
                "source": sample.source_id, "cut": sample.cut, "total": sample.total, "recipe": recipe.pk, "runs": runs,
            },
            items=max(1, sample.rows),
        )
        for sample in found
    ]  # fmt: skip


def read(run: Run, shard: Shard) -> Trial:
    scope = shard.scope
    recipe = Recipe.objects.get(pk=scope["recipe"], project=run.project)
    runs = {one.method: one for one in Run.objects.filter(pk__in=scope["runs"].values())}
    found = checked(run.project, curated.parse(recipe.document), runs=runs)
    rules = [rule_of(rule) for rule in found.rules.rules]
    keys = keys_of(rules)
    refits = _refits(keys, runs)
    kept = [key for key in keys if _method_of(key) not in refits or key[0] not in DERIVED]
    rows = read_trial(
        run.project, source_id=scope["source"], cut=scope["cut"], seed=run.params.get("seed", 0), runs=runs, fields=kept
    )
    notes = [*refusal(found), *closed_gates(found), *_notes(keys, kept, runs)]
    return trial_of(list(rows), rules, kept, refits, total=scope["total"], notes=notes)


def trial_of(
    rows: Sequence[TrialRow],
    rules: Sequence[Rule],
    kept: Sequence[Key],
    refits: Mapping[str, Callable[..., Outcome]],
    *,
    total: int,
    notes: Sequence[str] = (),
) -> Trial:
    hands = [Hand(row.hand, row.hand_label, row.hand_soften_to) if row.hand else None for row in rows]
    return Trial(
        pairs=[_pair(row) for row in rows],
        raw=[row.raw for row in rows],
        hands=hands,
        verified=[row.verified for row in rows],
        origins=[row.origin for row in rows],
        copies=[row.copies for row in rows],
        rules=rules,
        values={key: [row.values[place] for row in rows] for place, key in enumerate(kept)},
        refits=refits,
        total=total,
        notes=notes,
    )


def _pair(row: TrialRow) -> Pair:
    held = row.pair
    return Pair(
        id=held.id, source=held.source_id, prompt_id=held.prompt_id, messages=held.messages, a_id=held.a_id, a=held.a,
        b_id=held.b_id, b=held.b, label=held.label,
    )  # fmt: skip


def rule_of(rule: curated.Rule) -> Rule:
    """As the engine, which knows nothing of the house, has it."""
    when = None if rule.matching is None else _condition(rule.matching)
    given: Key | None = (f"{rule.label_by}.mean", "number") if rule.label_by else None
    return Rule(rule.name, when, str(rule.action), rule.soften_to, rule.weight, given)


def _condition(when: curated.Condition) -> Condition:
    if isinstance(when, curated.Compare):
        return Compare(when.field, when.operator, when.value, when.read_as)
    if isinstance(when, curated.Negation):
        return Negation(_condition(when.part))
    joined = Every if isinstance(when, curated.Every) else Some
    return joined(tuple(_condition(part) for part in when.parts))


def _method_of(key: Key) -> str | None:
    return find_field(key[0], wanted=key[1]).method


def _was_fitted_on_labels(name: str | None) -> bool:
    from workers.discover import methods

    method = methods().get(name or "")
    if name in BY_OTHERS:
        return True
    return method is not None and "labels" in method.NEEDS and name not in WITHIN_PROMPT


def _refits(keys: Sequence[Key], runs: Mapping[str, Run]) -> dict[str, Callable[..., Outcome]]:
    """By method that was fitted on the labels of a source: the same again, with the parameters of its newest run."""
    from workers.discover import methods

    found: dict[str, Callable[..., Outcome]] = {}
    for name in sorted({str(_method_of(key)) for key in keys if key[0] in DERIVED}):
        if name in runs and _was_fitted_on_labels(name) and methods()[name].SCOPE == "source":
            found[name] = partial(_refit, methods()[name], runs[name].params)
    return found


def _refit(method: Method, params: Mapping[str, Any], pairs: Sequence[Pair], bench: Any) -> Outcome:
    known = {field.name for field in fields_of(method.Params)}
    given = {name: value for name, value in params.items() if name in known}
    # What people voted changes a report on them, and no signal.
    return method.run(pairs, method.Params(**given), replace(bench, votes=lambda: None))


def _notes(keys: Sequence[Key], kept: Sequence[Key], runs: Mapping[str, Run]) -> list[str]:
    missing = sorted({str(_method_of(key)) for key in keys if _method_of(key) and _method_of(key) not in runs})
    found = [f"{name} has not run here: conditions on it are false, in every arm." for name in missing]
    leaking = sorted({key[0] for key in kept if _method_of(key) in runs and _was_fitted_on_labels(_method_of(key))})
    if leaking:
        found.append(
            f"{', '.join(leaking)} cannot be fitted again without the held-out labels and is read as it is kept: the"
            " curated arm has seen something of them, which flatters the recipe."
        )
    return found


def check(method: Method, records: Trial, outcome: Outcome) -> None:
    """A report is of no row in particular."""


def write(run: Run, shard: Shard, outcome: Outcome) -> dict[str, Any]:
    recipe = Recipe.objects.get(pk=shard.scope["recipe"])
    named = {"id": recipe.pk, "name": recipe.name, "version": recipe.version}
    return outcome.result | {"recipe": named, "runs": shard.scope["runs"]}


def about(params: Any) -> dict[str, Any]:
    return comparisons.about(params)
