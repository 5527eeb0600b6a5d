"""Where models can run on this machine."""

from __future__ import annotations

from importlib.util import find_spec


def available() -> list[str]:
    if find_spec("torch") is None:
        return ["cpu"]
    import torch

    return ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
