"""The built-in generator: the clip's own mouth, moved by a tiny network. Nothing to download; preview quality.

A network hears how open, wide, round and closed the mouth is (`viseme_net`); the frame's own mouth is warped along
the mesh's inner lips to that shape at full resolution (`mouth_warp`). It knows no faces but the one it is shown.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from lipwise.models.generator import GeneratorState, ReadFrame, ReadWindows
from lipwise.models.mouth_field import NECK_REACH
from lipwise.models.mouth_look import MouthLook, measure_look
from lipwise.models.mouth_shape import amplitude, mouth_targets
from lipwise.models.mouth_warp import warp_mouth
from lipwise.models.viseme_net import WINDOW_SHIFT_S, predict_mouth

WINDOWS_AT_ONCE = 1024
REDUCED = 0.9  # a frame whose amplitude is below this is counted as moving less than asked


class VisemeGenerator:
    """Moves the mouth that is there (see `lipwise.models.generator.Generator`)."""

    name = "viseme"
    note = "built-in generator, preview quality: it moves the mouth that is there and needs no download"
    crop: Literal["face", "mouth"] = "mouth"
    crop_size = None
    keeps_colours = True
    moves_beyond = NECK_REACH  # the skin under the chin goes along with the jaw
    window_shift_s = WINDOW_SHIFT_S

    def prepare(
        self, mesh_xy: np.ndarray, source_index: np.ndarray, read_frame: ReadFrame, read_windows: ReadWindows
    ) -> GeneratorState:
        """Hear the whole recording and look at the clip's mouth."""
        blocks = range(0, len(source_index), WINDOWS_AT_ONCE)
        mouth = np.concatenate(
            [predict_mouth(read_windows(first, min(WINDOWS_AT_ONCE, len(source_index) - first))) for first in blocks]
        )
        gap, width = mouth_targets(mouth)
        size = np.array([amplitude(points) for points in mesh_xy], np.float32)
        look = measure_look(mesh_xy, read_frame)
        per_frame = {"mouth": mouth, "gap": gap, "width": width, "amplitude": size[source_index]}
        return GeneratorState(look.to_arrays(), per_frame)

    def render(
        self,
        crops: Sequence[np.ndarray],
        mel_windows: np.ndarray,
        mesh_xy: Sequence[np.ndarray],
        state: GeneratorState,
    ) -> list[np.ndarray]:
        """Warp each mouth to its shape; the windows were heard in `prepare`."""
        look = MouthLook.from_arrays(state.clip)
        shapes = zip(state.per_frame["gap"], state.per_frame["width"], strict=True)
        return [
            warp_mouth(crop, points, float(gap), float(width), look)
            for crop, points, (gap, width) in zip(crops, mesh_xy, shapes, strict=True)
        ]

    def remarks(self, state: GeneratorState) -> list[str]:
        """Say how many frames move less than asked because the face is small or turned away."""
        less = int(np.count_nonzero(state.per_frame["amplitude"] < REDUCED))
        if not less:
            return []
        total = len(state.per_frame["amplitude"])
        return [f"{less} of {total} frames move their mouth less than asked: the face is small or turned away"]
