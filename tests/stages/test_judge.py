"""Each reason holds where it should: for single measures, and for whole clips built from a real face."""

from dataclasses import fields, replace

import numpy as np
import pytest
from rows import changed, good_rows, report_of

from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.faces.pose import five_of_mesh, head_pose
from lipwise.faces.track import FILLED, NONE
from lipwise.stages.clean import examine
from lipwise.stages.judge import FAULTS, MARKS, Reason, UsabilitySettings, judge, own_sharpness
from lipwise.stages.measures import FrameMeasures

QUICK = ("blurred", "covered", "two", "jump")
SLOW = (
    "absent",
    "cut_by_edge_below",
    "cut_by_edge_left",
    "cut_by_edge_right",
    "good",
    "mirrored",
    "tiny",
    "turned",
    "cut",
    "shaken",
    "dark",
    "bright",
    "dark_beside_mild",
    "soft",
)
LEAST_RIGHT = 0.98
LEAST_NAMED = 0.8  # of the unusable; a covered mouth hides the whole face in some frames, which OpenCV builds decide


# --- real faces


def check_truth(build, examined, name):
    built, report = build(name), examined(name).report
    against = (*FAULTS, "several") if built.reason == "several" else FAULTS
    assert (report.usable_against(against) == built.usable).mean() >= LEAST_RIGHT
    if built.at:
        assert np.flatnonzero(report.has(built.reason)).tolist() == list(built.at)
    elif not built.usable.all():
        assert built.named(report.has) >= LEAST_NAMED


@pytest.mark.parametrize("name", QUICK)
def test_frames_of_a_real_face_are_judged_rightly(build, examined, name):
    check_truth(build, examined, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_more_frames_of_a_real_face_are_judged_rightly(build, examined, name):
    check_truth(build, examined, name)


def test_a_clip_that_is_soft_from_end_to_end_is_told(build, face_mesh):
    """It is as blurred as the unusable frames of "blurred", and its frames can be used."""
    with pytest.warns(LipwiseWarning, match="whole clip is soft"):
        report = examine(build("soft").path, cache=False).report
    assert report.count == len(report)
    assert 0.06 < np.median(report.measures.blur) < 0.11  # drawn with 4 px, where 59 px are between the eyes: 0.068
    assert report.with_settings(UsabilitySettings(max_blur=0.065)).count < 5
    assert "whole clip is soft" in str(report)
    assert "whole clip is soft" in report.to_json()


def test_a_clip_with_blurred_frames_is_not_soft(examined):
    assert examined("blurred").report.notes == ()


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


def test_the_mesh_of_a_turned_head_follows_the_turn(face_mesh):
    from drawn_head import FIVE

    from lipwise.faces.mesh import FaceMesh
    from lipwise.sample import turn_head

    mesh = FaceMesh(face_mesh)
    for yaw_deg in (-40, -20, 0, 20):
        points = mesh.points(turn_head(yaw_deg), FIVE - (0.5 * yaw_deg * -1, 0))
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
        ("blur", 0.16, "blurred"),
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


def test_sharpness_is_relative_to_the_clips_own_and_a_soft_clip_is_told():
    soft = replace(good_rows(), sharpness=np.full(40, 0.02, np.float32), blur=np.full(40, 0.09, np.float32))
    report = report_of(soft)
    assert report.count == 40
    assert "whole clip is soft" in str(report)
    assert "0.09 eye distances" in report.notes[0]
    assert report.with_settings(UsabilitySettings(soft_blur=2)).notes == ()
    assert report.with_settings(UsabilitySettings(max_blur=0.08)).count == 0
    assert report_of(changed("blur", 0.09)).notes == (), "a part of it is soft"
    assert report_of().notes == ()


@pytest.mark.parametrize(
    "odd", [{"bright": 30.0}, {"clipped": 0.6}, {"eyes_px": 10.0}, {"origin": FILLED}], ids=lambda odd: next(iter(odd))
)
def test_what_is_dark_burnt_out_tiny_or_unseen_is_no_measure_of_the_others_sharpness(odd):
    """Noise and few pixels pass for sharp: 0.6, where the good frames have 0.2."""
    column, value = next(iter(odd.items()))
    sharp = replace(changed("sharpness", 0.6), **{column: getattr(changed(column, value), column)})
    assert own_sharpness(sharp) == pytest.approx(0.2)
    assert report_of(sharp).counts().get("blurred", 0) == 0
    soft = replace(sharp, blur=np.where(np.isin(np.arange(40), range(12, 19)), 0.02, 0.09).astype(np.float32))
    assert len(report_of(soft).notes) == 1


def test_a_clip_that_is_dark_throughout_is_compared_with_itself_and_not_called_soft():
    dark = replace(changed("bright", 30, slice(None)), blur=np.full(40, 2, np.float32))
    assert own_sharpness(dark) == pytest.approx(0.2)
    assert list(report_of(dark).counts()) == ["too_dark"]
    assert report_of(dark).notes == ()


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
     {"min_bright": 300}, {"jump_heights": 0}, {"max_mouth_change": "much"}, {"max_yaw_deg": True},
     {"max_blur": 2.5}, {"soft_blur": -1}],
)  # fmt: skip
def test_thresholds_out_of_range_are_named(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        UsabilitySettings(**wrong)
