"""Frames, a track and speech in; frames whose lips say the speech out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, cast

import cv2
import numpy as np
from pydantic import Field

from lipwise.faces.blend import Region, match_colour, paste, region_mask
from lipwise.faces.crop import Box, cut, face_box, mouth_box, points_in_crop
from lipwise.faces.track import FaceTrack
from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.models.generator import Generator, GeneratorState
from lipwise.settings import Settings, as_settings
from lipwise.stages.speech import Speech
from lipwise.timeline import Timeline

Pixels = Annotated[int, Field(ge=0, le=2000)]


class LipsyncSettings(Settings):
    """How crops are cut, timed and pasted.

    Attributes:
        region: what is replaced; "rectangle" pastes the raw crop and shows in lessons why the others exist.
        feather: width of the soft edge in eye distances.
        pads: pixels added to the detector's box above, below, left and right, for generators that want a face box.
        audio_offset_s: how much later than its frame each mel window begins; above 0 the lips move earlier.
        gate_silence: close the mouth in pauses.
        batch_frames: frames generated at once.
    """

    region: Region = "lower_face"
    feather: Annotated[float, Field(gt=0, le=1)] = 0.18
    pads: tuple[Pixels, Pixels, Pixels, Pixels] = (0, 10, 0, 0)
    audio_offset_s: Annotated[float, Field(ge=-2, le=2)] = 0.0
    gate_silence: bool = True
    batch_frames: Annotated[int, Field(ge=1, le=512)] = 16


@dataclass(frozen=True, eq=False)
class LipsyncStep:
    """Every picture between a frame and its lip-synced version.

    Attributes:
        frame: (H, W, 3) uint8, the source.
        box: where the crop was cut.
        crop: what the generator was shown.
        generated: what it made, at the box's size.
        matched: the same in the frame's colours, float32.
        mask: (h, w) float32 over the box.
        result: (H, W, 3) uint8.
    """

    frame: np.ndarray
    box: Box
    crop: np.ndarray
    generated: np.ndarray
    matched: np.ndarray
    mask: np.ndarray
    result: np.ndarray


def prepare_lipsync(
    video: VideoInfo,
    track: FaceTrack,
    timeline: Timeline,
    speech: Speech,
    *,
    generator: Generator,
    settings: LipsyncSettings | Mapping[str, Any] | None = None,
) -> GeneratorState:
    """Let a generator look at the whole clip and the whole recording once, before any frame is made."""
    settings = as_settings(LipsyncSettings, settings)
    video = turn_video(video, track.rotation)
    offset_s = settings.audio_offset_s + generator.window_shift_s

    def read_frame(index: int) -> np.ndarray:
        return next(read_frames(video, [index]))

    def read_windows(first: int, count: int) -> np.ndarray:
        return speech.windows(timeline.fps, first=first, count=count, offset_s=offset_s)

    return generator.prepare(track.mesh_xy, timeline.source_index, read_frame, read_windows)


def lipsync_frames(
    video: VideoInfo,
    track: FaceTrack,
    timeline: Timeline,
    speech: Speech,
    *,
    generator: Generator,
    state: GeneratorState | None = None,
    part: slice | None = None,
    frames: Iterable[np.ndarray] | None = None,
    settings: LipsyncSettings | Mapping[str, Any] | None = None,
) -> Iterator[np.ndarray]:
    """Make lip-synced frames, a batch at a time.

    Args:
        video, track, timeline, speech: what `probe`, `track_faces`, `Timeline.for_speech` and `load_speech` gave. A
            clip that was turned upright for its track is turned here, too.
        generator: what makes the mouths; see `load_generator`.
        state: what `prepare_lipsync` gave; None calls it here.
        part: output frames to make; None is all of them.
        frames: the source frames of that part in output order; None reads them from the video.
        settings: None is the defaults.

    Yields:
        (H, W, 3) uint8 RGB. Frames with `synth` False come out untouched.
    """
    settings = as_settings(LipsyncSettings, settings)
    if state is None:
        state = prepare_lipsync(video, track, timeline, speech, generator=generator, settings=settings)
    part = part or slice(0, len(timeline))
    if frames is None:
        frames = read_frames(turn_video(video, track.rotation), timeline.source_index[part])
    stream, first = iter(frames), part.start
    while batch := list(islice(stream, settings.batch_frames)):
        numbers = np.arange(first, first + len(batch))
        first += len(batch)
        steps = lipsync_steps(
            batch, numbers, track, timeline, speech, generator=generator, state=state, settings=settings
        )
        yield from (frame if step is None else step.result for frame, step in zip(batch, steps, strict=True))


def lipsync_steps(
    frames: list[np.ndarray],
    numbers: np.ndarray,
    track: FaceTrack,
    timeline: Timeline,
    speech: Speech,
    *,
    generator: Generator,
    state: GeneratorState,
    settings: LipsyncSettings | Mapping[str, Any] | None = None,
) -> list[LipsyncStep | None]:
    """The same for a few frames at once, with every picture on the way; None where a frame passes untouched.

    Args:
        frames: source frames of the output frames `numbers`.
        numbers: (N,) output frame numbers, consecutive.
    """
    settings = as_settings(LipsyncSettings, settings)
    synth = timeline.synth[numbers]
    chosen = numbers[synth]
    if not len(chosen):
        return [None] * len(frames)
    sources = timeline.source_index[chosen]
    shown = [frame for frame, wanted in zip(frames, synth, strict=True) if wanted]
    boxes = [_crop_box(generator, track, source, frame, settings) for source, frame in zip(sources, shown, strict=True)]
    size = generator.crop_size
    crops = [cut(frame, box, size) for frame, box in zip(shown, boxes, strict=True)]
    points = [points_in_crop(track.mesh_xy[source], box, size) for source, box in zip(sources, boxes, strict=True)]
    offset_s = settings.audio_offset_s + generator.window_shift_s
    windows = speech.windows(timeline.fps, first=int(numbers[0]), count=len(numbers), offset_s=offset_s)[synth]
    generated = generator.render(crops, windows, points, state[chosen])
    made = iter(
        _blend(frame, box, crop, new, points_in_crop(track.mesh_xy[source], box), generator, settings)
        for frame, box, crop, new, source in zip(shown, boxes, crops, generated, sources, strict=True)
    )
    return [next(made) if wanted else None for wanted in synth]


def _crop_box(generator: Generator, track: FaceTrack, source: int, frame: np.ndarray, settings: LipsyncSettings) -> Box:
    size_wh = cast("tuple[int, int]", frame.shape[1::-1])
    if generator.crop == "face":
        return face_box(track.boxes_xyxy[source], track.mesh_xy[source], size_wh, pads=settings.pads)
    return mouth_box(track.mesh_xy[source], size_wh)


def _blend(
    frame: np.ndarray,
    box: Box,
    crop: np.ndarray,
    generated: np.ndarray,
    points_xy: np.ndarray,
    generator: Generator,
    settings: LipsyncSettings,
) -> LipsyncStep:
    if generated.shape[1::-1] != box.size_wh:
        generated = cv2.resize(generated, box.size_wh, interpolation=cv2.INTER_CUBIC)
    mask = region_mask(
        points_xy, box.size_wh, settings.region, feather=settings.feather, moves_beyond=generator.moves_beyond
    )
    raw = generator.keeps_colours or settings.region == "rectangle"
    matched = generated.astype(np.float32) if raw else match_colour(generated, box.of(frame), mask)
    return LipsyncStep(frame, box, crop, generated, matched, mask, paste(frame, matched, mask, box))
