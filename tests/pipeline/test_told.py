"""Warnings while the library works: ours are kept and told at the end, those of others are shown as ever."""

import warnings

import pytest
from PIL import Image

import lipwise as lw
from lipwise.pipeline.told import kept_warnings


def work() -> list[str]:
    """Two warnings of ours, one of them twice, and one of another library."""
    with kept_warnings() as told:
        for text in ("one", "two", "one"):
            warnings.warn(text, lw.LipwiseWarning, stacklevel=1)
        warnings.warn("theirs", RuntimeWarning, stacklevel=1)
    return told


def test_ours_are_kept_and_others_are_shown():
    with pytest.warns(RuntimeWarning, match="theirs") as shown:
        assert work() == ["one", "two"]
    assert len(shown) == 1


def test_one_inside_another_hands_the_others_on():
    with pytest.warns(RuntimeWarning, match="theirs") as shown, kept_warnings() as told:
        assert work() == ["one", "two"]
    assert (len(shown), told) == (1, [])


def test_where_the_work_fails_all_are_shown():
    def fail() -> None:
        with kept_warnings():
            work()
            warnings.warn("ours", lw.LipwiseWarning, stacklevel=1)
            raise ValueError("in the end")

    with pytest.raises(ValueError, match="in the end"), pytest.warns() as shown:
        fail()
    assert [str(one.message) for one in shown] == ["theirs", "ours"]


def test_a_photo_that_pillow_finds_very_large_is_enhanced_without_a_word_of_it(tmp_path, monkeypatch, recwarn):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40 * 60 - 1)
    path = tmp_path / "large.tif"
    Image.new("RGB", (60, 40), "teal").save(path)
    report = lw.enhance(path, tmp_path / "out.png", upscale="lanczos", scale=1.5, progress=False)
    assert report.size_wh == (90, 60)
    assert not recwarn.list
