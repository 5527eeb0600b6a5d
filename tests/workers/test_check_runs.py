"""The methods that look at texts and structure, from a run's row to its page and to the fields of recipes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Project, User
from corpus.models import Comparison, Source
from curation.fields import FIELDS
from curation.models import Signal
from curation.standing import Standing
from ledger.models import State
from tests.workers.conftest import run_here

FillCorpus = Callable[..., int]
pytestmark = pytest.mark.usefixtures("own_cache")


def _values(project: Project, method: str) -> list[tuple[Any, ...]]:
    standing = Standing.of(project)
    columns = ", ".join(standing.field(name) for name in FIELDS if FIELDS[name].method == method)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} {standing.from_sql} ORDER BY c.id", standing.params)
        return list(cursor.fetchall())


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("degenerate", {}, "wrong_language"),
        ("cycles", {}, "there can be no circle"),
        ("bias_audit", {}, "stored order"),
        ("near_duplicates", {"look_for": "text"}, "near exact"),
        ("contamination", {"source": "exam", "threshold": 1.0}, "by shared runs of words"),
    ],
)
def test_a_run_fills_its_page_and_the_fields_of_recipes(
    method: str, params: dict[str, Any], words: str, project: Project, fill_corpus: FillCorpus, client: Client,
    curator: User, stranger: User,
) -> None:  # fmt: skip
    fill_corpus(40, words=12)
    fill_corpus(4, source="exam", words=12)
    run = run_here(project, method, **params)
    assert (run.error, run.state) == ("", State.DONE)
    assert Signal.objects.filter(run=run).count() == 44
    rows = _values(project, method)
    assert len(rows) == 44 and any(value is not None for row in rows for value in row)
    page = f"/p/demo/runs/{run.pk}/"
    client.force_login(curator)
    response = client.get(page)
    assert response.status_code == 200
    assert words in response.content.decode()
    client.force_login(stranger)
    assert client.get(page).status_code == 404


def test_the_flags_of_a_response_reach_recipes_toward_the_label(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(3)
    comparison = Comparison.objects.order_by("pk").first()
    assert comparison is not None
    preferred = comparison.response_b if (comparison.label or 0) > 0 else comparison.response_a
    preferred.content = "I'm sorry, but I can't help with that."
    preferred.save()
    run_here(project, "degenerate")
    standing = Standing.of(project)
    names = ("degenerate.refusal", "degenerate.any", "degenerate.flags_preferred", "degenerate.strength")
    columns = ", ".join(standing.field(name) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} {standing.from_sql} ORDER BY c.id", standing.params)
        assert cursor.fetchall() == [(True, True, 1, -1.0), (False, False, 0, 0.0), (False, False, 0, 0.0)]


def test_a_file_names_the_benchmark_and_the_run_says_which_line(
    project: Project, fill_corpus: FillCorpus, tmp_path: Path
) -> None:
    fill_corpus(5, words=20)
    asked = Comparison.objects.order_by("pk")[2].prompt.messages[-1]["content"]
    file = tmp_path / "exam.jsonl"
    file.write_text(json.dumps({"prompt": "Another question."}) + "\n" + json.dumps({"question": asked}) + "\n")
    run = run_here(project, "contamination", file=str(file), threshold=1.0)
    (worst,) = run.result["most"]
    assert (worst["benchmark"], worst["overlap"]) == ("line 2", 1.0)
    assert "There is no file" in run_here(project, "contamination", file=str(tmp_path / "gone.jsonl")).error
    assert "Say what the benchmark is" in run_here(project, "contamination").error


def test_an_unknown_benchmark_source_fails_with_a_sentence(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(2)
    assert "its sources: one" in run_here(project, "contamination", source="exam", threshold=1.0).error
    assert Source.objects.count() == 1
