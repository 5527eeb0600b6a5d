"""What holds for every method, also for the one that somebody adds tomorrow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workers.discover import card_of, methods, schema_of
from workers.engine.bench import Bench
from workers.methods._base import Method, Pair, Signal

ROOT = Path(__file__).resolve().parents[3]
SECTIONS = ("Idea", "Formula", "Paper", "Needs", "Signal", "Limits", "Cost", "Do not use", "Relations")
MakePairs = Callable[..., list[Pair]]
every_method = pytest.mark.parametrize("method", methods().values(), ids=methods().keys())
SIGNALLING = {name: method for name, method in methods().items() if "signals" in method.YIELDS}
every_signalling_method = pytest.mark.parametrize("method", SIGNALLING.values(), ids=SIGNALLING.keys())


def test_methods_are_found_by_file_name() -> None:
    assert {"model_vote", "near_duplicates"} <= set(methods())
    assert not any(name.startswith("_") for name in methods())


def test_the_files_can_be_read_without_machine_learning() -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'sentence_transformers', 'faiss', 'sklearn', 'scipy'):\n"
        "    sys.modules[name] = None\n"
        "import pkgutil, importlib, workers.methods\n"
        "for info in pkgutil.iter_modules(workers.methods.__path__):\n"
        "    importlib.import_module(f'workers.methods.{info.name}')\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@every_method
def test_its_documentation_has_every_section(method: Method) -> None:
    lines = method.__doc__.splitlines()
    assert [section for section in SECTIONS if section not in lines] == []


@every_method
def test_every_parameter_has_a_default_and_a_help(method: Method) -> None:
    for rule in schema_of(method.Params)["properties"].values():
        assert rule["description"].endswith(".")
        assert rule["default"] is not None
    assert method.Params()


@every_method
def test_its_card_can_be_published(method: Method) -> None:
    card = card_of("x", method)
    assert (card.queue in {"cpu", "gpu"}, card.shape in {"map", "whole"}) == (True, True)
    assert card.documentation.splitlines()[0]
    rules = card.parameters["properties"].items()
    assert [name for name, rule in rules if "format" in rule] == list(getattr(method, "MODELS", ()))


@every_signalling_method
def test_one_signal_per_pair_with_the_documented_fields(method: Method, make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(120)
    outcome = method.run(pairs, method.Params(), bench)
    assert sorted(signal.pair_id for signal in outcome.signals) == [pair.id for pair in pairs]
    assert all(set(signal.fields) == set(method.FIELDS) for signal in outcome.signals)


@every_signalling_method
def test_the_same_seed_says_the_same_whatever_the_order(method: Method, make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(120)
    once = {signal.pair_id: signal for signal in method.run(pairs, method.Params(), bench).signals}
    again = {signal.pair_id: signal for signal in method.run(pairs[::-1], method.Params(), bench).signals}
    assert once == again


@every_signalling_method
def test_swapping_the_sides_mirrors_what_is_signed(method: Method, make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(120)
    swapped = [
        replace(p, a_id=p.b_id, a=p.b, b_id=p.a_id, b=p.a, label=-p.label if p.label else p.label) for p in pairs
    ]
    straight = method.run(pairs, method.Params(), bench).signals
    mirrored = method.run(swapped, method.Params(), bench).signals
    for one, other in zip(straight, mirrored, strict=True):
        expected = _seen_from_the_other_side(one)
        assert (one.value is None) == (other.value is None)
        assert other.value == pytest.approx(expected.value, abs=1e-6)
        assert set(other.fields) == set(expected.fields)
        for name, value in expected.fields.items():
            is_number = isinstance(value, float)
            assert other.fields[name] == (pytest.approx(value, abs=1e-6) if is_number else value), name


def _seen_from_the_other_side(signal: Signal) -> Signal:
    """`mean` and what ends in _mean turn, x_a and x_b change places, a share of b becomes that of a; the rest stays."""
    turned: dict[str, Any] = {}
    for name, value in signal.fields.items():
        if value is not None and (name == "mean" or name.endswith("_mean")):
            turned[name] = -value
        elif name.endswith("_a") and f"{name[:-1]}b" in signal.fields:
            turned[name] = signal.fields[f"{name[:-1]}b"]
        elif name.endswith("_b") and f"{name[:-1]}a" in signal.fields:
            turned[name] = signal.fields[f"{name[:-1]}a"]
        else:
            turned[name] = 1 - value if name == "share_b" and value is not None else value
    is_signed = "mean" in signal.fields and signal.value is not None
    return Signal(signal.pair_id, -(signal.value or 0.0) if is_signed else signal.value, turned)


@every_signalling_method
def test_nothing_in_nothing_out(method: Method, bench: Bench) -> None:
    assert method.run([], method.Params(), bench).signals == []


@every_signalling_method
def test_cancel_stops_it(method: Method, make_pairs: MakePairs, bench: Bench) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        method.run(make_pairs(120), method.Params(), replace(bench, check_cancelled=stop))
