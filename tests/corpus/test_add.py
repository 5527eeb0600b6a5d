"""What models make is added once, to prompts that are here, and tells nothing by its order."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from accounts.models import Project
from corpus.add import NewComparison, NewResponse, add_comparisons, add_responses
from corpus.hashing import content_hash, messages_hash
from corpus.models import Comparison, Prompt, Response, Source


@pytest.fixture
def prompt(project: Project) -> Prompt:
    return asked(project, "Why?")


def asked(project: Project, text: str) -> Prompt:
    messages = [{"role": "user", "content": text}]
    return Prompt.objects.create(
        project=project, messages=messages, content_hash=messages_hash([{"role": "user", "content": text}])
    )


def test_a_text_is_added_once_and_an_old_one_keeps_its_author(project: Project, prompt: Prompt) -> None:
    old = Response.objects.create(prompt=prompt, content="so", generator="a person", content_hash=content_hash("so"))
    rows = [NewResponse(prompt.pk, text, "toy@1") for text in ("so", "thus", "so", "thus")]
    first = add_responses(project.pk, rows)
    assert first.new == 1 and first.ids == [old.pk, first.ids[1], old.pk, first.ids[1]]
    assert add_responses(project.pk, rows) == type(first)(first.ids, 0)
    assert dict(prompt.responses.values_list("content", "generator")) == {"so": "a person", "thus": "toy@1"}


def test_ids_follow_the_hash_and_not_the_order_of_writing(project: Project, prompt: Prompt) -> None:
    texts = [f"text {n}" for n in range(8)]
    add_responses(project.pk, [NewResponse(prompt.pk, text, "toy") for text in texts])
    found = [bytes(hash_) for hash_ in prompt.responses.order_by("pk").values_list("content_hash", flat=True)]
    assert found == sorted(content_hash(text) for text in texts)


def test_comparisons_have_no_label_and_the_smaller_hash_first(project: Project, prompt: Prompt) -> None:
    one, other = add_responses(project.pk, [NewResponse(prompt.pk, text, "toy") for text in ("one", "two")]).ids
    rows = [NewComparison(prompt.pk, one, other, {"candidates": 2}), NewComparison(prompt.pk, other, one, {})]
    assert add_comparisons(project.pk, "made", rows) == 1 and add_comparisons(project.pk, "made", rows) == 0
    found = Comparison.objects.select_related("response_a", "response_b", "source").get()
    assert found.label is None and found.labels == [] and found.source.name == "made"
    assert bytes(found.response_a.content_hash) < bytes(found.response_b.content_hash)
    assert found.metadata == {"candidates": 2} and add_comparisons(project.pk, "none", []) == 0
    assert list(Source.objects.filter(project=project).values_list("name", flat=True)) == ["made"]


def test_another_projects_prompts_and_responses_are_out_of_reach(project: Project, prompt: Prompt) -> None:
    elsewhere = Project.objects.create(slug="elsewhere", name="Elsewhere")
    with pytest.raises(KeyError):
        add_responses(elsewhere.pk, [NewResponse(prompt.pk, "x", "toy")])
    ids = add_responses(project.pk, [NewResponse(prompt.pk, text, "toy") for text in ("one", "two")]).ids
    assert add_comparisons(elsewhere.pk, "made", [NewComparison(prompt.pk, ids[0], ids[1], {})]) == 0


@pytest.mark.django_db(transaction=True)
def test_two_at_once_add_one_text(project: Project, prompt: Prompt) -> None:
    new: list[int] = []

    def add() -> None:
        with transaction.atomic():
            new.append(add_responses(project.pk, [NewResponse(prompt.pk, "so", "toy")]).new)
        connection.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == [0, 0, 0, 1]
