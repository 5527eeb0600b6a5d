"""What the benchmarks with toys rest on: nothing held out is learned from, and what is drawn is what was found."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import follow_up, gap_plot
from benchmarks.density_ratio import FORMS, Held, learned_sign
from benchmarks.toy_sets import SHARES, Divided, divided_sets
from curation.wordings.kinds import bundled
from workers.engine.followups.remarks import read_set

DATA = Path(os.environ.get("WINNOW_REAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


@pytest.mark.skipif(not DATA.is_dir(), reason="the published data is not beside the checkout")
def test_no_training_row_begins_like_a_held_out_one() -> None:
    sets = divided_sets(DATA)
    assert [one.name for one in sets] == ["helpful", "harmless", "LLMBar"]
    for one in sets:
        openings = {str(pair.messages[0]["content"]).strip().lower() for pair in one.held_out}
        assert not [pair for pair in one.learning if str(pair.messages[0]["content"]).strip().lower() in openings]
        assert all(pair.id % 5 == 4 for pair in one.held_out)
        assert len(one.learning) > 3 * len(one.held_out) > 200


def test_length_is_taken_the_way_that_training_rows_favour() -> None:
    pairs = follow_up.planted_pairs(0)
    longer = [pair for pair in pairs if pair.sign * (len(pair.b) - len(pair.a)) > 0]
    shorter = [pair for pair in pairs if pair.sign * (len(pair.b) - len(pair.a)) < 0]
    assert learned_sign(Divided("", longer[:9] + shorter[:8], [])) == 1
    assert learned_sign(Divided("", longer[:8] + shorter[:9], [])) == -1
    # Planted answers tell nothing by their length.
    assert 0.4 < len(longer) / len(pairs) < 0.6


def test_remarks_are_halved_without_overlap_and_shuffled_within_their_aspect() -> None:
    remarks = read_set(bundled("follow_ups"))
    seen, unseen = follow_up.halves(remarks)
    assert set(seen.texts) | set(unseen.texts) == set(remarks.texts)
    assert not set(seen.texts) & set(unseen.texts)
    shuffled = follow_up.shuffles(remarks)
    for weights in shuffled[:5]:
        assert np.allclose(np.sort(weights, axis=0), np.sort(remarks.weights, axis=0))
    assert np.allclose(np.mean(shuffled, axis=0), 0, atol=0.1)


def test_the_picture_has_a_dot_for_every_gap_at_the_height_of_its_accuracy() -> None:
    held = Held(sign=np.ones(40, np.int64), prompts=np.arange(40))
    held.add("length", np.ones(40))
    for place, share in enumerate(SHARES):
        margin = np.where(np.arange(40) < 20 + 4 * place, 1.0, -1.0)
        for form in FORMS:
            held.add(f"preferences, {share:.2f}, {form}", margin)
    root = ElementTree.fromstring(gap_plot.drawn({"one": held}))
    dots = [float(dot.attrib["cy"]) for dot in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert len(dots) == 6
    assert dots[:3] == sorted(dots[:3], reverse=True) == dots[3:]
