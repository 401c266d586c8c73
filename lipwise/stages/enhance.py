"""Frames in; frames with restored faces, upscaled pictures, or both, out.

A face is restored at 512 px, from the frame as it came, and what the restorer changed is pasted into the upscaled
frame, so that no detail of it is thrown away. The mask is made from the source's mesh: what is restored in one frame is
restored in the next, whatever the mouth does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lipwise.errors import FaceError
from lipwise.faces.align import align_face, for_larger_frame, paste_change
from lipwise.faces.blend import match_colour
from lipwise.faces.flicker import FlickerMeter
from lipwise.faces.repeats import RepeatedFrames
from lipwise.faces.steady import Steadier
from lipwise.faces.track import FaceTrack
from lipwise.settings import as_settings
from lipwise.stages.aligned import (
    AlignedTrack,
    EnhanceSettings,
    align_track,
    aligned_mask,
    measure_flicker,
    result_rows,
)
from lipwise.timeline import Timeline

if TYPE_CHECKING:  # at run time these two would bring torch along
    from lipwise.models.restorers import Restorer
    from lipwise.models.upscalers import Upscaler


@dataclass(frozen=True, eq=False)
class EnhanceStep:
    """Every picture between a frame and its enhanced version.

    Attributes:
        frame: (H, W, 3) uint8, as it came.
        to_aligned: (2, 3) from its pixels to those of the aligned face; None, as the next four, where none is restored.
        aligned: (512, 512, 3) uint8, what the restorer was shown.
        restored: what it made of it, steadied.
        matched: the same in the frame's colours, float32.
        mask: (512, 512) float32, 1 = take the restored pixel.
        enlarged: the upscaled frame, steadied, without the restored face; the frame where nothing is upscaled.
        result: (H', W', 3) uint8.
    """

    frame: np.ndarray
    to_aligned: np.ndarray | None
    aligned: np.ndarray | None
    restored: np.ndarray | None
    matched: np.ndarray | None
    mask: np.ndarray | None
    enlarged: np.ndarray
    result: np.ndarray


def enhance_frames(
    frames: Iterable[np.ndarray],
    track: FaceTrack | None,
    timeline: Timeline | None = None,
    *,
    restorer: "Restorer | None" = None,
    upscaler: "Upscaler | None" = None,
    part: slice | None = None,
    meter: FlickerMeter | None = None,
    settings: EnhanceSettings | Mapping[str, Any] | None = None,
) -> Iterator[np.ndarray]:
    """Restore faces, then upscale, in memory that does not depend on the clip's length.

    A frame equal to the one before it is not computed again and gives the same bytes.

    Args:
        frames: (H, W, 3) uint8 RGB frames of the result, as lip-sync made them, or of the clip itself.
        track: the *source's* face; None restores none.
        timeline: which row of the track each frame belongs to; None takes them one by one.
        restorer: see `load_restorer`; None leaves faces alone.
        upscaler: see `load_upscaler`; None keeps the size.
        part: numbers of the result's frames that `frames` are; None is all of them.
        meter: adds up how much the faces flicker; None saves the time.
        settings: None is the defaults.

    Yields:
        (H', W', 3) uint8 RGB.

    Raises:
        FaceError: the track has no mesh, or is of frames of another size.
        ValueError: more frames than the track or the timeline has.
    """
    settings = as_settings(EnhanceSettings, settings)
    aligned = None if track is None else align_track(track, settings)
    shown = _shown(frames, aligned, timeline, first=(part or slice(0, None)).start or 0, settings=settings)
    loaded = partial(enhance_steps, restorer=restorer, upscaler=upscaler, steadier=Steadier(settings.steady))
    steps_of = partial(loaded, track=track, aligned=aligned, settings=settings)
    result = np.empty(0)
    for one, step in _with_steps(shown, steps_of, settings.batch_frames):
        result = result if step is None else step.result
        if step is not None and meter is not None:
            measure_flicker(meter, one.frame, result, one.row, track=track, aligned=aligned)
        yield result.copy()  # whoever draws on it does not draw on the next one


class ShownFrame(NamedTuple):
    """A frame of a result, (H, W, 3) uint8; its row in the track, None without a track; whether its face is restored;
    and whether it equals the frame before."""

    frame: np.ndarray
    row: int | None
    restore: bool
    repeated: bool = False


def _with_steps(
    shown: Iterator[ShownFrame], steps_of: Callable[[list[ShownFrame]], Iterator[EnhanceStep]], count: int
) -> Iterator[tuple[ShownFrame, EnhanceStep | None]]:
    """Each frame and what was made of it, so many frames at once; None for one that equals the frame before."""
    while batch := list(islice(shown, count)):
        steps = steps_of([one for one in batch if not one.repeated])
        yield from ((one, None if one.repeated else next(steps)) for one in batch)


def _shown(
    frames: Iterable[np.ndarray],
    aligned: AlignedTrack | None,
    timeline: Timeline | None,
    *,
    first: int,
    settings: EnhanceSettings,
) -> Iterator[ShownFrame]:
    repeats = RepeatedFrames()
    if aligned is None:
        yield from (ShownFrame(frame, None, False, repeats.is_repeat(frame)) for frame in frames)
        return
    rows, synth = result_rows(len(aligned.has_face), timeline)
    wanted = aligned.has_face[rows] & aligned.large_enough[rows] & (synth | (not settings.only_synthesised))
    last: bool | None = None
    for number, frame in enumerate(frames, first):
        if number >= len(rows):
            raise ValueError(f"expected at most {len(rows)} frames, got number {number}")
        restore = bool(wanted[number])
        same = repeats.is_repeat(frame) and restore == last
        last = restore
        yield ShownFrame(frame, int(rows[number]), restore, same)


def enhance_steps(
    shown: Sequence[ShownFrame],
    track: FaceTrack | None,
    aligned: AlignedTrack | None,
    *,
    restorer: "Restorer | None" = None,
    upscaler: "Upscaler | None" = None,
    steadier: Steadier | None = None,
    settings: EnhanceSettings | Mapping[str, Any] | None = None,
) -> Iterator[EnhanceStep]:
    """The same for a few frames whose faces are restored at once, with every picture on the way.

    Args:
        shown: the frames; `ShownFrame(frame, row, True)` restores the face of that row of the track.
        aligned: what `align_track` gave.
        steadier: knows the frames before; None shows each as the networks draw it.
    """
    settings = as_settings(EnhanceSettings, settings)
    chosen = [one for one in shown if one.restore and restorer is not None]
    faces = [cut_face(one, track, aligned, settings) for one in chosen]
    crops = [aligned_face for _, aligned_face, _ in faces]
    restored = restorer.restore(np.stack(crops)) if restorer is not None and crops else ()
    parts = iter(zip(faces, restored, strict=True))
    for one in shown:
        scene = int(track.shot[one.row]) if track is not None and one.row is not None else 0
        enlarged = one.frame if upscaler is None else upscaler.upscale(one.frame)
        if steadier is not None and upscaler is not None and upscaler.needs_weights:
            enlarged = steadier.pictures(one.frame, enlarged, scene=scene)
        if one.restore and restorer is not None:
            (to_aligned, crop, mask), new = next(parts)
            new = new if steadier is None else steadier.faces(crop, new, scene=scene)
            yield paste_face(one.frame, enlarged, to_aligned, crop, new, mask, settings)
            continue
        if steadier is not None:
            steadier.faces.restart()
        yield EnhanceStep(one.frame, None, None, None, None, None, enlarged, enlarged)


def cut_face(
    one: ShownFrame, track: FaceTrack | None, aligned: AlignedTrack | None, settings: EnhanceSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A face's map to its crop, the crop (512, 512, 3) uint8 and the mask over it (512, 512) float32.

    Raises:
        FaceError: the track is of frames of another size.
    """
    if track is None or aligned is None or one.row is None:
        raise ValueError("expected a track, its alignment and the frame's row in it, because a face is to be restored")
    _check_size(one.frame, track)
    to_aligned = aligned.to_aligned[one.row]
    mask = aligned_mask(track.mesh_xy[one.row], to_aligned, settings)
    crop = align_face(one.frame, to_aligned)
    return to_aligned, crop if crop.dtype == np.uint8 else np.rint(_in_8_bits(crop)).astype(np.uint8), mask


def _in_8_bits(picture: np.ndarray) -> np.ndarray:
    """A picture in units of 8 bits, float32 where it has 16."""
    return picture if picture.dtype == np.uint8 else picture.astype(np.float32) / 257


def paste_face(
    frame: np.ndarray,
    enlarged: np.ndarray,
    to_aligned: np.ndarray,
    crop: np.ndarray,
    restored: np.ndarray,
    mask: np.ndarray,
    settings: EnhanceSettings,
) -> EnhanceStep:
    """Put a restored face into the frame it was cut from, or into a larger version of it.

    Args:
        frame: (H, W, 3) uint8 or uint16.
        enlarged: (H', W', 3), the same picture upscaled, or the frame itself.
        to_aligned, crop, mask: what `cut_face` gave.
        restored: (512, 512, 3) uint8.
    """
    matched = match_colour(restored, crop, mask)
    size_wh, larger_wh = frame.shape[1::-1], enlarged.shape[1::-1]
    if size_wh == larger_wh:
        there, old = to_aligned, crop
    else:
        there = for_larger_frame(to_aligned, size_wh, larger_wh)
        old = _in_8_bits(align_face(enlarged, there))
    change = (matched - old) * (mask * np.float32(1 - settings.fidelity))[..., None]
    result = paste_change(enlarged, change, there)
    return EnhanceStep(frame, to_aligned, crop, restored, matched, mask, enlarged, result)


def _check_size(frame: np.ndarray, track: FaceTrack) -> None:
    """H.264 makes odd sides even by repeating a row or column at the end, which moves no face."""
    even = tuple(side + side % 2 for side in track.size_wh)
    if frame.shape[1::-1] not in (track.size_wh, even):
        raise FaceError(
            f"The faces were found in frames of {track.size_wh[0]} x {track.size_wh[1]} px",
            cause=f"the frame to restore has {frame.shape[1]} x {frame.shape[0]} px",
            next_step="restore before upscaling, or track the faces of these frames",
        )
