"""Our networks against the published code's: same names, same pictures."""

import pytest
import torch

from lipwise.errors import LipwiseError
from lipwise.models import sr_networks
from lipwise.models.sr_networks import RRDBNet, SRVGGNetCompact, network_for

# Those of the checkpoints: x4plus, x4plus_anime_6B, x2plus; general-x4v3, animevideov3; and other sizes.
RRDB = [
    {"blocks": 23},
    {"blocks": 6},
    {"blocks": 23, "scale": 2},
    {"blocks": 1, "scale": 1, "features": 8, "growth": 4},
]
SHORT_RRDB = [{**sizes, "blocks": min(sizes["blocks"], 2)} for sizes in RRDB if sizes["blocks"] != 6]
SRVGG = [{"convolutions": 32}, {"convolutions": 16}, {"convolutions": 2, "scale": 3, "features": 12}]


@pytest.fixture(scope="module")
def import_engine():
    engines = pytest.importorskip("lipwise.models.engines", reason="the engines cannot be imported without it")

    def imported(name: str, module: str):
        try:
            engines.import_engine(name)
        except LipwiseError as error:
            pytest.skip(f"{name}: {error.cause}")
        return __import__(module, fromlist=["*"])

    return imported


def shapes_of(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


@torch.inference_mode()
def assert_same_pictures(ours: torch.nn.Module, theirs: torch.nn.Module) -> None:
    theirs.load_state_dict(ours.state_dict())
    pictures = torch.rand(1, 3, 12, 16)
    torch.testing.assert_close(ours.eval()(pictures), theirs.eval()(pictures), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("sizes", SHORT_RRDB, ids=str)  # basicsr takes its time over making weights for 23 blocks
def test_rrdbnet_is_basicsrs(import_engine, sizes):
    theirs = import_engine("basicsr", "basicsr.archs.rrdbnet_arch").RRDBNet
    ours = RRDBNet(**sizes)
    names = {"num_block": len(ours.body), "num_feat": sizes.get("features", 64)}
    other = theirs(3, 3, scale=ours.scale, num_grow_ch=sizes.get("growth", 32), **names)
    assert_same_pictures(ours, other)


@pytest.mark.parametrize("sizes", SRVGG, ids=str)
def test_srvgg_is_realesrgans(import_engine, sizes):
    theirs = import_engine("realesrgan", "realesrgan.archs.srvgg_arch").SRVGGNetCompact
    ours = SRVGGNetCompact(**sizes)
    other = theirs(num_feat=sizes.get("features", 64), num_conv=sizes["convolutions"], upscale=ours.scale)
    assert_same_pictures(ours, other)


@pytest.mark.parametrize(("kind", "sizes"), [*((RRDBNet, s) for s in RRDB), *((SRVGGNetCompact, s) for s in SRVGG)])
def test_a_network_is_known_by_its_shapes(kind, sizes):
    with torch.device("meta"):
        network = kind(**sizes)
    found = network_for(shapes_of(network))
    assert type(found) is kind
    assert shapes_of(found) == shapes_of(network)
    assert (found.scale, found.multiple, found.reach) == (network.scale, network.multiple, network.reach)


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {"body.0.weight": (64, 3, 3, 3)},
        {"body.0.weight": (64, 1, 3, 3), "body.1.weight": (64,), "body.2.weight": (16, 64, 3, 3)},
        {"body.0.rdb1.conv1.weight": (32, 64, 3, 3)},
        {"body.0.rdb1.conv1.weight": (32, 64, 3, 3), "conv_first.weight": (64, 1, 3, 3)},
        {"conv_first.weight": (64, 3, 3, 3), "RRDB_trunk.0.RDB1.conv1.weight": (32, 64, 3, 3)},
    ],
)
def test_other_networks_are_not_taken_for_ours(shapes):
    assert network_for(shapes) is None


@torch.inference_mode()
def test_strips_of_the_last_layers_leave_no_trace(monkeypatch):
    torch.manual_seed(9)
    network = RRDBNet(blocks=1, features=8, growth=4).eval()
    pictures = torch.rand(1, 3, 50, 7)
    whole = network(pictures)
    monkeypatch.setattr(sr_networks, "STRIP_ROWS", 9)
    torch.testing.assert_close(network(pictures), whole, atol=1e-6, rtol=1e-5)
