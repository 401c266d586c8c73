"""Real networks on real clips: the face flickers hardly more than it did, because what they draw is held steady."""

import cv2
import numpy as np
import pytest
from enhance_parts import enhanced, track_of

import lipwise as lw

ANIME = "realesr-animevideov3.from_ncnn_fp16.pth"
X4PLUS = "RealESRGAN_x4plus.from_ncnn_fp16.pth"
MOST_FLICKER = 1.15


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
