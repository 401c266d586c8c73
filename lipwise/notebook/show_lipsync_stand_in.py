"""A stand-in for Wav2Lip that needs no weights, so that lessons can break each of Wav2Lip's steps and show what comes.

It is the built-in generator behind Wav2Lip's keyhole: the crop of a face box with pads, 96 x 96 pixels out, pasted
through a mask with its colours matched. Only the network in the middle is another one.
"""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from lipwise.faces.blend import match_colour, paste, region_mask
from lipwise.faces.crop import Box, clip_box, cut, points_in_crop
from lipwise.models.generator import GeneratorState, ReadFrame, ReadWindows
from lipwise.models.mouth_shape import mouth_targets
from lipwise.models.viseme import VisemeGenerator
from lipwise.models.viseme_net import MEL_BANDS, WINDOW_SHIFT_S, WINDOW_STEPS, predict_mouth
from lipwise.stages.lipsync import LipsyncStep

KEYHOLE_PX = 96  # Wav2Lip's side of a face


class StandIn:
    """The built-in mouth behind Wav2Lip's keyhole (see `lipwise.models.generator.Generator`).

    Args:
        forgets_bgr: give the face back in BGR, as Wav2Lip's network does, and let nobody turn it round.
    """

    name = "stand-in"
    note = "the built-in generator's mouth through Wav2Lip's box of 96 x 96 pixels; for lessons"
    crop: Literal["face", "mouth"] = "face"
    crop_size = None  # the mouth is warped at full size and shrunk afterwards
    keeps_colours = False
    moves_beyond = 0.0
    window_shift_s = WINDOW_SHIFT_S

    def __init__(self, *, forgets_bgr: bool = False) -> None:
        self.inner = VisemeGenerator()
        self.forgets_bgr = forgets_bgr

    def prepare(
        self, mesh_xy: np.ndarray, source_index: np.ndarray, read_frame: ReadFrame, read_windows: ReadWindows
    ) -> GeneratorState:
        """What the built-in generator finds out."""
        return self.inner.prepare(mesh_xy, source_index, read_frame, read_windows)

    def render(
        self,
        crops: Sequence[np.ndarray],
        mel_windows: np.ndarray,
        mesh_xy: Sequence[np.ndarray],
        state: GeneratorState,
    ) -> list[np.ndarray]:
        """New faces (96, 96, 3) uint8 from crops of any size."""
        side = (KEYHOLE_PX, KEYHOLE_PX)
        made = self.inner.render(crops, mel_windows, mesh_xy, state)
        small = [cv2.resize(face, side, interpolation=cv2.INTER_AREA) for face in made]
        return [np.ascontiguousarray(face[..., ::-1]) for face in small] if self.forgets_bgr else small

    def remarks(self, state: GeneratorState) -> list[str]:
        """What the built-in generator has to say."""
        return self.inner.remarks(state)


def hears(state: GeneratorState, mel_windows: np.ndarray) -> GeneratorState:
    """The built-in generator's state, had it heard other windows.

    Args:
        state: what its `prepare` gave.
        mel_windows: (T_out, 80, 16), one for each frame.
    """
    mouth = predict_mouth(mel_windows)
    gap, width = mouth_targets(mouth)
    return GeneratorState(state.clip, {**state.per_frame, "mouth": mouth, "gap": gap, "width": width})


def through_box(frame: np.ndarray, mesh_xy: np.ndarray, box: Box, state: GeneratorState) -> LipsyncStep:
    """One frame by hand, with the stand-in's mouth and a box of your own, which the stage would never cut.

    Args:
        frame: (H, W, 3) uint8 RGB.
        mesh_xy: (468, 2) in frame pixels.
        box: what of it lies outside the frame is left out.
        state: the built-in generator's, of this one frame.
    """
    box = clip_box(box, (frame.shape[1], frame.shape[0]))
    crop, points = cut(frame, box), points_in_crop(mesh_xy, box)
    no_windows = np.empty((1, MEL_BANDS, WINDOW_STEPS), np.float32)  # they were heard when the state was made
    made = StandIn().render([crop], no_windows, [points], state)[0]
    made = cv2.resize(made, box.size_wh, interpolation=cv2.INTER_CUBIC)
    mask = region_mask(points, box.size_wh)
    matched = match_colour(made, box.of(frame), mask)
    return LipsyncStep(frame, box, crop, made, matched, mask, paste(frame, matched, mask, box))
