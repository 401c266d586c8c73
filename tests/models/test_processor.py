"""What the processor is good at, and what is sent there because of it."""

import pytest
import torch

from lipwise.models.processor import _BF16_FLAGS, _cpu_flags, has_fast_bf16, winograd_pays

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False, "l2_cache_size": 1}, False),
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({}, False),
    ],
)
def test_fast_bf16_as_torch_tells(flags, fast, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)
    assert has_fast_bf16() is fast


@pytest.mark.parametrize(
    ("text", "fast"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_tile\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512f\n", False),
        ("Features\t: fp asimd bf16\n", False),
        (None, False),
    ],
)
def test_fast_bf16_as_linux_tells_where_torch_does_not(text, fast, monkeypatch, tmp_path):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    flags = _cpu_flags(tmp_path / "cpuinfo")
    assert bool(flags & _BF16_FLAGS) is fast


def test_only_fp32_on_a_processor_that_was_measured(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert winograd_pays(CPU, torch.float32)
    assert not winograd_pays(CPU, torch.bfloat16)
    assert not winograd_pays(torch.device("cuda"), torch.float32)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert not winograd_pays(CPU, torch.float32)
