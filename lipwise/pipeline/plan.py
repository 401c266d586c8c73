"""Plan: everything that looks at the whole clip or the whole recording, found once and kept in the run folder."""

import math
import warnings
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from lipwise.errors import FaceError, LipwiseWarning, SettingsError, SpeechError
from lipwise.faces.track import FaceTrack
from lipwise.files import writing, written_whole
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.turn import turn_video
from lipwise.media.write import KEYFRAME_EVERY_S, keyframe_interval
from lipwise.models.generator import Generator, GeneratorState
from lipwise.pipeline.stopwatch import Stopwatch
from lipwise.recipe import Recipe
from lipwise.stages.belongs import check_track
from lipwise.stages.clean import examine
from lipwise.stages.lipsync import prepare_lipsync
from lipwise.stages.mesh_track import with_mesh
from lipwise.stages.policies import bridge_track, bridged_frames, decided, plan_timeline
from lipwise.stages.speech import Speech, load_speech
from lipwise.stages.upright import turn_as_tracked
from lipwise.timeline import Timeline


@dataclass(frozen=True, eq=False)
class Plan:
    """What rendering a segment needs to know; the same for every segment and every worker.

    Attributes:
        recipe: what was asked for.
        folder: the run folder, which holds this plan and the segments.
        video: the part of the clip that is used, upright.
        track, timeline, speech, state: what the stages found out.
    """

    recipe: Recipe
    folder: Path
    video: VideoInfo
    track: FaceTrack
    timeline: Timeline
    speech: Speech
    state: GeneratorState

    @property
    def clip_span_s(self) -> tuple[float, float]:
        """Where the used part of the clip begins and ends in its file, in seconds; the picture's own times."""
        start = 0 if self.video.is_still else first_frame(self.recipe, self.video.fps)
        return float(start / self.video.fps), float((start + self.video.frame_count) / self.video.fps)

    @property
    def segments(self) -> list[slice]:
        """Slices of output frames that are rendered one by one.

        Each holds whole keyframe intervals, so that the joined segments equal the picture encoded in one piece.
        """
        interval = keyframe_interval(self.timeline.fps)
        return list(self.timeline.segments(interval * max(1, round(self.recipe.segment_s / KEYFRAME_EVERY_S))))

    def segment_path(self, number: int) -> Path:
        """Where a rendered segment lies; it is there only when it is complete."""
        return self.folder / "segments" / f"{number:05d}.mp4"


def make_plan(recipe: Recipe, folder: Path, *, generator: Generator, watch: Stopwatch, progress: bool = True) -> Plan:
    """Probe the clip, hear the recording, find the face, lay the frames out and let the generator look at it all.

    Raises:
        LipwiseError: whatever is wrong with the clip, the recording or the settings.
    """
    # Whole paths, so that a worker in another folder finds the same files.
    recipe = with_whole_paths(recipe)
    with watch.measure("hear the speech"):
        speech = load_speech(
            recipe.speech,
            start_s=recipe.speech_start_s,
            end_s=recipe.speech_end_s,
            gate_silence=recipe.lipsync.gate_silence,
        )
    video = used_part(probe(recipe.face), recipe)
    length = speech.frame_count(video.fps)
    if not length:
        raise SpeechError(
            f"The speech in {recipe.speech} is too short",
            cause=f"{float(speech.duration_s):.3f} s is less than half a frame at {float(video.fps):g} frames a second",
            next_step="choose a longer recording, or a longer part of it",
        )
    if recipe.clean.policy != "drop":  # dropping frames, the clip has to be seen further than the speech lasts
        video = video.part(0, min(video.frame_count, length))
    with watch.measure("find the face"):
        video, track, timeline = lay_out(video, recipe, length, progress=progress)
    with watch.measure("prepare the mouths"):
        state = prepare_lipsync(video, track, timeline, speech, generator=generator, settings=recipe.lipsync)
    plan = Plan(recipe, folder, video, track, timeline, speech, state)
    save_plan(plan)
    return plan


def with_whole_paths(recipe: Recipe) -> Recipe:
    """The same recipe, with paths that another folder's process finds."""
    update: dict[str, object] = {"face": recipe.face.absolute(), "speech": recipe.speech.absolute()}
    if recipe.clean.track_file is not None:
        update["clean"] = recipe.clean.model_copy(update={"track_file": recipe.clean.track_file.absolute()})
    return recipe.model_copy(update=update)


def lay_out(video: VideoInfo, recipe: Recipe, length: int, *, progress: bool) -> tuple[VideoInfo, FaceTrack, Timeline]:
    """The used part upright, the face in it with its mesh, and the frames that are shown under the speech.

    Args:
        video: the used part.
        length: frames of the result.

    Raises:
        FaceError: nobody is seen, or the policy leaves nothing. SettingsError: the recipe's track is another clip's.
    """
    if recipe.clean.track_file is not None:
        track = _given_track(video, recipe, progress)
        return turn_as_tracked(video, track), track, Timeline.for_speech(track.has_face, video.fps, length)
    found = examine(
        video,
        detector=recipe.detector,
        choose=recipe.choose,
        settings=recipe.track,
        mesh=True,
        cache=recipe.clean.cache,
        progress=progress,
    )
    timeline = plan_timeline(found.report, length, recipe.clean, clip=str(recipe.face))
    bridged = bridged_frames(decided(found.report, recipe.clean), recipe.clean)
    return found.video, bridge_track(found.track, bridged), timeline


def _given_track(video: VideoInfo, recipe: Recipe, progress: bool) -> FaceTrack:
    """The track that the recipe names, for the used part of the clip; its mesh is laid where it has none."""
    path = recipe.clean.track_file
    track = FaceTrack.load(path)  # pyright: ignore[reportArgumentType]  # the caller saw that there is one
    check_track(track, turn_video(probe(recipe.face), track.rotation), name=f"track {path}")
    start = 0 if video.is_still else first_frame(recipe, video.fps)
    track = track.part(start, start + video.frame_count)
    track = track if len(track.mesh_xy) else with_mesh(video, track, progress=progress)
    if not track.has_face.any():
        raise FaceError(
            f"No face was found in {recipe.face}",
            cause=f"the track {path} holds none in the part that is used",
            next_step="choose another part of the clip, or leave track_file out so that faces are looked for",
        )
    return track


def used_part(video: VideoInfo, recipe: Recipe) -> VideoInfo:
    """The part of the clip between the recipe's start and end; a photo gets the recipe's frame rate."""
    if video.is_still:
        if recipe.start_s or recipe.end_s is not None:
            warnings.warn(f"{recipe.face} is a photo: start and end play no part", LipwiseWarning, stacklevel=2)
        return video.at_rate(recipe.still_fps)
    start = first_frame(recipe, video.fps)
    stop = video.frame_count
    if recipe.end_s is not None:
        stop = min(math.ceil(_exact(recipe.end_s) * video.fps), stop)
    if start >= stop:
        raise SettingsError(
            f"Nothing of {recipe.face} is left from {recipe.start_s:g} s on",
            cause=f"the clip lasts {video.duration_s:.2f} s"
            + ("" if recipe.end_s is None else f" and is used up to {recipe.end_s:g} s"),
            next_step="choose a start before the end, both inside the clip",
        )
    return video.part(start, stop)


def first_frame(recipe: Recipe, fps: Fraction) -> int:
    """Number of the clip's frame that is shown at the recipe's start."""
    return math.floor(_exact(recipe.start_s) * fps)


def _exact(seconds: float) -> Fraction:
    """Seconds as they were typed: 0.28 x 25 is 7, not a little more."""
    return Fraction(seconds).limit_denominator(1_000_000)


def save_plan(plan: Plan) -> None:
    """Write the plan into its folder, where a worker can load it.

    Raises:
        DiskFullError: no space is left. MediaError: it cannot be written for another reason.
    """
    with writing(plan.folder):
        (plan.folder / "segments").mkdir(parents=True, exist_ok=True)
    plan.track.save(plan.folder / "track.npz")
    save_arrays(plan.folder / "timeline.npz", source_index=plan.timeline.source_index, synth=plan.timeline.synth)
    speech = plan.speech
    save_arrays(
        plan.folder / "speech.npz",
        mel=speech.mel,
        gate=speech.gate,
        gain=np.array(speech.gain),
        duration_s=np.array(speech.duration_s.as_integer_ratio()),
    )
    save_arrays(plan.folder / "state.npz", **plan.state.to_arrays())
    plan.recipe.to_yaml(plan.folder / "recipe.yaml")


def load_plan(folder: Path) -> Plan:
    """Read a plan back, in another process or on another machine that sees the same files.

    Raises:
        LipwiseError: the clip or the recording is gone, or the folder holds no plan.
    """
    recipe = Recipe.from_yaml(folder / "recipe.yaml")
    track = FaceTrack.load(folder / "track.npz")
    video = turn_video(used_part(probe(recipe.face), recipe), track.rotation).part(0, len(track))
    timeline = load_arrays(folder / "timeline.npz")
    heard = load_arrays(folder / "speech.npz")
    speech = Speech(
        path=recipe.speech,
        start_s=recipe.speech_start_s,
        end_s=recipe.speech_end_s,
        duration_s=Fraction(*(int(part) for part in heard["duration_s"])),
        mel=heard["mel"],
        gate=heard["gate"],
        gain=float(heard["gain"]),
    )
    return Plan(
        recipe=recipe,
        folder=folder,
        video=video,
        track=track,
        timeline=Timeline(timeline["source_index"], timeline["synth"], video.fps),
        speech=speech,
        state=GeneratorState.from_arrays(load_arrays(folder / "state.npz")),
    )


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays under a temporary name, then rename."""
    with written_whole(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  # its stub takes allow_pickle for an array


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read named arrays; nothing pickled is accepted."""
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)
