"""A runner that gives way: memory that runs out and formats that overflow are faked."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from lipwise.errors import LipwiseError, LipwiseWarning, SettingsError
from lipwise.models.device import FP32_BATCHES_TO_STAY, BatchRunner

ALLOCATOR = "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried ..."


class Doubled(nn.Module):
    """Twice its input; runs out of memory above a batch, and overflows in fp16 where the input says so."""

    def __init__(self, most: int = 1000, error: Exception | None = None) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor([2.0]))
        self.most, self.error, self.batches = most, error, []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(x))
        if len(x) > self.most and self.error is not None:
            raise self.error
        return x * self.factor


class Overflowing(Doubled):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = super().forward(x)
        return y / 0 if x.dtype == torch.float16 and (x < 0).any() else y


def runner_of(model: nn.Module, **settings) -> BatchRunner:
    return BatchRunner(model, name="Fake", device="cpu", **({"precision": "fp32"} | settings))


def rows(count: int) -> torch.Tensor:
    return torch.arange(1.0, count + 1)[:, None]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 11])
def test_rows_come_back_in_order_whatever_the_batch(count):
    model = Doubled()
    output = runner_of(model, batch_size=4)(rows(count))
    assert torch.equal(output, 2 * rows(count))
    assert max(model.batches) <= 4


@pytest.mark.filterwarnings("ignore::lipwise.errors.LipwiseWarning")
@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), RuntimeError(ALLOCATOR), MemoryError()],
    ids=["cuda", "cpu", "python"],
)
def test_batch_is_halved_when_memory_runs_out_and_stays_so(error):
    model = Doubled(most=4, error=error)
    runner = runner_of(model, batch_size=16)
    with pytest.warns(LipwiseWarning, match="memory ran out with a batch of 16; going on with 8"):
        assert torch.equal(runner(rows(20)), 2 * rows(20))
    assert model.batches == [16, 8, 4, 4, 4, 4, 4]
    assert (runner.batch_size, runner.halvings) == (4, 2)
    model.batches.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runner(rows(6))
    assert model.batches == [4, 2]
    assert "batches of 4 fitted" in runner.remarks()[0]


def test_halving_starts_from_what_was_tried():
    runner = runner_of(Doubled(most=1, error=MemoryError()), batch_size=64)
    with pytest.warns(LipwiseWarning, match="batch of 3; going on with 1"):
        assert torch.equal(runner(rows(3)), 2 * rows(3))
    assert (runner.batch_size, runner.halvings) == (1, 1)


def test_memory_for_not_even_one_row_is_an_error():
    runner = runner_of(Doubled(most=0, error=RuntimeError(ALLOCATOR)), batch_size=2)
    with pytest.warns(LipwiseWarning), pytest.raises(LipwiseError, match=r"(?s)not fit.*can't allocate") as caught:
        runner(rows(2))
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_other_errors_are_not_taken_for_memory():
    model = Doubled(most=0, error=RuntimeError("sizes do not match"))
    runner = runner_of(model)
    with pytest.raises(RuntimeError, match="sizes do not match"):
        runner(rows(2))
    assert model.batches == [2]


def test_only_batches_that_overflow_are_computed_again_and_counted():
    runner = runner_of(Overflowing(), precision="fp16", batch_size=2)
    x = torch.tensor([[1.0], [2.0], [-3.0], [4.0], [5.0], [6.0]])
    with pytest.warns(LipwiseWarning, match="NaN or infinity in fp16; such batches are computed again in fp32"):
        output = runner(x)
    assert torch.equal(output, 2 * x)
    assert output.dtype == torch.float32
    assert (runner.fp32_batches, runner.dtype) == (1, torch.float16)
    assert "1 batches overflowed" in runner.remarks()[0]


@pytest.mark.filterwarnings("ignore::lipwise.errors.LipwiseWarning")
def test_after_some_overflows_the_runner_stays_in_fp32():
    runner = runner_of(Overflowing(), precision="fp16", batch_size=1)
    with pytest.warns(LipwiseWarning, match="staying in fp32"):
        output = runner(-rows(6))
    assert torch.equal(output, -2 * rows(6))
    assert (runner.fp32_batches, runner.dtype) == (FP32_BATCHES_TO_STAY, torch.float32)


def test_an_overflow_in_half_that_then_runs_out_of_memory_is_counted_once():
    class Both(Overflowing):
        def forward(self, x):
            if x.dtype == torch.float32 and len(x) > 1:
                raise MemoryError
            return super().forward(x)

    runner = runner_of(Both(), precision="fp16", batch_size=2)
    with pytest.warns(LipwiseWarning):
        output = runner(torch.tensor([[1.0], [-2.0]]))
    assert torch.equal(output, torch.tensor([[2.0], [-4.0]]))
    assert (runner.fp32_batches, runner.halvings) == (1, 1)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_what_is_not_finite_in_fp32_either_is_an_error(precision):
    with pytest.raises(LipwiseError, match="gave NaN or infinity"):
        runner_of(Doubled(), precision=precision)(torch.tensor([[np.nan]]))


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_the_network_gets_floats_in_its_precision_and_other_numbers_as_they_are(precision, dtype):
    class Asking(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, x, pictures):
            assert (x.dtype, self.weight.dtype, pictures.dtype) == (dtype, dtype, torch.uint8)
            assert pictures.is_contiguous(memory_format=torch.channels_last)
            return x

    runner = runner_of(Asking(), precision=precision)
    assert runner(rows(2), torch.zeros(2, 3, 4, 5, dtype=torch.uint8)).dtype == torch.float32


def test_a_batch_size_under_one_is_refused():
    with pytest.raises(SettingsError, match="batch_size 0"):
        runner_of(Doubled(), batch_size=0)
