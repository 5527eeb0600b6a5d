"""The bundled sample reads like people wrote it, and loads once."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain

from django.core.management import call_command

from accounts.models import Membership, Project, Role
from annotation.models import Campaign
from corpus import sample
from corpus.models import Comparison, Source

ITEMS = {path.stem: sample.items(path) for path in sample.files()}
PROMPTS = list(chain.from_iterable(ITEMS.values()))
TEXTS = [response["content"] for item in PROMPTS for response in item["responses"]]
QUESTIONS = [sample.messages_of(item)[-1]["content"] for item in PROMPTS]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_there_are_many_prompts_over_several_subjects() -> None:
    assert len(PROMPTS) >= 150
    assert len(ITEMS) >= 6
    assert min(len(items) for items in ITEMS.values()) >= 10
    assert len({item["id"] for item in PROMPTS}) == len(PROMPTS)


def test_each_prompt_has_two_to_four_responses_of_differing_quality() -> None:
    assert {len(item["responses"]) for item in PROMPTS} <= {2, 3, 4}
    assert all(len({response["quality"] for response in item["responses"]}) > 1 for item in PROMPTS)
    assert len({response["generator"] for item in PROMPTS for response in item["responses"]}) >= 3


def test_labels_agree_with_quality_save_for_the_known_mistakes() -> None:
    mistakes = 0
    for item in PROMPTS:
        quality = {response["key"]: response["quality"] for response in item["responses"]}
        for label in item["labels"]:
            if "tie" in label:
                assert len(label["tie"]) == 2
                continue
            mistakes += bool(label.get("mistake"))
            is_right = quality[label["better"]] > quality[label["worse"]]
            assert is_right != bool(label.get("mistake")), (item["id"], label)
            assert label["strength"] in {1, 2, 3}
    assert 0.03 < mistakes / sum(len(item["labels"]) for item in PROMPTS) < 0.15


def test_no_frame_of_words_comes_again_and_again() -> None:
    openings = Counter(tuple(words(text)[:4]) for text in TEXTS if len(words(text)) >= 4)
    assert max(openings.values()) <= 3, openings.most_common(5)
    questions = Counter(tuple(words(text)[:4]) for text in QUESTIONS)
    assert max(questions.values()) <= 3, questions.most_common(5)


def test_no_sentence_recurs() -> None:
    sentences = [" ".join(words(part)) for text in TEXTS for part in re.split(r"[.!?\n]+", text)]
    long = Counter(sentence for sentence in sentences if len(sentence.split()) >= 6)
    assert [sentence for sentence, count in long.items() if count > 1] == []


def test_runs_of_five_words_hardly_repeat_across_texts() -> None:
    grams: Counter[tuple[str, ...]] = Counter()
    for text in TEXTS:
        tokens = words(text)
        grams.update({tuple(tokens[at : at + 5]) for at in range(len(tokens) - 4)})
    repeated = sum(count for count in grams.values() if count > 1)
    assert repeated / grams.total() < 0.03


def test_the_sample_loads_once(db: None) -> None:
    call_command("load_sample", password="a long demo password")
    project = Project.objects.get(slug="demo")
    count = Comparison.objects.count()
    assert count == sum(len(item["labels"]) for item in PROMPTS)
    assert Source.objects.get().name == "sample"
    call_command("load_sample")
    assert Comparison.objects.count() == count
    assert Membership.objects.get(project=project, role=Role.OWNER).user.email == "demo@winnow.example"
    to_try = Campaign.objects.filter(project=project, state="open", task_count__gt=100)
    assert sorted(to_try.values_list("kind", flat=True)) == ["pairwise", "ranking", "rating", "rubric"]


def test_a_loaded_label_points_at_the_better_side(project: Project) -> None:
    sample.load(project)
    for row in Comparison.objects.exclude(label=0):
        gap = row.metadata["sample_quality_b"] - row.metadata["sample_quality_a"]
        is_right = (gap > 0) == ((row.label or 0) > 0)
        assert is_right != row.metadata["sample_known_mistake"], row.external_id
