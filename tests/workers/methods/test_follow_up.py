"""What the person would say next: a signal, its parts and the words it was asked with; flagged rows stand apart."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Project
from curation.models import Score, Signal
from curation.wordings.kinds import bundled
from curation.wordings.queries import Words
from curation.wordings.save import save_words
from ledger.models import State
from tests.workers.conftest import EchoBench, run_here
from tests.workers.tiny_chat import make_chat
from workers.engine.bench import Bench, Unworkable
from workers.engine.likelihood.cached import Likely, Remarks
from workers.methods import follow_up
from workers.methods._base import Outcome, Pair

MakePairs = Callable[..., list[Pair]]
PRAISE = {text for aspect in bundled("follow_ups")["aspects"] for text in aspect["positive"]}
ASPECTS = [aspect["name"] for aspect in bundled("follow_ups")["aspects"]]
CHAT = follow_up.Params(model="chat")


class Polite(EchoBench):
    """Finds praise the likelier, the larger the number in a response such as "good 0.8 #3"; and always likelier."""

    def remarks(self, asked: Sequence[Remarks], *, model: str, template: str | None = None) -> list[list[Likely]]:
        self.check_cancelled()
        return [[self._one(response, text) for text in texts] for _, response, texts in asked]

    def _one(self, response: str, text: str) -> Likely:
        if response == "broken":
            return Likely(nan, 5, len(text), frozenset({"nonfinite"}))
        words = response.split()
        worth = float(words[1]) if len(words) > 1 and words[0] == "good" else -3.0
        return Likely(-10.0 + (5.0 + worth if text in PRAISE else 0.0), 5, len(text), frozenset({"system_merged"}))


@pytest.fixture
def polite(bench: Bench) -> Bench:
    return Polite(cache=bench.cache, wording=bench.wording)


def test_the_response_that_praise_fits_better_is_the_better_one(polite: Bench, make_pairs: MakePairs) -> None:
    pairs = make_pairs(60)
    outcome = follow_up.run(pairs, CHAT, polite)
    for pair, signal in zip(pairs, outcome.signals, strict=True):
        a, b = (float(text.split()[1]) for text in (pair.a, pair.b))
        # (-5 + worth) / 5 for praise, -10 / 5 for complaint.
        assert signal.fields["score_a"] == pytest.approx((5 + a) / 5) and signal.value == pytest.approx((b - a) / 5)
        assert signal.fields["mean"] == signal.value and not signal.fields["flagged"]
        assert list(signal.fields["aspects_b"]) == ASPECTS
    told = outcome.result
    assert told["accuracy"]["share"] == 1.0 and told["above_zero"]["share"] == 1.0
    assert "measure one thing" in told["factors"]["words"]
    assert told["wording"] == {"kind": "follow_ups", "version": 0, "sha256": polite.wording("follow_ups", 0).sha256}


def test_scores_of_each_response_are_kept_total_and_by_aspect(polite: Bench, make_pairs: MakePairs) -> None:
    pairs = make_pairs(3)
    found = follow_up.run(pairs, CHAT, polite).scores
    assert [score.name for score in found[:7]] == ["total", *ASPECTS]
    assert {score.response_id for score in found} == {side for pair in pairs for side in (pair.a_id, pair.b_id)}
    assert len(found) == 6 * 7


def test_the_sum_is_in_nats_and_a_part_of_the_aspects_stands_alone(polite: Bench, make_pairs: MakePairs) -> None:
    pairs = make_pairs(20)
    mean, total = (follow_up.run(pairs, replace(CHAT, form=form), polite) for form in ("mean", "sum"))
    assert total.signals[0].value == pytest.approx(5 * (mean.signals[0].value or 0))
    assert (mean.result["unit"], total.result["unit"]) == ("nats per token", "nats")
    two = follow_up.run(pairs, replace(CHAT, aspects="correctness, relevance"), polite)
    assert list(two.signals[0].fields["aspects_a"]) == ["relevance", "correctness"] and two.result["remarks"] == 16
    with pytest.raises(Unworkable, match="no aspect 'wit'"):
        follow_up.run(pairs, replace(CHAT, aspects="wit"), polite)


def test_the_version_that_is_asked_for_is_read_and_told(polite: Bench, make_pairs: MakePairs) -> None:
    asked: list[tuple[str, int]] = []

    def wording(kind: str, version: int) -> Words:
        asked.append((kind, version))
        document = copy.deepcopy(bundled("follow_ups"))
        document["aspects"] = [{**document["aspects"][0], "name": "manners"}]
        return Words(kind, 4, document)

    outcome = follow_up.run(make_pairs(12), replace(CHAT, wording=4), replace(polite, wording=wording))
    assert set(asked) == {("follow_ups", 4)} and outcome.result["wording"]["version"] == 4
    assert list(outcome.signals[0].fields["aspects_a"]) == ["manners"]


def test_what_has_no_number_or_says_nothing_is_flagged_and_counts_in_no_figure(
    polite: Bench, make_pairs: MakePairs
) -> None:
    pairs = make_pairs(30)
    pairs[0], pairs[1] = replace(pairs[0], a="broken"), replace(pairs[1], b="  ")
    outcome = follow_up.run(pairs, CHAT, polite)
    broken, empty = (signal.fields for signal in outcome.signals[:2])
    assert (broken["flags_a"], broken["flags_b"], broken["flagged"], broken["mean"]) == (["nonfinite"], [], True, None)
    assert (empty["flags_b"], empty["flagged"]) == (["empty"], True) and empty["mean"] is not None
    assert outcome.result["accuracy"]["n"] == 28
    assert outcome.result["flagged"] == {"empty": 1, "nonfinite": 1}


@pytest.mark.parametrize(("n", "label"), [(12, 1), (40, 0), (40, None)])
def test_few_rows_ties_and_no_labels_are_scored_and_told(
    polite: Bench, make_pairs: MakePairs, n: int, label: int | None
) -> None:
    pairs = [replace(pair, label=label) for pair in make_pairs(n)]
    outcome = follow_up.run(pairs, CHAT, polite)
    assert all(signal.value is not None for signal in outcome.signals)
    if label:
        assert outcome.result["accuracy"]["n"] == 12
    else:
        assert outcome.result["accuracy"] is None and "has a label" in outcome.result["accuracy_problem"]


def test_probes_come_with_every_source_and_speak_for_the_run(polite: Bench, make_pairs: MakePairs) -> None:
    told = follow_up.run(make_pairs(40), CHAT, polite).result
    found = follow_up.combine({"7": {"name": "one"} | told})
    assert found["probes"]["sources"]["7"]["probes"] == told["probes"]["probes"]
    assert isinstance(found["probes"]["passed"], bool)


def test_a_run_without_a_model_is_refused_with_what_to_name() -> None:
    with pytest.raises(Unworkable, match="Name a chat model as `model`"):
        follow_up.preflight(follow_up.Params())


def test_no_comparisons_say_nothing(polite: Bench) -> None:
    assert follow_up.run([], CHAT, polite) == Outcome()


def test_a_run_reads_the_projects_words_and_says_which_weights_spoke(
    project: Project, fill_corpus: Callable[..., int], own_cache: None, tmp_path: Path
) -> None:
    fill_corpus(4)
    document = copy.deepcopy(bundled("follow_ups"))
    document["aspects"] = document["aspects"][:2]
    words = save_words(project=project, kind="follow_ups", document=document, by=None)
    folder = make_chat(tmp_path / "chat")
    run = run_here(project, "follow_up", model=str(folder))
    assert (run.state, run.error) == (State.DONE, "")
    told = next(iter(run.result["sources"].values()))
    assert told["wording"] == {"kind": "follow_ups", "version": 1, "sha256": words.sha256}
    assert run.result["models"]["model"]["sha256"] and "model" not in run.result
    assert Signal.objects.filter(run=run).count() == 4 and Score.objects.filter(run=run).count() == 8 * 3
    assert not Signal.objects.filter(run=run, value=None).exists()
    assert run_here(project, "follow_up", model=str(folder), wording=9).error.endswith(
        "demo has no version 9 of its follow-ups."
    )


def test_a_model_that_is_not_there_is_a_sentence(
    project: Project, fill_corpus: Callable[..., int], own_cache: None, tmp_path: Path
) -> None:
    fill_corpus(2)
    run = run_here(project, "follow_up", model=str(tmp_path / "nowhere"))
    assert run.state == State.FAILED and "nowhere" in run.error


def test_its_documentation_tells_the_doubt(make_pairs: Any) -> None:
    assert "computes no likelihood" in " ".join((follow_up.__doc__ or "").split())
