"""Photos of every kind, in and out."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from lipwise.errors import LipwiseWarning, MediaError
from lipwise.media.exif import orientation_of
from lipwise.media.picture import check_picture_destination, read_picture, write_picture
from lipwise.media.still import on_white, read_still

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
    assert {"not 16" in str(one.message) for one in caught} == {True, False}
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


UPRIGHT = {  # CIPA DC-008, 4.6.4: where row 0 and column 0 of what is stored are seen
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored),
}


@pytest.mark.parametrize("ending", ["png", "webp", "tif"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_transparency_is_turned_as_the_colours_are(orientation, ending, tmp_path):
    from PIL import Image

    rgba = np.random.default_rng(0).integers(1, 256, (20, 30, 4), np.uint8)
    rgba[..., 3] |= 0xF0  # nearly opaque: OpenCV multiplies a TIFF's colours with it
    rgba[:4, :4, 3] = 0
    rgba[..., :3] *= rgba[..., 3:] > 0
    exif = Image.Exif()
    exif[0x0110], exif[0x0112] = "a camera", orientation
    path, more = tmp_path / f"turned.{ending}", {"lossless": True, "exact": True} if ending == "webp" else {}
    Image.fromarray(rgba).save(path, exif=exif, **more)
    made, seen = read_picture(path), UPRIGHT[orientation](rgba)
    assert (made[..., 3] == seen[..., 3]).all()
    assert np.abs(made.astype(int) - seen).max() <= (20 if ending == "tif" else 0)
    shown, _, _ = read_still(path)
    assert (shown == on_white(made)).all()


@pytest.mark.parametrize(
    "exif", [b"", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0II*\0\xff\xff\xff\xff", b"x" * 40]
)
def test_exif_that_cannot_be_read_turns_nothing(exif):
    chunk = len(exif).to_bytes(4, "big") + b"eXIf" + exif + b"sum."
    assert orientation_of(b"\x89PNG\r\n\x1a\n" + chunk) == 1
    assert orientation_of(chunk) == 1


@pytest.mark.parametrize(("ending", "longest"), [("jpg", 65_500), ("webp", 16_383), ("png", 70_000)])
def test_the_longest_picture_of_a_format(ending, longest, tmp_path):
    longest_yet = np.zeros((1, longest, 3), np.uint8)
    assert read_picture(write_picture(tmp_path / f"a.{ending}", longest_yet)).shape == longest_yet.shape
    if ending != "png":
        with pytest.raises(MediaError, match=f"(?s){longest + 1} x 1 px.*at most {longest:,} px"):
            write_picture(tmp_path / f"b.{ending}", np.zeros((1, longest + 1, 3), np.uint8))


def test_what_opencv_does_not_encode_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, "imencode", lambda *_: (False, ()))
    with pytest.raises(MediaError, match=r"(?s)a\.png cannot be written.*30 x 20 px"):
        write_picture(tmp_path / "a.png", KINDS["RGB"])


def test_a_folder_is_no_destination(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(MediaError, match="it is a folder"):
        check_picture_destination(tmp_path / "a.png")
