"""Causal models by name: found, refused with a sentence, kept in memory while it does, and scored once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workers.tiny_chat import NO_SYSTEM, chat_tokenizer, make_chat
from workers.engine.bench import Bench, Unworkable
from workers.engine.likelihood.passages import Passage
from workers.engine.models import resident as room
from workers.engine.models.causal import Causal
from workers.engine.models.folder import revision_of
from workers.engine.models.names import Served, located
from workers.engine.models.open import Where, check_usable, open_scorer
from workers.engine.models.resident import forget_residents, is_resident, resident

ASKED = [{"role": "user", "content": "How long do eggs boil?"}]
ANSWERS = ["Seven minutes.", "Ten, and then cold water.", "I would rather not say."]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_chat(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def copied(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "copied"))


@pytest.fixture(autouse=True)
def nothing_resident() -> Iterator[None]:
    forget_residents()
    yield
    forget_residents()


def bench_of(folder: Path, cache: Path) -> Bench:
    return Bench(cache=cache, models=folder.parent)


def plain(folder: Path, messages: list[dict[str, str]], answer: str) -> float:
    """The whole conversation through the model's own forward, in words of its page; the newline behind left out."""
    import torch

    kit: Any = import_module("transformers")
    tokenizer = kit.AutoTokenizer.from_pretrained(folder)
    model = kit.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    given = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    whole = tokenizer.apply_chat_template([*messages, {"role": "assistant", "content": answer}], return_dict=False)
    end = len(whole) - whole[::-1].index(tokenizer.eos_token_id)
    with torch.no_grad():
        table = torch.log_softmax(model(torch.tensor([whole[:end]])).logits[0].float(), dim=-1)
    return float(sum(table[place - 1, whole[place]] for place in range(len(given), end)))


def test_a_name_a_path_and_a_url_are_told_apart(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = tiny.parent
    assert located("tiny", models) == located(str(tiny), models) == tiny
    monkeypatch.chdir(models)
    assert located("./tiny", Path("elsewhere")) == Path("tiny")
    assert located("http://host:8000/v1/", models) == Served("http://host:8000/v1", "")
    assert located("https://host/v1#org/chat", models) == Served("https://host/v1", "org/chat")


@pytest.mark.parametrize("name", ["nothing", "./nothing", "", "/nowhere/at/all"])
def test_what_is_not_there_is_a_sentence_that_names_what_is(name: str, tiny: Path) -> None:
    with pytest.raises(Unworkable, match=r"There is no model.*Nothing is downloaded. Models by name here: tiny"):
        located(name, tiny.parent)


def test_likelihoods_are_those_of_a_plain_forward(tiny: Path, tmp_path: Path) -> None:
    [found] = bench_of(tiny, tmp_path).likelihoods([(ASKED, ANSWERS)], model="tiny")
    assert [one.total for one in found] == pytest.approx([plain(tiny, ASKED, text) for text in ANSWERS], abs=1e-4)
    assert [one.n_bytes for one in found] == [len(text) for text in ANSWERS]
    assert all(one.is_clean and one.mean == one.total / one.tokens for one in found)


def test_a_second_time_nothing_is_loaded_and_nothing_differs(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_of(tiny, tmp_path)
    first = bench.likelihoods([(ASKED, ANSWERS)], model="tiny")
    monkeypatch.setattr("workers.engine.models.causal.resident", None)
    assert bench.likelihoods([(ASKED, ANSWERS)], model="tiny") == first
    assert bench.likelihoods([(ASKED, ANSWERS[::-1])], model="tiny") == [first[0][::-1]]
    assert bench.likelihoods([], model="tiny") == []


def test_a_run_that_ends_in_the_middle_goes_on_there(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.engine.likelihood.cached.PORTION", 60)
    rows = [([{"role": "user", "content": f"Question {number}?"}], ANSWERS) for number in range(12)]
    whole = bench_of(tiny, tmp_path / "whole").likelihoods(rows, model="tiny")
    portions: list[int] = []

    class Stop(Exception):
        pass

    def progress(done: int, total: int | None = None, stage: str = "") -> None:
        portions.append(total or 0)
        if len(portions) == 3:
            raise Stop

    stopped = Bench(cache=tmp_path / "stopped", models=tiny.parent, progress=progress)
    with pytest.raises(Stop):
        stopped.likelihoods(rows, model="tiny")
    again = stopped.likelihoods(rows, model="tiny")
    assert portions[0] == 36
    assert 0 < portions[-1] < 36
    for one, other in zip(again, whole, strict=True):
        assert [each.total for each in one] == pytest.approx([each.total for each in other], abs=1e-4)


def test_a_changed_template_or_file_is_another_model(copied: Path, tmp_path: Path) -> None:
    bench = bench_of(copied, tmp_path)
    before = bench.likelihoods([(ASKED, ANSWERS)], model="copied")
    version = bench.scorer("copied").version
    (copied / "chat_template.jinja").write_text("{{ bos_token }}Be brief. " + chat_tokenizer().chat_template)
    after = bench.likelihoods([(ASKED, ANSWERS)], model="copied")
    assert [one.total for one in before[0]] != [one.total for one in after[0]]
    assert bench.scorer("copied").version != version
    make_chat(copied, seed=9)
    assert bench.likelihoods([(ASKED, ANSWERS)], model="copied")[0][0].total != before[0][0].total


def test_a_conversation_that_the_template_refuses_is_flagged_and_the_others_are_not(tmp_path: Path) -> None:
    choosy = NO_SYSTEM.replace(
        "{% for", "{% if messages[0]['content'] == 'no' %}{{ raise_exception('not that') }}{% endif %}{% for", 1
    )
    folder = make_chat(tmp_path / "models" / "choosy", template=choosy)
    refused, merged, fine = bench_of(folder, tmp_path).likelihoods(
        [
            ([{"role": "user", "content": "no"}], ANSWERS[:2]),
            ([{"role": "system", "content": "Be brief."}, *ASKED], ANSWERS[:1]),
            (ASKED, ANSWERS[:1]),
        ],
        model="choosy",
    )
    assert [one.flags for one in refused] == [{"refused"}] * 2
    assert np.isnan([one.total for one in refused]).all()
    assert merged[0].flags == {"system_merged"}
    assert merged[0].is_clean
    assert fine[0].flags == frozenset()


def test_long_and_empty_texts_are_flagged(tiny: Path, tmp_path: Path) -> None:
    bench = bench_of(tiny, tmp_path)
    [[long]] = bench.likelihoods([(ASKED, ["word " * 400])], model="tiny")
    [[empty]] = bench.likelihoods([(ASKED, [""])], model="tiny", with_eot=False)
    assert (set(long.flags), set(empty.flags), empty.tokens) == ({"truncated"}, {"empty"}, 0)
    assert not long.is_clean
    assert np.isnan(empty.total)


def test_weights_that_are_no_numbers_give_flagged_rows(copied: Path, tmp_path: Path) -> None:
    load, save = import_module("safetensors.torch").load_file, import_module("safetensors.torch").save_file
    weights = load(copied / "model.safetensors")
    weights["model.norm.weight"][:] = float("nan")
    save(weights, copied / "model.safetensors", metadata={"format": "pt"})
    [found] = bench_of(copied, tmp_path).likelihoods([(ASKED, ANSWERS)], model="copied")
    assert [one.flags for one in found] == [{"nonfinite"}] * 3


def _told(folder: Path, **changes: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def _without(folder: Path, part: str) -> None:
    load, save = import_module("safetensors.torch").load_file, import_module("safetensors.torch").save_file
    kept = {name: tensor for name, tensor in load(folder / "model.safetensors").items() if part not in name}
    save(kept, folder / "model.safetensors", metadata={"format": "pt"})


def _another_tokenizer(folder: Path) -> None:
    chat_tokenizer(300).save_pretrained(folder)


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a classifier": (lambda f: _told(f, architectures=["BertForSequenceClassification"]), "no language model.*names"),
    "code of its own": (lambda f: _told(f, auto_map={"AutoModel": "x.Y"}), "code of its own, which is not run"),
    "weights without a layer": (lambda f: _without(f, "layers.1.mlp.up"), r"lack model\.layers\.1\.mlp\.up_proj"),
    "pickled weights": (
        lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
        "has no model.safetensors",
    ),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "has no tokenizer that can be read"),
    "another model's tokenizer": (_another_tokenizer, "is that of another model: it knows"),
}


@pytest.mark.parametrize(("spoil", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_used_is_a_sentence(copied: Path, spoil: Callable[[Path], Any], sentence: str) -> None:
    check_usable("copied", Where(copied.parent))
    spoil(copied)
    with pytest.raises(Unworkable, match=sentence):
        check_usable("copied", Where(copied.parent))


def test_a_model_without_a_template_scores_only_with_one_that_is_lent(tmp_path: Path) -> None:
    folder = make_chat(tmp_path / "models" / "plain", template="")
    bench = bench_of(folder, tmp_path)
    with pytest.raises(Unworkable, match="has no chat template"):
        bench.likelihoods([(ASKED, ANSWERS)], model="plain")
    lent = chat_tokenizer().chat_template
    assert all(one.is_clean for one in bench.likelihoods([(ASKED, ANSWERS)], model="plain", template=lent)[0])


def test_models_stay_while_memory_does_and_the_oldest_leaves_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [make_chat(tmp_path / name, seed=seed) for seed, name in enumerate("abc")]
    first = resident(Causal, folders[0])
    resident(Causal, folders[1])
    assert resident(Causal, folders[0]) is first
    monkeypatch.setattr(room, "free_bytes", lambda device: 0 if len(room._residents) > 1 else 2**40)
    resident(Causal, folders[2])
    assert [is_resident(folder) for folder in folders] == [True, False, True]
    assert resident(Causal, folders[0]) is first


def test_a_folder_that_was_replaced_is_loaded_again(copied: Path) -> None:
    before, revision = resident(Causal, copied), revision_of(copied)
    make_chat(copied, seed=5)
    assert resident(Causal, copied) is not before
    assert revision_of(copied).weights != revision.weights


def test_a_model_that_memory_does_not_hold_is_a_sentence(tiny: Path) -> None:
    tried = []

    def too_large(folder: Path) -> Causal:
        tried.append(folder)
        raise MemoryError

    with pytest.raises(Unworkable, match="for its weights alone, and this worker's cpu does not have them"):
        resident(too_large, tiny)
    assert len(tried) == 2


def test_a_scorer_of_a_folder_says_what_it_is(tiny: Path) -> None:
    scorer = open_scorer(str(tiny), Where(Path("nowhere")))
    assert (scorer.name, scorer.context) == ("tiny", 256)
    assert len(scorer.score([Passage((5, 6, 7, 8), 2)])[0].logprobs) == 2
