"""Which pixels of a frame may have been made anew: the mask a result was pasted through, made again from its track."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lipwise.faces.blend import region_mask
from lipwise.faces.crop import Box, face_box, mouth_box, points_in_crop
from lipwise.faces.track import FaceTrack
from lipwise.stages.aligned import EnhanceSettings
from lipwise.stages.generators import BUILT_IN, check_generator_name
from lipwise.stages.lipsync import LipsyncSettings

BLURRED = 0.75  # of the feather: how far the restored face's softened edge reaches beyond it (three sigma)


@dataclass(frozen=True)
class PastedRegion:
    """How a result was pasted into its source.

    Attributes:
        generator: what made the mouths, as for `load_generator`; it decides where crops are cut.
        lipsync: the settings they were made with.
        restored: the settings faces were restored with; None where none were.

    Raises:
        SettingsError: there is no such generator.
    """

    generator: str = BUILT_IN
    lipsync: LipsyncSettings = field(default_factory=LipsyncSettings)
    restored: EnhanceSettings | None = None

    def __post_init__(self) -> None:
        check_generator_name(self.generator)

    def lips_mask(self, track: FaceTrack, row: int, size_wh: tuple[int, int]) -> np.ndarray:
        """(H, W) float32 over a whole source frame: 0 where new lips left everything as it was, 1 where all is new.

        Args:
            track: the source's, with its mesh. row: of the source frame; it has a face.
            size_wh: of the frame.
        """
        crop, moves_beyond = _cut_by(self.generator)
        points, box = track.mesh_xy[row], mouth_box(track.mesh_xy[row], size_wh)
        if crop == "face":
            box = face_box(track.boxes_xyxy[row], points, size_wh, pads=self.lipsync.pads)
        mask = np.zeros(size_wh[::-1], np.float32)
        box.of(mask)[:] = region_mask(
            points_in_crop(points, box),
            box.size_wh,
            self.lipsync.region,
            feather=self.lipsync.feather,
            moves_beyond=moves_beyond,
        )
        return mask

    def mask(self, track: FaceTrack, row: int, size_wh: tuple[int, int]) -> np.ndarray:
        """The same with everything that restoration may have touched."""
        lips = self.lips_mask(track, row, size_wh)
        if self.restored is None:
            return lips
        return np.maximum(lips, _restored_mask(track.mesh_xy[row], size_wh, self.restored))


def _cut_by(generator: str) -> tuple[Literal["face", "mouth"], float]:
    """How a generator's crops are cut, and how far outside the face it moves pixels."""
    if generator == BUILT_IN:
        from lipwise.models.viseme import VisemeGenerator

        return VisemeGenerator.crop, VisemeGenerator.moves_beyond
    from lipwise.models.wav2lip import Wav2Lip

    return Wav2Lip.crop, Wav2Lip.moves_beyond


def _restored_mask(points_xy: np.ndarray, size_wh: tuple[int, int], settings: EnhanceSettings) -> np.ndarray:
    """Where a restored face was pasted, a little wider than it was: `aligned_mask` softens its edge outward."""
    reach = settings.dilate + BLURRED * settings.feather
    whole = Box(0, 0, *size_wh)
    return region_mask(
        points_in_crop(points_xy, whole), size_wh, settings.region, feather=settings.feather, moves_beyond=reach
    )
