"""Follow-up scores of real, tiny chat models: right to the fifth digit, and right about planted satisfaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workers.engine.followups.conftest import FOLLOW_UPS, Turns, answer, turns
from tests.workers.tiny_chat import NO_SYSTEM, make_chat
from workers.engine.bench import Bench
from workers.engine.followups.remarks import Aspect, FollowUps
from workers.engine.followups.said import Recalled, Said, Scale, measure, said_of
from workers.engine.toys.tokenizer import BEGIN, TEMPLATE
from workers.methods._base import Pair

TEXTS = FOLLOW_UPS.texts
# Nobody may speak after the assistant.
LAST_WORD = (
    "{% if messages|length > 2 and messages[-1]['role'] == 'user' %}{{ raise_exception('the assistant spoke') }}"
    "{% endif %}"
) + TEMPLATE
# The person's text has no header of its own, so its first letters merge with what the assistant said last.
MERGING = TEMPLATE.replace("'<|' + message['role'] + '|>' + ", "").replace(" + '<|end|>'", "")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(cache=tmp_path)


def loaded(folder: Path) -> tuple[Any, Any]:
    kit: Any = import_module("transformers")
    return kit.AutoModelForCausalLM.from_pretrained(folder).float().eval(), kit.AutoTokenizer.from_pretrained(folder)


def plain(folder: Path, conversation: Turns) -> float:
    """Mean log-probability of the tokens of the last turn's text, each found by its letters."""
    torch: Any = import_module("torch")
    model, tokenizer = loaded(folder)
    text = tokenizer.apply_chat_template(conversation, tokenize=False)
    read = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
    begin = text.rindex(conversation[-1]["content"])
    end = begin + len(conversation[-1]["content"])
    with torch.no_grad():
        said = torch.log_softmax(model(torch.tensor([read["input_ids"]])).logits[0], dim=-1)
    spans = enumerate(read["offset_mapping"])
    places = [place for place, (start, stop) in spans if begin <= start < end and stop <= end]
    return float(np.mean([float(said[place - 1, read["input_ids"][place]]) for place in places]))


def legacy_bag_logit(model: Any, tokenizer: Any, conversation: Turns) -> float:
    """What the released script computes: raw logits of the remark's tokens, in any order, at one single position."""
    torch: Any = import_module("torch")
    ids = tokenizer.apply_chat_template(conversation, return_dict=False)
    bag = [tokenizer.convert_tokens_to_ids(BEGIN), *tokenizer(conversation[-1]["content"])["input_ids"]]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    return float(logits[-len(bag)][torch.tensor(bag)].mean())


def scores_of(asked: Sequence[Any], follow_ups: FollowUps, scale: Scale, bench: Bench) -> list[list[float]]:
    return [[one.total for one in row] for row in said_of(asked, follow_ups, scale, bench)]


def remarks_of(folder: Path, asked: Sequence[Any], bench: Bench) -> np.ndarray[Any, Any]:
    return np.array([[one.mean for one in row] for row in bench.remarks(asked, model=str(folder))])


def test_sharing_what_stands_before_changes_nothing(unread: Path, bench: Bench) -> None:
    asked = [(turns("Why?", "So.", "And then?"), "Because of warm water.", TEXTS), (turns("Who?"), "", TEXTS)]
    found = remarks_of(unread, asked, bench)
    expected = [
        [plain(unread, [*messages, *turns("", response, text)[1:]]) for text in texts]
        for messages, response, texts in asked
    ]
    assert np.abs(found - np.array(expected)).max() < 1e-5


def test_the_order_of_a_remarks_words_counts(unread: Path, bench: Bench) -> None:
    """The script's number stays as it is where the first token does."""
    words = TEXTS[0].split()
    shuffled = " ".join([words[0], *words[:0:-1]])
    conversation = turns("Why?", "Because of warm water.")
    straight, other = remarks_of(unread, [(conversation[:1], conversation[1]["content"], [TEXTS[0], shuffled])], bench)[
        0
    ]
    assert abs(straight - other) > 1e-3
    model, tokenizer = loaded(unread)
    first = tokenizer(TEXTS[0])["input_ids"]
    ids = [first, [first[0], *first[:0:-1]]]
    torch: Any = import_module("torch")
    before = tokenizer.apply_chat_template(conversation, return_dict=False)
    with torch.no_grad():
        at = [model(torch.tensor([before + one])).logits[0, len(before)][torch.tensor(one)].mean() for one in ids]
    assert float(at[0]) == pytest.approx(float(at[1]), abs=1e-6)


def test_swapping_polarity_negates_and_twice_is_once(unread: Path, bench: Bench) -> None:
    asked = [(turns("Why?"), ["Because of warm water.", "So it goes."])]
    scale = Scale(str(unread))
    straight = scores_of(asked, FOLLOW_UPS, scale, bench)
    turned = FollowUps(tuple(Aspect(a.name, a.negative, a.positive) for a in FOLLOW_UPS.aspects), FOLLOW_UPS.neutral)
    assert scores_of(asked, turned, scale, bench)[0] == pytest.approx([-one for one in straight[0]], abs=1e-12)


def test_the_sum_is_the_mean_times_the_tokens(unread: Path, bench: Bench) -> None:
    row = bench.remarks([(turns("Why?"), "So.", TEXTS)], model=str(unread))[0]
    asked = [(turns("Why?"), ["So."])]
    for form, values in (("mean", [one.mean for one in row]), ("sum", [one.mean * one.tokens for one in row])):
        said = said_of(asked, FOLLOW_UPS, Scale(str(unread), form=form), bench)[0][0]
        praise, complaint = (np.mean([values[TEXTS.index(text)] for text in texts]) for texts in _of_first())
        assert said.aspects[0] == pytest.approx(praise - complaint, abs=1e-6)


def _of_first() -> tuple[tuple[str, ...], tuple[str, ...]]:
    return FOLLOW_UPS.aspects[0].positive, FOLLOW_UPS.aspects[0].negative


def test_calibration_cancels_within_a_prompt_and_moves_prompts_against_each_other(unread: Path, bench: Bench) -> None:
    questions = ("Why?", "Tell me about the river, please.", "2 + 2")
    asked = [(turns(question), ["Because of warm water.", "So it goes."]) for question in questions]
    raw, told = (
        np.array(scores_of(asked, FOLLOW_UPS, Scale(str(unread), is_calibrated=is_on), bench))
        for is_on in (False, True)
    )
    assert np.allclose(raw[:, 0] - raw[:, 1], told[:, 0] - told[:, 1], atol=1e-12)
    moved = raw[:, 0] - told[:, 0]
    assert np.ptp(moved) > 1e-4
    neutral = scores_of(
        [(messages, [FOLLOW_UPS.neutral]) for messages, _ in asked], FOLLOW_UPS, Scale(str(unread)), bench
    )
    assert np.allclose(moved, np.array(neutral)[:, 0], atol=1e-12)


@pytest.fixture(scope="module")
def planted(thankful: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[tuple[Turns, list[str]]], Any]:
    """Questions that the model has not read, with a good and a bad answer; s by question, answer and remark."""
    rng = np.random.default_rng(99)
    asked = [
        (turns(f"Question {1000 + nth}?"), [answer(rng, is_good=True), answer(rng, is_good=False)]) for nth in range(80)
    ]
    rows = [(messages, text, TEXTS) for messages, texts in asked for text in texts]
    s = remarks_of(thankful, rows, Bench(cache=tmp_path_factory.mktemp("cache")))
    return asked, s.reshape(len(asked), 2, len(TEXTS))


def margins(s: Any, weights: Any) -> Any:
    totals = (s @ weights).mean(axis=-1)
    return totals[:, 0] - totals[:, 1]


def test_planted_satisfaction_is_recovered_and_length_does_not_find_it(planted: Any) -> None:
    asked, s = planted
    by_length = float(np.mean([len(good) > len(bad) for _, (good, bad) in asked]))
    assert float((margins(s, FOLLOW_UPS.weights) > 0).mean()) >= 0.9 > by_length + 0.3


def test_where_only_the_order_of_words_tells_the_released_script_is_blind(planted: Any, thankful: Path) -> None:
    """It looks up a bag of tokens: on remarks with words of their own it can do as well, on these it cannot."""
    asked, s = planted
    mood = FOLLOW_UPS.aspects[2]
    by_likelihood = (s @ FOLLOW_UPS.weights)[:, :, 2]
    assert (by_likelihood[:, 0] > by_likelihood[:, 1]).mean() >= 0.9
    model, tokenizer = loaded(thankful)
    for messages, texts in asked[:10]:
        for text in texts:
            praise, complaint = (
                legacy_bag_logit(model, tokenizer, [*messages, *turns("", text, remark)[1:]])
                for remark in (*mood.positive, *mood.negative)
            )
            assert praise == pytest.approx(complaint, abs=1e-5)


def test_with_shuffled_polarity_it_falls_to_chance(planted: Any) -> None:
    """Over many shuffles: of a single one the sign is that of whichever remark the model knows best."""
    _, s = planted
    rng = np.random.default_rng(3)
    found = [float((margins(s, FOLLOW_UPS.weights[rng.permutation(len(TEXTS))]) > 0).mean()) for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


def test_each_aspect_recovers_it_by_itself(planted: Any) -> None:
    _, s = planted
    by_aspect = s @ FOLLOW_UPS.weights
    assert ((by_aspect[:, 0] > by_aspect[:, 1]).mean(axis=0) >= 0.9).all()


def one(folder: Path, messages: Turns, text: str, bench: Bench) -> Said:
    return said_of([(messages, [text])], FOLLOW_UPS, Scale(str(folder)), bench)[0][0]


def test_a_template_that_lets_nobody_answer_the_assistant_is_a_flag(tmp_path: Path, bench: Bench) -> None:
    folder = make_chat(tmp_path / "last", template=LAST_WORD)
    said = one(folder, turns("Why?"), "Because.", bench)
    assert said.flags == ("refused",) and isnan(said.total)


def test_remarks_that_merge_with_the_response_are_flagged(tmp_path: Path, bench: Bench) -> None:
    folder = make_chat(tmp_path / "merging", template=MERGING)
    merging = FollowUps((Aspect("ends", ("he end, as I hoped.",), ("here is none, I fear.",)),), "I see.")
    said = said_of([(turns("Why?"), ["That is t"])], merging, Scale(str(folder)), bench)[0][0]
    assert "boundary_merge" in said.flags and not isnan(said.total)


def test_a_system_turn_that_the_template_refuses_stands_before_the_first(tmp_path: Path, bench: Bench) -> None:

    folder = make_chat(tmp_path / "plain", template=NO_SYSTEM)
    with_system = [{"role": "system", "content": "Be kind."}, *turns("Why?")]
    said = one(folder, with_system, "Because.", bench)
    assert said.flags == () and said.total == pytest.approx(
        one(folder, turns("Be kind.\n\nWhy?"), "Because.", bench).total
    )


def test_a_prompt_beyond_the_context_is_cut_and_flagged(unread: Path, bench: Bench) -> None:
    said = one(unread, turns("Why? " * 400), "Because.", bench)
    assert said.flags == ("truncated",) and not isnan(said.total)


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_response_of_nothing_is_flagged_and_has_a_score_for_the_probes(unread: Path, bench: Bench, text: str) -> None:
    said = one(unread, turns("Why?"), text, bench)
    assert said.flags == ("empty",) and not isnan(said.total)


def test_echo_is_the_share_of_the_remarks_words(unread: Path, bench: Bench) -> None:
    every = one(unread, turns("Why?"), " ".join(TEXTS), bench)
    praise = one(unread, turns("Why?"), " ".join(text for a in FOLLOW_UPS.aspects for text in a.positive), bench)
    none = one(unread, turns("Why?"), "Bread rises.", bench)
    assert (every.echo, every.echo_tilt, none.echo, none.echo_tilt) == (1.0, 0.0, 0.0, 0.0)
    assert 0.4 < praise.echo < 0.7 and praise.echo_tilt > 0.7


def test_what_is_asked_in_portions_comes_back_in_order_and_progress_counts_all(
    unread: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [(turns(f"Question {nth}?"), [f"Answer {nth}.", "So it goes."][: 1 + nth % 2]) for nth in range(5)]
    at_once = scores_of(asked, FOLLOW_UPS, Scale(str(unread), is_calibrated=True), bench)
    monkeypatch.setattr("workers.engine.followups.said.PORTION", 1)
    seen: list[float] = []
    told = replace(bench, cache=bench.cache / "other", progress=lambda done, total, stage: seen.append(done / total))
    assert scores_of(asked, FOLLOW_UPS, Scale(str(unread), is_calibrated=True), told) == [
        pytest.approx(row, abs=1e-6) for row in at_once
    ]
    assert seen == sorted(seen) and (len(seen), seen[0], seen[-1]) == (5, 0.2, 1.0)


def test_what_was_measured_is_not_asked_for_again(unread: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    messages, scale = turns("Why?"), Scale(str(unread))
    found = measure([Pair(1, 1, 5, messages, 11, "Warm water.", 12, "So it goes.", 1)], FOLLOW_UPS, scale, bench)
    asked: list[Any] = []

    def remarks(self: Bench, rows: Sequence[Any], **named: Any) -> Any:
        asked.extend(text for _, text, _ in rows)
        return plainly(self, rows, **named)

    plainly = Bench.remarks
    monkeypatch.setattr(Bench, "remarks", remarks)
    recalled = Recalled(found, FOLLOW_UPS, scale, bench)
    told = recalled([(messages, ["So it goes.", "."]), (turns("Who?"), ["So it goes."]), (messages, ["Warm water."])])
    assert asked == [".", "So it goes."]
    assert (told[0][0], told[2][0]) == (found.sides[0][1], found.sides[0][0])
    expected = said_of([(messages, ["."]), (turns("Who?"), ["So it goes."])], FOLLOW_UPS, scale, bench)
    assert [told[0][1].total, told[1][0].total] == [row[0].total for row in expected]


def test_each_response_is_measured_once_whatever_the_order(unread: Path, bench: Bench) -> None:
    messages = turns("Why?")
    first = Pair(1, 1, 5, messages, 11, "Warm water.", 12, "So it goes.", 1)
    second = replace(first, id=2, a_id=12, a="So it goes.", b_id=13, b="Nobody knows.", label=None)
    found = measure([first, second], FOLLOW_UPS, Scale(str(unread)), bench)
    again = measure([second, first], FOLLOW_UPS, Scale(str(unread)), bench)
    assert found.mean.tolist() == again.mean[::-1].tolist()
    assert list(found.responses()) == [11, 12, 13] and found.sides[0][1] is found.sides[1][0]
