"""Reward models: scores as one plain forward gives them, whatever the batch, and a sentence for what cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workers.tiny_rewards import SHAPE, WORDS, chat_tokenizer, make_bert, make_llama, pair_tokenizer
from workers.engine.bench import Unworkable
from workers.engine.heads.rows import Floats
from workers.engine.models.folder import revision_of
from workers.engine.models.resident import forget_residents, resident
from workers.engine.rewards import scores as module
from workers.engine.rewards.model import Classifier, check_usable, reward_folder
from workers.engine.rewards.reading import PROMPT, Reader
from workers.engine.rewards.scores import Asked, reward


def asked(prompt: str, response: str) -> Asked:
    return [{"role": "user", "content": prompt}], response


@pytest.fixture(scope="module")
def rows() -> list[Asked]:
    rng = np.random.default_rng(3)
    lengths = rng.integers(1, 20, size=(40, 2))
    return [asked(" ".join(rng.choice(WORDS, size=m)), " ".join(rng.choice(WORDS, size=n))) for m, n in lengths]


@pytest.fixture(autouse=True)
def nothing_resident() -> Iterator[None]:
    forget_residents()
    yield
    forget_residents()


@pytest.fixture
def copied(tiny_bert: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bert, tmp_path / "copied"))


def plain(folder: Path, rows: list[Asked]) -> Floats:
    """One row at a time, as the model's page would tell to call it."""
    import torch

    kit: Any = import_module("transformers")
    tokenizer = kit.AutoTokenizer.from_pretrained(folder)
    model = kit.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    found = []
    for messages, response in rows:
        if tokenizer.chat_template:
            whole = [*messages, {"role": "assistant", "content": response}]
            given = {"input_ids": tokenizer.apply_chat_template(whole, return_tensors="pt", return_dict=False)}
        else:
            given = dict(tokenizer(messages[0]["content"], response, return_tensors="pt"))
        with torch.no_grad():
            found.append(float(model(**given).logits[0, 0]))
    return np.array(found)


@pytest.mark.parametrize("name", ["tiny_bert", "tiny_llama"])
@pytest.mark.parametrize("tokens", [60, 8192])
def test_scores_are_those_of_a_plain_forward_whatever_the_batch(
    name: str, tokens: int, rows: list[Asked], tmp_path: Path, request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = request.getfixturevalue(name)
    monkeypatch.setitem(module.TOKENS, "cpu", tokens)
    heard: list[tuple[int, int]] = []
    found = reward(rows, model=str(folder), cache=tmp_path, on_batch=lambda done, all_: heard.append((done, all_)))
    assert found.values == pytest.approx(plain(folder, rows), abs=1e-5)
    assert not found.truncated.any()
    assert heard[-1] == (len(rows), len(rows))
    assert (len(heard) > 5) == (tokens == 60)


FAMILIES: dict[str, dict[str, Any]] = {
    # Its first position comes after the padding: two of the 42 are never used.
    "Roberta": {"max_position_embeddings": 42, "pad_token_id": 1, "type_vocab_size": 2},
    "DebertaV2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 2, "pad_token_id": 0},
    "GPT2": {"n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 2},
    "Gemma2": {"num_key_value_heads": 2, "head_dim": 16, "pad_token_id": 0},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_families_are_read_up_to_their_last_position(family: str, tmp_path: Path) -> None:
    import torch

    kit: Any = import_module("transformers")
    torch.manual_seed(0)
    tokenizer = chat_tokenizer() if family in {"GPT2", "Gemma2"} else pair_tokenizer()
    config = getattr(kit, f"{family}Config")(vocab_size=len(tokenizer), num_labels=1, **(SHAPE | FAMILIES[family]))
    model = getattr(kit, f"{family}ForSequenceClassification")(config).eval()
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    rows = [asked("bread " * n, "salt water " * m) for n, m in ((1, 1), (5, 12), (70, 3), (2, 60))]
    found = reward(rows, model=str(tmp_path / "model"), cache=tmp_path)
    reader = resident(Classifier, tmp_path / "model").reader
    assert reader.limit == (40 if family == "Roberta" else 64)
    assert found.truncated.tolist() == [False, False, True, True]
    for row, value in zip(rows, found.values, strict=True):
        read = reader.read(*row)
        assert read is not None
        given = {"input_ids": torch.tensor([read.ids])}
        if read.types is not None:
            given["token_type_ids"] = torch.tensor([read.types])
        with torch.no_grad():
            assert value == pytest.approx(float(model(**given).logits[0, 0]), abs=1e-5)


@pytest.mark.parametrize("name", ["tiny_bert", "tiny_llama"])
def test_the_better_text_scores_higher(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    pairs = [("salt indeed bread", "salt bread never"), ("river indeed", "river time"), ("indeed new hand", "new hand")]
    both = [asked("water or light", text) for pair in pairs for text in pair]
    values = reward(both, model=str(request.getfixturevalue(name)), cache=tmp_path).values.reshape(-1, 2)
    assert (values[:, 0] > values[:, 1]).all()


def test_a_second_time_nothing_is_loaded_and_nothing_differs(
    tiny_bert: Path, rows: list[Asked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reward(rows, model=str(tiny_bert), cache=tmp_path)
    forget_residents()
    monkeypatch.setattr(module, "resident", None)
    again = reward(rows[::-1], model=str(tiny_bert), cache=tmp_path)
    assert (again.values[::-1] == first.values).all()
    assert len(reward([], model=str(tiny_bert), cache=tmp_path).values) == 0


def test_two_outputs_are_told_apart(tmp_path: Path) -> None:
    folder = make_bert(tmp_path / "two", outputs=2)
    values = reward([asked("water", "salt indeed"), asked("water", "salt new")], model=str(folder), cache=tmp_path)
    assert values.values[0] > values.values[1]


def test_the_beginning_is_marked_once_and_ids_stay_as_they_were() -> None:
    chat = chat_tokenizer()
    read = Reader(chat, 64).read(*asked("bread", "salt"))
    assert read is not None
    assert read.ids.count(chat.bos_token_id) == 1
    assert read.ids[-1] == chat.eos_token_id
    chat.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    bare = Reader(chat, 64).read(*asked("bread ", "salt"))
    assert bare is not None
    assert chat.convert_ids_to_tokens(bare.ids) == ["<bos>", "bread", "salt"]
    chat.chat_template = None
    pair = Reader(chat, 64).read(*asked("bread", "salt"))
    assert pair is not None
    assert chat.convert_ids_to_tokens(pair.ids) == ["<bos>", "bread", "salt"]


@pytest.mark.parametrize("make", [pair_tokenizer, chat_tokenizer])
def test_what_is_too_long_loses_the_beginning_of_the_prompt(make: Callable[[], Any]) -> None:
    tokenizer = make()
    reader = Reader(tokenizer, 24)
    read = reader.read(*asked("salt " * 40 + "water", "indeed bread"))
    assert read is not None
    words = tokenizer.convert_ids_to_tokens(read.ids)
    assert (len(words), read.is_cut) == (24, True)
    assert words[0] in {"[CLS]", "<bos>"}
    assert " water " in " ".join(words)
    assert " indeed bread" in " ".join(words)
    assert read.types is None or len(read.types) == 24
    long = reader.read(*asked("salt", "indeed " + "bread " * 40))
    assert long is not None
    assert tokenizer.convert_ids_to_tokens(long.ids)[-2:] in (["bread", "[SEP]"], ["bread", "bread"])
    assert (len(long), long.is_cut) == (24, True)


def test_the_prompt_ends_where_prompt_and_whole_part() -> None:
    ids, parts, _ = Reader(chat_tokenizer(), 64)._as_chat([{"role": "user", "content": "bread"}], "salt")
    assert chat_tokenizer().convert_ids_to_tokens(ids)[parts.count(PROMPT) + 1 :] == ["salt", "<eos>"]


def test_a_row_that_is_not_a_number_leaves_the_others_alone(copied: Path, rows: list[Asked], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    before = reward(rows, model=str(copied), cache=tmp_path).values
    weights = load_file(copied / "model.safetensors")
    stone = pair_tokenizer().convert_tokens_to_ids("stone")
    weights["bert.embeddings.word_embeddings.weight"][stone] = float("nan")
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    after = reward(rows, model=str(copied), cache=tmp_path).values
    has_stone = np.array(["stone" in messages[0]["content"] + response for messages, response in rows])
    assert 0 < has_stone.sum() < len(rows)
    assert np.isnan(after[has_stone]).all()
    assert after[~has_stone] == pytest.approx(before[~has_stone], abs=1e-6)


def test_a_conversation_that_the_template_refuses_has_no_score(tiny_llama: Path, tmp_path: Path) -> None:
    refused = ([{"role": "system", "content": "be brief"}, {"role": "user", "content": "bread"}], "salt")
    values = reward([refused, asked("bread", "salt")], model=str(tiny_llama), cache=tmp_path).values
    assert np.isnan(values).tolist() == [True, False]


def _small_memory(folder: Path, most: int, error: Exception) -> list[int]:
    """The loaded model runs out of memory on more than `most` rows; the sizes that were tried."""
    classifier = resident(Classifier, folder)
    forward, tried = classifier.model.forward, []

    def limited(*args: Any, **kwargs: Any) -> Any:
        tried.append(len(kwargs["input_ids"]))
        if tried[-1] > most:
            raise error
        return forward(*args, **kwargs)

    classifier.model.forward = limited
    return tried


def _out_of_memory(kind: str) -> Exception:
    import torch

    return torch.OutOfMemoryError("CUDA out of memory.") if kind == "torch" else RuntimeError("Out of memory: mmap")


@pytest.mark.parametrize("kind", ["torch", "runtime"])
def test_where_memory_runs_out_the_batch_is_halved_and_stays_small(
    tiny_bert: Path, rows: list[Asked], tmp_path: Path, kind: str
) -> None:
    whole = reward(rows, model=str(tiny_bert), cache=tmp_path / "whole").values
    tried = _small_memory(tiny_bert, 6, _out_of_memory(kind))
    found = reward(rows, model=str(tiny_bert), cache=tmp_path / "small").values
    assert found == pytest.approx(whole, abs=1e-5)
    assert tried[:4] == [40, 20, 10, 5]
    assert sum(size > 6 for size in tried) < 8


def test_memory_that_is_not_enough_for_one_text_is_a_sentence_and_the_rest_is_kept(
    tiny_bert: Path, rows: list[Asked], tmp_path: Path
) -> None:
    _small_memory(tiny_bert, 0, _out_of_memory("torch"))
    with pytest.raises(Unworkable, match="Memory ran out while tiny-bert read one text of"):
        reward(rows, model=str(tiny_bert), cache=tmp_path)
    forget_residents()
    assert np.isfinite(reward(rows, model=str(tiny_bert), cache=tmp_path).values).all()


def test_another_error_is_not_taken_for_a_lack_of_memory(tiny_bert: Path, rows: list[Asked], tmp_path: Path) -> None:
    _small_memory(tiny_bert, 0, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        reward(rows, model=str(tiny_bert), cache=tmp_path)


def test_stopping_keeps_what_is_done(
    tiny_bert: Path, rows: list[Asked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(Exception):
        pass

    monkeypatch.setattr(module, "ROWS", 8)
    calls = iter(range(100))

    def check() -> None:
        if next(calls) == 3:
            raise Stop

    with pytest.raises(Stop):
        reward(rows, model=str(tiny_bert), cache=tmp_path, check=check)
    tried = _small_memory(tiny_bert, 100, RuntimeError())
    reward(rows, model=str(tiny_bert), cache=tmp_path)
    assert sum(tried) == len(rows) - 16


def test_the_revision_is_the_hash_of_the_weights(copied: Path) -> None:
    import hashlib

    before = revision_of(copied)
    assert before.weights == hashlib.sha256((copied / "model.safetensors").read_bytes()).hexdigest()
    (copied / "chat_template.jinja").write_text("{{ messages }}")
    after = revision_of(copied)
    assert (after.weights, after.reading == before.reading) == (before.weights, False)
    assert len(before.score_name) <= 64


def test_a_model_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(Unworkable, match=r"There is no reward model in 'nowhere'.*Nothing is downloaded"):
        reward_folder("nowhere")


def _told(folder: Path, **changes: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def _without_head(folder: Path) -> None:
    kit: Any = import_module("transformers")
    kit.BertModel(kit.BertConfig(vocab_size=len(pair_tokenizer()), **SHAPE)).save_pretrained(folder)
    _told(folder, architectures=["BertForSequenceClassification"], num_labels=1, id2label={"0": "x"})


def _another_tokenizer(folder: Path) -> None:
    tokenizer = pair_tokenizer()
    tokenizer.add_tokens([f"<{number}>" for number in range(5)])
    tokenizer.save_pretrained(folder)


def _smaller_tokenizer(folder: Path) -> None:
    kit: Any = import_module("transformers")
    config = kit.BertConfig(vocab_size=2 * len(pair_tokenizer()), num_labels=1, **SHAPE)
    kit.BertForSequenceClassification(config).save_pretrained(folder)


def _no_tokenizer(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()


def _no_padding(folder: Path) -> None:
    shutil.rmtree(folder)
    make_llama(folder, pad=None, steps=0)


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a causal model": (lambda f: _told(f, architectures=["LlamaForCausalLM"]), "names LlamaForCausalLM"),
    "code of its own": (lambda f: _told(f, auto_map={"AutoModel": "x.Y"}), "code of its own, which is not run"),
    "encoder and decoder": (lambda f: _told(f, is_encoder_decoder=True), "has an encoder and a decoder"),
    "three outputs": (lambda f: _told(f, id2label={"0": "a", "1": "b", "2": "c"}), "has 3 outputs"),
    "weights without a head": (_without_head, "no sequence-classification head: its weights lack classifier"),
    "pickled weights": (_pickled, "has no model.safetensors; other weight files are not loaded"),
    "no tokenizer": (_no_tokenizer, "has no tokenizer that can be read"),
    "another model's tokenizer": (_another_tokenizer, "is that of another model: it knows"),
    "a much smaller tokenizer": (_smaller_tokenizer, "is that of another model: it knows"),
    "no padding": (_no_padding, "has no padding token"),
}


@pytest.mark.parametrize(("spoil", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_used_is_a_sentence(copied: Path, spoil: Callable[[Path], Any], sentence: str) -> None:
    check_usable(copied)
    spoil(copied)
    with pytest.raises(Unworkable, match=sentence):
        check_usable(copied)
