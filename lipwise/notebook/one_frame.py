"""One frame through the whole chain before the long run: what it will look like, and how long all of it will take.

Only about a second of the clip round the frame is looked at. So the face's smoothing and the generator's statistics
(how wide the mouth is, where teeth are seen) may differ a little from those of the whole clip.
"""

import tempfile
import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import numpy as np

from lipwise.errors import FaceError, LipwiseWarning, SettingsError
from lipwise.faces.track import FaceTrack
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.write import write_video
from lipwise.models.generator import Generator
from lipwise.notebook.show_enhance_offers import duration
from lipwise.notebook.timed import timed
from lipwise.pipeline.check import check_recipe
from lipwise.pipeline.plan import used_part
from lipwise.recipe import QUANTISER, Recipe
from lipwise.stages.aligned import align_track
from lipwise.stages.clean import examine
from lipwise.stages.enhance import EnhanceStep, ShownFrame, enhance_steps
from lipwise.stages.enhancers import Enhancers
from lipwise.stages.lipsync import LipsyncStep, lipsync_steps, prepare_lipsync
from lipwise.stages.refusals import BETTER_CLIP, check_any_face
from lipwise.stages.speech import Speech, load_speech
from lipwise.timeline import Timeline

REACH = 12  # frames looked at on either side


@dataclass(frozen=True, eq=False)
class _Later(Speech):
    """Speech counted from a later output frame on."""

    first_frame: int = 0

    def windows(self, fps: Fraction, *, first: int, count: int, offset_s: float = 0.0) -> np.ndarray:
        return super().windows(fps, first=self.first_frame + first, count=count, offset_s=offset_s)


@dataclass(frozen=True, eq=False)
class Stretch:
    """What there is round one frame of the result.

    Attributes:
        recipe: what is to be made.
        frames: of the result.
        number: the frame of the result that is looked at.
        place: its row in `timeline`, and so in everything below.
        video: the frames of the clip round it, upright.
        track: the face in them.
        timeline: which of them feeds each output frame.
        speech: counted as the timeline is.
        find_s: seconds a frame that finding the face took.
        hear_s: seconds that loading the recording took.
    """

    recipe: Recipe
    frames: int
    number: int
    place: int
    video: VideoInfo
    track: FaceTrack
    timeline: Timeline
    speech: Speech
    find_s: float
    hear_s: float

    @property
    def frame(self) -> np.ndarray:
        """(H, W, 3) uint8, the clip's frame."""
        return next(read_frames(self.video, [self.row]))

    @property
    def row(self) -> int:
        """The frame's row in the track."""
        return int(self.timeline.source_index[self.place])

    @property
    def has_face(self) -> bool:
        """Whether the frame gets new lips."""
        return bool(self.timeline.synth[self.place])

    def lipsync(self, generator: Generator) -> tuple[LipsyncStep | None, float]:
        """The frame with new lips, None where nobody is seen, and the seconds it took."""
        state = prepare_lipsync(
            self.video, self.track, self.timeline, self.speech, generator=generator, settings=self.recipe.lipsync
        )
        frame, place = self.frame, np.array([self.place])

        def make() -> list[LipsyncStep | None]:
            return lipsync_steps(
                [frame],
                place,
                self.track,
                self.timeline,
                self.speech,
                generator=generator,
                state=state,
                settings=self.recipe.lipsync,
            )

        (step,), spent = timed(make)
        return step, spent


@dataclass(frozen=True, eq=False)
class Preview:
    """One frame through the whole chain.

    Attributes:
        stretch: where it was taken from.
        lipsync: every picture on the way to new lips; None where nobody is seen.
        enhanced: every picture on the way from there.
        seconds: stage -> seconds a frame.
    """

    stretch: Stretch
    lipsync: LipsyncStep | None
    enhanced: EnhanceStep
    seconds: dict[str, float]

    @property
    def before(self) -> np.ndarray:
        """(H, W, 3) uint8, the clip's frame."""
        return self.enhanced.frame if self.lipsync is None else self.lipsync.frame

    @property
    def result(self) -> np.ndarray:
        """(H', W', 3) uint8, the frame as the run will write it, before encoding."""
        return self.enhanced.result

    @property
    def total_s(self) -> float:
        """Seconds for the whole result, as this frame took; loading networks is not in it."""
        return self.stretch.hear_s + self.stretch.frames * sum(self.seconds.values())

    def __str__(self) -> str:
        frames = self.stretch.frames
        each = ", ".join(f"{stage} {duration(frames * spent)}" for stage, spent in self.seconds.items())
        height, width = self.result.shape[:2]
        return (
            f"about {duration(self.total_s)} for {frames} frames of {width} x {height}, loading not counted\n  {each}\n"
            f"  judged by frame {self.stretch.number} alone"
        )


def look_round(recipe: Recipe, number: int) -> Stretch:
    """Look at about a second of the clip round one frame of the result.

    Args:
        number: a frame of the result; beyond its end, the last one, with a LipwiseWarning.

    Raises:
        SettingsError: the result has no such frame, or would overwrite an input.
        FaceError: nobody is seen there.
        LipwiseError: whatever else is wrong with clip, recording or the result's name, as a run would say.
    """
    check_recipe(recipe)
    begun = perf_counter()
    speech = load_speech(
        recipe.speech,
        start_s=recipe.speech_start_s,
        end_s=recipe.speech_end_s,
        gate_silence=recipe.lipsync.gate_silence,
    )
    hear_s = perf_counter() - begun
    whole = used_part(probe(recipe.face), recipe)
    frames = speech.frame_count(whole.fps)
    if number < 0:
        step = f"choose a number from 0 to {frames - 1}"
        raise SettingsError(f"There is no frame {number}", cause=f"the result has {frames}", next_step=step)
    if number >= frames:
        words = f"There is no frame {number}: the result has {frames}, and its last one is looked at"
        warnings.warn(words, LipwiseWarning, stacklevel=2)
        number = frames - 1
    source = Timeline.for_speech(np.ones(whole.frame_count, bool), whole.fps, frames).source_index
    stretch = source[max(0, number - REACH) : number + REACH + 1]
    first, stop = int(stretch.min()), int(stretch.max()) + 1
    begun = perf_counter()
    # The person is chosen by a place in the whole clip, if at all; here the largest steady face has to do.
    found = examine(whole.part(first, stop), detector=recipe.detector, settings=recipe.track, mesh=True, cache=False)
    find_s = (perf_counter() - begun) / (stop - first)
    if stop - first == whole.frame_count:
        check_any_face(found.report, str(recipe.face))
    elif not found.track.has_face.any():
        raise _nobody_there(recipe, number, stop - first)
    later = _Later(**vars(speech), first_frame=max(0, number - REACH))
    timeline = Timeline(stretch - first, found.track.has_face[stretch - first], whole.fps)
    place = min(number, REACH)
    return Stretch(recipe, frames, number, place, found.video, found.track, timeline, later, find_s, hear_s)


def _nobody_there(recipe: Recipe, number: int, looked_at: int) -> FaceError:
    return FaceError(
        f"No face was found in {recipe.face} round frame {number} of the result",
        cause=f"only {looked_at} frames of the clip are looked at here, and nobody is seen in them",
        next_step=f"choose the number of a frame that shows a face; if the clip has none, {BETTER_CLIP}",
    )


def preview(stretch: Stretch, *, generator: Generator, enhancers: Enhancers | None = None) -> Preview:
    """Take one frame through the whole chain, from the face to the encoder.

    Args:
        stretch: what `look_round` gave.
        generator: what makes the mouth.
        enhancers: what restores the face and enlarges the picture; None does neither.
    """
    recipe, enhancers = stretch.recipe, enhancers or Enhancers()
    step, mouths_s = stretch.lipsync(generator)
    synced = stretch.frame if step is None else step.result
    aligned = align_track(stretch.track, recipe.enhance)
    large = bool(aligned.large_enough[stretch.row])
    shown = ShownFrame(synced, stretch.row, restore=stretch.has_face and large and enhancers.restorer is not None)

    def enhance() -> list[EnhanceStep]:
        return list(
            enhance_steps(
                [shown],
                stretch.track,
                aligned,
                restorer=enhancers.restorer,
                upscaler=enhancers.upscaler,
                settings=recipe.enhance,
            )
        )

    (enhanced,), enhance_s = timed(enhance)
    seconds = {"find the face": stretch.find_s, "make mouths": mouths_s}
    if any(enhancers):
        seconds["enhance"] = enhance_s
    return Preview(stretch, step, enhanced, seconds | {"encode": _encode_s(enhanced.result, recipe, stretch)})


def _encode_s(frame: np.ndarray, recipe: Recipe, stretch: Stretch) -> float:
    """Seconds that encoding a frame takes."""
    shifted = [np.roll(frame, number, axis=1) for number in range(4)]  # as if something moved
    with tempfile.TemporaryDirectory() as folder:
        begun = perf_counter()
        write_video(Path(folder) / "one.mp4", shifted, fps=stretch.timeline.fps, quality=QUANTISER[recipe.quality])
        return (perf_counter() - begun) / len(shifted)
