"""Pairs scored a second by the likelihood kernel, beside the plain padded loop: the same model, the same rows, one run.

The plain loop is what one writes first: a batch of whole texts padded to the longest, the full table of log-softmax,
nothing shared. `density ratio`: 8 responses of 200 to 400 tokens to a prompt of 600. `follow-up`: 24 remarks of 5 to 15
tokens behind 512. The model is a Llama of 35 million random weights with a vocabulary of 32,000, in float32; peak
memory is what each needs above the model, each in a process of its own.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
VOCABULARY, PLAIN_BATCH, PROMPTS, ROUNDS = 32_000, 8, 2, 3
TARGETS = {"density ratio": 3.0, "follow-up": 20.0}
MATRIX_PRODUCTS = ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::_scaled_dot_product")


def make_model() -> Any:
    import torch
    import transformers

    torch.manual_seed(0)
    built: Any = transformers
    config = built.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=384, intermediate_size=1024, num_hidden_layers=6, num_attention_heads=6,
        num_key_value_heads=6, max_position_embeddings=2048, tie_word_embeddings=False,
    )  # fmt: skip
    return built.LlamaForCausalLM(config).eval()


def passages_of(kind: str, prompts: int) -> list[Any]:
    from workers.engine.likelihood.passages import Passage

    rng = np.random.default_rng(1)
    given, continuations, least, most = (600, 8, 200, 401) if kind == "density ratio" else (512, 24, 5, 16)

    def tokens(n: int) -> tuple[int, ...]:
        return tuple(rng.integers(0, VOCABULARY, n).tolist())

    found = []
    for _ in range(prompts):
        prompt = tokens(given)
        found += [Passage(prompt + tokens(int(rng.integers(least, most))), given) for _ in range(continuations)]
    return found


def plain_loop(model: Any, passages: list[Any]) -> list[Any]:
    import torch

    found = []
    with torch.inference_mode():
        for start in range(0, len(passages), PLAIN_BATCH):
            batch = passages[start : start + PLAIN_BATCH]
            width = max(len(passage.ids) for passage in batch)
            ids, mask = torch.zeros(len(batch), width, dtype=torch.long), torch.zeros(len(batch), width)
            for row, passage in enumerate(batch):
                ids[row, : len(passage.ids)] = torch.tensor(passage.ids)
                mask[row, : len(passage.ids)] = 1
            table = torch.log_softmax(model(input_ids=ids, attention_mask=mask).logits.float(), dim=-1)
            said = table[:, :-1].gather(2, ids[:, 1:, None])[..., 0]
            found += [said[row, passage.begin - 1 : len(passage.ids) - 1].numpy() for row, passage in enumerate(batch)]
    return found


def ways(model: Any) -> dict[str, Callable[[list[Any]], list[Any]]]:
    """Each with its model at hand; the kernel compares itself with the model once, when it takes it."""
    from workers.engine.likelihood.forward import Likelihood

    kernel = Likelihood(model)
    return {
        "kernel": lambda passages: [scored.logprobs for scored in kernel.score(passages)],
        "plain": lambda passages: plain_loop(model, passages),
    }


def timed(kind: str) -> tuple[dict[str, float], float]:
    """Seconds of each way, the median over rounds by turns; and the largest difference of a token."""
    passages, both = passages_of(kind, PROMPTS), ways(make_model())
    seconds: dict[str, list[float]] = {name: [] for name in both}
    said: dict[str, list[Any]] = {}
    for _ in range(ROUNDS):
        for name, way in both.items():
            started = time.perf_counter()
            said[name] = way(passages)
            seconds[name].append(time.perf_counter() - started)
    apart = max(float(np.abs(a - b).max()) for a, b in zip(said["kernel"], said["plain"], strict=True))
    return {name: statistics.median(times) for name, times in seconds.items()}, apart


def peak_mib(kind: str, name: str) -> float:
    """Above what the process held before."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_peak, args=(kind, name, sender))
    process.start()
    found = float(receiver.recv())
    process.join()
    return found


def _peak(kind: str, name: str, sender: Any) -> None:
    passages, way = passages_of(kind, PROMPTS), ways(make_model())[name]
    way(passages_of("follow-up", 1)[:1])
    before = _most_held()
    way(passages)
    sender.send(_most_held() - before)


def _most_held() -> float:
    """MiB, of this process alone: what getrusage tells begins with the most that its parent held."""
    told = Path("/proc/self/status").read_text().split("VmHWM:")[1]
    return int(told.split()[0]) / 1024


def share_of_products(kind: str) -> float:
    """Of the kernel's time on the CPU, what matrix products and attention take."""
    from torch.profiler import ProfilerActivity, profile

    passages, way = passages_of(kind, PROMPTS), ways(make_model())["kernel"]
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        way(passages)
    events = profiler.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    return float(sum(event.self_cpu_time_total for event in events if event.key.startswith(MATRIX_PRODUCTS)) / total)


def main() -> None:
    for kind, target in TARGETS.items():
        seconds, apart = timed(kind)
        n, ratio = len(passages_of(kind, PROMPTS)), seconds["plain"] / seconds["kernel"]
        peaks = {name: peak_mib(kind, name) for name in seconds}
        word = "met" if ratio >= target else "MISSED"
        print(
            f"{kind}: {n / seconds['kernel']:.2f} texts a second beside {n / seconds['plain']:.2f} of the plain loop,"
            f" {ratio:.1f} times ({word}: {target:.0f}); largest difference of a token {apart:.1e}; peak"
            f" {peaks['kernel']:.0f} MiB beside {peaks['plain']:.0f}; in matrix products {share_of_products(kind):.0%}"
        )


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    main()
