"""Folders of photos among other files, results that cannot be written, and files of several pictures."""

import struct
import time

import numpy as np
import pytest
from enhance_doubles import Drawing
from PIL import Image
from skimage.data import coffee

import lipwise as lw
from lipwise.errors import MediaError
from lipwise.media.picture import write_picture
from lipwise.pipeline.enhance_photos import photos_of


@pytest.fixture
def photo(tmp_path):
    return write_picture(tmp_path / "in" / "a.png", coffee()[:40, :60])


def test_files_that_are_no_photos_are_named(photo, tmp_path):
    for name in ("b.avif", "c.mp4", "notes.txt", ".DS_Store", "._a.jpg"):
        (photo.parent / name).write_bytes(b"anything")
    (photo.parent / "gone.jpg").symlink_to("nowhere.jpg")
    (photo.parent / "older").mkdir()
    report = lw.enhance(photo.parent, tmp_path / "out", upscale="lanczos", progress=False)
    assert (report.frames, report.failed) == (1, ())
    (told,) = report.remarks
    assert told.startswith("4 files left out")
    assert told.endswith(": b.avif, c.mp4, gone.jpg, notes.txt")


def test_of_many_files_the_first_are_named(photo, tmp_path):
    for number in range(9):
        (photo.parent / f"{number}.txt").touch()
    (told,) = lw.enhance(photo.parent, tmp_path / "out", upscale="lanczos", progress=False).remarks
    assert told.startswith("9 files left out")
    assert told.endswith("0.txt, 1.txt, 2.txt, 3.txt, 4.txt, ...")


@pytest.mark.parametrize("name", ["out", "out.png"])
def test_a_place_that_cannot_be_written_is_refused_before_any_work(photo, tmp_path, name):
    (tmp_path / "file").touch()
    source, upscaler = (photo if "." in name else photo.parent), Drawing()
    with pytest.raises(MediaError, match=r"(?s)file/out\S* cannot be written.*next: choose a folder"):
        lw.enhance(source, tmp_path / "file" / name, upscale=upscaler, progress=False)
    assert not upscaler.frames
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "in"]


def test_a_folder_that_holds_nothing_in_the_end_is_not_made(photo, tmp_path):
    photo.write_bytes(photo.read_bytes()[:60])
    with pytest.raises(MediaError, match=r"(?s)a\.png cannot be read.*copy or download it again"):
        lw.enhance(photo.parent, tmp_path / "new" / "out", upscale="lanczos", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_tiff_whose_second_page_is_damaged_stops_nothing(photo, tmp_path):
    path = photo.parent / "pages.tif"
    pages = [Image.fromarray(coffee()[:40, :60])] * 2
    pages[0].save(path, save_all=True, append_images=pages[1:])
    stored = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", stored, 4)
    (entries,) = struct.unpack_from("<H", stored, first)
    (second,) = struct.unpack_from("<I", stored, first + 2 + 12 * entries)
    struct.pack_into("<H", stored, second, 0)  # a page that says nothing of itself, over which Pillow raises TypeError
    path.write_bytes(stored)
    report = lw.enhance(photo.parent, tmp_path / "out", upscale="lanczos", progress=False)
    assert (report.frames, report.failed) == (2, ())
    assert lw.probe(path).is_still


def test_many_photos_are_found_in_little_time(tmp_path):
    (tmp_path / "many").mkdir()
    for number in range(3000):
        (tmp_path / "many" / f"{number}.png").touch()
    begun = time.process_time()
    assert len(photos_of(tmp_path / "many", tmp_path / "out")) == 3000
    assert time.process_time() - begun < 1  # comparing each with each took three times that


@pytest.mark.parametrize("ending", ["webp", "tif"])
def test_pictures_after_the_first_are_told(tmp_path, ending):
    shown = [Image.fromarray(coffee()[:40, :60] // shade) for shade in (1, 2, 3)]
    path = tmp_path / f"several.{ending}"
    shown[0].save(path, save_all=True, append_images=shown[1:])
    said = "it holds 3 pictures, of which only the first is used"
    assert said in lw.probe(path).notes
    report = lw.enhance(path, tmp_path / "out.png", upscale="lanczos")
    assert report.remarks == (f"{path.name}: {said}",)
    shown[0].save(path)
    assert lw.probe(path).notes == ()
    assert np.asarray(next(lw.read_frames(path))).shape == (40, 60, 3)
