"""Where torch computes."""

from __future__ import annotations

import torch

from videohoi.errors import UsageError


def choose_device(name: str) -> torch.device:
    """``auto``: the first CUDA device, else the CPU; or any name of torch's.

    Raises:
        UsageError: no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = next(iter(str(error).splitlines()), "unknown")
        raise UsageError(f"device {name!r} cannot be used ({reason}); expected auto, cpu or cuda") from error
    return device
