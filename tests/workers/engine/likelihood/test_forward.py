"""The kernel against one plain forward pass per passage, for several families of models."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from workers.engine.bench import Unworkable
from workers.engine.likelihood import forward, tree
from workers.engine.likelihood.forward import Likelihood
from workers.engine.likelihood.passages import Passage

Maker = Callable[[str], Any]
FAMILIES = ["llama", "qwen3", "gemma2", "gemma3", "mistral", "granite"]


def plain(model: Any, passage: Passage) -> np.ndarray[Any, Any]:
    """The whole table of log-probabilities, one passage at a time, nothing shared."""
    torch = import_module("torch")
    with torch.inference_mode():
        ids = torch.tensor([passage.ids])
        table = torch.log_softmax(model(input_ids=ids, use_cache=False).logits[0].float(), dim=-1)
        said = [float(table[at - 1, passage.ids[at]]) for at in range(passage.begin, len(passage.ids))]
    return np.array(said, np.float32)


def padded(model: Any, passages: list[Passage], side: str) -> list[np.ndarray[Any, Any]]:
    """All passages in one batch, filled up on one side."""
    torch = import_module("torch")
    width = max(len(passage.ids) for passage in passages)
    starts = [width - len(passage.ids) if side == "left" else 0 for passage in passages]
    ids, mask = torch.zeros(len(passages), width, dtype=torch.long), torch.zeros(len(passages), width, dtype=torch.long)
    for row, (passage, start) in enumerate(zip(passages, starts, strict=True)):
        ids[row, start : start + len(passage.ids)] = torch.tensor(passage.ids)
        mask[row, start : start + len(passage.ids)] = 1
    with torch.inference_mode():
        places = (mask.cumsum(1) - 1).clamp(min=0)
        logits = model(input_ids=ids, attention_mask=mask, position_ids=places, use_cache=False).logits.float()
    said = torch.log_softmax(logits, dim=-1)[:, :-1].gather(2, ids[:, 1:, None])[..., 0]
    return [
        np.asarray(said[row, start + passage.begin - 1 : start + len(passage.ids) - 1].numpy())
        for row, (passage, start) in enumerate(zip(passages, starts, strict=True))
    ]


def conversations(seed: int = 1) -> list[Passage]:
    """Five prompts of three responses each, four remarks behind every response, and odd ones."""
    rng = np.random.default_rng(seed)

    def tokens(n: int) -> tuple[int, ...]:
        return tuple(int(token) for token in rng.integers(0, 200, n))

    found = []
    for _ in range(5):
        prompt = tokens(40)
        for _ in range(3):
            response = prompt + tokens(int(rng.integers(5, 50)))
            found.append(Passage(response, 40))
            found += [Passage(response + tokens(int(rng.integers(3, 12))), len(response)) for _ in range(4)]
    odd = [found[3], Passage(tokens(2), 1), Passage(tokens(300), 1), Passage(found[0].ids, len(found[0].ids))]
    return found + odd


def worst(found: list[Any], wanted: list[np.ndarray[Any, Any]]) -> float:
    assert [one.count for one in found] == [len(one) for one in wanted]
    return max(float(np.abs(a.logprobs - b).max(initial=0)) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_token_agrees_with_a_plain_pass(causal_model: Maker, family: str) -> None:
    model, passages = causal_model(family), conversations()
    wanted = [plain(model, passage) for passage in passages]
    for tokens in (100, 1000, 10**6):
        likelihood = Likelihood(model, tokens=tokens)
        assert likelihood.shares
        assert worst(likelihood.score(passages), wanted) < 1e-4


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("family", ["llama", "qwen3", "gemma3"])
def test_every_token_agrees_with_a_padded_batch(causal_model: Maker, family: str, side: str) -> None:
    model, passages = causal_model(family), conversations()[::4]
    wanted = padded(model, passages, side)
    assert worst(Likelihood(model).score(passages), wanted) < 1e-4


def test_without_sharing_it_says_the_same(causal_model: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    model, passages = causal_model("llama"), conversations()
    shared = Likelihood(model).score(passages)
    monkeypatch.setattr(forward, "forest", lambda some: tree.forest(some, least_saved=10**9))
    apart = Likelihood(model).score(passages)
    assert worst(shared, [one.logprobs for one in apart]) < 1e-5


def test_the_order_of_passages_changes_nothing(causal_model: Maker) -> None:
    likelihood, passages = Likelihood(causal_model("llama")), conversations()
    turned = np.random.default_rng(0).permutation(len(passages))
    there = likelihood.score(passages)
    again = likelihood.score([passages[number] for number in turned])
    assert worst([there[number] for number in turned], [one.logprobs for one in again]) == 0.0


def test_a_model_with_a_secret_behind_its_head_is_scored_passage_by_passage(causal_model: Maker) -> None:
    torch, transformers = import_module("torch"), import_module("transformers")

    class Tempered(transformers.LlamaForCausalLM):  # type: ignore[misc, name-defined]  # transformers has no types
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            out = super().forward(*args, **kwargs)
            out.logits = out.logits * 0.5
            return out

    torch.manual_seed(0)
    model = Tempered(causal_model("llama").config).eval()
    likelihood, passages = Likelihood(model), conversations()[:8]
    assert not likelihood.shares
    assert worst(likelihood.score(passages), [plain(model, passage) for passage in passages]) < 1e-5


def test_out_of_memory_halves_the_batch_and_nothing_is_lost(
    causal_model: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, passages = causal_model("llama"), conversations()
    likelihood = Likelihood(model, tokens=10**6)
    real, sizes = likelihood.body, []

    def small(**kwargs: Any) -> Any:
        sizes.append(kwargs["input_ids"].numel())
        if sizes[-1] > 600:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return real(**kwargs)

    monkeypatch.setattr(likelihood, "body", small)
    assert worst(likelihood.score(passages), [plain(model, passage) for passage in passages]) < 1e-4
    assert max(sizes) > 600


def test_a_text_that_memory_cannot_hold_is_a_sentence(causal_model: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    likelihood = Likelihood(causal_model("llama"))

    def full(**kwargs: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(likelihood, "body", full)
    with pytest.raises(Unworkable, match="does not hold one text of 300 tokens"):
        likelihood.score([Passage(tuple(range(150)) * 2, 1)])


def test_another_error_of_the_model_is_not_taken_for_want_of_memory(
    causal_model: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    likelihood = Likelihood(causal_model("llama"))

    def broken(**kwargs: Any) -> Any:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(likelihood, "body", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        likelihood.score(conversations()[:2])


def test_logits_that_are_no_numbers_show(causal_model: Maker) -> None:
    torch, transformers = import_module("torch"), import_module("transformers")
    model = transformers.LlamaForCausalLM(causal_model("llama").config).eval()
    likelihood = Likelihood(model)
    with torch.no_grad():
        model.lm_head.weight[7] = float("nan")
    [said] = likelihood.score([Passage((1, 2, 3, 4), 1)])
    assert not said.is_finite


def test_half_precision_decides_alike_outside_its_tolerance(causal_model: Maker) -> None:
    torch, transformers = import_module("torch"), import_module("transformers")
    exact = causal_model("llama")
    half = transformers.LlamaForCausalLM(exact.config)
    half.load_state_dict(exact.state_dict())
    passages = conversations()[:12]
    models = (exact, half.to(torch.bfloat16))
    full, rough = (np.array([one.sum for one in Likelihood(model).score(passages)]) for model in models)
    apart = full[:, None] - full[None]
    assert ((apart * (rough[:, None] - rough[None]) > 0) | (np.abs(apart) < 1.0)).all()


def test_it_stops_when_asked(causal_model: Maker) -> None:
    class Cancelled(Exception):
        pass

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        Likelihood(causal_model("llama")).score(conversations(), check=stop)
