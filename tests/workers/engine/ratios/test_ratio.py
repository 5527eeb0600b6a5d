"""Ratios of two models: as a plain loop gives them, and the identities that hold whatever the models are."""

from __future__ import annotations

from importlib import import_module
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.workers.tiny_chat import NO_SYSTEM, make_chat
from workers.engine.bench import Bench, Unworkable
from workers.engine.likelihood.cached import Likely
from workers.engine.ratios.ratio import NATS, PER_BYTE, PER_TOKEN, Ratio, Scale, ratios, unit_of
from workers.engine.ratios.template import shared_template

ASKED = [
    ([{"role": "user", "content": "How long do eggs boil?"}], ["Seven minutes.", "Ten, then cold water.", "No idea"]),
    (
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Rice?"}],
        ["Rinse it.", "Eighteen mins"],
    ),
]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    at = tmp_path_factory.mktemp("ratios")
    made = {name: str(make_chat(at / name, seed=seed)) for seed, name in enumerate("abc")}
    made["other_words"] = str(make_chat(at / "other_words", seed=4, vocabulary=400, family="qwen3"))
    made["other_template"] = str(make_chat(at / "other_template", seed=5, template=NO_SYSTEM))
    return made


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(cache=tmp_path)


def values(bench: Bench, strong: str, weak: str, asked: Any = ASKED, **scale: Any) -> list[list[float]]:
    return [[one.value(NATS) for one in row] for row in ratios(asked, Scale(strong, weak, **scale), bench)]


def plain(folder: str, messages: Any, answer: str, pad: str) -> float:
    """One text, padded at a side, through the model's own forward with the whole vocabulary."""
    import torch

    kit: Any = import_module("transformers")
    tokenizer = kit.AutoTokenizer.from_pretrained(folder)
    model = kit.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    given = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    whole = tokenizer.apply_chat_template([*messages, {"role": "assistant", "content": answer}], return_dict=False)
    whole = whole[: len(whole) - whole[::-1].index(tokenizer.eos_token_id)]
    assert whole.count(tokenizer.bos_token_id) == 1
    padding, mask = [tokenizer.pad_token_id] * 5, [1] * len(whole)
    ids, mask, shift = (padding + whole, [0] * 5 + mask, 5) if pad == "left" else (whole + padding, mask + [0] * 5, 0)
    positions = [max(place - shift, 0) for place in range(len(ids))]
    with torch.no_grad():
        logits = model(
            torch.tensor([ids]), attention_mask=torch.tensor([mask]), position_ids=torch.tensor([positions])
        ).logits[0]
    table = torch.log_softmax(logits.float(), dim=-1)
    scored = range(shift + len(given), shift + len(whole))
    return float(sum(table[place - 1, ids[place]] for place in scored))


@pytest.mark.parametrize("pad", ["left", "right"])
def test_a_ratio_is_that_of_a_plain_loop_whatever_the_order(folders: dict[str, str], tmp_path: Path, pad: str) -> None:
    strong, weak = folders["a"], folders["b"]
    expected = [[plain(strong, m, t, pad) - plain(weak, m, t, pad) for t in texts] for m, texts in ASKED]
    for number, order in enumerate(permutations(range(3))):
        (messages, texts), other = ASKED
        asked = [other, (messages, [texts[place] for place in order])]
        second, first = values(Bench(cache=tmp_path / str(number)), strong, weak, asked)
        assert second == pytest.approx(expected[1], abs=1e-4)
        assert first == pytest.approx([expected[0][place] for place in order], abs=1e-4)


def test_a_model_over_itself_says_nothing_and_exchanged_models_turn_the_sign(
    folders: dict[str, str], bench: Bench
) -> None:
    a, b, c = (folders[name] for name in "abc")
    assert values(bench, a, a) == [[0.0] * 3, [0.0] * 2]
    straight, turned = values(bench, a, b), values(bench, b, a)
    assert [[-one for one in row] for row in turned] == straight
    through = [
        [one + other for one, other in zip(*rows, strict=True)]
        for rows in zip(straight, values(bench, b, c), strict=True)
    ]
    for row, direct in zip(through, values(bench, a, c), strict=True):
        assert row == pytest.approx(direct, abs=1e-9)


def test_a_constant_on_all_logits_changes_nothing(
    folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = values(Bench(cache=tmp_path / "before"), folders["a"], folders["b"])
    llama: Any = import_module("transformers").LlamaForCausalLM
    load, loaded = llama.from_pretrained, []

    def with_a_bias(*given: Any, **named: Any) -> Any:
        import torch

        model, report = load(*given, **named)
        loaded.append(model)
        model.lm_head.bias = torch.nn.Parameter(torch.full((model.lm_head.out_features,), 3.0))
        return model, report

    monkeypatch.setattr(llama, "from_pretrained", with_a_bias)
    forget: Any = import_module("workers.engine.models.resident").forget_residents
    forget()
    after = values(Bench(cache=tmp_path / "after"), folders["a"], folders["b"])
    forget()
    assert len(loaded) == 2
    for one, other in zip(before, after, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_the_end_of_the_turn_counts_unless_it_is_left_out(folders: dict[str, str], bench: Bench) -> None:
    with_end, without = (
        ratios(ASKED, Scale(folders["a"], folders["b"], with_eot=ends), bench)[0][0] for ends in (True, False)
    )
    assert with_end.strong.tokens == without.strong.tokens + 1
    assert with_end.value(NATS) != without.value(NATS)


def test_progress_goes_once_from_beginning_to_end(
    folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.engine.ratios.ratio.ROWS_AT_ONCE", 1)
    told: list[float] = []

    def progress(done: int, total: int | None = None, stage: str = "") -> None:
        told.append(done / (total or 1))

    values(Bench(cache=tmp_path, progress=progress), folders["a"], folders["b"])
    assert told == [0.25, 0.5, 0.75, 1.0]


def test_tokens_are_the_unit_only_where_both_models_count_the_same(folders: dict[str, str], bench: Bench) -> None:
    same = [one for row in ratios(ASKED, Scale(folders["a"], folders["b"]), bench) for one in row]
    apart = [one for row in ratios(ASKED, Scale(folders["a"], folders["other_words"]), bench) for one in row]
    assert (unit_of(same, "sum"), unit_of(same, "mean"), unit_of(apart, "mean")) == (NATS, PER_TOKEN, PER_BYTE)
    one = apart[0]
    assert one.value(PER_BYTE) == pytest.approx((one.strong.total - one.weak.total) / len("Seven minutes."))
    assert same[0].value(PER_TOKEN) == pytest.approx(same[0].value(NATS) / same[0].strong.tokens)


def test_a_template_is_shared_only_by_one_tokenizer(folders: dict[str, str], bench: Bench) -> None:
    with pytest.raises(Unworkable, match=r"tokenizers of .* differ, so one template cannot serve both"):
        shared_template(folders["a"], folders["other_words"], bench)
    own = values(bench, folders["a"], folders["other_template"])
    shared = values(bench, folders["a"], folders["other_template"], is_template_shared=True)
    assert own[0] == pytest.approx(shared[0])
    assert own[1] != pytest.approx(shared[1])


def test_a_flag_of_either_model_is_a_flag_of_the_ratio() -> None:
    clean, cut = Likely(-3.0, 3, 9), Likely(-2.0, 2, 9, frozenset({"truncated", "system_merged"}))
    nothing = Likely(float("nan"), 0, 0, frozenset({"empty"}))
    assert (Ratio(clean, clean).is_clean, Ratio(clean, clean).flags) == (True, [])
    assert (Ratio(cut, clean).flags, Ratio(clean, cut).flags) == (["truncated"], ["truncated"])
    assert Ratio(cut, nothing).flags == ["empty", "truncated"]
    assert Ratio(clean, Likely(-3.0, 3, 9, frozenset({"system_merged"}))).is_clean
    assert all(Ratio(clean, nothing).value(unit) != Ratio(clean, nothing).value(unit) for unit in (NATS, PER_BYTE))
