"""Frames named in every way, and files of reports that are damaged."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from rows import changed, good_rows, report_of

from lipwise.errors import SettingsError
from lipwise.stages.judge import UsabilitySettings
from lipwise.stages.ranges import parse_ranges
from lipwise.stages.usability import UsabilityReport

# --- frames


def test_a_mask_names_its_frames():
    report = report_of(changed("yaw_deg", 50))
    kept = report.keep(report.has("turned"))
    assert kept.code == '.keep("12-18")'
    assert kept.count == 40
    assert parse_ranges(np.zeros(40, bool), 40).sum() == 0


def test_a_column_of_a_table_is_a_mask():
    pandas = pytest.importorskip("pandas")
    column = pandas.Series(np.arange(40) < 3)
    assert report_of().drop(column).ranges() == "0-2"


@pytest.mark.parametrize(
    ("frames", "named"),
    [
        (slice(3, 5), [3, 4]),
        (slice(None, 2), [0, 1]),
        (slice(38, None), [38, 39]),
        (slice(0, 7, 3), [0, 3, 6]),
        (slice(5, 5), []),
        (np.int64(7), [7]),
        (np.array([2, 9]), [2, 9]),
        (range(4), [0, 1, 2, 3]),
        ([], []),
    ],
)
def test_frames_named_by_numbers(frames, named):
    assert np.flatnonzero(parse_ranges(frames, 40)).tolist() == named


@pytest.mark.parametrize(
    "wrong",
    [
        True, np.True_, 1.5, 1.0, None, [1.7], ["a"], [True, False], [None], {}.get, np.array([1.0]),
        np.ones(39, bool), np.ones((40, 1), bool), np.ones(0, bool),
        slice(100, 200), slice(30, 50), slice(-5, None), slice(0, -1), slice(9, 3), slice(3, 9, -1), slice(0.5, 2),
    ],
)  # fmt: skip
def test_what_names_no_frames_is_refused(wrong):
    with pytest.raises(SettingsError, match="frames"):
        report_of().keep(wrong)


# --- settings


def test_thresholds_may_be_numpys_numbers_and_go_into_a_file():
    settings = UsabilitySettings(min_eyes_px=np.float32(20), max_yaw_deg=np.int64(30))
    assert settings == UsabilitySettings(min_eyes_px=20, max_yaw_deg=30)
    report = report_of().with_settings(settings)
    assert UsabilityReport.from_json(report.to_json()).settings == settings


@pytest.mark.parametrize("wrong", ["20", None, True, float("nan")])
def test_thresholds_are_numbers(wrong):
    with pytest.raises(SettingsError, match="min_eyes_px"):
        UsabilitySettings(min_eyes_px=wrong)


# --- files


def damaged(**change) -> str:
    values = json.loads(report_of().drop("3").to_json())
    for name, value in change.items():
        if name in values["measures"]:
            values["measures"][name][5] = value
        else:
            values[name] = value
    return json.dumps(values)


DAMAGED = {
    "origin too large": damaged(origin=300),
    "origin below 0": damaged(origin=-1),
    "no such origin": damaged(origin=9),
    "shot below 0": damaged(shot=-1),
    "a number for a truth value": damaged(elsewhere=1),
    "text for a number": damaged(yaw_deg="left"),
    "half a face": damaged(faces=0.5),
    "another format": damaged(format=99),
    "no rate": damaged(fps="0"),
    "a rate that runs backward": damaged(fps="-25"),
    "an endless rate": damaged(fps="1/0"),
    "an edit that is neither": damaged(edits=[{"keep": "false", "frames": "3"}]),
    "an edit of no frames": damaged(edits=[{"keep": False, "frames": 3}]),
    "an edit of frames that are not there": damaged(edits=[{"keep": False, "frames": "99"}]),
    "a threshold out of range": damaged(settings={"min_eyes_px": -4}),
    "deeper than anything": "[" * 200_000 + "]" * 200_000,
    "no frames": json.dumps(json.loads(damaged()) | {"measures": {name: [] for name in vars(good_rows())}}),
}


def test_what_is_not_damaged_is_read():
    assert UsabilityReport.from_json(damaged()).ranges() == "3"


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_report_is_refused_with_the_files_name(tmp_path, text):
    with pytest.raises(SettingsError, match="no usability report") as caught:
        UsabilityReport.from_json(text)
    assert caught.value.cause
    (tmp_path / "mine.json").write_text(text)
    with pytest.raises(SettingsError, match=r"mine\.json"):
        UsabilityReport.load(tmp_path / "mine.json")


def test_a_report_says_which_file_it_is_about():
    report = replace(report_of(), clip="ab" * 32)
    assert UsabilityReport.from_json(report.to_json()).clip == report.clip
    older = json.loads(report.to_json())
    del older["clip_sha256"]
    assert UsabilityReport.from_json(json.dumps(older)).clip == ""
    assert report.fps == Fraction(25)
