"""Where a network computes, in what precision, and how many pictures at a time."""

import copy
import itertools
import warnings
from typing import Literal, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lipwise.errors import LipwiseError, LipwiseWarning, SettingsError
from lipwise.models.processor import has_fast_bf16

Precision = Literal["auto", "fp32", "bf16", "fp16"]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}

# After this many batches that overflowed a runner stays in fp32: trying again and again costs time.
FP32_BATCHES_TO_STAY = 3

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED")


def choose_device(name: str | None = None) -> torch.device:
    """The device of that name; for None the graphics card if CUDA finds one, else the processor.

    Raises:
        SettingsError: there is no such device here.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA raises the latter
        raise SettingsError(
            f"no device {name!r}", cause=_first_line(error), next_step='Use "cpu", or None for the best one there is.'
        ) from error
    return device


def choose_dtype(device: torch.device, precision: Precision = "auto") -> torch.dtype:
    """The number format for a precision; "auto" is fp16 on CUDA, bf16 where the processor is fast at it, else fp32.

    Raises:
        SettingsError: no such precision.
    """
    if precision == "auto":
        if device.type == "cuda":
            return torch.float16
        return torch.bfloat16 if device.type == "cpu" and has_fast_bf16() else torch.float32
    if precision not in DTYPES:
        raise SettingsError(
            f"no precision {precision!r}", cause="it has no such name", next_step=f"Use auto, {', '.join(DTYPES)}."
        )
    return DTYPES[precision]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is how torch says that memory ran out, on a graphics card or off it."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


def fold_batch_norm(model: nn.Module) -> nn.Module:
    """Put each batch norm that follows a convolution in an `nn.Sequential` into the convolution's weights, in place.

    The outputs stay the same up to rounding. The model is in evaluation mode afterwards and cannot be trained further.
    """
    model.eval()
    for block in [module for module in model.modules() if isinstance(module, nn.Sequential)]:
        for index, (convolution, norm) in enumerate(itertools.pairwise(list(block))):
            if _can_fold(convolution) and isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None:
                transposed = isinstance(convolution, nn.ConvTranspose2d)
                block[index] = fuse_conv_bn_eval(convolution, norm, transpose=transposed)
                block[index + 1] = nn.Identity()
    return model


def _can_fold(module: nn.Module) -> TypeGuard[nn.Conv2d | nn.ConvTranspose2d]:
    if isinstance(module, nn.ConvTranspose2d):
        return module.groups == 1  # in groups, the output channels are not one axis of its weights
    return isinstance(module, nn.Conv2d)


class BatchRunner:
    """Runs a network over any number of pictures in batches that fit, in a fast precision that is watched.

    - Memory runs out: the batch is halved, for good, and the user warned.
    - A batch comes out with NaN or infinity in bf16 or fp16: it is computed again in fp32, and counted; after
      `FP32_BATCHES_TO_STAY` of them the runner stays in fp32.

    Args:
        model: takes tensors (B, ...) and gives one (B, ...), each row by itself. It is taken over: moved and set to
            evaluation mode. Floating inputs come to it in the working precision, others as they are.
        name: what warnings call it.
        device: None chooses, see `choose_device`.
        precision: see `choose_dtype`.
        batch_size: the most rows at once.

    Attributes:
        dtype: the precision of the next batch.
        batch_size: the size of the next batch.
        halvings: how often memory ran out.
        fp32_batches: how many batches were computed again in fp32.

    Raises:
        SettingsError: a device or precision that is not there, a batch size under 1.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        name: str,
        device: str | None = None,
        precision: Precision = "auto",
        batch_size: int = 16,
    ) -> None:
        if batch_size < 1:
            raise SettingsError(f"batch_size {batch_size}", cause="it is under 1", next_step="Use 1 or more.")
        self.name = name
        self.device = choose_device(device)
        self.dtype = choose_dtype(self.device, precision)
        self.batch_size = batch_size
        self.halvings = self.fp32_batches = 0
        # Apple's backend is not trusted with channels_last, and weights of five axes cannot be laid out so.
        plain = self.device.type == "mps" or any(weight.dim() == 5 for weight in model.parameters())
        self._layout = torch.contiguous_format if plain else torch.channels_last
        self._precise = model.eval().requires_grad_(False)
        self._fast: nn.Module | None = None
        if self.dtype == torch.float32:
            self._place(model)
        else:
            self._fast = self._place(copy.deepcopy(model).to(self.dtype))

    def __call__(self, *inputs: Tensor) -> Tensor:
        """The network's output (N, ...) float32 on the CPU for inputs of N rows each.

        Raises:
            LipwiseError: not even one row fits into memory, or the output is not finite in fp32 either.
        """
        outputs: list[Tensor] = []
        first = 0
        while first < len(inputs[0]) or not outputs:  # no rows still make one empty batch, which has the right shape
            rows = [tensor[first : first + self.batch_size] for tensor in inputs]
            output = self._attempt(rows)
            if output is None:
                self._halve(len(rows[0]))
                continue
            outputs.append(output)
            first += len(rows[0])
        return torch.cat(outputs)

    def remarks(self) -> list[str]:
        """What had to be given up, one sentence each, for a report."""
        said = []
        if self.halvings:
            said.append(f"{self.name}: memory ran out {self.halvings} times; batches of {self.batch_size} fitted.")
        if self.fp32_batches:
            said.append(f"{self.name}: {self.fp32_batches} batches overflowed and were computed again in fp32.")
        return said

    def _attempt(self, rows: list[Tensor]) -> Tensor | None:
        """The output, or None when memory ran out and a smaller batch can be tried."""
        try:
            return self._watched(rows)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if len(rows[0]) > 1:
                return None
            raise LipwiseError(
                f"{self.name} does not fit into memory",
                cause=f"one picture at a time on {self.device} is too much: {_first_line(error)}",
                next_step='Close other programs, or choose device="cpu".',
            ) from error

    def _halve(self, tried: int) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.batch_size = tried // 2
        self.halvings += 1
        self._warn(f"memory ran out with a batch of {tried}; going on with {self.batch_size}.")

    def _watched(self, rows: list[Tensor]) -> Tensor:
        if self._fast is not None:
            output = self._compute(self._fast, rows, self.dtype)
            if torch.isfinite(output).all():
                return output
            self._place(self._precise)
        output = self._compute(self._precise, rows, torch.float32)
        if not torch.isfinite(output).all():
            raise LipwiseError(
                f"{self.name} gave NaN or infinity",
                cause="it did so in fp32 as well, so its weights or what it was given are not finite",
                next_step="Check the weights file and the input.",
            )
        if self._fast is not None:
            self._count_fp32_batch()
        return output

    def _count_fp32_batch(self) -> None:
        self.fp32_batches += 1
        if self.fp32_batches == 1:
            self._warn(f"NaN or infinity in {_NAMES[self.dtype]}; such batches are computed again in fp32.")
        if self.fp32_batches == FP32_BATCHES_TO_STAY:
            self._warn(f"{self.fp32_batches} batches overflowed in {_NAMES[self.dtype]}; staying in fp32.")
            self._fast, self.dtype = None, torch.float32

    def _compute(self, model: nn.Module, rows: list[Tensor], dtype: torch.dtype) -> Tensor:
        with torch.inference_mode():
            return model(*(self._placed_input(tensor, dtype) for tensor in rows)).float().cpu()

    def _placed_input(self, tensor: Tensor, dtype: torch.dtype) -> Tensor:
        layout = self._layout if tensor.dim() == 4 else torch.contiguous_format
        moved = tensor.to(self.device, dtype) if tensor.is_floating_point() else tensor.to(self.device)
        return moved.contiguous(memory_format=layout)

    def _place(self, model: nn.Module) -> nn.Module:
        # The layout acts on tensors of four axes only. torch's own overloads leave memory_format out.
        return model.to(self.device, memory_format=self._layout)  # pyright: ignore[reportCallIssue]  # not in its stub

    def _warn(self, what: str) -> None:
        warnings.warn(f"{self.name}: {what}", LipwiseWarning, stacklevel=2)
