"""Joining the rendered segments and laying the sound under them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lipwise.media.join import join_segments
from lipwise.media.sound import mix_sound, read_sound
from lipwise.pipeline.plan import Plan


def join_plan(plan: Plan, out: Path) -> Path:
    """Join all segments of a plan into the result, picture packets copied, speech encoded.

    Args:
        plan: a plan whose segments are all rendered.
        out: the result, written under a temporary name and renamed when it is complete.
    """
    segments = [plan.segment_path(number) for number in range(len(plan.segments))]
    return join_segments(segments, out, sound=result_sound(plan))


def result_sound(plan: Plan) -> Iterator[np.ndarray]:
    """The result's sound, (n, 2) float32 chunks at 48 kHz: the speech, with the clip's own sound under it if asked."""
    recipe, video = plan.recipe, plan.video
    speech = read_sound(recipe.speech, start_s=recipe.speech_start_s, end_s=recipe.speech_end_s)
    if recipe.keep_background == 0 or not video.has_audio:
        return speech
    background = read_sound(recipe.face, start_s=recipe.start_s, end_s=recipe.end_s)
    return mix_sound(speech, background, keep_background=recipe.keep_background)
