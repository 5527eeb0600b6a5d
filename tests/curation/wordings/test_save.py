"""Words are kept by version: nothing kept changes, version 0 is what comes with Winnow."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Project, User
from curation.handoff.wordings import read_wording
from curation.models import Wording
from curation.wordings.kinds import NAMES, InvalidWording, UnknownKind, bundled, kind_of
from curation.wordings.queries import UnknownVersion, newest_words, sha256_of, words_version
from curation.wordings.save import WordsMovedOn, save_words
from curation.wordings.text import lines_of, read_text, text_of


@pytest.fixture
def changed() -> dict[str, Any]:
    document = copy.deepcopy(bundled("follow_ups"))
    document["neutral"] = "I am here."
    return document


def test_before_anybody_saves_the_bundled_words_are_version_0(project: Project) -> None:
    words = newest_words(project, "follow_ups")
    assert (words.version, words.is_bundled, words.author) == (0, True, None)
    assert words.document == bundled("follow_ups") and words.sha256 == sha256_of(bundled("follow_ups"))


def test_saving_makes_a_version_and_the_trail_says_who(
    project: Project, curator: User, changed: dict[str, Any]
) -> None:
    saved = save_words(project=project, kind="follow_ups", document=changed, by=curator)
    assert (saved.version, saved.author, saved.document["neutral"]) == (1, curator.email, "I am here.")
    event = AuditEvent.objects.get(action="save wording")
    assert (event.actor, event.details) == (
        curator,
        {"kind": "follow_ups", "version": 1, "sha256": saved.sha256},
    )


def test_the_same_words_again_are_no_new_version(project: Project, curator: User, changed: dict[str, Any]) -> None:
    assert save_words(project=project, kind="follow_ups", document=bundled("follow_ups"), by=curator).version == 0
    save_words(project=project, kind="follow_ups", document=changed, by=curator)
    assert save_words(project=project, kind="follow_ups", document=changed, by=curator).version == 1
    assert Wording.objects.count() == 1


def test_going_back_is_a_new_version_of_the_old_words(project: Project, curator: User, changed: dict[str, Any]) -> None:
    save_words(project=project, kind="follow_ups", document=changed, by=curator)
    back = save_words(project=project, kind="follow_ups", document=bundled("follow_ups"), by=curator)
    assert (back.version, back.sha256) == (2, newest_words(project, "follow_ups").sha256)
    assert words_version(project, "follow_ups", 1).document == changed


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(
    project: Project, curator: User, changed: dict[str, Any]
) -> None:
    save_words(project=project, kind="follow_ups", document=changed, by=curator, after_version=0)
    with pytest.raises(WordsMovedOn, match="There is a version 1"):
        save_words(project=project, kind="follow_ups", document=bundled("follow_ups"), by=curator, after_version=0)


def test_words_that_cannot_be_used_are_not_kept(project: Project, curator: User, changed: dict[str, Any]) -> None:
    changed["aspects"][0]["positive"] = []
    with pytest.raises(InvalidWording) as refused:
        save_words(project=project, kind="follow_ups", document=changed, by=curator)
    assert list(refused.value.fields) == ["aspects.0.positive"] and not Wording.objects.exists()


def test_a_run_reads_the_words_as_they_were_when_it_was_asked_for(
    project: Project, curator: User, changed: dict[str, Any]
) -> None:
    before = timezone.now() - timedelta(seconds=1)
    save_words(project=project, kind="follow_ups", document=changed, by=curator)
    assert read_wording(project, "follow_ups", 0, as_of=before).version == 0
    assert read_wording(project, "follow_ups", 0, as_of=timezone.now()).version == 1
    assert read_wording(project, "follow_ups", 1, as_of=before).document == changed
    with pytest.raises(UnknownVersion, match="no version 7"):
        read_wording(project, "follow_ups", 7, as_of=before)


def test_the_words_of_another_project_are_its_own(project: Project, curator: User, changed: dict[str, Any]) -> None:
    other = Project.objects.create(slug="other", name="Other")
    save_words(project=other, kind="follow_ups", document=changed, by=curator)
    assert newest_words(project, "follow_ups").version == 0


@pytest.mark.parametrize("name", ["", "sample", "../follow_ups", "kinds"])
def test_other_kinds_are_unknown(name: str) -> None:
    with pytest.raises(UnknownKind):
        kind_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_bundled_passes_its_own_check_and_reads_back_from_its_text(name: str) -> None:
    document = bundled(name)
    assert kind_of(name).problems(document) == {}
    assert kind_of(name).shaped(read_text(text_of(name, document))) == document


def test_a_mistake_is_told_with_its_line(changed: dict[str, Any]) -> None:
    text = text_of("follow_ups", changed)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if "subject I raised" in line)
    assert lines_of(text, ["aspects.1.positive.1"]) == {"aspects.1.positive.1": line}
    assert lines_of(text, ["neutral", "aspects.99.x", "nothing"]) == {"neutral": 1, "aspects.99.x": 3, "nothing": 1}
    assert lines_of("a: [", ["a"]) == lines_of("", ["a"]) == {}


@pytest.mark.parametrize("text", ["a: [", "a: &x [1]\nb: *x", "x" * 200_001, "!!python/object:os.system {}"])
def test_a_text_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidWording):
        read_text(text)
