"""Figures about cleaning draw what was found, also where nothing was."""

from dataclasses import fields, replace
from fractions import Fraction
from io import BytesIO

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("agg")

import matplotlib.pyplot as plt

from lipwise.errors import SettingsError
from lipwise.faces.detect import Faces, load_detector
from lipwise.faces.track import DETECTED, NONE, FaceTrack
from lipwise.media.probe import probe
from lipwise.media.write import write_video
from lipwise.notebook import show_clean, show_policies, show_smoothing
from lipwise.sample import HARD_SECONDS, TROUBLES, Trouble, hard_frame, make_hard_sample, turn_head
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.policies import CleanSettings, apply_policy
from lipwise.stages.reason_strip import GOOD
from lipwise.stages.usability import UsabilityReport
from lipwise.weights import find_weights

COUNT = 30


def report_of(faulty: slice | None = slice(10, 20), *, seen: bool = True, count: int = COUNT) -> UsabilityReport:
    """A head that turns away in some frames; or nobody at all."""
    kinds = {"faces": np.int32, "origin": np.uint8, "shot": np.int32, "elsewhere": bool}
    columns = {entry.name: np.full(count, 0, kinds.get(entry.name, np.float32)) for entry in fields(FrameMeasures)}
    for name, value in {"eyes_px": 60, "sharpness": 1, "bright": 200, "mouth_margin": 1}.items():
        columns[name][:] = value if seen else np.nan
    columns["origin"][:] = DETECTED if seen else NONE
    if faulty:
        columns["yaw_deg"][faulty] = 60
    return UsabilityReport.of(FrameMeasures(**columns), fps=Fraction(25))


def track_of(*, seen: bool = True, count: int = COUNT) -> FaceTrack:
    boxes = np.tile(np.float32([30, 20, 60, 60]), (count, 1)) if seen else np.full((count, 4), np.nan, np.float32)
    return FaceTrack(
        boxes,
        np.full((count, 5, 2), 40, np.float32),
        np.full(count, 0.9, np.float32),
        np.full(count, DETECTED if seen else NONE, np.uint8),
        np.zeros(count, np.int32),
        np.ones(1, np.int32),
        (96, 64),
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    greys = (np.full((64, 96, 3), 8 * number, np.uint8) for number in range(COUNT))
    return probe(write_video(tmp_path_factory.mktemp("greys") / "clip.mp4", greys, fps=Fraction(25), quality=5))


def titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def drawn(figure):
    figure.savefig(BytesIO(), dpi=30)
    assert not plt.get_fignums()  # closed: a notebook shows it once


# --- the hard sample ---


def test_a_trouble_comes_and_goes_within_its_frames():
    slow, sudden = Trouble("blurred", 10, 30, 5), Trouble("dark", 10, 12, 1)
    amounts = [slow.amount(number) for number in range(40)]
    assert [amounts[number] for number in (9, 30)] == [0, 0]
    assert all(amount > 0 for amount in amounts[10:30])
    assert amounts[14:26] == [1] * 12
    assert amounts[10:30] == amounts[10:30][::-1]
    assert [sudden.amount(number) for number in range(9, 13)] == [0, 1, 1, 0]


def test_the_hard_sample_holds_a_frame_of_each_trouble():
    looks = {trouble.kind: hard_frame((trouble.first + trouble.stop) // 2) for trouble in TROUBLES}
    looks["good"] = hard_frame(0)
    assert {frame.shape for frame in looks.values()} == {(512, 512, 3)}
    assert max(trouble.stop for trouble in TROUBLES) < 25 * HARD_SECONDS
    assert looks["dark"].mean() < 0.2 * looks["good"].mean()
    edges = {kind: np.abs(np.diff(frame.astype(float), axis=1)).mean() for kind, frame in looks.items()}
    assert edges["blurred"] < 0.5 * edges["good"]
    assert edges["shaken"] < 0.6 * edges["good"]
    assert (looks["far"][:40] == looks["far"][0, 0]).all()  # the wall round the portrait


def test_the_hard_sample_has_sound_and_is_written_once(tmp_path, monkeypatch):
    monkeypatch.setattr("lipwise.sample.HARD_SECONDS", 1)
    sample = make_hard_sample(tmp_path)
    written = sample.face.read_bytes()
    assert (probe(sample.face).has_audio, probe(sample.face).frame_count) == (True, 25)
    monkeypatch.setattr("lipwise.sample.write_video", None)
    assert make_hard_sample(tmp_path) == sample
    assert sample.face.read_bytes() == written


def test_a_head_turns_to_the_side_that_was_asked_for():
    detector = load_detector(yunet_path=find_weights("yunet_2023mar"))
    aside = []
    for yaw_deg in (-40, 0, 40):
        eye, other_eye, nose = detector.detect(turn_head(yaw_deg)).landmarks_xy[0, :3, 0]
        aside.append((nose - (eye + other_eye) / 2) / (other_eye - eye))
    assert aside[0] + 0.1 < aside[1] < aside[2] - 0.1


# --- frames and why ---


def test_telling_frames_are_a_good_one_and_the_middle_of_each_fault():
    report = report_of(slice(10, 17))
    assert show_clean.telling_frames(report) == [0, 13, 23]
    assert show_clean.telling_frames(report.drop("17-29")) == [0, 4, 13]
    assert show_clean.telling_frames(report_of(None)) == [0, 14, 29]
    assert show_clean.telling_frames(report_of(slice(0, COUNT))) == [14]
    tiny = report.measures
    tiny.eyes_px[13:17], tiny.yaw_deg[10:20] = 10, 60
    both = UsabilityReport.of(tiny, fps=report.fps)  # turned all the while, which only 10-12 and 17-19 stand for
    assert show_clean.telling_frames(both) == [4, 11, 14]


def test_figures_refuse_a_report_of_another_length(clip):
    with pytest.raises(SettingsError, match="29 frames, the clip has 30"):
        show_clean.faces(clip, track_of(), report_of(count=29))


def test_faces_are_drawn_with_their_reasons(clip):
    figure = show_clean.faces(clip, track_of(), report_of())
    assert titles(figure)[1].startswith("frame 4: nothing against it")
    assert titles(figure)[2].startswith("frame 14: turned\nscore 0.90, 60 px")
    assert [len(axes.patches) for axes in figure.axes] == [2, 2, 2]  # a box with an edge
    shown = float(figure.axes[2].images[0].get_array().mean())
    assert abs(shown - 8 * 14) < 4
    drawn(figure)


def test_a_clip_with_nobody_shows_three_frames_and_what_to_try(clip):
    figure = show_clean.faces(clip, track_of(seen=False), report_of(None, seen=False))
    assert [title.split(":")[0] for title in titles(figure)] == ["frame 0", "frame 14", "frame 29"]
    told = figure.get_suptitle()
    assert "No face was found in clip.mp4" in told
    assert "try the other detector" in told.replace("\n", " ")
    drawn(figure)


def test_a_clip_of_one_frame_is_drawn(clip):
    one = clip.part(0, 1)
    for seen in (True, False):
        report = report_of(None, seen=seen, count=1)
        assert len(titles(show_clean.faces(one, track_of(seen=seen, count=1), report))) == 1
        drawn(show_clean.curves(report))


# --- curves ---


def test_curves_mark_what_lies_beyond_a_threshold():
    figure = show_clean.curves(report_of(), np.sin(np.arange(19_200) / 5))
    turn = next(axes for axes in figure.axes if axes.get_ylabel().startswith("turn"))
    beyond = turn.lines[1].get_ydata()
    assert np.flatnonzero(np.isfinite(beyond)).tolist() == list(range(10, 20))
    assert sorted(line.get_ydata()[0] for line in turn.lines[2:]) == [-28, 28]
    assert len(figure.axes) == 6
    assert figure.axes[-1].get_xlim() == (0, 1.2)
    drawn(figure)


def test_curves_of_a_silent_clip_with_nobody_are_drawn():
    figure = show_clean.curves(report_of(None, seen=False))
    assert len(figure.axes) == 5
    drawn(figure)


def test_a_curve_lies_beyond_its_line_where_its_reason_holds():
    report = report_of()
    rows = report.measures
    rows.mouth_margin[3:6], rows.eyes_px[12:14], rows.sharpness[20:24] = -0.2, 10, 0.3
    rows.bright[24:28], rows.sharpness[24:28] = 20, 9  # the noise of a dark face says nothing of the clip's sharpness
    report = UsabilityReport.of(rows, fps=report.fps)
    for name, curve in show_clean.measured(report).items():
        low, high = (curve.limits[0], np.inf) if len(curve.limits) == 1 else curve.limits
        assert np.array_equal((curve.values < low) | (curve.values > high), report.has(name)), name
        assert report.has(name).any()


def test_the_legend_names_the_colours_that_are_there():
    figure = show_clean.curves(report_of().drop("0-2"))
    named = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert named == ["can be used", "dropped by hand", "turned"]


# --- what the detector makes of pictures ---


def test_tries_say_the_score_or_that_there_is_no_face():
    found = Faces(np.float32([[5, 5, 20, 20]]), np.zeros((1, 5, 2), np.float32), np.float32([0.875]))
    nothing = Faces(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32))
    pictures = {"good": np.zeros((30, 40, 3), np.uint8), "bad": np.zeros((30, 20, 3), np.uint8)}
    figure = show_clean.tries(pictures, {"good": found, "bad": nothing})
    assert titles(figure) == ["good (40 px): score 0.88", "bad (20 px): no face"]
    drawn(figure)


# --- lag ---


def moving() -> np.ndarray:
    return 200 + 60 * np.sin(np.arange(100) / 9) + np.random.default_rng(0).normal(0, 0.5, 100)


@pytest.mark.parametrize("delay", [-3, -1, 0, 2, 3])
def test_a_known_delay_is_measured(delay):
    seen = moving()
    values = 200 + 60 * np.sin((np.arange(100) - delay) / 9)
    assert abs(show_smoothing.lag_frames(values, seen) - delay) < 0.25


def test_means_to_one_side_lag_by_the_age_of_their_middle():
    seen = moving()
    behind = np.convolve(np.pad(seen, (4, 0), mode="edge"), np.ones(5) / 5, "valid")
    ahead = np.convolve(np.pad(seen, (0, 4), mode="edge"), np.ones(5) / 5, "valid")
    assert abs(show_smoothing.lag_frames(behind, seen) - 2) < 0.2
    assert abs(show_smoothing.lag_frames(ahead, seen) + 2) < 0.2


def test_a_still_face_lags_by_nothing_and_gaps_are_left_out():
    assert show_smoothing.lag_frames(np.full(20, 3.0), np.full(20, 3.0)) == 0
    seen = moving()
    seen[40:45] = np.nan
    values = np.roll(seen, 2)
    values[:2] = np.nan
    assert abs(show_smoothing.lag_frames(values, seen) - 2) < 0.25


@pytest.mark.parametrize("count", [1, 2, 8])
def test_few_frames_have_no_lag_and_are_drawn(count):
    seen = moving()[:count]
    assert show_smoothing.lag_frames(seen, seen) == 0
    drawn(show_smoothing.compare(seen, {"as it is": seen}))


def test_the_figure_names_each_lag():
    seen = moving()
    figure = show_smoothing.compare(seen, {"ours": seen, "late": np.roll(seen, 2)}, first=7)
    named = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert named[:2] == ["detected", "ours: +0.0 frames"]
    assert named[2].startswith("late: +")
    assert figure.axes[0].lines[0].get_xdata()[0] == 7
    drawn(figure)


# --- policies ---


def test_a_strip_tells_used_held_and_untouched_frames_apart():
    report = report_of(slice(10, 13))
    hold = show_policies.strip_of(apply_policy(report, CleanSettings(policy="hold", hold_s=0.08)))
    kinds = {GOOD: "used", show_policies.HELD: "held", show_policies.PASSED: "untouched"}
    assert [kinds[tuple(colour)] for colour in hold[9:14].tolist()] == ["used", "held", "held", "untouched", "used"]
    drop = show_policies.strip_of(apply_policy(report, CleanSettings(policy="drop")))
    assert {tuple(colour) for colour in drop.tolist()} == {GOOD}


def test_policies_are_drawn_one_below_the_other():
    report = report_of()
    names = ("drop", "hold", "pass")
    figure = show_policies.policies({name: apply_policy(report, CleanSettings(policy=name)) for name in names}, report)
    assert [axes.get_ylabel() for axes in figure.axes] == ["clip", *names]
    assert [axes.texts[0].get_text().strip() for axes in figure.axes[1:]] == [
        "20 frames, 0.8 s",
        "30 frames, 1.2 s",
        "30 frames, 1.2 s",
    ]
    assert [len(axes.lines) for axes in figure.axes[1:]] == [1, 1, 0]  # where something was cut out
    drawn(figure)


def test_players_stand_beside_each_other_under_their_names(clip):
    page = show_clean.players(before=clip.path, after=clip.path).data
    assert page.count("<video") == 2
    assert page.index("<b>before</b>") < page.index("<b>after</b>")


def test_a_track_of_a_clip_on_its_side_is_drawn_upright(clip):
    lying = replace(track_of(), rotation=90, size_wh=(64, 96))
    figure = show_clean.faces(clip, lying, report_of())
    assert figure.axes[0].images[0].get_array().shape == (96, 64, 3)
