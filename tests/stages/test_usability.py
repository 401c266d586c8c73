"""Usability reports are edited, saved and read back."""

import json
from dataclasses import fields

import numpy as np
import pytest
from rows import changed, report_of

from lipwise.errors import LipwiseError, SettingsError
from lipwise.faces.track import NONE
from lipwise.stages.judge import REASONS, UsabilitySettings
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.ranges import format_ranges, parse_ranges
from lipwise.stages.usability import UsabilityReport


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
    with pytest.raises(SettingsError, match=r"report\.json"):
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
