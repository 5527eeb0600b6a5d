"""Where models can run on this machine, and how it says that memory is full."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


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


def free_bytes(device: str) -> int:
    """What a further model may take on the device, "cpu" or "cuda"."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def release_memory() -> None:
    """Gives back what nothing refers to any more."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
