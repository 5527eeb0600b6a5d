"""Published preference data comes in with the counts its own documentation gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.convert import pandalm, ukp
from corpus.models import Comparison, Response
from tests.corpus.rows import Import
from winnow.environment import ROOT

DATA = ROOT.parent / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data is not at {DATA}")


@pytest.mark.parametrize(
    ("name", "rows", "differing", "identical", "empty"),
    [("helpful", 2354, 9, 2, 4), ("harmless", 2312, 5, 0, 4)],
)
def test_hh_rlhf(bring: Import, name: str, rows: int, differing: int, identical: int, empty: int) -> None:
    path = DATA / "hh-rlhf" / f"{name}-base.test.jsonl.gz"
    result = bring(raw=path.read_bytes(), name=path.name)
    assert result["reasons"] == {"differing_prompts": differing}
    assert result["format"] == "hh"
    assert result["accepted"] + result["unchanged"] + result["contradicted"] == rows - differing
    assert (result["identical"], result["empty"]) == (identical, empty)
    again = bring(raw=path.read_bytes(), name=path.name)
    assert (again["accepted"], again["unchanged"]) == (0, rows - differing)


def test_pandalm(bring: Import) -> None:
    lines = [json.dumps(row).encode() for row in pandalm(DATA / "pandalm" / "testset-v1.json")]
    result = bring(*lines, name="pandalm.jsonl")
    assert result["rows"] == 999
    assert result["rejected"] == 0
    assert Response.objects.exclude(generator="").exists()


def test_ukpconvarg1(bring: Import) -> None:
    folder = DATA / "ukpconvarg1"
    rows = ukp(folder / "arguments.jsonl.gz", folder / "pairs.jsonl.gz")
    result = bring(*[json.dumps(row).encode() for row in rows], name="ukp.jsonl")
    assert (result["rows"], result["rejected"]) == (11_394, 0)
    assert result["accepted"] + result["unchanged"] + result["contradicted"] == 11_394
    assert Comparison.objects.filter(label=0).exists() and Comparison.objects.filter(labels=[]).exists()


def test_message_lists_with_typed_parts_need_a_mapping(bring: Import) -> None:
    path = DATA / "format-samples" / "v1_dpo_demo.jsonl"
    mapping = {"chosen": "chosen_messages", "rejected": "rejected_messages"}
    result = bring(raw=Path(path).read_bytes(), name="v1.jsonl", mapping=mapping)
    assert (result["accepted"], result["rejected"]) == (10, 0)
