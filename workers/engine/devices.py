"""Where models can run on this machine, and how it says that memory is full."""

from __future__ import annotations

from importlib.util import find_spec


def available() -> list[str]:
    if find_spec("torch") is None:
        return ["cpu"]
    import torch

    return ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]


def ran_out_of_memory(error: BaseException) -> bool:
    """On a device or on the machine: torch says the latter in the words of a RuntimeError."""
    import torch

    words = str(error).lower()
    is_said = "out of memory" in words or "can't allocate memory" in words
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (isinstance(error, RuntimeError) and is_said)
