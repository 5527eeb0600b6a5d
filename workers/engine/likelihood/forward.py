"""Passages through a model: every shared beginning once, scored positions only through the head.

Idea
    Slices of rows go through the decoder with a mask in which each token sees its own beginning and nothing else. What
    a slice leaves in the cache is what its nodes' children begin with: their rows gather it by place, so that no row
    carries another's tokens or any padding on. The first token of a child is predicted by the last hidden state of its
    parent, which is kept. Where the decoder has layers with a sliding window, their mask closes it by position.

Exactness
    Float32 agrees with one plain forward pass per passage to 1e-5 or so per token. A model that does something else
    than this code knows (found by comparing on a few tokens when it is loaded) is scored passage by passage instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workers.engine.bench import Unworkable
from workers.engine.devices import ran_out_of_memory, release_memory
from workers.engine.likelihood.head import Head
from workers.engine.likelihood.layout import Laid, empty_cache, gathered, wanted
from workers.engine.likelihood.passages import Floats, Passage, Scored
from workers.engine.likelihood.rows import Begun, Budget, Row, rows_of, slices
from workers.engine.likelihood.tree import Node, forest, path

# Roots that are computed before their children: enough to fill a slice, few enough to keep in memory.
ROOTS_AT_ONCE = 64
AGREES_TO = 1e-3


class Likelihood:
    """Scores passages with one causal model of transformers, wherever the model lies."""

    def __init__(self, model: Any, *, tokens: int = 2048, memory: int = 2 * 2**30) -> None:
        self.model = model.eval()
        self.body = model.get_decoder()
        self.head = Head(model)
        self.config = model.config.get_text_config(decoder=True)
        self.budget = _budget(self.config, model.dtype.itemsize, tokens, memory)
        self.shares = self._agrees()

    def score(
        self,
        passages: Sequence[Passage],
        *,
        check: Callable[[], None] = lambda: None,
        on_passage: Callable[[int], None] = lambda done: None,
    ) -> list[Scored]:
        """One result per passage, in their order, whatever the order in which they are computed."""
        import torch

        found: dict[int, Scored] = {}
        with torch.inference_mode():
            if not self.shares:
                for number, passage in enumerate(passages):
                    check()
                    found[number] = Scored(self._alone(passage))
                    on_passage(number + 1)
            else:
                roots = sorted(forest(passages), key=lambda root: (-root.size(), root.ids))
                for start in range(0, len(roots), ROOTS_AT_ONCE):
                    some = roots[start : start + ROOTS_AT_ONCE]
                    said: dict[Node, Floats] = {}
                    self._walk(rows_of(None, some), None, said, check)
                    found |= _along_paths(some, passages, said)
                    on_passage(len(found))
        return [found[number] for number in range(len(passages))]

    def _walk(self, rows: Sequence[Row], cache: Any, said: dict[Node, Floats], check: Callable[[], None]) -> None:
        for some in slices(rows, self.budget):
            check()
            for part in self._in_memory(some, cache, said):
                begun, left = part
                behind = [row for node, at in begun.items() for row in rows_of(at, node.children)]
                if behind:
                    self._walk(behind, left, said, check)

    def _in_memory(self, rows: list[Row], cache: Any, said: dict[Node, Floats]) -> Any:
        """The slice at once, or in halves where memory does not hold it."""
        try:
            yield self._forward(rows, cache, said)
            return
        except (RuntimeError, MemoryError) as error:
            if not ran_out_of_memory(error):
                raise
        self.budget = self.budget.halved()
        halves = _halves(rows)
        if len(halves) == 1:
            raise Unworkable(
                f"Memory does not hold one text of {rows[0].past + rows[0].tokens:,} tokens with this model; "
                "use a smaller model, or cut the texts shorter."
            )
        release_memory()
        for half in halves:
            yield from self._in_memory(half, cache, said)

    def _forward(self, rows: list[Row], cache: Any, said: dict[Node, Floats]) -> tuple[dict[Node, Begun], Any]:
        import torch

        device = self.model.device
        laid = Laid(rows, device)
        keeps = any(node.children for row in rows for node in row.nodes)
        past = gathered(cache, rows, laid.past, device) if laid.past else None
        if past is None and keeps:
            past = empty_cache()
        hidden = self.body(
            input_ids=laid.ids,
            attention_mask=self._masks(laid),
            position_ids=laid.positions,
            past_key_values=past,
            use_cache=past is not None,
        ).last_hidden_state
        width = hidden.shape[1]
        flat = hidden.reshape(-1, hidden.shape[-1])
        lasts = [row.begun.last for row in rows if row.begun is not None]
        states = torch.cat([flat, torch.stack(lasts)]) if lasts else flat
        sources, targets, spans = wanted(rows, width, laid.offsets)
        if targets:
            logprobs = self.head.logprobs(
                states[torch.tensor(sources, device=device)], torch.tensor(targets, device=device)
            )
            values = logprobs.cpu().numpy().astype(np.float32)
            for node, start, end in spans:
                said[node] = values[start:end]
        begun: dict[Node, Begun] = {}
        for number, row in enumerate(rows):
            for node, offset in zip(row.nodes, laid.offsets[number], strict=True):
                if node.children:
                    own = laid.past + offset + torch.arange(len(node.ids), device=device)
                    places = torch.cat([torch.arange(row.past, device=device), own])
                    begun[node] = Begun(number, places, hidden[number, offset + len(node.ids) - 1].clone())
        return begun, past if keeps else None

    def _masks(self, laid: Laid) -> Any:
        """One mask, or one per kind of layer."""
        window = getattr(self.config, "sliding_window", None)
        if not window or getattr(self.config, "use_sliding_window", True) is False:
            return self._read(laid.mask())
        kinds = set(getattr(self.config, "layer_types", None) or ["sliding_attention"])
        if kinds == {"sliding_attention"}:
            return self._read(laid.mask(window))
        return {"full_attention": self._read(laid.mask()), "sliding_attention": self._read(laid.mask(window))}

    def _read(self, seen: Any) -> Any:
        """The mask as this model's attention reads it: which are seen, or what to add to the weights."""
        import torch

        if self.config._attn_implementation == "sdpa":
            return seen
        hidden = torch.zeros(seen.shape, dtype=self.model.dtype, device=seen.device)
        return hidden.masked_fill_(~seen, torch.finfo(self.model.dtype).min)

    def _alone(self, passage: Passage) -> Floats:
        """The plain way: the whole passage through the whole model."""
        import torch

        ids = torch.tensor([passage.ids], device=self.model.device)
        kept = len(passage.ids) - passage.begin + 1
        logits = self.model(input_ids=ids, use_cache=False, logits_to_keep=kept).logits[0, :-1].float()
        wanted = logits.gather(1, ids[0, passage.begin :, None])[:, 0]
        return np.asarray((wanted - torch.logsumexp(logits, dim=1)).cpu().numpy(), dtype=np.float32)

    def _agrees(self) -> bool:
        """Whether this code gives what the model itself gives, on a small tree of its own tokens."""
        import torch

        if set(getattr(self.config, "layer_types", None) or []) - {"full_attention", "sliding_attention"}:
            return False
        draw = np.random.default_rng(0).integers(0, self.config.vocab_size, size=(3, 8)).tolist()
        begin = tuple(draw[0])
        passages = [Passage(begin + tuple(draw[1]), 1), Passage(begin + tuple(draw[2]), 8)]
        said: dict[Node, Floats] = {}
        tolerance = AGREES_TO if self.model.dtype == torch.float32 else 0.2
        with torch.inference_mode():
            try:
                roots = forest(passages, least_saved=1)
                self._walk(rows_of(None, roots), None, said, lambda: None)
                ours = _along_paths(roots, passages, said)
                return all(
                    np.allclose(ours[number].logprobs, self._alone(passage), atol=tolerance)
                    for number, passage in enumerate(passages)
                )
            except (TypeError, ValueError, AttributeError, KeyError, IndexError, RuntimeError):
                return False


def _along_paths(roots: Sequence[Node], passages: Sequence[Passage], said: dict[Node, Floats]) -> dict[int, Scored]:
    found = {}
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        waiting += node.children
        for number in node.ends:
            parts = [said[each] for each in path(node) if each in said]
            known = np.concatenate(parts) if parts else np.zeros(0, np.float32)
            wanted = len(passages[number].ids) - passages[number].begin
            found[number] = Scored(known[len(known) - wanted :])
    return found


def _budget(config: Any, itemsize: int, tokens: int, memory: int) -> Budget:
    heads = config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    kept = 2 * config.num_hidden_layers * kv_heads * size * itemsize
    widest = max(getattr(config, "intermediate_size", 0) or 0, config.hidden_size)
    return Budget(tokens, memory, kept, (4 * widest + 8 * config.hidden_size) * itemsize)


def _halves(rows: list[Row]) -> list[list[Row]]:
    if len(rows) > 1:
        return [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
    nodes = rows[0].nodes
    if len(nodes) == 1:
        return [rows]
    middle = len(nodes) // 2
    return [[Row(rows[0].begun, nodes[:middle])], [Row(rows[0].begun, nodes[middle:])]]
