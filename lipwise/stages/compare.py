"""A result beside its source, frame by frame in one pass: nearness, seam, flicker."""

from dataclasses import dataclass

import cv2
import numpy as np
from tqdm.auto import tqdm

from lipwise.errors import SettingsError
from lipwise.faces.align import ALIGNED_PX, align_face
from lipwise.faces.blend import seam_energy
from lipwise.faces.track import FaceTrack
from lipwise.media.prefetch import prefetch
from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.stages.aligned import WHOLE_FACE, align_track, aligned_mask
from lipwise.stages.face_flicker import FaceFlicker
from lipwise.stages.fidelity import Fidelity, FidelityMeter
from lipwise.stages.pasted import PastedRegion
from lipwise.timeline import Timeline

SAME_SHAPE = 0.01  # by how much two pictures' ratios of width to height may differ, relative
WORST = 95  # percentile of the frames' seams that is told beside their mean


@dataclass(frozen=True, eq=False)
class PictureFigures:
    """What a result's pictures are like beside their source's.

    Attributes:
        outside, inside: nearness where nothing was touched, and where the picture is new.
        seam, seam_worst: see `lipwise.faces.blend.seam_energy`; mean and 95th percentile of the frames with a mask,
            NaN where there is none.
        flicker, trembling: see `lipwise.stages.face_flicker.FaceFlicker`; NaN where they cannot be told.
        curves: name -> (T,) float32, one value a frame, NaN where there is none.
    """

    outside: Fidelity
    inside: Fidelity
    seam: float
    seam_worst: float
    flicker: float
    trembling: float
    curves: dict[str, np.ndarray]


def compare_pictures(
    result: VideoInfo,
    source: VideoInfo,
    track: FaceTrack,
    timeline: Timeline,
    *,
    pasted: PastedRegion | None = None,
    progress: bool = False,
) -> PictureFigures:
    """Compare every frame of a result with the frame of the source that it was made from.

    A result of another size is resized to the source's; a row or column that H.264 added is cut off.

    Args:
        source: as its track was made: turned upright, the same part.
        track: the source's, with its mesh.
        timeline: which frame of the source each frame of the result was.
        pasted: what was replaced; None is the defaults of `lipsync_frames`.

    Raises:
        SettingsError: result and source are of different shapes.
    """
    check_shapes(result, source)
    meters = _Meters(track, timeline, pasted or PastedRegion())
    shown = prefetch(read_frames(source, timeline.source_index))
    both = zip(shown, read_frames(result), strict=True)
    bar = tqdm(both, desc="compare", total=len(timeline), unit="frame", disable=not progress)
    for number, (before, after) in enumerate(bar):
        meters.add(number, before, like_source(after, before))
    return meters.figures()


def check_shapes(result: VideoInfo, source: VideoInfo) -> None:
    """Raise SettingsError where one picture cannot be a scaled copy of the other."""
    if not is_resized(result, source):
        return
    ratio = (result.size_wh[0] * source.size_wh[1]) / (result.size_wh[1] * source.size_wh[0])
    if abs(ratio - 1) > SAME_SHAPE:
        raise SettingsError(
            f"The pictures of {result.path.name} and {source.path.name} cannot be laid on each other",
            cause=f"they are {result.size_wh[0]} x {result.size_wh[1]} and {source.size_wh[0]} x {source.size_wh[1]} "
            "pixels, of different shapes",
            next_step="compare with the clip this result was made from, uncropped",
        )


def is_resized(result: VideoInfo, source: VideoInfo) -> bool:
    """Whether a result has another size than its source, beyond the row or column that H.264 adds."""
    return result.size_wh not in (source.size_wh, _padded(source.size_wh))


def _padded(size_wh: tuple[int, int]) -> tuple[int, int]:
    width, height = size_wh
    return width + width % 2, height + height % 2


def like_source(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The result's frame at the size of the source's."""
    height, width = before.shape[:2]
    if after.shape[1::-1] in ((width, height), _padded((width, height))):
        return after[:height, :width]
    shrinks = after.shape[1] > width
    return cv2.resize(after, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


class _Meters:
    """Takes pairs of frames in order and adds up what is measured on them."""

    def __init__(self, track: FaceTrack, timeline: Timeline, pasted: PastedRegion) -> None:
        self._track, self._timeline, self._pasted = track, timeline, pasted
        self._fidelity, self._flicker = FidelityMeter(), FaceFlicker()
        self._aligned = align_track(track, WHOLE_FACE)
        names = ("psnr_outside_db", "ssim_outside", "psnr_inside_db", "ssim_inside", "seam")
        self._curves = {name: np.full(len(timeline), np.nan, np.float32) for name in names}

    def add(self, number: int, before: np.ndarray, after: np.ndarray) -> None:
        row = int(self._timeline.source_index[number])
        has_face = bool(self._aligned.has_face[row])
        size_wh = before.shape[1], before.shape[0]
        mask = self._pasted.mask(self._track, row, size_wh) if has_face and self._timeline.synth[number] else None
        outside, inside = self._fidelity.add(after, before, mask)
        values = [*outside, *inside, np.nan if mask is None else seam_energy(after, before, mask)]
        for curve, value in zip(self._curves.values(), values, strict=True):
            curve[number] = value
        if not has_face or (number and abs(row - int(self._timeline.source_index[number - 1])) > 1):
            self._flicker.restart()
        if has_face:
            self._add_flicker(row, before, after)

    def _add_flicker(self, row: int, before: np.ndarray, after: np.ndarray) -> None:
        to_aligned = self._aligned.to_aligned[row]
        face = aligned_mask(self._track.mesh_xy[row], to_aligned, WHOLE_FACE)
        lips = self._pasted.lips_mask(self._track, row, (before.shape[1], before.shape[0]))
        rest = np.where(cv2.warpAffine(lips, to_aligned, (ALIGNED_PX, ALIGNED_PX)) > 0, np.float32(0), face)
        pictures = align_face(before, to_aligned), align_face(after, to_aligned)
        self._flicker.add(*pictures, face, rest, scene=int(self._track.shot[row]))

    def figures(self) -> PictureFigures:
        seams = self._curves["seam"][np.isfinite(self._curves["seam"])]
        return PictureFigures(
            outside=self._fidelity.outside,
            inside=self._fidelity.inside,
            seam=float(seams.mean()) if len(seams) else float("nan"),
            seam_worst=float(np.percentile(seams, WORST)) if len(seams) else float("nan"),
            flicker=self._flicker.flicker,
            trembling=self._flicker.trembling,
            curves=self._curves,
        )
