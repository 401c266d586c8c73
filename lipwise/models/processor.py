"""What the processor is good at. Rules, no timings: two runs have to take the same way to give the same bytes."""

from pathlib import Path

import torch

# Flags under which bfloat16 multiplies in hardware; without them it is many times slower than fp32.
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
_NARROW = "AVX2"  # as torch names what a processor can do at most


def has_fast_bf16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware (AVX-512 BF16 or AMX)."""
    return not _BF16_FLAGS.isdisjoint(_cpu_flags())


def _cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """What the processor can do: from torch where it tells, else from Linux, else nothing."""
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is not None:
        return {flag for flag, there in capabilities().items() if there is True}
    try:
        lines = cpuinfo.read_text(errors="replace").splitlines()
    except OSError:
        return set()
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())


def winograd_pays(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether convolutions by Winograd's method are faster than torch's own, as was measured with AVX2 alone.

    With AVX-512 torch's own are twice as wide, and the loops that are compiled for it are not measured; nor is ARM.
    """
    return device.type == "cpu" and dtype == torch.float32 and torch.backends.cpu.get_cpu_capability() == _NARROW
