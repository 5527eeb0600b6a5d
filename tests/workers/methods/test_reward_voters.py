"""Reward models beside the heads of a vote: what they add, and that a bad one or a small source spoils nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accounts.models import Project
from curation.models import Score as KeptScore
from curation.models import Signal
from ledger.models import State
from tests.workers.conftest import run_here
from workers.engine.bench import Bench, Unworkable
from workers.engine.models.folder import revision_of
from workers.methods import model_vote
from workers.methods._base import Pair

MakePairs = Callable[..., list[Pair]]
FillCorpus = Callable[..., int]


@pytest.fixture
def pairs(make_pairs: MakePairs) -> list[Pair]:
    """The better response says "indeed" in nine of ten comparisons."""
    return [_told(pair, place) for place, pair in enumerate(make_pairs(120))]


def _told(pair: Pair, place: int) -> Pair:
    sides = {-1: ("indeed", "never"), 1: ("never", "indeed")}[pair.sign if place % 10 else -pair.sign]
    return replace(pair, a=f"{pair.a} {sides[0]}", b=f"{pair.b} {sides[1]}")


@pytest.fixture
def broken(tiny_bert: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of the model that knows no number for a word; without one, for no text at all."""

    def broken(word: str) -> Path:
        from safetensors.torch import load_file, save_file

        folder = Path(shutil.copytree(tiny_bert, tmp_path / f"broken-{word}"))
        weights = load_file(folder / "model.safetensors")
        from tests.workers.tiny_rewards import pair_tokenizer

        rows = pair_tokenizer().convert_tokens_to_ids(word) if word else slice(None)
        weights["bert.embeddings.word_embeddings.weight"][rows] = float("nan")
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return folder

    return broken


def test_a_reward_model_votes_beside_the_heads_in_units_of_its_own_rms(
    pairs: list[Pair], bench: Bench, tiny_llama: Path
) -> None:
    alone = model_vote.run(pairs, model_vote.Params(heads=4), bench)
    found = model_vote.run(pairs, model_vote.Params(heads=4, reward_models=f" {tiny_llama} ,"), bench)
    values = {score.response_id: score.value for score in found.scores}
    assert {score.name for score in found.scores} == {revision_of(tiny_llama).score_name}
    margin = np.array([values[pair.b_id] - values[pair.a_id] for pair in pairs])
    margin /= np.sqrt(np.mean(margin**2))
    for one, other, vote in zip(alone.signals, found.signals, margin, strict=True):
        assert other.value == pytest.approx((4 * (one.value or 0.0) + vote) / 5, abs=1e-5)
        assert (one.fields["n"], other.fields["n"]) == (4, 5)
    voter = found.result["voters"][-1]
    assert (voter["kind"], voter["sha256"]) == ("reward model", revision_of(tiny_llama).weights)
    assert voter["accuracy"]["share"] == pytest.approx(0.9, abs=0.02)
    assert found.result["ensemble"]["between"]["families"] == ["heads on minilm", revision_of(tiny_llama).score_name]
    assert found.result["ensemble"]["effective"] > alone.result["ensemble"]["effective"]


def test_the_order_of_the_models_and_of_the_pairs_changes_no_vote(
    pairs: list[Pair], bench: Bench, tiny_llama: Path, tiny_bert: Path
) -> None:
    one = model_vote.run(pairs, model_vote.Params(heads=2, reward_models=f"{tiny_llama},{tiny_bert}"), bench)
    other = model_vote.run(pairs[::-1], model_vote.Params(heads=2, reward_models=f"{tiny_bert},{tiny_llama}"), bench)
    assert [signal.value for signal in one.signals] == pytest.approx([signal.value for signal in other.signals])


def test_a_row_without_a_number_misses_one_vote_and_the_rest_has_all(
    pairs: list[Pair], bench: Bench, broken: Callable[[str], Path]
) -> None:
    pairs[7] = replace(pairs[7], b=f"{pairs[7].b} stone")
    found = model_vote.run(pairs, model_vote.Params(heads=3, reward_models=str(broken("stone"))), bench)
    assert [signal.fields["n"] for signal in found.signals] == [3 if place == 7 else 4 for place in range(120)]
    assert found.result["voters"][-1]["unscored"] == 1
    assert len(found.scores) == 239
    assert found.result["ensemble"]["n"] == 119


def test_a_model_without_any_number_has_no_vote_and_says_so(
    pairs: list[Pair], bench: Bench, broken: Callable[[str], Path]
) -> None:
    alone = model_vote.run(pairs, model_vote.Params(heads=3), bench)
    found = model_vote.run(pairs, model_vote.Params(heads=3, reward_models=str(broken(""))), bench)
    assert [signal.fields for signal in found.signals] == [signal.fields for signal in alone.signals]
    assert "gave no finite score in any of the 120 comparisons" in found.result["voters"][-1]["problem"]
    assert found.result["voters"][-1]["accuracy"]["n"] == 0
    assert found.scores == []


@pytest.mark.parametrize("label", [None, 0, 1])
def test_where_labels_are_too_few_reward_models_vote_alone(
    pairs: list[Pair], bench: Bench, tiny_llama: Path, label: int | None
) -> None:
    few = [replace(pair, label=label and pair.label) for pair in pairs[:12]]
    found = model_vote.run(few, model_vote.Params(reward_models=str(tiny_llama)), bench)
    assert all(signal.fields["n"] == 1 and signal.fields["length_mean"] is None for signal in found.signals)
    assert "Only the reward models voted." in found.result["note"]
    share = found.result["accuracy"]["share"]
    assert share == pytest.approx(10 / 12) if label else share is None


def test_what_cannot_be_used_is_told_before_anything_starts(tiny_llama: Path) -> None:
    with pytest.raises(Unworkable, match="There is no reward model in '/nowhere'"):
        model_vote.preflight(model_vote.Params(reward_models=f"{tiny_llama}, /nowhere"))
    with pytest.raises(Unworkable, match="is named twice"):
        model_vote.preflight(model_vote.Params(reward_models=f"{tiny_llama},{tiny_llama}"))
    model_vote.preflight(model_vote.Params(reward_models=str(tiny_llama)))


@pytest.mark.usefixtures("own_cache")
def test_a_small_source_beside_a_big_one_and_scores_in_the_database(
    project: Project, fill_corpus: FillCorpus, tiny_llama: Path
) -> None:
    fill_corpus(60, source="big")
    fill_corpus(12, source="small")
    run = run_here(project, "model_vote", heads=3, folds=3, reward_models=str(tiny_llama))
    assert (run.error, run.state) == ("", State.DONE)
    big, small = (run.result["sources"][key] for key in sorted(run.result["sources"], key=int))
    assert big["accuracy"]["n"] == 60 and big["heads"] == 3
    assert "12 of 12 comparisons have a label" in small["note"]
    assert Signal.objects.filter(run=run, value__isnull=False).count() == 72
    assert KeptScore.objects.filter(run=run, name=revision_of(tiny_llama).score_name).count() == 144
    assert run.result["reward_models"] == [{"name": tiny_llama.name, "sha256": revision_of(tiny_llama).weights}]


@pytest.mark.usefixtures("own_cache")
def test_a_run_out_of_memory_fails_with_a_sentence_and_goes_on_when_there_is_more(
    project: Project, fill_corpus: FillCorpus, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from ledger.runs import resume_run
    from workers import tasks
    from workers.engine.rewards.model import Classifier

    def too_small(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    fill_corpus(30)
    with monkeypatch.context() as small:
        small.setattr(Classifier, "scores", too_small)
        run = run_here(project, "model_vote", heads=3, folds=3, reward_models=str(tiny_llama))
    assert (run.state, "Memory ran out while tiny-llama read one text" in run.error) == (State.FAILED, True)
    resume_run(run=run, by=None)
    tasks.run_method.apply(kwargs={"run_id": run.pk})
    run.refresh_from_db()
    assert (run.error, run.state) == ("", State.DONE)
