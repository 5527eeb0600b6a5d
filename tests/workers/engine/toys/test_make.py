from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workers.engine.bench import Bench, Unworkable
from workers.engine.likelihood.chat import Chat
from workers.engine.likelihood.tokens import OwnTokens
from workers.engine.models.folder import TOY_MARK, is_toy, revision_of
from workers.engine.toys.folders import check_name, keep_toys
from workers.engine.toys.make import Toys, Wish, divided, make_toys, read_pairs, tail
from workers.engine.toys.shape import Shape
from workers.engine.toys.tokenizer import learn_tokenizer
from workers.methods._base import Pair

SHAPE = Shape(hidden=32, layers=2, heads=2, context=64, vocabulary=320)
WISH = Wish(shape=SHAPE, weak_tokens=10_000, strong_tokens=50_000)
WORDS = ["bread", "water", "salt", "time", "hand", "light", "stone", "river", "small", "great", "often", "never", "new"]
ABOUT = {"sources": "one", "pairs": 1, "seed": 0, "held_out": 1, "one_in": 5, "parameters": 1, "vocabulary": 1}


def planted(n: int, seed: int = 0) -> list[Pair]:
    """The better response has "indeed" in it; both are equally long."""
    rng = np.random.default_rng(seed)
    pairs = []
    for number in range(n):
        good, bad = (" ".join([*rng.choice(WORDS, size=4), word]) for word in ("indeed", "rather"))
        asked = [{"role": "user", "content": f"{number} {' '.join(rng.choice(WORDS, size=3))}"}]
        a, b, label = (good, bad, -1) if number % 2 else (bad, good, 1)
        pairs.append(Pair(number, 1, number, asked, 2 * number, a, 2 * number + 1, b, label))
    return pairs


@pytest.fixture(scope="module")
def pairs() -> tuple[list[Pair], list[Pair]]:
    return divided(planted(100), 0)


@pytest.fixture(scope="module")
def toys(pairs: tuple[list[Pair], list[Pair]]) -> Toys:
    return make_toys(pairs[0], WISH)


def weights(model: Any) -> list[Any]:
    return [parameter.detach().numpy() for parameter in model.parameters()]


def are_equal(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_tokenizer_gives_back_every_text_and_its_template_merges_nothing() -> None:
    tokenizer = learn_tokenizer(["so it was, and so it is"], vocabulary=300, context=64)
    text = "Ünïcödé 二 🙂\n\n\ttabs; x<y {{ braces }}"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    chat = Chat(OwnTokens(tokenizer), 512)
    asked = [{"role": "system", "content": "be brief"}, {"role": "user", "content": text}]
    read = chat.responses(asked, [text, " " + text, ""])
    assert [one.boundary_merge or one.system_merged for one in read] == [False] * 3
    assert len(read[2].passage.ids) - read[2].passage.begin == 1  # The end of the turn.


def test_a_prompt_is_learned_from_or_held_out_whatever_else_there_is() -> None:
    pairs = planted(100)
    learning, held_out = divided(pairs, 0)
    assert (len(learning), len(held_out)) == (84, 16)
    assert [pair.id for pair in divided(pairs[50:], 0)[1]] == [pair.id for pair in held_out if pair.id >= 50]
    assert [pair.id for pair in divided(pairs, 1)[1]] != [pair.id for pair in held_out]


def test_ties_unlabelled_empty_and_equal_sides_are_neither() -> None:
    first = planted(1)[0]
    useless = [
        dataclasses.replace(first, label=0), dataclasses.replace(first, label=None), dataclasses.replace(first, a=" "),
        dataclasses.replace(first, a=first.b), dataclasses.replace(first, messages=[{"role": "tool", "content": "x"}]),
    ]  # fmt: skip
    assert divided(useless, 0) == ([], [])


def test_too_few_pairs_are_refused_with_a_sentence() -> None:
    with pytest.raises(Unworkable, match=r"There are 12 comparisons to train toys on .* 20 are needed"):
        make_toys(planted(12), WISH)


def test_the_same_seed_gives_the_same_weights_whatever_the_order_of_the_pairs(
    pairs: tuple[list[Pair], list[Pair]],
) -> None:
    wish = dataclasses.replace(WISH, weak_tokens=1500, strong_tokens=1500)
    once, again = make_toys(pairs[0], wish), make_toys(pairs[0][::-1], wish)
    assert are_equal(weights(once.strong), weights(again.strong))
    assert are_equal(weights(once.weak), weights(again.weak))
    other = make_toys(pairs[0], dataclasses.replace(wish, seed=1))
    assert not are_equal(weights(once.weak), weights(other.weak))


def test_the_strong_toy_over_the_weak_one_finds_what_was_preferred(
    toys: Toys, pairs: tuple[list[Pair], list[Pair]], tmp_path: Path
) -> None:
    from workers.engine.ratios.measured import measure
    from workers.engine.ratios.ratio import Scale

    folders = keep_toys(toys, tmp_path / "models", "toy", ABOUT)
    bench = Bench(cache=tmp_path, models=tmp_path / "models")
    found = measure(pairs[1], Scale("toy-strong", "toy-weak"), bench, lambda messages: messages)
    assert found.is_clean.all()
    assert (found.sign * found.mean > 0).mean() == 1.0
    # What it finds likely is not what tells them apart; against itself it says nothing at all.
    same = measure(pairs[1], Scale("toy-strong", "toy-strong"), bench, lambda messages: messages)
    assert (same.mean == 0).all()
    assert sorted(folder.name for folder in folders.values()) == ["toy-strong", "toy-weak"]


def test_the_loss_falls_from_what_knowing_nothing_costs(toys: Toys) -> None:
    weak, strong = toys.told["weak"]["losses"], toys.told["strong"]["losses"]
    assert weak[-1] < weak[0] < np.log(320) + 0.5
    assert strong[-1] < 0.2 < strong[0] < np.log(2) + 0.05


def test_a_folder_says_that_it_is_a_toy_under_any_name(toys: Toys, tmp_path: Path) -> None:
    folder = keep_toys(toys, tmp_path, "toy-one", ABOUT)["strong"]
    assert "**A toy.**" in (folder / "README.md").read_text()
    assert revision_of(folder).name == "toy-one-strong"
    renamed = folder.rename(tmp_path / "llama-3-70b")
    assert is_toy(renamed) and revision_of(renamed).name == "toy llama-3-70b"
    assert not is_toy(tmp_path)
    assert toys.strong.config.to_dict()[TOY_MARK]["pair"] == "toy-one"


def test_toys_replace_toys_and_nothing_else(toys: Toys, tmp_path: Path) -> None:
    for _ in range(2):
        keep_toys(toys, tmp_path, "toy", ABOUT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy-strong", "toy-weak"]
    (tmp_path / "toy-mine-weak").mkdir()
    (tmp_path / "toy-mine-weak" / "config.json").write_text("{}")
    with pytest.raises(Unworkable, match="no toy; it is left alone"):
        keep_toys(toys, tmp_path, "toy-mine", ABOUT)
    assert [path.name for path in (tmp_path / "toy-mine-weak").iterdir()] == ["config.json"]


@pytest.mark.parametrize("name", ["", "llama", "toy/../x", "toy-", "Toy", "toy--a", "toys", "toy-" + "a" * 60])
def test_a_name_that_hides_what_they_are_is_refused(name: str) -> None:
    with pytest.raises(Unworkable, match="it begins with 'toy'"):
        check_name(name)


def test_a_tail_keeps_the_beginning_of_the_text_and_the_end_of_the_prompt() -> None:
    tokenizer = learn_tokenizer(["a b c"], vocabulary=300, context=64)
    (pair,) = read_pairs(planted(1), Chat(OwnTokens(tokenizer), 64))
    cut = tail(pair[0], 5)
    assert cut.ids == (pair[0].ids[0], *pair[0].ids[pair[0].begin - 5 :])
    assert cut.ids[cut.begin :] == pair[0].ids[pair[0].begin :]
    assert tail(pair[0], 500) == pair[0]
