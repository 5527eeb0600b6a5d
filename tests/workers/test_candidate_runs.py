"""The whole way: candidates, pairs of them, scores, a rule that labels, a release that says whose labels they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Project, User
from corpus.models import Comparison, Prompt, Response, Source
from curation.audits.override import override_probes
from curation.freeze import freeze, new_release
from curation.models import Release, ReleaseRow, Score, Signal
from curation.preview import preview
from curation.rules import parse
from ledger.models import Run, State
from ledger.reporter import Reporter
from tests.workers.conftest import run_here
from tests.workers.tiny_chat import make_chat
from workers.feeds import prompts as prompts_feed
from workers.methods import sample_responses

FillCorpus = Callable[..., int]
pytestmark = pytest.mark.usefixtures("own_cache")
LABEL = {"rules": [{"name": "by ratio", "then": {"label": "density_ratio"}}]}


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("toys")
    return {name: str(make_chat(folder / name, seed=seed)) for seed, name in enumerate(("writer", "strong", "weak"))}


def sampled(project: Project, toys: dict[str, str], **given: Any) -> Run:
    asked = {"model": toys["writer"], "n": 3, "max_tokens": 10, "temperature": 1.2, **given}
    return run_here(project, "sample_responses", **asked)


def test_candidates_are_kept_once_and_the_same_run_again_adds_none(
    project: Project, fill_corpus: FillCorpus, toys: dict[str, str]
) -> None:
    fill_corpus(3)
    before = Response.objects.count()
    run = sampled(project, toys)
    assert run.state == State.DONE, run.error
    told = run.result
    assert told["prompts"] == 3 and told["written"] == 9 and told["new"] == Response.objects.count() - before > 0
    assert told["models"]["model"]["name"] == "writer" and told["lengths"]["n"] == 9
    assert Score.objects.filter(run=run, name="copies").count() == told["new"]
    assert set(Response.objects.filter(generator__startswith="writer@").values_list("generator", flat=True)) == {
        told["author"]
    }
    again = sampled(project, toys)
    assert (again.result["new"], again.result["repeated"]) == (0, told["new"] + told["repeated"])
    assert Response.objects.count() == before + told["new"]
    more = sampled(project, toys, n=5)
    assert 0 < more.result["new"] <= 6 and more.result["repeated"] >= told["new"]


def test_a_source_and_a_number_narrow_the_prompts(
    project: Project, fill_corpus: FillCorpus, toys: dict[str, str]
) -> None:
    fill_corpus(4, source="one")
    fill_corpus(4, source="two")
    run = sampled(project, toys, source="two", prompts=2, n=1, max_tokens=2)
    assert run.result["prompts"] == 2
    (scope,) = run.shards.values_list("scope", flat=True)
    of_two = set(Comparison.objects.filter(source__name="two").values_list("prompt_id", flat=True))
    assert set(scope["prompts"]) < of_two
    failed = sampled(project, toys, source="three")
    assert failed.state == State.FAILED and "three" in failed.error


def test_a_run_that_broke_off_goes_on_and_doubles_nothing(
    project: Project, fill_corpus: FillCorpus, toys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_corpus(4)
    monkeypatch.setattr(prompts_feed, "SHARD_SIZE", 2)
    whole = sampled(project, toys)
    kept = set(Response.objects.filter(generator=whole.result["author"]).values_list("prompt_id", "content"))
    Response.objects.filter(generator=whole.result["author"]).delete()
    written, count = sample_responses.run, 0

    def broken(prompts: Any, params: Any, bench: Any) -> Any:
        nonlocal count
        count += 1
        if count == 2:
            raise RuntimeError("the lights went out")
        return written(prompts, params, bench)

    monkeypatch.setattr(sample_responses, "run", broken)
    run = sampled(project, toys)
    assert run.state == State.DONE and count == 3 and run.result["new"] == whole.result["new"]
    again = set(Response.objects.filter(generator=whole.result["author"]).values_list("prompt_id", "content"))
    assert again == kept


def test_from_candidates_to_a_release_that_says_whose_labels_they_are(
    project: Project, fill_corpus: FillCorpus, toys: dict[str, str], owner: User
) -> None:
    fill_corpus(6)
    wrote = sampled(project, toys)
    models = {"strong": toys["strong"], "weak": toys["weak"]}
    chose = run_here(project, "best_of_n", **models)
    assert chose.state == State.DONE, chose.error
    assert chose.result["candidates_of"] == wrote.pk and chose.result["pairs"] == chose.result["new"] > 3
    source = Source.objects.get(project=project, name=chose.result["source"])
    pairs = Comparison.objects.filter(source=source)
    assert pairs.count() == chose.result["new"] and not pairs.exclude(label=None).exists()
    again = run_here(project, "best_of_n", run=wrote.pk, **models)
    assert (again.result["new"], again.result["known"]) == (0, chose.result["pairs"])
    scored = run_here(project, "density_ratio", **models)
    assert scored.state == State.DONE, scored.error
    _the_chosen_one_scores_higher(chose, scored, pairs)
    # Six prompts are too few to rule out that words with nothing in them win.
    assert scored.result["probes"]["passed"] is False and scored.result["probes"]["reasons"]
    blocked = preview(project=project, rules=parse(LABEL))
    assert blocked.released == 0 and blocked.rules[0].count > 0
    assert any(scored.result["probes"]["reasons"][0] in warning for warning in blocked.warnings)
    override_probes(run=scored, note="Toys, for a test.", by=owner)
    release = new_release(project=project, name="v1", recipe=LABEL, by=owner)
    freeze(release, Reporter())
    rows = ReleaseRow.objects.filter(release=release)
    assert 0 < rows.count() == Release.objects.get(pk=release.pk).manifest["measured"]["by_method"] <= pairs.count()
    assert set(rows.values_list("action", flat=True)) == {"label"}
    labelled = release.manifest["counts"]["rules"][0]["labels"]
    assert labelled["run"] == scored.pk and labelled["models"]["strong"]["name"] == "strong"


def _the_chosen_one_scores_higher(chose: Run, scored: Run, pairs: Any) -> None:
    """The signal's sign is that of the scores that the pair was made by."""
    values = dict(Score.objects.filter(run=chose, name="density_ratio").values_list("response_id", "value"))
    means = dict(Signal.objects.filter(run=scored, comparison__in=pairs).values_list("comparison_id", "value"))
    for pair in pairs:
        assert means[pair.pk] == pytest.approx(values[pair.response_b_id] - values[pair.response_a_id], abs=1e-6)


def test_without_candidates_there_is_a_sentence(
    project: Project, fill_corpus: FillCorpus, toys: dict[str, str]
) -> None:
    models = {"strong": toys["strong"], "weak": toys["weak"]}
    run = run_here(project, "best_of_n", **models)
    assert run.state == State.FAILED and "sample_responses first" in run.error
    assert "no prompts" in sampled(project, toys).error
    fill_corpus(2)
    same = sampled(project, toys, temperature=0.0)
    assert same.result["shares"]["repeated"]["share"] > 0.5
    assert "no prompt two different" in run_here(project, "best_of_n", **models).error
    assert Prompt.objects.filter(project=project).count() == 2
