"""The network as it is trained: with batch normalisation, which is folded into the weights before they are saved."""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lipwise.models.viseme_net import VisemeNet


def _normalised(layers: nn.Sequential, last_is_plain: bool) -> nn.Sequential:
    """The same layers with a normalisation behind each convolution (but not behind a plain last one)."""
    result: list[nn.Module] = []
    for layer in layers:
        result.append(layer)
        if isinstance(layer, nn.Conv2d):
            result.append(nn.BatchNorm2d(layer.out_channels))
        elif isinstance(layer, nn.Conv1d) and not (last_is_plain and layer is layers[-1]):
            result.append(nn.BatchNorm1d(layer.out_channels))
    return nn.Sequential(*result)


def _folded(layers: nn.Sequential) -> nn.Sequential:
    """The inverse: each convolution with its normalisation's scale and shift inside."""
    result: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            result[-1] = fuse_conv_bn_eval(result[-1], layer)  # pyright: ignore[reportArgumentType] -- a convolution
        else:
            result.append(layer)
    return nn.Sequential(*result)


class NormalisedNet(nn.Module):
    """VisemeNet with batch normalisation; converges several times faster."""

    def __init__(self) -> None:
        super().__init__()
        net = VisemeNet()
        self.bands = _normalised(net.bands, last_is_plain=False)
        self.steps = _normalised(net.steps, last_is_plain=True)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """As VisemeNet: (N, 80, S) to (N, 4, S - 15)."""
        return torch.sigmoid(self.steps(self.bands(mel[:, None] / 4).flatten(1, 2)))

    def fold(self) -> VisemeNet:
        """The plain network with the same output in eval mode."""
        self.eval()
        net = VisemeNet()
        net.bands, net.steps = _folded(self.bands), _folded(self.steps)
        return net.eval()
