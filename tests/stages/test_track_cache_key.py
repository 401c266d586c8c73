"""The name under which a track is kept: another one for whatever changes the track, the same where nothing does."""

import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lipwise as lw
from lipwise.faces.detect import load_detector
from lipwise.stages import track_cache

COUNT = 24
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """No face is needed where nobody looks."""
    frames = (np.full((180, 320, 3), 5 * number, np.uint8) for number in range(COUNT))
    return lw.write_video(tmp_path_factory.mktemp("plain") / "plain.mp4", frames, fps=25)


@pytest.fixture(scope="module")
def yunet() -> Path:
    """YuNet's file in the user's cache, before a test has one of its own."""
    return lw.find_weights("yunet_2023mar") or pytest.skip("YuNet's file is not in the cache")


def other_video(**change: Any) -> Change:
    return lambda asked: asked.update(video=replace(asked["video"], **change))


def other_detector(**change: Any) -> Change:
    return lambda asked: asked.update(detector=load_detector("libfacedetection", **change))


def other_grid(asked: dict[str, Any]) -> None:
    """The same frames, another one shown twice."""
    index = asked["video"].index
    other_video(index=replace(index, frame_of=np.maximum(index.frame_of - 1, 0)))(asked)


def other_library(asked: dict[str, Any]) -> None:
    """libfacedetection with other weights inside."""
    other = asked["folder"] / "other.so"
    other.write_bytes(asked["detector"].path.read_bytes() + b"0")
    asked["detector"].path = other


# What a track is made from -> ways to change it, each of which gives another track, or may give one.
CHANGES: dict[str, list[Change]] = {
    "format": [lambda asked: asked["patch"].setattr(track_cache, "FORMAT", track_cache.FORMAT + 1)],
    "content": [lambda asked: asked.update(content="1")],
    "fps": [other_video(fps=Fraction(30_000, 1001))],
    "size_wh": [other_video(size_wh=(180, 320))],
    "turned": [other_video(turned=90), other_video(turned=270)],
    "frames": [other_video(frame_count=COUNT - 1)],
    "grid": [other_grid],
    "detector": [other_detector(min_score=0.6), other_detector(working_px=640), other_detector(retry_px=None)],
    "networks": [
        other_library,
        lambda asked: asked["patch"].setattr(track_cache, "find_weights", lambda name: asked["video"].path),
        lambda asked: asked["patch"].setattr(track_cache, "find_weights", lambda name: None),
    ],
    "choose": [
        lambda asked, choice=choice: asked.update(choose=choice) for choice in (0, 1, (5.0, 5.0), {0: 1}, {1: 1})
    ],
    "track": [
        lambda asked, name=entry.name: asked.update(settings=lw.TrackSettings(**{name: 0.11}))
        for entry in fields(lw.TrackSettings)
    ],
}


@pytest.fixture
def asked(clip, own_cache, tmp_path, monkeypatch) -> dict[str, Any]:
    """What a key is made of, and what a test needs to change it."""
    detector = load_detector("libfacedetection")
    asked = {"video": lw.probe(clip), "detector": detector, "content": "0", "choose": None}
    return asked | {"settings": lw.TrackSettings(), "folder": tmp_path, "patch": monkeypatch}


def key_of(asked: dict[str, Any]) -> tuple[str | None, dict]:
    """The key, and what it was made from."""
    video, detector = asked["video"], asked["detector"]
    rest = {name: asked[name] for name in ("content", "choose", "settings")}
    return track_cache.cache_key(video, detector, **rest), track_cache._made_from(video, detector, **rest)


@pytest.mark.parametrize(
    ("entry", "change"), [(entry, change) for entry, changes in CHANGES.items() for change in changes]
)
def test_whatever_a_track_is_made_from_gives_another_key(asked, entry, change):
    key, made_from = key_of(asked)
    change(asked)
    other_key, other_made_from = key_of(asked)
    assert {name for name in made_from if made_from[name] != other_made_from[name]} == {entry}
    assert other_key != key


def test_the_key_holds_nothing_else_and_stays_where_nothing_changed(asked):
    key, made_from = key_of(asked)
    assert set(made_from) == set(CHANGES)
    asked["choose"] = {0: 1, 1: 0}
    turned_round = asked | {"choose": {1: 0, 0: 1}, "detector": load_detector("libfacedetection")}
    assert key_of(asked) == key_of(turned_round) != (key, made_from)


def test_detectors_of_one_setting_have_keys_of_their_own(asked, yunet):
    key, _ = key_of(asked)
    library = asked["detector"].path
    asked.update(detector=load_detector("yunet", yunet_path=yunet))
    asked["detector"].path = library  # the name alone tells them apart
    assert key_of(asked)[0] != key


def test_tracks_of_yunet_are_kept_under_the_content_of_its_file(yunet, clip, own_cache, tmp_path):
    own = Path(shutil.copy(yunet, tmp_path / "yunet.onnx"))
    detector = load_detector("yunet", yunet_path=own)
    keys = []
    for content in (yunet.read_bytes(), yunet.read_bytes() + b"0"):
        own.write_bytes(content)
        video = lw.probe(clip)
        keys.append(track_cache.cache_key(video, detector, content="", choose=None, settings=lw.TrackSettings()))
    assert keys[0] != keys[1]
