"""Putting quicker modules in the place of a network's own, and the convolutions that quicker ones are known for."""

from collections.abc import Callable
from typing import TypeGuard

from torch import nn


def rewrite(network: nn.Module, substitute: Callable[[nn.Module], nn.Module | None]) -> int:
    """Put, in place, a substitute for every module inside a network that has one; returns how many.

    Args:
        substitute: gives what stands in for a module, or None where its own modules are looked through instead.
    """
    count = 0
    for name, child in list(network.named_children()):
        other = substitute(child)
        if other is None:
            count += rewrite(child, substitute)
        else:
            setattr(network, name, other)
            count += 1
    return count


def is_plain_conv3(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether it is a 3 x 3 convolution of all channels at every pixel, with a border of one zero pixel."""
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (3, 3)
        and module.stride == module.dilation == module.padding == (1, 1)
        and module.padding_mode == "zeros"
        and module.groups == 1
    )
