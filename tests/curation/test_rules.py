"""Recipes are read strictly, and compile to SQL that means what a plain evaluator means."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Project
from corpus.models import Comparison
from curation.rules import InvalidRecipe, parse, read_text
from curation.rules_sql import margin_sql, margins_sql, matched_rule_sql
from curation.standing import Standing


def keep(when: Any = None, **more: Any) -> dict[str, Any]:
    return {"rules": [{"when": when, "then": "keep", **more}]}


def compare(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (None, "recipe"),
        ({}, "rules"),
        ({"rules": []}, "rules"),
        ({"rules": [{"then": "keep"}], "extra": 1}, "recipe.extra"),
        ({"rules": ["keep"]}, "rules[0]"),
        ({"rules": [{"when": None}]}, "rules[0].then"),
        ({"rules": [{"then": "burn"}]}, "rules[0].then"),
        ({"rules": [{"then": {"soften": 1.5}}]}, "rules[0].then.soften"),
        ({"rules": [{"then": "keep", "weight": -1}]}, "rules[0].weight"),
        ({"rules": [{"then": "keep", "weight": True}]}, "rules[0].weight"),
        ({"rules": [{"then": "keep", "margin": float("nan")}]}, "rules[0].margin"),
        ({"rules": [{"then": "keep", "margin": 1e39}]}, "rules[0].margin"),
        ({"rules": [{"then": "keep", "margin": "source"}]}, "rules[0].margin"),
        ({"rules": [{"then": "keep", "margin": "model_vote.power"}]}, "rules[0].margin"),
        ({"rules": [{"then": "keep", "name": "x"}, {"then": "drop", "name": "x"}]}, "rules[1].name"),
        ({"rules": [{"then": "keep", "name": "a\x00b"}]}, "rules[0].name"),
        (keep(compare("model_vote.power", "<", 0)), "rules[0].when.field"),
        (keep({"all": [compare("label", "<", 0), compare("c.id", "<", 0)]}), "rules[0].when.all[1].field"),
        (keep({"not": {"any": [compare("label", "~", 0)]}}), "rules[0].when.not.any[0].op"),
        (keep(compare("label", "<", "0")), "rules[0].when.value"),
        (keep(compare("label", "==", None)), "rules[0].when.value"),
        (keep(compare("label", "==", True)), "rules[0].when.value"),
        (keep(compare("label", "<", float("inf"))), "rules[0].when.value"),
        (keep(compare("label", "in", [])), "rules[0].when.value"),
        (keep(compare("label", "in", [1, "2"])), "rules[0].when.value"),
        (keep(compare("source", "<", "a")), "rules[0].when.op"),
        (keep(compare("source", "==", "\ud800")), "rules[0].when.value"),
        (keep({"all": []}), "rules[0].when.all"),
        (keep({"all": [], "any": []}), "rules[0].when.any"),
        (keep({"field": "label"}), "rules[0].when.op"),
        (keep({"op": "<", "value": 1}), "rules[0].when.field"),
        (keep([1]), "rules[0].when"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(document: Any, path: str) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        parse(document)
    assert list(caught.value.fields) == [path] and caught.value.status == 422


def test_conditions_inside_each_other_have_an_end() -> None:
    when: Any = compare("label", "<", 0)
    for _ in range(50):
        when = {"not": when}
    with pytest.raises(InvalidRecipe):
        parse(keep(when))


def test_a_recipe_is_read_as_yaml_and_as_json() -> None:
    yaml_text = 'rules:\n- name: all\n  when: {field: label, op: "<", value: 0}\n  then: keep\n'
    json_text = '{"rules": [{"name": "all", "when": {"field": "label", "op": "<", "value": 0}, "then": "keep"}]}'
    assert parse(read_text(yaml_text)) == parse(read_text(json_text))


@pytest.mark.parametrize(
    "text", ["rules: [", "!!python/object/apply:os.system [ls]", "when: {op: >, a: 1}", "[" * 100_000]
)
def test_text_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(InvalidRecipe):
        parse(read_text(text))


def test_only_flips_and_drops_without_a_fact_need_an_audit() -> None:
    fact, opinion = compare("identical_sides", "==", True), compare("model_vote.strength", "<", 0)
    whens = [fact, {"all": [opinion, fact]}, {"any": [fact, opinion]}, {"not": fact}, opinion, None]
    for then, expected in (("drop", [0, 0, 1, 1, 1, 1]), ("flip", [1] * 6), ("keep", [0] * 6)):
        rules = parse({"rules": [{"when": when, "then": then} for when in whens]}).rules
        assert [rule.needs_audit for rule in rules] == [bool(each) for each in expected]


def matched(project: Project, document: Any) -> list[int | None]:
    standing = Standing.of(project, sees="base")
    sql = matched_rule_sql(parse(document), standing)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql} {standing.from_sql} ORDER BY c.id", standing.params)
        return [row[0] for row in cursor.fetchall()]


def test_a_missing_value_makes_a_condition_false_and_its_opposite_true(project: Project, corpus: Any) -> None:
    corpus.add()
    below = compare("model_vote.strength", "<", 0)
    assert matched(project, keep(below)) == [None]
    assert matched(project, keep({"not": below})) == [0]
    assert matched(project, keep({"field": "model_vote.strength", "op": "is null"})) == [0]
    assert matched(project, keep(compare("model_vote.strength", "is null", False))) == [None]


@pytest.mark.parametrize("evil", ["hh'; DROP TABLE corpus_comparison; --", "%s %(p1)s %%", "{label}", '"\\'])
def test_values_and_keys_never_become_sql(project: Project, corpus: Any, evil: str) -> None:
    corpus.add(source="hh", metadata={evil: evil})
    corpus.add(source=evil)
    assert matched(project, keep(compare("source", "==", evil))) == [None, 0]
    assert matched(project, keep(compare("source", "in", [evil, "x"]))) == [None, 0]
    assert matched(project, keep(compare(f"metadata.{evil}", "==", evil))) == [0, None]
    assert Comparison.objects.count() == 2


@pytest.mark.parametrize("then", ["keep", "flip"])
def test_a_margin_is_measured_toward_the_label_that_is_released(project: Project, corpus: Any, then: str) -> None:
    corpus.vote(corpus.run("model_vote"), corpus.add(label=2), mean=0.5)
    rules = parse({"rules": [{"then": then, "margin": "model_vote.strength"}]})
    standing = Standing.of(project, sees="base")
    inner = f"SELECT {matched_rule_sql(rules, standing)} AS matched{margins_sql(rules, standing)} {standing.from_sql}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {margin_sql(rules)} FROM ({inner}) x", standing.params)
        assert cursor.fetchone() == (0.5 if then == "keep" else -0.5,)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "in": lambda value, wanted: value in wanted,
}  # fmt: skip


def holds(when: Any, row: dict[str, Any]) -> bool:
    """What DESIGN says a condition means, in plain Python."""
    if when is None:
        return True
    if "all" in when:
        return all(holds(part, row) for part in when["all"])
    if "any" in when:
        return any(holds(part, row) for part in when["any"])
    if "not" in when:
        return not holds(when["not"], row)
    value = row[when["field"]]
    if when["op"] == "is null":
        return (value is None) is when["value"]
    return value is not None and bool(OPERATORS[when["op"]](value, when["value"]))


NUMBERS = st.sampled_from([-3, -1, -0.5, 0, 0.5, 1, 2, 3])
NUMERIC = st.sampled_from(["label", "model_vote.mean", "consensus.votes", "metadata.turns"])
TEXTUAL = st.sampled_from(["source", "metadata.topic"])
TEXTS = st.sampled_from(["hh", "it's", "100%", ""])
LEAVES = st.one_of(
    st.builds(compare, NUMERIC, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS),
    st.builds(compare, NUMERIC, st.just("in"), st.lists(NUMBERS, min_size=1, max_size=3)),
    st.builds(compare, TEXTUAL, st.sampled_from(["==", "!="]), TEXTS),
    st.builds(compare, TEXTUAL, st.just("in"), st.lists(TEXTS, min_size=1, max_size=3)),
    st.builds(compare, st.sampled_from(["contradicted", "identical_sides"]), st.just("=="), st.booleans()),
    st.builds(compare, st.one_of(NUMERIC, TEXTUAL), st.just("is null"), st.booleans()),
)
WHENS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
)


@pytest.fixture
def rows(project: Project, corpus: Any) -> list[dict[str, Any]]:
    """Every mixture of present and missing that the property test draws on, as plain values."""
    run, found = corpus.run("model_vote"), []
    kinds: list[dict[str, Any]] = [{"turns": 2, "topic": "it's"}, {"turns": "2"}, {"topic": "100%"}, {}]
    for n, label in enumerate((-3, -1, 0, 2, None, None)):
        metadata = kinds[n % 4]
        labels = [-1, 1] if n == 5 else None
        source = "hh" if n % 2 else "it's"
        row = corpus.add(
            "same" if n == 2 else "a", "same" if n == 2 else "b", label, source=source, labels=labels, metadata=metadata
        )
        if n < 4:
            corpus.vote(run, row, mean=(n - 1) / 2)
        turns = metadata.get("turns")
        found.append(
            {
                "label": label,
                "model_vote.mean": (n - 1) / 2 if n < 4 else None,
                "consensus.votes": 0,
                "metadata.turns": turns,
                "metadata.topic": metadata.get("topic"),
                "source": source,
                "contradicted": n == 5,
                "identical_sides": n == 2,
            }
        )
    return found


def as_read(when: Any, row: dict[str, Any]) -> bool:
    """A metadata key is read as the type of the value it is compared with."""
    turns = row["metadata.turns"]
    number = {**row, "metadata.turns": turns if isinstance(turns, int) else None}
    return holds(_number_reads(when), {**number, "metadata.turns as text": turns})


def _number_reads(when: Any) -> Any:
    if when is None:
        return None
    for word in ("all", "any"):
        if word in when:
            return {word: [_number_reads(part) for part in when[word]]}
    if "not" in when:
        return {"not": _number_reads(when["not"])}
    if when["field"] == "metadata.turns" and when["op"] == "is null":
        return {**when, "field": "metadata.turns as text"}
    return when


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(whens=st.lists(st.one_of(st.none(), WHENS), min_size=1, max_size=4))
def test_the_first_rule_that_matches_wins_as_plain_python_says(
    project: Project, rows: list[dict[str, Any]], whens: list[Any]
) -> None:
    expected = [next((n for n, when in enumerate(whens) if as_read(when, row)), None) for row in rows]
    assert matched(project, {"rules": [{"when": when, "then": "keep"} for when in whens]}) == expected
