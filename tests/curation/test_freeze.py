"""A release holds what was decided, says why, and comes out the same whenever it is made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.core.files.storage import default_storage

from accounts.models import Project, User
from curation.canonical import write_file
from curation.freeze import (
    InvalidName,
    ReleaseExists,
    folder,
    freeze,
    freeze_run,
    new_release,
    request_release,
)
from curation.models import Action, Release, ReleaseRow
from curation.pin import UnusableMargin
from curation.recipes import STARTER, UnknownRecipe, save_recipe
from curation.splits import InvalidSplits, Shares
from ledger.execute import execute
from ledger.models import Run, State
from ledger.reporter import Reporter

KEEP_ALL = {"rules": [{"name": "all", "then": "keep"}]}


def frozen(project: Project, name: str = "v1", recipe: Any = None, **options: Any) -> Release:
    release = new_release(project=project, name=name, recipe=recipe or KEEP_ALL, by=project.created_by, **options)
    freeze(release, Reporter())
    return Release.objects.get(pk=release.pk)


def rows_of(release: Release) -> list[dict[str, Any]]:
    found = []
    for file in release.manifest["files"]:
        with default_storage.open(f"{folder(release)}/{file['path']}", "rb") as stored:
            found += pq.read_table(stored).to_pylist()
    return found


def bytes_of(release: Release) -> dict[str, str]:
    return {file["path"]: file["sha256"] for file in release.manifest["files"]}


def test_a_person_outranks_the_recipe_and_every_row_says_why(project: Project, corpus: Any, curator: User) -> None:
    by_rule, by_hand, dropped, unlabelled = corpus.add(), corpus.add(), corpus.add(), corpus.add(label=None)
    contradicted = corpus.add(label=None, labels=[-1, 1])
    corpus.decide(by_hand, Action.FLIP, curator, label=1)
    corpus.decide(dropped, Action.DROP, curator)
    release = frozen(project)
    rows = {row["external_id"]: row for row in rows_of(release)}
    assert set(rows) == {by_rule.external_id, by_hand.external_id}
    assert rows[by_rule.external_id]["reason"] == "rule: all"
    assert rows[by_hand.external_id] | {"label": 1, "action": "flip", "is_by_hand": True} == rows[by_hand.external_id]
    assert "looked at it" in rows[by_hand.external_id]["reason"] and "@" not in rows[by_hand.external_id]["reason"]
    assert release.manifest["counts"]["rules"][0]["without_label"] == 2
    assert ReleaseRow.objects.filter(release=release).count() == 2
    assert unlabelled.label is None and contradicted.label is None


def test_flip_soften_drop_review_and_no_match(project: Project, corpus: Any) -> None:
    actions: list[Any] = ["flip", {"soften": 0.8}, "drop", "review", "keep"]
    for n in range(len(actions)):
        corpus.add(label=2, metadata={"n": n})
    corpus.add(label=2)
    rules = [
        {"name": f"r{n}", "when": {"field": "metadata.n", "op": "==", "value": n}, "then": then, "weight": 0.5}
        for n, then in enumerate(actions)
    ]
    release = frozen(project, recipe={"rules": rules})
    rows = {row["rule"]: row for row in rows_of(release)}
    assert {rule: row["label"] for rule, row in rows.items()} == {"r0": -2, "r1": 2, "r4": 2}
    assert rows["r1"]["label_probability"] == pytest.approx(0.8) and rows["r4"]["weight"] == 0.5
    assert release.manifest["counts"]["unmatched"] == 1
    assert release.manifest["recipe"]["unaudited_rules"] == ["r0", "r2"]
    card = default_storage.open(f"{folder(release)}/README.md").read().decode()
    assert "unaudited" in card and "| r0 | flip (unaudited) | 1 | 1 |" in card


def test_the_same_inputs_give_the_same_bytes(project: Project, corpus: Any) -> None:
    run = corpus.run("model_vote")
    for n in range(30):
        corpus.vote(run, corpus.add(label=n % 3 - 1), mean=n / 10 - 1)
    one, other = frozen(project, "v1", STARTER), frozen(project, "v2", STARTER)
    assert bytes_of(one) == bytes_of(other) and one.content_sha256 == other.content_sha256
    stored = orjson.loads(default_storage.open(f"{folder(one)}/manifest.json").read())
    assert stored == one.manifest


class Killed(BaseException):
    pass


def test_killed_in_mid_freeze_it_ends_the_same_without_doubled_rows(
    project: Project, corpus: Any, curator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = [corpus.add(label=1) for _ in range(40)]
    whole = frozen(project, "whole")
    release = new_release(project=project, name="killed", recipe=KEEP_ALL, by=curator)
    calls = []

    def dies(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise Killed
        write_file(*arguments)

    monkeypatch.setattr("curation.freeze.write_file", dies)
    with pytest.raises(Killed):
        freeze(release, Reporter())
    monkeypatch.setattr("curation.freeze.write_file", write_file)
    corpus.decide(added[0], Action.DROP, curator)
    again = Release.objects.get(pk=release.pk)
    freeze(again, Reporter())
    freeze(again, Reporter())
    assert bytes_of(again) == bytes_of(whole) and ReleaseRow.objects.filter(release=again).count() == 40
    assert list((Path(settings.WINNOW_HOME) / "tmp").glob("release-*")) == []


def test_decisions_count_up_to_the_moment_the_release_was_asked_for(
    project: Project, corpus: Any, curator: User
) -> None:
    row = corpus.add(label=1)
    release = new_release(project=project, name="v1", recipe=KEEP_ALL, by=curator)
    corpus.decide(row, Action.DROP, curator)
    freeze(release, Reporter())
    assert release.manifest["counts"]["released"] == 1


def test_a_prompt_and_its_near_copies_stay_in_one_split(project: Project, corpus: Any) -> None:
    run = corpus.run("near_duplicates")
    for n in range(60):
        for text in (f"What is {n} plus one?", f"  what IS {n}  plus one?"):
            corpus.add(prompt=text)
    linked = [corpus.add(prompt=f"linked {n}") for n in range(40)]
    for row in linked:
        corpus.duplicate(run, row, group=linked[0].pk, repeats=row != linked[0], exact=False)
    release = frozen(project, shares=Shares(50, 30, 20))
    split = dict(
        ReleaseRow.objects.filter(release=release).values_list("comparison__prompt__messages__0__content", "split")
    )
    assert set(split.values()) == {"train", "validation", "test"}
    assert all(split[f"What is {n} plus one?"] == split[f"  what IS {n}  plus one?"] for n in range(60))
    assert len({split[f"linked {n}"] for n in range(40)}) == 1


def test_a_prompt_keeps_its_split_whatever_the_recipe_keeps(project: Project, corpus: Any) -> None:
    for n in range(40):
        corpus.add(label=1 if n % 2 else -1)
    half = {"rules": [{"when": {"field": "label", "op": ">", "value": 0}, "then": "keep"}]}
    one, other = frozen(project, "v1"), frozen(project, "v2", half)
    splits = [dict(ReleaseRow.objects.filter(release=r).values_list("comparison_id", "split")) for r in (one, other)]
    assert len(splits[1]) == 20 and splits[1].items() <= splits[0].items()


@pytest.mark.parametrize("shares", [(90, 5, 6), (101, -1, 0), (float("nan"), 5, 5), (True, 99, 0)])
def test_shares_add_up_to_a_hundred(shares: Any) -> None:
    with pytest.raises(InvalidSplits):
        Shares(*shares)


def test_a_margin_that_is_not_finite_is_refused(project: Project, corpus: Any) -> None:
    corpus.add(metadata={"m": 1e300})
    with pytest.raises(UnusableMargin, match="'all'"):
        frozen(project, recipe={"rules": [{"name": "all", "then": "keep", "margin": "metadata.m"}]})


def test_nothing_released_is_a_release_without_files(project: Project, corpus: Any) -> None:
    corpus.add()
    release = frozen(project, recipe={"rules": [{"then": "review"}]})
    assert release.manifest["files"] == [] and release.manifest["counts"]["released"] == 0


def test_a_name_is_taken_once_and_freed_by_a_failure(project: Project, corpus: Any, curator: User) -> None:
    corpus.add()
    first = request_release(project=project, name="v1", recipe=KEEP_ALL, by=curator)
    with pytest.raises(ReleaseExists):
        request_release(project=project, name="v1", recipe=KEEP_ALL, by=curator)
    assert first.run is not None
    first.run.state = State.FAILED
    first.run.save()
    again = request_release(project=project, name="v1", recipe=KEEP_ALL, by=curator)
    assert again.pk != first.pk and again.run is not None
    assert freeze_run(again.run, Reporter())["rows"] == 1


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b", "x" * 121, None, "a\n"])
def test_a_name_is_safe_as_a_folder(project: Project, name: Any) -> None:
    with pytest.raises(InvalidName):
        new_release(project=project, name=name, recipe=KEEP_ALL, by=None)


def test_a_saved_recipe_is_named_and_an_unknown_one_refused(project: Project, corpus: Any) -> None:
    corpus.add()
    save_recipe(project=project, name="mine", document=KEEP_ALL, by=None)
    assert frozen(project, recipe="mine").recipe.name == "mine"
    with pytest.raises(UnknownRecipe):
        new_release(project=project, name="v2", recipe="theirs", by=None)


def test_simulated_votes_are_named_in_the_card(project: Project, corpus: Any) -> None:
    manifest = {**frozen(project).manifest}
    corpus.add()
    manifest["measured"] = {**manifest["measured"], "votes": 9, "simulated_votes": 4, "judged": 3}
    from curation.card import card

    assert "4 of these answers are simulated" in card(manifest)


@pytest.mark.django_db(transaction=True)
def test_a_worker_freezes_it_under_its_lease_and_a_second_message_changes_nothing(
    project: Project, corpus: Any, curator: User
) -> None:
    for _ in range(20):
        corpus.add()
    release = request_release(project=project, name="by-worker", recipe=KEEP_ALL, by=curator)
    assert release.run is not None
    for _ in range(2):
        execute(release.run.pk, freeze_run, owner="worker")
    release.refresh_from_db()
    run = Run.objects.get(pk=release.run.pk)
    assert run.state == State.DONE and run.result["rows"] == 20 and run.result["content_sha256"]
    assert release.content_sha256 == run.result["content_sha256"]
