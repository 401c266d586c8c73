"""Usability: each reason holds where it should, on real faces; reports are edited, saved and read back."""

import json
from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest

from lipwise.errors import LipwiseError, SettingsError
from lipwise.faces.pose import five_of_mesh, head_pose
from lipwise.faces.track import DETECTED, FILLED, NONE
from lipwise.stages.judge import FAULTS, MARKS, REASONS, Reason, UsabilitySettings, judge
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.ranges import format_ranges, parse_ranges
from lipwise.stages.usability import UsabilityReport

QUICK = ("blurred", "covered", "two", "jump")
SLOW = ("absent", "cut_by_edge", "good", "mirrored", "tiny", "turned", "cut", "shaken", "dark", "bright")
LEAST_RIGHT = 0.98
LEAST_NAMED = 0.8  # of the unusable; a covered mouth hides the whole face in some frames, which OpenCV builds decide


def good_rows(count: int = 40) -> FrameMeasures:
    """Rows in which nothing is wrong."""
    usual = {"score": 0.93, "eyes_px": 60.0, "yaw_deg": 3.0, "mouth_margin": 1.5, "sharpness": 0.2, "bright": 200.0}
    usual |= {"dark": 70.0, "clipped": 0.0, "mouth_change": 0.3, "step": 0.01}
    columns = {name: np.full(count, value, np.float32) for name, value in usual.items()}
    return FrameMeasures(
        faces=np.ones(count, np.int32),
        origin=np.full(count, DETECTED, np.uint8),
        shot=np.zeros(count, np.int32),
        elsewhere=np.zeros(count, bool),
        **columns,
    )


def changed(column: str, value: float, frames: slice = slice(12, 19)) -> FrameMeasures:
    values = getattr(good_rows(), column).copy()
    values[frames] = value
    return replace(good_rows(), **{column: values})


def report_of(measures: FrameMeasures | None = None) -> UsabilityReport:
    return UsabilityReport.of(measures or good_rows(), fps=Fraction(25))


# --- real faces


def check_truth(build, examined, name):
    built, report = build(name), examined(name).report
    against = (*FAULTS, "several") if built.reason == "several" else FAULTS
    assert (report.usable_against(against) == built.usable).mean() >= LEAST_RIGHT
    if built.at:
        assert np.flatnonzero(report.has(built.reason)).tolist() == list(built.at)
    elif not built.usable.all():
        assert report.has(built.reason)[~built.usable].mean() >= LEAST_NAMED


@pytest.mark.parametrize("name", QUICK)
def test_frames_of_a_real_face_are_judged_rightly(build, examined, name):
    check_truth(build, examined, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_more_frames_of_a_real_face_are_judged_rightly(build, examined, name):
    check_truth(build, examined, name)


@pytest.mark.parametrize("yaw_deg", [-45, -20, 0, 20, 45])
@pytest.mark.parametrize("roll_deg", [0, 30])
def test_the_pose_of_a_turned_head_of_the_canonical_shape_is_exact(yaw_deg, roll_deg):
    from lipwise.faces.pose import _CANONICAL

    yaw, roll = np.radians([yaw_deg, roll_deg])
    x, y, z = _CANONICAL.T
    turned = np.stack([x * np.cos(yaw) + z * np.sin(yaw), y])
    rolled = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]]) @ turned
    found_deg, eyes_px = head_pose(10 * rolled.T + 200)
    assert found_deg == pytest.approx(yaw_deg, abs=0.01)
    assert eyes_px == pytest.approx(63.02, abs=0.01)


def test_the_mesh_of_a_turned_head_follows_the_turn(built_clips, face_mesh):
    from lipwise.faces.mesh import FaceMesh

    mesh = FaceMesh(face_mesh)
    for yaw_deg in (-40, -20, 0, 20):
        points = mesh.points(built_clips.turn_head(yaw_deg), built_clips.FIVE - (0.5 * yaw_deg * -1, 0))
        assert head_pose(five_of_mesh(points))[0] == pytest.approx(yaw_deg, abs=10)


# --- thresholds


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("origin", NONE, "no_face"),
        ("origin", FILLED, "no_face"),
        ("eyes_px", 19.9, "too_small"),
        ("yaw_deg", 29.0, "turned"),
        ("yaw_deg", -29.0, "turned"),
        ("sharpness", 0.08, "blurred"),
        ("bright", 59.0, "too_dark"),
        ("clipped", 0.3, "too_bright"),
        ("mouth_margin", -0.01, "cut_off"),
        ("mouth_change", 0.9, "doubtful"),
        ("faces", 2, "several"),
    ],
)
def test_each_measure_gives_its_reason_and_no_other(column, value, reason):
    report = report_of(changed(column, value))
    assert report.ranges(reason) == "12-18"
    assert list(report.counts()) == [reason]
    assert report.ranges() == ("" if reason in MARKS else "12-18")


def test_a_jump_and_a_cut_are_marks():
    assert report_of(changed("step", 1.4, slice(12, 13))).counts() == {"jump": 1}
    assert report_of(changed("shot", 1, slice(20, None))).ranges("scene_cut") == "20"
    lost = replace(changed("origin", NONE), elsewhere=changed("elsewhere", True, slice(14, 19)).elsewhere)
    assert report_of(lost).ranges("jump") == "14"


def test_sharpness_is_relative_to_the_clips_own():
    soft = replace(good_rows(), sharpness=np.full(40, 0.02, np.float32))
    assert report_of(soft).count == 40


def test_a_dark_frame_is_not_called_doubtful_too():
    dark = replace(changed("bright", 30.0), mouth_change=changed("mouth_change", 2.0).mouth_change)
    assert list(report_of(dark).counts()) == ["too_dark"]


def test_rows_of_nothing_give_no_reason_but_no_face():
    columns = {
        entry.name: np.full(5, np.nan, np.float32)
        for entry in fields(FrameMeasures)
        if entry.name not in ("faces", "origin", "shot", "elsewhere")
    }
    nothing = FrameMeasures(
        faces=np.zeros(5, np.int32), origin=np.zeros(5, np.uint8), shot=np.zeros(5, np.int32),
        elsewhere=np.zeros(5, bool), **columns,
    )  # fmt: skip
    assert judge(nothing).tolist() == [int(Reason.NO_FACE)] * 5


@pytest.mark.parametrize(
    "wrong",
    [{"min_eyes_px": -1}, {"max_yaw_deg": 91}, {"min_sharpness": 1.5}, {"max_clipped": float("nan")},
     {"min_bright": 300}, {"jump_heights": 0}, {"max_mouth_change": "much"}, {"max_yaw_deg": True}],
)  # fmt: skip
def test_thresholds_out_of_range_are_named(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        UsabilitySettings(**wrong)


def test_other_thresholds_judge_anew_and_keep_edits():
    report = report_of(changed("eyes_px", 25.0)).drop("0")
    assert report.count == 39
    stricter = report.with_settings(UsabilitySettings(min_eyes_px=30))
    assert stricter.ranges() == "0, 12-18"
    assert report.ranges() == "0"


# --- ranges and edits


@pytest.mark.parametrize(
    ("text", "frames"),
    [("", []), ("7", [7]), ("12-14, 20", [12, 13, 14, 20]), (" 3 – 4 ,9,", [3, 4, 9]), ("0-39", range(40))],
)
def test_ranges_are_read_as_people_write_them(text, frames):
    assert np.flatnonzero(parse_ranges(text, 40)).tolist() == list(frames)


def test_ranges_are_written_as_they_are_read():
    rng = np.random.default_rng(0)
    for _ in range(50):
        mask = rng.random(60) < 0.4
        assert np.array_equal(parse_ranges(format_ranges(mask), 60), mask)
    assert format_ranges(np.zeros(0, bool)) == ""
    assert format_ranges(np.arange(12) % 2 == 0, most=2) == "0, 2, and 4 more"
    assert parse_ranges(slice(2, 4), 6).tolist() == parse_ranges([2, 3], 6).tolist()


@pytest.mark.parametrize("wrong", ["40", "18-12", "a-b", "1;2", "-3", "3-", [41], -1])
def test_ranges_that_make_no_sense(wrong):
    with pytest.raises(SettingsError, match=r"frames|range"):
        parse_ranges(wrong, 40)


def test_edits_win_over_reasons_and_later_ones_over_earlier():
    report = report_of(changed("origin", NONE))
    edited = report.keep("12-15").drop("14, 30")
    assert edited.ranges() == "14, 16-18, 30"
    assert edited.count == 35
    assert edited.code == '.keep("12-15").drop("14, 30")'
    assert report.count == 33, "the report itself was changed"


def test_undo_goes_back_step_by_step_and_stops_at_the_start():
    report = report_of()
    edited = report.drop("1").drop("2-3").keep("2")
    assert [edited.undo().ranges(), edited.undo().undo().ranges()] == ["1-3", "1"]
    assert edited.undo().undo().undo().undo().edits == ()


def test_a_frame_tells_why():
    report = report_of(changed("yaw_deg", 50))
    assert report.why(12) == ("turned",)
    assert report.why(0) == ()
    assert "turned: 12-18" in str(report)
    assert "33 of 40" in str(report)


# --- to files and tables


def test_a_report_survives_json_to_the_last_bit(tmp_path, examined):
    report = examined("covered").report.with_settings(UsabilitySettings(max_yaw_deg=20)).drop("3-5").keep("40")
    report.save(tmp_path / "report.json")
    back = UsabilityReport.load(tmp_path / "report.json")
    assert np.array_equal(back.reasons, report.reasons)
    assert (back.settings, back.edits, back.fps) == (report.settings, report.edits, report.fps)
    for entry in fields(FrameMeasures):
        np.testing.assert_array_equal(getattr(back.measures, entry.name), getattr(report.measures, entry.name))
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["unusable"] == report.ranges()
    assert written["reasons"]["doubtful"] == report.ranges("doubtful")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"measures": 3}', "not json"])
def test_a_file_that_is_no_report_is_refused(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(SettingsError, match="report"):
        UsabilityReport.load(tmp_path / "report.json")
    with pytest.raises(SettingsError, match=r"gone\.json"):
        UsabilityReport.load(tmp_path / "gone.json")


def test_a_table_has_a_column_for_each_reason():
    pandas = pytest.importorskip("pandas")
    table = report_of(changed("clipped", 0.9)).to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert set(REASONS) <= set(table.columns)
    assert table.index[table["too_bright"]].tolist() == list(range(12, 19))
    assert table["time_s"].iloc[25] == 1.0


def test_without_pandas_the_error_says_what_to_do(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(LipwiseError, match="pip install pandas"):
        report_of().to_pandas()


def test_the_names_in_the_settings_are_the_reasons():
    from typing import get_args

    from lipwise.stages.policies import ReasonName

    assert set(get_args(ReasonName)) == set(REASONS)
