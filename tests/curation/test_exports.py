"""What the trainers read: each row turned toward its label, margins finite everywhere or absent everywhere."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from accounts.models import Project
from corpus.models import Prompt
from curation.export import Export, write_export
from curation.exports import find_format, format_names
from curation.exports._base import PROFILES
from curation.exports.trl_reward import MarginNotFinite
from curation.fields import FIELDS
from curation.freeze import freeze, new_release
from curation.models import Release
from curation.row_schema import SCHEMA
from ledger.reporter import Reporter

ROW: dict[str, Any] = {
    "id": "1", "source": "hh",
    "prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi?"}],
    "response_a": "A", "response_b": "B", "label": -2, "action": "keep", "reason": "rule: all",
    "vote_mean": -0.5, "vote_spread": 0.1, "votes": 0,
}  # fmt: skip
MANIFEST: dict[str, Any] = {
    "margin": "recipe",
    "measured": {"model_vote": 1, "scores": 0},
    "splits": {"train": {"pairs": 1}},
}


def exported(name: str, *rows: dict[str, Any], **manifest: Any) -> list[dict[str, Any]]:
    batch = pa.RecordBatch.from_pylist([{**ROW, **row} for row in rows], schema=SCHEMA)
    found = find_format(name)
    converted = found.rows(batch, {**MANIFEST, **manifest}, "minimal")
    return list(converted.to_pylist())


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def test_the_preferred_side_is_chosen_whatever_its_letter() -> None:
    rows = exported("trl_preference", {}, {"label": 1})
    assert [(row["chosen"], row["rejected"]) for row in rows] == [(said("A"), said("B")), (said("B"), said("A"))]
    assert rows[0]["prompt"] == ROW["prompt"]


@pytest.mark.parametrize("name", format_names())
def test_ties_and_sides_that_say_nothing_make_no_pair(name: str) -> None:
    nothing: list[dict[str, Any]] = [{"label": 0}, {"response_b": "A"}, {"response_a": " \n"}, {"response_b": ""}]
    assert len(exported(name, *nothing, {})) == (2 if name == "trl_kto" else 1)
    assert exported(name, *nothing) == []


def test_a_margin_is_the_recipes_else_the_votes_toward_the_label_else_nothing() -> None:
    given: list[dict[str, Any]] = [
        {"margin": 0.25},
        {"label": 3},
        {"vote_mean": None},
        {"margin": -1.5, "vote_mean": None},
    ]
    assert [row["margin"] for row in exported("trl_reward", *given)] == [0.25, -0.5, 0.0, -1.5]
    assert exported("trl_reward", {})[0]["margin"] == 0.5
    assert "margin" not in exported("trl_reward", {}, margin=None)[0]


@pytest.mark.parametrize("margin", [float("nan"), float("inf"), float("-inf")])
def test_a_margin_that_is_not_finite_is_refused(margin: float) -> None:
    with pytest.raises(MarginNotFinite):
        exported("trl_reward", {"margin": margin})


def test_each_pair_gives_a_desirable_and_an_undesirable_answer() -> None:
    rows = exported("trl_kto", {}, {"label": 1, "response_a": "C"})
    assert [(row["completion"], row["label"]) for row in rows] == [
        (said("A"), True), (said("B"), False), (said("B"), True), (said("C"), False),
    ]  # fmt: skip


def test_conversations_share_the_prompt_and_differ_in_the_answer() -> None:
    short = {"prompt": [], "label": 1}
    rows = exported("conversations", {}, short)
    assert rows[0] == {"chosen": ROW["prompt"] + said("A"), "rejected": ROW["prompt"] + said("B")}
    assert rows[1] == {"chosen": said("B"), "rejected": said("A")}


def test_strength_is_toward_the_chosen_answer_in_published_columns() -> None:
    row = exported("strength", {})[0]
    assert row["chosen"] == ["Be brief.", "Hi?", "A"]
    assert row["mean preference difference"] == 0.5 and row["std preference difference"] == pytest.approx(0.1)
    assert "chosen_score_list" not in row
    scored = exported("strength", {"scores_a": [1.0], "scores_b": [2.0]}, measured={"model_vote": 1, "scores": 1})[0]
    assert (scored["chosen_score_list"], scored["rejected_score_list"]) == ([1.0], [2.0])
    assert find_format("strength").accepts({**MANIFEST, "measured": {"model_vote": 0}}) is not None


@pytest.mark.parametrize("name", format_names())
def test_a_format_is_documented_and_keeps_one_schema(name: str) -> None:
    found = find_format(name)
    assert found.LABEL and found.__doc__
    for profile in PROFILES:
        empty = pa.RecordBatch.from_pylist([], schema=SCHEMA)
        wanted = found.schema(MANIFEST, profile)
        assert found.rows(empty, MANIFEST, profile).schema == wanted
        one = found.rows(pa.RecordBatch.from_pylist([ROW], schema=SCHEMA), MANIFEST, profile)
        assert one.schema == wanted and len(set(wanted.names)) == len(wanted.names)


WORDS = [
    "the",
    "a",
    "one",
    "this",
    "that",
    "answer",
    "question",
    "is",
    "was",
    "not",
    "very",
    "good",
    "bad",
    "clear",
    "wrong",
    "right",
    "yes",
    "no",
    "and",
    "or",
    "but",
]


@pytest.fixture
def exports(project: Project, corpus: Any, tmp_path: Path) -> dict[str, str]:
    """A frozen release of 24 pairs with votes, exported for two trainers."""
    run = corpus.run("model_vote")
    for n in range(24):
        first, second = (" ".join(WORDS[(n * k + i) % len(WORDS)] for i in range(12)) for k in (1, 3))
        row = corpus.add(a=f"{first} {n}", b=f"{second} {n}", label=[-1, 2][n % 2])
        corpus.vote(run, row, mean=(n - 12) / 10)
    assert Prompt.objects.count() == 24
    recipe = {"rules": [{"then": "keep", "margin": "model_vote.strength"}]}
    release = new_release(project=project, name="v1", recipe=recipe, by=None)
    freeze(release, Reporter())
    return {name: _written(release, name, tmp_path) for name in ("trl_reward", "trl_preference")}


def _written(release: Release, name: str, folder: Path) -> str:
    write_export(Export.of(release, name), folder / name, "parquet")
    return str(folder / name)


@pytest.fixture
def tokenizer() -> Any:
    """Trained on the spot, with a chat template; nothing is downloaded."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    raw = Tokenizer(models.BPE(unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel()
    special = ["<unk>", "<s>", "</s>", "<pad>"]
    raw.train_from_iterator([" ".join(WORDS)] * 20, trainers.BpeTrainer(vocab_size=400, special_tokens=special))
    made = import_module("transformers").PreTrainedTokenizerFast(
        tokenizer_object=raw, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    made.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}"
    return made


@pytest.fixture
def llama(tokenizer: Any) -> Any:
    return import_module("transformers").LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=512, pad_token_id=tokenizer.pad_token_id, bos_token_id=1, eos_token_id=2, num_labels=1,
    )  # fmt: skip


OPTIONS: dict[str, Any] = {
    "max_steps": 1, "per_device_train_batch_size": 4, "learning_rate": 1e-2, "report_to": "none", "save_strategy": "no",
    "logging_steps": 1, "use_cpu": True, "bf16": False, "gradient_checkpointing": False, "disable_tqdm": True,
}  # fmt: skip


def changed(before: dict[str, Any], after: dict[str, Any]) -> int:
    import torch

    assert all(torch.isfinite(weight).all() for weight in after.values())
    return sum(not torch.equal(before[name], weight.cpu()) for name, weight in after.items())


def copied(model: Any) -> dict[str, Any]:
    return {name: weight.detach().cpu().clone() for name, weight in model.state_dict().items()}


def test_a_reward_trainer_takes_a_step_and_reads_the_margin(
    exports: dict[str, str], tokenizer: Any, llama: Any, tmp_path: Path
) -> None:
    from datasets import load_dataset

    trl, transformers = import_module("trl"), import_module("transformers")
    rows = load_dataset(exports["trl_reward"], split="train", cache_dir=str(tmp_path / "cache"))
    assert str(rows.features["margin"].dtype) == "float32" and min(rows["margin"]) < 0 < max(rows["margin"])
    trainer = trl.RewardTrainer(
        model=transformers.LlamaForSequenceClassification(llama),
        args=trl.RewardConfig(output_dir=str(tmp_path / "out"), **OPTIONS),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    batch = next(iter(trainer.get_train_dataloader()))
    assert batch["margin"].shape == (4,) and set(batch["margin"].tolist()) <= set(rows["margin"])
    before = copied(trainer.model)
    trainer.train()
    assert changed(before, copied(trainer.model)) > 5


def test_a_dpo_trainer_takes_a_step(exports: dict[str, str], tokenizer: Any, llama: Any, tmp_path: Path) -> None:
    from datasets import load_dataset

    trl, transformers = import_module("trl"), import_module("transformers")
    rows = load_dataset(exports["trl_preference"], split="train", cache_dir=str(tmp_path / "cache"))
    assert set(rows.column_names) == {"prompt", "chosen", "rejected"}
    # Saved: an unnamed model in memory cannot be loaded again as the reference.
    transformers.LlamaForCausalLM(llama).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    trainer = trl.DPOTrainer(
        model=str(tmp_path / "model"),
        args=trl.DPOConfig(output_dir=str(tmp_path / "out"), **OPTIONS),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    assert len(next(iter(trainer.get_train_dataloader()))["input_ids"]) in {4, 8}
    before = copied(trainer.model)
    trainer.train()
    assert changed(before, copied(trainer.model)) > 5


def test_every_format_and_every_field_is_documented() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    exports, recipes = ((docs / name).read_text() for name in ("exports.md", "recipes.md"))
    assert [name for name in format_names() if f"`{name}`" not in exports] == []
    assert [name for name in FIELDS if f"`{name}`" not in recipes] == []
