"""Real networks on real clips: the face flickers hardly more than it did, because what they draw is held steady."""

import cv2
import numpy as np
import pytest
import torch
from enhance_parts import enhanced, track_of

import lipwise as lw
from lipwise.models.device import BatchRunner
from lipwise.models.restorer_networks import KINDS
from lipwise.models.restorers import FACE_PX, NetworkRestorer

ANIME = "realesr-animevideov3.from_ncnn_fp16.pth"
X4PLUS = "RealESRGAN_x4plus.from_ncnn_fp16.pth"
MOST_FLICKER = 1.15
UNSTEADIED, AS_SHIPPED = lw.EnhanceSettings(steady=0), lw.EnhanceSettings()


def small_face(path, frames: int, px: int) -> tuple[list[np.ndarray], lw.FaceTrack]:
    """The face of a clip's first frames, cut out and shrunk to `px`, and its track there."""
    video = lw.probe(path).part(0, frames)
    track = lw.track_faces(video)
    assert track.has_face.all()
    low, high = track.mesh_xy.min((0, 1)), track.mesh_xy.max((0, 1))
    side = int(1.3 * (high - low).max())
    left, top = np.clip(((low + high - side) / 2).astype(int), 0, np.array(video.size_wh) - side)
    cut = [frame[top : top + side, left : left + side] for frame in lw.read_frames(video)]
    shrunk = [cv2.resize(frame, (px, px), interpolation=cv2.INTER_AREA) for frame in cut]
    meshes = (track.mesh_xy - (left, top) + 0.5) * (px / side) - 0.5
    return shrunk, track_of(meshes, size_wh=(px, px))


def flicker(clip: list[np.ndarray], track: lw.FaceTrack, upscaler, *, steady: float) -> float:
    meter = lw.FlickerMeter()
    enhanced(clip, track, upscaler=upscaler, meter=meter, settings=lw.EnhanceSettings(steady=steady))
    assert meter.pairs == len(clip) - 1
    return meter.ratio


@pytest.mark.parametrize(
    ("clip", "weights", "frames", "px"),
    [
        ("video-retalking__5.mp4", ANIME, 8, 96),
        pytest.param("video-retalking__5.mp4", ANIME, 24, 128, marks=pytest.mark.slow),
        pytest.param("video-retalking__2.mp4", ANIME, 24, 128, marks=pytest.mark.slow),
        pytest.param("video-retalking__5.mp4", X4PLUS, 8, 48, marks=pytest.mark.slow),
    ],
)
def test_a_real_upscaler_flickers_hardly_more_than_the_clip(
    shared_clip, shared_weights, face_mesh, clip, weights, frames, px
):
    path = shared_weights / weights
    if not path.is_file():
        pytest.skip(f"the shared weights {weights} are not there")
    face, track = small_face(shared_clip(clip), frames, px)
    plain, steadied = (flicker(face, track, lw.load_upscaler(str(path)), steady=steady) for steady in (0, 0.8))
    assert steadied <= MOST_FLICKER
    assert steadied < plain


class Sharpening(torch.nn.Module):
    """An unsharp mask over faces (N, 3, 512, 512) in -1 to 1, as GFPGAN's network takes and gives them."""

    def __init__(self, amount: float, sigma_px: float = 3.0) -> None:
        super().__init__()
        reach = int(3 * sigma_px)
        weights = torch.exp(-torch.arange(-reach, reach + 1.0).square() / (2 * sigma_px**2))
        self.reach, self.amount = reach, amount
        self.register_buffer("kernel", torch.outer(weights, weights) / weights.sum().square())

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        padded = torch.nn.functional.pad(faces, (self.reach,) * 4, mode="reflect")
        kernel = self.kernel.to(faces.dtype).expand(3, 1, -1, -1)
        return faces + self.amount * (faces - torch.nn.functional.conv2d(padded, kernel, groups=3))


class Redrawing:
    """Shrinks a face and lets a real Real-ESRGAN network draw it anew, as a restorer does."""

    name = engine = note = "redrawing"
    needs_weights = True

    def __init__(self, weights) -> None:
        self.upscaler = lw.load_upscaler(str(weights), device="cpu")

    def restore(self, faces: np.ndarray) -> np.ndarray:
        side = FACE_PX // 4
        small = [cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA) for face in faces]
        return np.stack([self.upscaler.upscale(face) for face in small])

    def remarks(self) -> list[str]:
        return []


def sharpening() -> NetworkRestorer:
    runner = BatchRunner(Sharpening(1.5), name="sharpening", device="cpu", precision="fp32", batch_size=4)
    return NetworkRestorer(runner, KINDS[0], name="sharpening", engine="gfpgan")


@pytest.fixture(scope="session")
def sample_clip(tmp_path_factory):
    return lw.make_sample(tmp_path_factory.mktemp("sample")).face


def restored(path, restorer, frames: int, settings: lw.EnhanceSettings) -> tuple[float, float]:
    """How much the face flickers in relation to before, and by how many grey levels its box changed."""
    video = lw.probe(path).part(0, frames)
    track, shown, meter = lw.track_faces(video), list(lw.read_frames(video)), lw.FlickerMeter()
    made = enhanced(shown, track, restorer=restorer, meter=meter, settings=settings)
    assert meter.pairs == frames - 1
    left, top, right, bottom = np.nanmean(track.boxes_xyxy, axis=0).astype(int)
    change = [
        np.abs(one[top:bottom, left:right].astype(int) - other[top:bottom, left:right])
        for one, other in zip(made, shown, strict=True)
    ]
    return meter.ratio, float(np.mean(change))


@pytest.mark.parametrize(
    "clip",
    [
        pytest.param("", id="the sample"),
        pytest.param("video-retalking__5.mp4", marks=pytest.mark.slow),
        pytest.param("video-retalking__2.mp4", marks=pytest.mark.slow),
    ],
)
def test_a_restorer_flickers_hardly_more_than_the_clip(clip, sample_clip, face_mesh, request):
    """A network that really changes the face, where those of GFPGAN and others are: their files may not be shipped."""
    path = request.getfixturevalue("shared_clip")(clip) if clip else sample_clip
    plain, steadied = (restored(path, sharpening(), 12, settings) for settings in (UNSTEADIED, AS_SHIPPED))
    assert plain[0] > 1.5, "it does not flicker by itself, so nothing is shown"
    assert steadied[0] <= MOST_FLICKER
    assert steadied[1] > 0.8 * plain[1] > 1, "what it draws is held steady, not taken away"


@pytest.mark.slow
@pytest.mark.parametrize(
    "clip", [pytest.param("", id="the sample"), "video-retalking__5.mp4", "video-retalking__2.mp4"]
)
def test_a_face_that_a_real_network_draws_anew_flickers_hardly_more(
    clip, sample_clip, shared_weights, face_mesh, request
):
    weights = shared_weights / ANIME
    if not weights.is_file():
        pytest.skip(f"the shared weights {ANIME} are not there")
    path = request.getfixturevalue("shared_clip")(clip) if clip else sample_clip
    plain, steadied = (restored(path, Redrawing(weights), 8, settings) for settings in (UNSTEADIED, AS_SHIPPED))
    assert steadied[0] <= MOST_FLICKER
    assert steadied[0] < plain[0]
    assert steadied[1] > 0.8 * plain[1] > 0.8
