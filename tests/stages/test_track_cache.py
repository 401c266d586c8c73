"""The cache of tracks: the second call is quick, and whatever changes the outcome is noticed."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import lipwise as lw
from lipwise.errors import LipwiseWarning
from lipwise.faces.detect import load_detector
from lipwise.stages import track_cache
from lipwise.stages.clean import examine
from lipwise.stages.judge import UsabilitySettings


@pytest.fixture
def looks(monkeypatch) -> list[int]:
    """Counts how often a clip is looked at."""
    from lipwise.stages import clean

    seen, look = [], clean.detect_clip

    def counted(*arguments, **how):
        seen.append(1)
        return look(*arguments, **how)

    monkeypatch.setattr(clean, "detect_clip", counted)
    return seen


COUNT = 24


@pytest.fixture(scope="module")
def short(build, tmp_path_factory):
    """A few small frames with a face, then a few without."""
    large = lw.read_frames(build("absent").path, np.arange(14, 14 + COUNT))
    frames = (cv2.resize(frame, (320, 180), interpolation=cv2.INTER_AREA) for frame in large)
    return lw.write_video(tmp_path_factory.mktemp("short") / "short.mp4", frames, fps=25)


@pytest.fixture
def clip(short, tmp_path):
    return Path(shutil.copy(short, tmp_path / "clip.mp4"))


def same(one, other) -> bool:
    return np.array_equal(one.track.boxes_xyxy, other.track.boxes_xyxy, equal_nan=True) and np.array_equal(
        one.report.reasons, other.report.reasons
    )


def test_a_second_call_does_not_look_and_gives_the_same(clip, own_cache, looks):
    first = examine(clip)
    second = examine(clip)
    assert len(looks) == 1
    assert same(first, second)
    clip.rename(clip.with_name("moved.mp4"))
    assert same(first, examine(clip.with_name("moved.mp4")))
    assert len(looks) == 1


def test_other_thresholds_need_no_second_look(clip, own_cache, looks):
    examine(clip)
    strict = examine(clip, thresholds=UsabilitySettings(min_eyes_px=500))
    assert strict.report.counts()["too_small"] > 10
    assert len(looks) == 1


def test_a_changed_file_is_noticed_though_name_size_and_time_are_the_same(clip, own_cache, looks):
    examine(clip)
    stamp, content = clip.stat(), bytearray(clip.read_bytes())
    content[-200] ^= 0xFF
    clip.write_bytes(content)
    os.utime(clip, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    examine(clip)
    assert len(looks) == 2


@pytest.mark.parametrize(
    "setting",
    [
        {"settings": lw.TrackSettings(fill_gap_s=0)},
        {"choose": 0},
        {"detector": load_detector("libfacedetection", min_score=0.8)},
    ],
)
def test_a_changed_setting_is_noticed(clip, own_cache, looks, setting):
    examine(clip)
    examine(clip, **setting)
    assert len(looks) == 2


def test_another_network_is_noticed(clip, own_cache, looks, face_mesh, tmp_path, monkeypatch):
    examine(clip)
    other = tmp_path / "other.tflite"
    other.write_bytes(face_mesh.read_bytes() + b"0")
    monkeypatch.setattr(track_cache, "find_weights", lambda name: other)
    examine(clip)
    assert len(looks) == 2


def test_what_is_kept_belongs_to_the_file_it_is_asked_for(clip, own_cache, looks):
    from lipwise.files import sha256_of

    first, second = examine(clip), examine(clip)
    assert len(looks) == 1
    assert {first.track.clip, second.track.clip, second.report.clip} == {sha256_of(clip)}


def test_doubts_are_told_of_a_kept_track_too(clip, own_cache, looks, monkeypatch):
    monkeypatch.setattr("lipwise.faces.track.UNSURE", 2.0)  # no face is sure enough
    for _ in range(2):
        with pytest.warns(LipwiseWarning, match="may be somebody else's in shot"):
            examine(clip)
    assert len(looks) == 1


def test_a_part_of_a_clip_is_not_the_whole(clip, own_cache, looks):
    whole = lw.probe(clip)
    assert len(examine(whole).report) == COUNT
    assert len(examine(whole.part(5, 15)).report) == 10
    assert len(examine(whole.part(6, 16)).report) == 10
    assert len(looks) == 3


def test_the_mesh_is_laid_on_what_is_kept(clip, own_cache, looks):
    examine(clip)
    with_mesh = examine(clip, mesh=True)
    assert len(looks) == 1
    assert np.isfinite(with_mesh.track.mesh_xy[5]).all()
    assert np.array_equal(examine(clip, mesh=True).track.mesh_xy, with_mesh.track.mesh_xy, equal_nan=True)
    assert len(examine(clip).track.mesh_xy) == 0


def test_nothing_is_kept_unless_wanted_and_all_of_it_can_be_forgotten(clip, own_cache, looks):
    examine(clip, cache=False)
    assert not track_cache.tracks_folder().exists()
    examine(clip)
    assert lw.forget_tracks() == 2
    examine(clip)
    assert len(looks) == 3


def test_damaged_entries_are_made_anew(clip, own_cache, looks):
    first = examine(clip)
    for path in track_cache.tracks_folder().iterdir():
        path.write_bytes(path.read_bytes()[:100])
    with pytest.warns(lw.LipwiseWarning, match="made anew"):
        again = examine(clip)
    assert same(first, again)
    assert same(first, examine(clip))
    assert len(looks) == 2


def test_a_report_of_another_clip_is_no_report_of_this_one(clip, own_cache, looks):
    first = examine(clip)
    (report,) = track_cache.tracks_folder().glob("*.report.json")
    examine(lw.probe(clip).part(0, 12))
    (other,) = {*track_cache.tracks_folder().glob("*.report.json")} - {report}
    shutil.copy(other, report)
    with pytest.warns(lw.LipwiseWarning, match="differ in length: one of them is another"):
        assert same(first, examine(clip))
    assert len(looks) == 3


def test_the_oldest_entries_go_when_there_is_too_much(clip, own_cache, looks, monkeypatch):
    monkeypatch.setattr(track_cache, "KEPT_BYTES", 1)
    examine(clip)
    examine(lw.probe(clip).part(0, 12))
    assert len(list(track_cache.tracks_folder().iterdir())) == 2
    examine(lw.probe(clip).part(0, 12))
    assert len(looks) == 2


def test_a_detector_of_ones_own_is_not_cached_and_says_so(clip, own_cache, looks):
    class Own:
        name = "own"

        def __init__(self):
            self.inner = load_detector("libfacedetection")

        def detect(self, frame):
            return self.inner.detect(frame)

    with pytest.warns(lw.LipwiseWarning, match="not kept"):
        examine(clip, detector=Own())
    assert not track_cache.tracks_folder().exists()


def test_a_folder_that_cannot_be_written_costs_the_cache_not_the_work(clip, own_cache):
    (own_cache / "tracks").write_text("in the way")
    with pytest.warns(lw.LipwiseWarning, match="cannot be kept"):
        assert len(examine(clip).report) == COUNT


def test_a_turned_clip_is_turned_again_without_a_look(short, tmp_path, own_cache, looks, monkeypatch):
    lying = tmp_path / "lying.mp4"
    lw.write_video(lying, (np.rot90(frame).copy() for frame in lw.read_frames(short)), fps=25)
    with pytest.warns(lw.LipwiseWarning, match="turned by 90"):
        first = examine(lying)
    monkeypatch.setattr("lipwise.stages.clean.set_upright", lambda *_: pytest.fail("tried again"))
    with pytest.warns(lw.LipwiseWarning, match="turned by 90"):
        second = examine(lying)
    assert same(first, second)
    assert first.video == second.video
    assert first.video.turned == first.track.rotation == 90
    assert len(looks) == 1
