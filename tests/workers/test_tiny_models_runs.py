"""Toys from a project's comparisons, from the run's row to texts that they write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Project, User
from corpus import sample
from ledger.models import State
from tests.workers.conftest import run_here
from workers.engine.bench import Bench
from workers.engine.models.causal import FolderScorer

FillCorpus = Callable[..., int]
pytestmark = pytest.mark.usefixtures("own_cache")
SMALL = {"hidden": 32, "layers": 1, "context": 256, "weak_tokens": 4000, "strong_tokens": 4000}


def test_toys_of_the_sample_are_found_by_name_scored_with_and_write(
    project: Project, tmp_path: Path, client: Client, owner: User
) -> None:
    sample.load(project)
    run = run_here(project, "tiny_models", name="toy-small", **SMALL)
    assert run.state == State.DONE, run.error
    assert [run.result["toys"][which]["name"] for which in ("weak", "strong")] == ["toy-small-weak", "toy-small-strong"]
    assert run.result["held_out"]["accuracy"]["n"] + run.result["held_out"]["flagged_rows"] == 73

    bench = Bench(cache=tmp_path, models=tmp_path / "models")
    asked = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "What is bread?"}]
    ((weak,),) = bench.likelihoods([(asked, ["Flour and water."])], model="toy-small-weak")
    ((strong,),) = bench.likelihoods([(asked, ["Flour and water."])], model="toy-small-strong")
    assert weak.is_clean and not weak.flags and weak.total != strong.total
    assert _written(tmp_path / "models" / "toy-small-strong", bench)

    client.force_login(owner)
    page = client.get(reverse("ledger:run", args=[project.slug, run.pk])).content.decode()
    assert "toy-small-strong" in page and "shows that the machinery runs, and nothing else" in page


def _written(folder: Path, bench: Bench) -> str:
    import torch

    scorer = FolderScorer(folder)
    ids = scorer.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}], add_generation_prompt=True, return_dict=False
    )
    told = scorer.loaded().model.generate(torch.tensor([ids]), max_new_tokens=8, do_sample=False)
    return str(scorer.tokenizer.decode(told[0, len(ids) :]))


def test_too_few_comparisons_end_the_run_with_a_sentence(project: Project, fill_corpus: FillCorpus) -> None:
    fill_corpus(12)
    run = run_here(project, "tiny_models", **SMALL)
    assert run.state == State.FAILED
    assert "20 are needed" in run.error


def test_a_name_that_hides_what_they_are_is_refused_before_anything_is_trained(
    project: Project, fill_corpus: FillCorpus, tmp_path: Path
) -> None:
    fill_corpus(40)
    run = run_here(project, "tiny_models", name="llama", **SMALL)
    assert run.state == State.FAILED
    assert "it begins with 'toy'" in run.error
    assert not (tmp_path / "models").exists()
