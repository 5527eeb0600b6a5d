"""Log-probabilities of given tokens from hidden states: logit minus log-sum-exp, in float32, a chunk at a time.

The table of log-probabilities of all tokens is never kept: a chunk's logits fill at most `CHUNK_BYTES`.
"""

from __future__ import annotations

from typing import Any

CHUNK_BYTES = 8 * 2**20


class Head:
    """What a model does behind its last layer: a matrix, and in some families a scale or a soft cap on the logits."""

    def __init__(self, model: Any) -> None:
        config = model.config.get_text_config(decoder=True)
        self.matrix = model.get_output_embeddings()
        self.cap = getattr(config, "final_logit_softcapping", None)
        self.scale = float(getattr(config, "logit_scale", None) or 1.0)
        self.scale /= float(getattr(config, "logits_scaling", None) or 1.0)

    def logits(self, hidden: Any) -> Any:
        """hidden [n, d] -> float32 [n, vocabulary]"""
        import torch

        logits = self.matrix(hidden) * self.scale if self.scale != 1.0 else self.matrix(hidden)
        if self.cap is not None:
            logits = torch.tanh(logits / self.cap) * self.cap
        return logits.float()

    def logprobs(self, hidden: Any, targets: Any) -> Any:
        """hidden [n, d], targets [n] -> float32 [n], in nats."""
        import torch

        chunk = max(1, CHUNK_BYTES // (4 * int(self.matrix.weight.shape[0])))
        found = []
        for start in range(0, len(targets), chunk):
            logits = self.logits(hidden[start : start + chunk])
            wanted = logits.gather(1, targets[start : start + chunk, None])[:, 0]
            found.append(wanted - torch.logsumexp(logits, dim=1))
        return torch.cat(found) if found else torch.zeros(0)
