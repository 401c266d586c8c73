"""Settings may be given by name, and what is none is refused before a clip is looked at."""

import numpy as np
import pytest

import lipwise as lw
from lipwise.stages import clean

WRONG = {
    "settings in letters": ({"settings": "steady"}, "'steady' is no TrackSettings"),
    "thresholds in letters": ({"thresholds": "strict"}, "'strict' is no UsabilitySettings"),
    "a threshold misspelt": ({"thresholds": {"max_blurr": 1}}, "max_blurr"),
    "another group": ({"settings": lw.UsabilitySettings()}, "is no TrackSettings"),
}


@pytest.mark.parametrize(("given", "said"), WRONG.values(), ids=WRONG)
def test_what_is_none_is_refused_before_the_clip_is_looked_at(given, said, build, monkeypatch, face_mesh):
    def look(*_, **__):
        raise AssertionError("looked")

    monkeypatch.setattr(clean, "detect_clip", look)
    with pytest.raises(lw.SettingsError, match=said):
        lw.examine(build("blurred").path, cache=False, **given)


@pytest.mark.parametrize("follow", [lw.track_faces, lw.track_people])
def test_settings_of_a_track_are_refused_before_the_clip_is_looked_at(follow, build, monkeypatch, face_mesh):
    def look(*_, **__):
        raise AssertionError("looked")

    monkeypatch.setattr(clean, "set_upright", look)
    monkeypatch.setattr(clean, "detect_clip", look)
    with pytest.raises(lw.SettingsError, match="'steady' is no TrackSettings"):
        follow(build("blurred").path, settings="steady")


def test_a_policy_is_taken_by_its_settings_names(examined):
    report = examined("blurred").report
    for given in ({"policy": "pass"}, {"policy": "hold", "hold_s": 0.1}, {"drop": "3-9"}):
        wanted = lw.apply_policy(report, lw.CleanSettings(**given))
        made = lw.apply_policy(report, given)
        assert np.array_equal(made.source_index, wanted.source_index)
        assert np.array_equal(made.synth, wanted.synth)
        assert np.array_equal(lw.plan_timeline(report, 20, given).source_index[:9], wanted.source_index[:9])
    with pytest.raises(lw.SettingsError, match="'pass' is no CleanSettings"):
        lw.apply_policy(report, "pass")


def test_thresholds_are_taken_by_their_names(examined):
    report = examined("blurred").report
    assert report.with_settings({"min_eyes_px": 900}).counts()["too_small"] == len(report)
    assert report.with_settings(None).settings == lw.UsabilitySettings()
