"""The command imports in the foreground, and says what it did."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Membership, Project, Role, User
from corpus.models import Comparison, Source
from ledger.models import Run, State
from tests.corpus.rows import pair


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("import_data", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def eggs(tmp_path: Path) -> Path:
    path = tmp_path / "eggs.jsonl"
    path.write_text(json.dumps(pair(label="a")) + "\n{broken\n" + json.dumps(pair(label="b")) + "\n")
    return path


def test_it_prints_the_counts_and_where_the_rejects_are(project: Project, eggs: Path) -> None:
    said = run(str(eggs), "--project", project.slug)
    assert [line.split() for line in said.splitlines()[:3]] == [
        ["accepted:", "1"],
        ["unchanged:", "0"],
        ["rejected:", "1"],
    ]
    assert "in eggs: row 3 against row 1" in said
    where = Path(said.rsplit("rejects:", 1)[1].strip())
    assert "rejects" in where.name
    assert json.loads(where.read_text())["line"] == 2


def test_it_is_recorded_as_a_run(project: Project, eggs: Path) -> None:
    run(str(eggs), "--project", project.slug)
    recorded = Run.objects.get()
    assert (recorded.kind, recorded.state, recorded.result["accepted"]) == ("import", State.DONE, 1)


def test_it_makes_an_unknown_project_for_the_first_superuser(db: None, eggs: Path) -> None:
    boss = User.objects.create_superuser("boss@example.org", "correct horse battery")
    run(str(eggs), "--project", "fresh", "--source", "kitchen")
    assert Membership.objects.get(project__slug="fresh", role=Role.OWNER).user == boss
    assert Source.objects.get().name == "kitchen"


def test_a_file_that_cannot_be_read_ends_with_a_sentence(project: Project, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(CommandError, match=r"empty\.jsonl is empty"):
        run(str(tmp_path / "empty.jsonl"), "--project", project.slug)
    assert Run.objects.get().state == State.FAILED
    with pytest.raises(CommandError, match="There is no file"):
        run(str(tmp_path / "nowhere.jsonl"), "--project", project.slug)


def test_one_unreadable_file_does_not_stop_the_others(project: Project, eggs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    assert "accepted:     1" in run(str(tmp_path / "empty.jsonl"), str(eggs), "--project", project.slug)


def test_it_ends_with_1_when_every_row_was_rejected(project: Project, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{broken\n")
    with pytest.raises(SystemExit) as ended:
        run(str(tmp_path / "bad.jsonl"), "--project", project.slug)
    assert ended.value.code == 1


def test_a_mapping_is_given_as_pairs(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text("question,left,right,winner\nq,l,r,tie\n")
    mapping = ["prompt=question", "response_a=left", "response_b=right", "label=winner"]
    run(str(path), "--project", project.slug, "--mapping", *mapping)
    assert Comparison.objects.get().label == 0
    with pytest.raises(CommandError, match="cannot set 'nonsense'"):
        run(str(path), "--project", project.slug, "--mapping", "nonsense=x")


def test_ctrl_c_cancels_the_run_for_good(project: Project, eggs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("corpus.import_files.import_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(str(eggs), "--project", project.slug)
    assert Run.objects.get().state == State.CANCELLED
