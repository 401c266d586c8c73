"""Joining the rendered segments and laying the sound under them."""

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from lipwise.errors import LipwiseWarning, SpeechError
from lipwise.media.join import join_segments
from lipwise.media.sound import MUX_SAMPLE_RATE, full_scale_gain, loop_sound, mix_sound, read_sound
from lipwise.pipeline.plan import Plan
from lipwise.stages.clean_sound import cut_sound
from lipwise.timeline import Timeline

ENDS_EARLY_S = 0.25  # sound that ends this long before its picture is meant to; less is how the file was cut


def join_plan(plan: Plan, out: Path) -> Path:
    """Join all segments of a plan into the result, picture packets copied, speech encoded.

    Args:
        plan: a plan whose segments are all rendered.
        out: the result, written under a temporary name and renamed when it is complete.
    """
    segments = [plan.segment_path(number) for number in range(len(plan.segments))]
    return join_segments(segments, out, sound=result_sound(plan))


def result_sound(plan: Plan) -> Iterator[np.ndarray]:
    """The result's sound, (n, 2) float32 chunks at 48 kHz: the speech, with the clip's own sound under it if asked.

    Warns (LipwiseWarning) where the clip's sound was asked for and there is none.
    """
    recipe = plan.recipe
    speech = read_sound(recipe.speech, start_s=recipe.speech_start_s, end_s=recipe.speech_end_s, gain=plan.speech.gain)
    if recipe.keep_background == 0:
        return speech
    if not plan.video.has_audio:
        _nothing_to_keep(f"{recipe.face} has no sound")
        return speech
    return mix_sound(speech, clip_sound(plan), keep_background=recipe.keep_background)


def clip_sound(plan: Plan) -> Iterator[np.ndarray]:
    """The clip's own sound from the first picture used on, (n, 2) float32 chunks at 48 kHz.

    Where the picture plays backward and forward again, the sound begins again and again; otherwise it ends with the
    part that is used. Warns (LipwiseWarning) where the part has no sound.
    """
    path = plan.recipe.face
    start_s, end_s = (float(second) for second in plan.clip_span_s)
    try:
        gain = full_scale_gain(path, start_s=start_s, end_s=end_s)
        forward = _forward_part(plan.timeline)
        if (np.diff(forward.source_index) > 1).any():  # frames were dropped: the sound is cut with them
            lap = partial(cut_sound, path, forward, start_s=start_s, gain=gain)
            yield from lap() if len(forward) == len(plan.timeline) else loop_sound(lap)
        elif len(plan.timeline) <= plan.video.frame_count:
            yield from read_sound(path, start_s=start_s, end_s=end_s, gain=gain)
        else:
            yield from loop_sound(lambda: _lap(path, start_s, end_s, gain))
    except SpeechError as error:
        _nothing_to_keep(error.what)


def _forward_part(timeline: Timeline) -> Timeline:
    """The beginning of a timeline, up to where it turns to play backward."""
    turns = np.flatnonzero(np.diff(timeline.source_index) < 0)
    return timeline[: int(turns[0]) + 1] if len(turns) else timeline


def _lap(path: Path, start_s: float, end_s: float, gain: float) -> Iterator[np.ndarray]:
    """The sound of one pass through the part; where it ends long before its picture, silence up to there."""
    missing = round((end_s - start_s) * MUX_SAMPLE_RATE)
    for chunk in read_sound(path, start_s=start_s, end_s=end_s, gain=gain):
        missing -= len(chunk)
        yield chunk
    if missing > ENDS_EARLY_S * MUX_SAMPLE_RATE:
        for first in range(0, missing, MUX_SAMPLE_RATE):
            yield np.zeros((min(MUX_SAMPLE_RATE, missing - first), 2), np.float32)


def _nothing_to_keep(what: str) -> None:
    warnings.warn(f"{what}: keep_background has nothing to keep", LipwiseWarning, stacklevel=2)
