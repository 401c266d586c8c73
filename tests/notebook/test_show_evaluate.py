"""Figures about evaluating draw what was measured on a result, and faults are found by their figures."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pytest

mpl.use("agg")

import lipwise as lw
from lipwise.notebook import show_evaluate, show_evaluate_mouth
from lipwise.pipeline.evaluate import open_run
from lipwise.sample import SPEECH, sample_frames

FRAMES, SIDE = 30, 256


@pytest.fixture(scope="module")
def folder(tmp_path_factory, face_mesh):
    return tmp_path_factory.mktemp("evaluate")


@pytest.fixture(scope="module")
def plan(folder):
    """Of a run whose clip is small and short."""
    frames = (cv2.resize(frame, (SIDE, SIDE)) for _, frame in zip(range(FRAMES), sample_frames(), strict=False))
    face = lw.write_video(folder / "clip.mp4", frames, fps=25, quality=10)
    out = folder / "made.mp4"
    recipe = lw.Recipe(
        face=face, speech=SPEECH, speech_end_s=FRAMES / 25, out=out, consent=True, clean={"cache": False}
    )
    lw.run(recipe, run_folder=folder / "run", progress=False)
    return open_run(folder / "run")


@pytest.fixture(scope="module")
def result(plan) -> Path:
    return plan.recipe.out


@pytest.fixture(scope="module")
def stretch(plan, result):
    return show_evaluate.Stretch(plan, result, count=26)


@pytest.fixture(scope="module")
def trial(stretch):
    return stretch.judge()


def drawn(figure) -> None:
    figure.savefig(BytesIO(), dpi=30)


def titles(figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


# --- on a result ---


def test_inside_and_outside_are_shown_and_told(plan, result, trial):
    figure = show_evaluate.regions(plan, result, 12)
    drawn(figure)
    assert "dB\noutside" in titles(figure)[3]
    before, tint = (figure.axes[place].images[0].get_array() for place in (0, 2))
    changed = (before != tint).any(-1)
    assert 0.05 < changed.mean() < 0.5
    assert not changed[0].any()


def test_a_frame_without_new_lips_has_no_regions(plan, result):
    timeline = lw.Timeline(plan.timeline.source_index, np.zeros(FRAMES, bool), plan.timeline.fps)
    with pytest.raises(ValueError, match="frame 3 was left"):
        show_evaluate.regions(replace(plan, timeline=timeline), result, 3)


def test_the_border_counts_as_neither():
    frame = np.full((1, 3, 3), 100, np.uint8)
    outside, border, inside = show_evaluate.tinted(frame, np.array([[0, 0.3, 0.5]], np.float32))[0].tolist()
    assert outside == [100] * 3
    assert border[2] > 180 > border[0]
    assert inside[0] > 180 > inside[2]


def test_clip_result_and_difference_lie_beside_each_other(plan, result, tmp_path):
    page = show_evaluate.side_by_side(plan, result, tmp_path / "side.mp4")
    written = lw.probe(tmp_path / "side.mp4")
    assert written.has_audio
    assert written.frame_count == FRAMES
    assert written.size_wh[0] == pytest.approx(3 * written.size_wh[1], rel=0.2)
    left, middle, right = np.split(next(lw.read_frames(written, [12])).astype(int), 3, axis=1)
    assert np.abs(left - middle).mean() < 12
    assert right.mean() < left.mean() / 3
    assert "min(100%, 960px)" in page.data


def test_curves_over_time_and_mouth_against_speech(trial, result):
    waveform = lw.load_audio(result)
    over = show_evaluate.over_time(trial.evaluation)
    mouth = show_evaluate.mouth(trial.evaluation, waveform)
    for figure in (over, mouth):
        drawn(figure)
    assert len(over.axes[0].lines[0].get_ydata()) == 26
    assert f"(r = {trial.evaluation['mouth_opening']:+.2f})" in mouth.axes[1].get_ylabel()
    silent = replace(trial.evaluation, figures={})
    with pytest.raises(lw.LipwiseError, match="mouth_opening"):
        show_evaluate.mouth(silent, waveform)


def test_each_fault_is_found_by_its_own_figure(stretch, trial):
    spoiled = {"early": stretch.judge(late_s=-0.28), "patch": stretch.judge(stretch.patch)}
    judged = {
        name: {
            key: show_evaluate.verdict(key, one.evaluation.figures.get(key, np.nan))
            for key in ("psnr_outside_db", "seam", "flicker", "offset_s")
        }
        for name, one in spoiled.items()
    }
    assert show_evaluate.verdict("offset_s", trial.evaluation["offset_s"]) == "good"
    assert judged["early"] == {"psnr_outside_db": "good", "seam": "good", "flicker": "good", "offset_s": "bad"}
    assert judged["patch"] == {"psnr_outside_db": "good", "seam": "bad", "flicker": "good", "offset_s": "good"}
    assert spoiled["early"].evaluation["offset_s"] == pytest.approx(0.28, abs=0.04)
    figure = show_evaluate.faults({"the result": trial} | spoiled)
    drawn(figure)
    assert titles(figure)[1:4] == ["the result", "early", "patch"]


def test_an_untouched_clip_has_the_best_picture_and_no_speech(stretch, trial):
    still = stretch.judge(stretch.untouched)
    assert still.evaluation["psnr_inside_db"] > trial.evaluation["psnr_inside_db"] + 8
    assert "does not move" in still.evaluation.missing["mouth_opening"]
    drawn(show_evaluate.faults({"untouched": still}))


def test_light_that_comes_and_goes_flickers(plan, result):
    found = show_evaluate.Stretch(plan, result, count=5)
    assert found.judge(found.flicker).evaluation["flicker"] > 2


def test_a_stretch_lies_where_lips_are_new(plan, result):
    synth = np.arange(FRAMES) >= 12
    timeline = lw.Timeline(plan.timeline.source_index, synth, plan.timeline.fps)
    found = show_evaluate.Stretch(replace(plan, timeline=timeline), result, count=10)
    assert found.first == 12
    assert found.timeline.source_index.tolist() == plan.timeline.source_index[12:22].tolist()
    assert show_evaluate.Stretch(plan, result, count=99, first=5).first == 0


def test_the_slider_is_a_view_of_what_the_estimate_knows(plan, result):
    made, waveform = lw.track_faces(result), lw.load_audio(result)
    widget = show_evaluate.SoundShift(made.mesh_xy, waveform, fps=plan.timeline.fps)
    before = bytes(widget.picture.value)
    widget.slider.value = 6
    assert bytes(widget.picture.value) != before
    assert "delayed(waveform, 0.24)" in widget.caption.value
    best = max(range(-show_evaluate_mouth.REACH_FRAMES, 13), key=widget.agreement)
    assert abs(best) <= 1
    moved = lw.mel_spectrogram(show_evaluate.delayed(waveform, -0.2))
    again = lw.estimate_offset(made.mesh_xy, moved, fps=plan.timeline.fps)
    assert widget.agreement(-5) == pytest.approx(float(np.interp(0, again.lags_s, again.curve)), abs=0.1)
    assert "shifts draws" in repr(widget)
