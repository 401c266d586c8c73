"""Photos of every kind, in and out."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from lipwise.errors import LipwiseWarning, MediaError
from lipwise.media.picture import check_picture_destination, read_picture, write_picture

RNG = np.random.default_rng(0)
KINDS = {
    "grey": RNG.integers(0, 255, (20, 30), np.uint8),
    "RGB": RNG.integers(0, 255, (20, 30, 3), np.uint8),
    "RGBA": RNG.integers(0, 255, (20, 30, 4), np.uint8),
    "grey in 16 bits": RNG.integers(0, 65535, (20, 30), np.uint16),
    "RGB in 16 bits": RNG.integers(0, 65535, (20, 30, 3), np.uint16),
    "RGBA in 16 bits": RNG.integers(0, 65535, (20, 30, 4), np.uint16),
    "one pixel": RNG.integers(0, 255, (1, 1, 3), np.uint8),
}


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_comes_back_as_it_was(kind, ending, tmp_path):
    back = read_picture(write_picture(tmp_path / f"Zoë {kind}{ending}", KINDS[kind]))
    assert back.dtype == KINDS[kind].dtype
    assert np.array_equal(back, KINDS[kind])


def test_red_is_red_for_other_programs(tmp_path):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    write_picture(tmp_path / "red.png", red)
    assert cv2.imread(str(tmp_path / "red.png"))[0, 0].tolist() == [0, 0, 200]


def test_a_photo_is_turned_as_its_exif_says(tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(astronaut()[:100, :60]).save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").shape == (60, 100, 3)


def test_jpeg_says_what_it_cannot_hold(tmp_path):
    with pytest.warns(LipwiseWarning) as caught:
        write_picture(tmp_path / "a.jpg", KINDS["RGBA in 16 bits"])
    assert {"16" in str(one.message) for one in caught} == {True, False}
    assert read_picture(tmp_path / "a.jpg").shape == (20, 30, 3)


@pytest.mark.parametrize(("name", "content"), [("a.png", b"\x89PNG\r\n\x1a\n" + b"x" * 40), ("b.png", b"text " * 9)])
def test_what_is_no_photo_is_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError, match="cannot be read as a photo"):
        read_picture(tmp_path / name)


def test_hdr_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "a.tif"), np.ones((4, 4, 3), np.float32))
    with pytest.raises(MediaError, match="float32"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["a.gif", "a", "a.mp4"])
def test_unknown_endings_are_refused(name, tmp_path):
    with pytest.raises(MediaError, match="cannot be written as a photo"):
        check_picture_destination(tmp_path / name)


def test_nothing_is_left_where_it_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match="cannot be written"):
        write_picture(tmp_path / "file" / "a.png", KINDS["RGB"])
