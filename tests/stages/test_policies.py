"""Policies: which frames are shown, which get new lips, and what is refused."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from lipwise.errors import FaceError, LipwiseWarning, SettingsError
from lipwise.faces.track import DETECTED, FILLED, NONE, FaceTrack
from lipwise.stages.judge import UsabilitySettings
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.outcome import Outcome, held_and_dropped, outcome_of
from lipwise.stages.policies import (
    LIPSYNC_CLEAN,
    CleanSettings,
    apply_policy,
    bridge_track,
    bridged_frames,
    plan_timeline,
    usable_frames,
)
from lipwise.stages.usability import UsabilityReport
from lipwise.timeline import Timeline

FPS = Fraction(25)


def report_of(text: str, shots: str = "", faces: str = "") -> UsabilityReport:
    """A frame for each letter: g good, b blurred, n nobody, f filled by the track."""
    letters = np.array(list(text))
    seen = np.isin(letters, ["g", "b"])
    origin = np.select([seen, letters == "f"], [DETECTED, FILLED], NONE).astype(np.uint8)
    usual = {"score": 0.9, "eyes_px": 60, "yaw_deg": 0, "mouth_margin": 2, "bright": 200, "dark": 70, "clipped": 0}
    usual["blur"] = 0.03
    columns = {name: np.where(seen, value, np.nan).astype(np.float32) for name, value in usual.items()}
    columns |= dict.fromkeys(("mouth_change", "step"), np.full(len(text), np.nan, np.float32))
    columns["sharpness"] = np.select([letters == "b", seen], [0.02, 0.2], np.nan).astype(np.float32)
    measures = FrameMeasures(
        faces=np.array([int(n) for n in faces] or seen, np.int32),
        origin=origin,
        shot=np.array([int(n) for n in shots or "0" * len(text)], np.int32),
        elsewhere=np.zeros(len(text), bool),
        **columns,
    )
    return UsabilityReport.of(measures, fps=FPS)


def shown(timeline: Timeline) -> list[int]:
    """Frame numbers; negative ones (from -1 for frame 0 on) pass untouched."""
    return [int(n if s else -n - 1) for n, s in zip(timeline.source_index, timeline.synth, strict=True)]


def test_drop_leaves_out_what_cannot_be_used():
    assert shown(apply_policy(report_of("ggbbgng"))) == [0, 1, 4, 6]


def test_pass_shows_everything():
    assert shown(apply_policy(report_of("ggbng"), CleanSettings(policy="pass"))) == [0, 1, -3, -4, 4]


def test_hold_repeats_the_last_usable_frame_for_so_long_and_no_longer():
    settings = CleanSettings(policy="hold", hold_s=0.08)  # two frames
    assert shown(apply_policy(report_of("nggbbbbg"), settings)) == [-1, 1, 2, 2, 2, -6, -7, 7]


def test_hold_counts_whole_frames_in_its_time():
    settings = CleanSettings(policy="hold", hold_s=0.07)  # one frame and three quarters
    assert shown(apply_policy(report_of("gbbg"), settings)) == [0, 0, -3, 3]
    report = replace(report_of("g" + "n" * 40), fps=Fraction(100))
    held = apply_policy(report, CleanSettings(policy="hold", hold_s=0.29)).source_index
    assert np.count_nonzero(held[1:] == 0) == 29


def test_hold_reaches_over_black_after_which_the_same_picture_goes_on():
    settings = CleanSettings(policy="hold", hold_s=1)
    text, shots = "ggnnnbgg", "00111222"
    assert shown(apply_policy(report_of(text, shots), settings)) == [0, 1, 1, 1, 1, 1, 6, 7]
    assert shown(apply_policy(report_of("ggnnng", "001223"), settings)) == [0, 1, 1, 1, 1, 5]  # black, then grey
    short = CleanSettings(policy="hold", hold_s=0.08)
    assert shown(apply_policy(report_of(text, shots), short)) == [0, 1, 1, 1, -5, -6, 6, 7]
    report = report_of(text, shots)
    smaller = np.where(report.measures.shot == 2, 30, report.measures.eyes_px).astype(np.float32)
    other = UsabilityReport.of(replace(report.measures, eyes_px=smaller), fps=FPS)
    assert shown(apply_policy(other, settings)) == [0, 1, -3, -4, -5, -6, 6, 7]  # another scene
    somebody = report_of(text, shots, faces="11111111")
    assert shown(apply_policy(somebody, settings)) == [0, 1, -3, -4, -5, -6, 6, 7]  # no black: others are seen
    assert shown(apply_policy(report_of("nngg", "0011"), settings)) == [-1, -2, 2, 3]
    assert shown(apply_policy(report_of("ggnn", "0011"), settings)) == [0, 1, -3, -4]


def test_hold_never_reaches_over_a_cut():
    settings = CleanSettings(policy="hold", hold_s=1)
    assert shown(apply_policy(report_of("ggbbbg", shots="000111"), settings)) == [0, 1, 1, -4, -5, 5]


def test_fail_lists_the_ranges_and_their_reasons():
    report = report_of("g" * 12 + "n" * 7 + "g" * 21 + "b" + "g" * 4)
    with pytest.raises(FaceError, match="12-18, 40") as caught:
        apply_policy(report, CleanSettings(policy="fail"), clip="clip.mp4")
    assert "clip.mp4" in caught.value.what
    assert "no face: 12-18; blurred: 40" in caught.value.cause
    assert shown(apply_policy(report_of("ggg"), CleanSettings(policy="fail"))) == [0, 1, 2]


def test_strict_cleaning_wants_exactly_one_face():
    report = report_of("ggggg", faces="11221")
    assert len(apply_policy(report)) == 5
    assert shown(apply_policy(report, CleanSettings(one_face=True))) == [0, 1, 4]


def test_only_the_reasons_asked_for_count():
    assert shown(apply_policy(report_of("gbng"), CleanSettings(against=("no_face",)))) == [0, 1, 3]


def test_filled_frames_count_as_seen_only_where_they_are_trusted():
    assert shown(apply_policy(report_of("gffg"))) == [0, 3]
    assert shown(apply_policy(report_of("gffg"), CleanSettings(trust_filled=True))) == [0, 1, 2, 3]
    assert usable_frames(report_of("gffg").drop("1"), CleanSettings(trust_filled=True)).tolist() == [1, 0, 1, 1]


def test_a_trusted_frame_must_have_no_other_fault():
    strict = CleanSettings(one_face=True, trust_filled=True)
    assert shown(apply_policy(report_of("gffg", faces="1121"), strict)) == [0, 1, 3]
    assert shown(apply_policy(report_of("gffg", faces="1011"), strict)) == [0, 1, 2, 3]
    measures = report_of("gffg").measures
    small = replace(measures, eyes_px=np.float32([60, 5, 60, 60]))
    trusting = CleanSettings(trust_filled=True)
    assert shown(apply_policy(UsabilityReport.of(small, fps=FPS), trusting)) == [0, 2, 3]


def test_exactly_one_face_is_asked_for_also_where_nobody_would_do():
    without = CleanSettings(against=("blurred",), one_face=True)
    assert shown(apply_policy(report_of("gngbg"), without)) == [0, 2, 4]
    assert shown(apply_policy(report_of("gngbg").keep("1"), without)) == [0, -2, 2, 4]


def test_frames_both_kept_and_dropped_are_told():
    with pytest.warns(LipwiseWarning, match="frames 2-3 are to be kept and dropped"):
        timeline = apply_policy(report_of("ggggg"), CleanSettings(keep="1-3", drop="2-4"))
    assert shown(timeline) == [0, 1]


def test_the_outcome_counts_every_frame():
    report = report_of("nggbbbbgbg")
    hold = CleanSettings(policy="hold", hold_s=0.08)
    made = outcome_of(report, apply_policy(report, hold), hold)
    assert made == Outcome(used=4, bridged=0, held=3, passed=3, dropped=0)
    assert str(made) == "4 used, 3 held, 3 passed untouched"
    drop = CleanSettings(bridge_frames=1)
    made = outcome_of(report, apply_policy(report, drop), drop)
    assert made == Outcome(used=5, bridged=1, held=0, passed=0, dropped=5)
    assert str(made) == "5 used, 1 of them bridged, 5 dropped"
    faceless = report_of("gnb").keep("1")  # a frame kept by hand, without a face, is held
    assert outcome_of(faceless, apply_policy(faceless, hold), hold) == Outcome(1, 0, 1, 1, 0)
    shows = CleanSettings(policy="pass")
    assert outcome_of(report, apply_policy(report, shows), shows) == Outcome(4, 0, 0, 6, 0)


@pytest.mark.parametrize(
    ("policy", "length", "counted"),
    [
        ("hold", 10, (4, 0)),  # 3 and 4 show 2, 7 and 8 show 6
        ("hold", 4, (1, 0)),
        ("hold", 17, (8, 0)),  # 8, 7, 4 and 3 again, on the way back
        ("drop", 3, (0, 4)),  # 1, 2 and 6 are shown
        ("drop", 6, (0, 7)),  # those behind 6 are left out, too: the result turns back before them
        ("pass", 17, (0, 0)),
    ],
)
def test_what_is_held_and_dropped_is_counted_under_a_recording(policy, length, counted):
    report, settings = report_of("nggbbngbbb"), CleanSettings(policy=policy, hold_s=0.08)
    assert held_and_dropped(plan_timeline(report, length, settings), 10, policy) == counted


def test_short_runs_are_bridged_inside_a_shot_only():
    settings = CleanSettings(bridge_frames=2)
    assert np.flatnonzero(bridged_frames(report_of("gnngbbbgng"), settings)).tolist() == [1, 2, 8]
    assert not bridged_frames(report_of("ngnngn", shots="000111"), settings).any()
    assert not bridged_frames(report_of("gnng").drop("1"), settings).any()
    assert shown(apply_policy(report_of("gnngbbbg"), settings)) == [0, 1, 2, 3, 7]
    with_pass = CleanSettings(policy="pass", bridge_frames=2)
    assert shown(apply_policy(report_of("gnngbbbg"), with_pass)) == [0, 1, 2, 3, -5, -6, -7, 7]


def test_a_frame_kept_by_hand_without_a_face_gets_no_lips():
    assert shown(apply_policy(report_of("gnbg").keep("1-2"))) == [0, -2, 2, 3]


def test_keep_and_drop_of_the_settings_come_last():
    settings = CleanSettings(keep="2", drop="0, 3")
    assert shown(apply_policy(report_of("ggbgg"), settings)) == [1, 2, 4]
    assert shown(apply_policy(report_of("ggbgg"), CleanSettings(thresholds=UsabilitySettings(min_sharpness=0)))) == [
        0, 1, 2, 3, 4]  # fmt: skip


def test_a_speech_longer_than_what_is_left_plays_it_back_and_forth():
    timeline = plan_timeline(report_of("gbgng"), 8)
    assert timeline.source_index.tolist() == [0, 2, 4, 2, 0, 2, 4, 2]
    assert len(plan_timeline(report_of("gbgng"), 2)) == 2


def test_the_settings_of_a_recipe_do_what_was_done_before_there_were_policies():
    report = report_of("ggbffnnggg")
    before = Timeline.for_speech(report.measures.tracked, FPS, 25)
    now = plan_timeline(report, 25, LIPSYNC_CLEAN)
    assert shown(now) == shown(before)


@pytest.mark.parametrize("policy", ["drop", "hold", "fail"])
def test_nothing_left_says_why(policy):
    with pytest.raises(FaceError, match="Not one of the 4") as caught:
        apply_policy(report_of("gbgg").drop("0, 2-3"), CleanSettings(policy=policy))
    assert "blurred: 1; dropped by hand: 0, 2-3" in caught.value.cause
    assert "pass" in caught.value.next_step


@pytest.mark.parametrize("policy", ["drop", "pass", "hold", "fail"])
def test_a_clip_without_a_face_says_so_whatever_the_policy(policy):
    with pytest.raises(FaceError, match=r"No face was found in empty\.mp4") as caught:
        apply_policy(report_of("nnnn"), CleanSettings(policy=policy), clip="empty.mp4")
    assert "detector" in caught.value.next_step


def test_an_error_lists_only_reasons_that_count_and_not_too_many_ranges():
    report = report_of("gbg" + "gb" * 20, shots="0" * 20 + "1" * 23)
    assert report.has("scene_cut").any()
    with pytest.raises(FaceError, match=r"and 9 more") as caught:
        apply_policy(report, CleanSettings(policy="fail"))
    assert "scene cut" not in caught.value.cause
    assert "and 9 more" in caught.value.cause
    with pytest.raises(FaceError) as caught:
        apply_policy(report.drop("20"), CleanSettings(policy="fail", against=("no_face",)))
    assert caught.value.cause == "dropped by hand: 20"


def test_where_everything_was_dropped_by_hand_no_threshold_is_to_blame():
    with pytest.raises(FaceError) as caught:
        apply_policy(report_of("ggg").drop("0-2"))
    assert "threshold" not in caught.value.next_step
    assert "drop fewer" in caught.value.next_step


def test_faces_that_nobody_followed_are_in_the_cause():
    with pytest.raises(FaceError, match="too short-lived") as caught:
        apply_policy(report_of("nnnn", faces="0110"))
    assert "in 2 of them" in caught.value.cause


def test_bridging_leaves_detected_rows_as_they_are():
    track, bridged = track_with_gap(), np.zeros(9, bool)
    bridged[2:7] = True
    filled = bridge_track(track, bridged)
    assert filled.origin.tolist() == [DETECTED] * 3 + [FILLED] * 3 + [DETECTED] * 3
    assert np.array_equal(filled.boxes_xyxy[[2, 6]], track.boxes_xyxy[[2, 6]])


def track_with_gap(count=9, gap=slice(3, 6), mesh=True):
    line = np.arange(count, dtype=np.float32)
    boxes = np.stack([line * 10, line, line * 10 + 50, line + 60], axis=1)
    landmarks = np.repeat(line[:, None, None] * 10, 5, axis=1) + np.zeros((1, 1, 2), np.float32)
    mesh_xy = np.repeat(line[:, None, None] * 10, 468, axis=1) + np.zeros((1, 1, 2), np.float32)
    origin = np.full(count, DETECTED, np.uint8)
    origin[gap] = NONE
    for rows in (boxes, landmarks, mesh_xy):
        rows[gap] = np.nan
    return FaceTrack(
        boxes, landmarks.astype(np.float32), np.ones(count, np.float32), origin, np.zeros(count, np.int32),
        np.ones(1, np.int32), (320, 180), **({"mesh_xy": mesh_xy} if mesh else {}),
    )  # fmt: skip


@pytest.mark.parametrize("mesh", [True, False])
def test_bridged_boxes_lie_on_the_line(mesh):
    track = track_with_gap(mesh=mesh)
    bridged = np.zeros(9, bool)
    bridged[3:6] = True
    filled = bridge_track(track, bridged)
    assert filled.origin.tolist() == [DETECTED] * 3 + [FILLED] * 3 + [DETECTED] * 3
    assert np.allclose(filled.boxes_xyxy[:, 0], 10 * np.arange(9))
    assert np.allclose(filled.landmarks_xy[:, 2, 0], 10 * np.arange(9))
    assert len(filled.mesh_xy) == (9 if mesh else 0)
    assert np.isfinite(filled.mesh_xy).all()
    assert np.isnan(track.boxes_xyxy[4]).all(), "the track itself was changed"


def test_what_is_not_bridged_stays_as_it_is():
    track = track_with_gap()
    same = bridge_track(track, np.zeros(9, bool))
    assert np.array_equal(same.origin, track.origin)
    assert np.array_equal(same.boxes_xyxy, track.boxes_xyxy, equal_nan=True)
    at_the_end = replace(track, origin=np.where(np.arange(9) < 3, DETECTED, NONE).astype(np.uint8))
    bridged = np.arange(9) >= 3
    assert (bridge_track(at_the_end, bridged).origin[3:] == NONE).all()


@pytest.mark.parametrize("wrong", [{"policy": "shake"}, {"bridge_frames": -1}, {"hold_s": -1}, {"against": ("ugly",)}])
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        CleanSettings(**wrong)
