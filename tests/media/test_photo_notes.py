"""EXIF, colour profile and resolution of a photo: kept, or told."""

import warnings

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage.data import astronaut

from lipwise.errors import LipwiseWarning
from lipwise.media.exif import upright_exif
from lipwise.media.photo_notes import read_notes
from lipwise.media.picture import read_picture, write_picture

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY_PROFILE = PROFILE[:16] + b"GRAY" + PROFILE[20:]
COPYRIGHT, DATE, LENS, ORIENTATION, EXIF, PLACE = 0x8298, 0x132, 0xA434, 0x112, 0x8769, 0x8825
SIDES = astronaut()[:40, :60]
ENDINGS = ["jpg", "png", "webp", "tif"]


def full_exif(orientation: int = 6) -> Image.Exif:
    exif = Image.Exif()
    exif[COPYRIGHT], exif[DATE], exif[ORIENTATION] = "a photographer", "2026:05:04 03:02:01", orientation
    exif[EXIF] = {LENS: "a lens", 0x927C: b"the maker's own notes"}
    exif[PLACE] = {1: "N", 2: (48.0, 8.0, 6.0)}
    return exif


@pytest.fixture(params=ENDINGS)
def source(request, tmp_path):
    path = tmp_path / f"in.{request.param}"
    Image.fromarray(SIDES).save(path, exif=full_exif().tobytes(), icc_profile=PROFILE, dpi=(300, 300))
    return path


def again(source, target, change=lambda picture: picture):
    """Read and written, as an enhanced photo is; what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LipwiseWarning)
        write_picture(target, change(read_picture(source)), notes=read_notes(source))
    return [str(one.message) for one in caught if issubclass(one.category, LipwiseWarning)]


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_a_photo_says_is_kept(source, ending, tmp_path):
    told = again(source, tmp_path / f"out.{ending}", lambda picture: picture.repeat(2, 0).repeat(2, 1))
    lost = ending == "webp" and source.suffix != ".webp"
    with Image.open(tmp_path / f"out.{ending}") as made:
        exif = made.getexif()
        assert made.size == (80, 120)  # upright, and twice as large
        assert (exif[COPYRIGHT], exif[DATE]) == ("a photographer", "2026:05:04 03:02:01")
        assert exif.get(ORIENTATION, 1) == 1
        assert exif.get_ifd(EXIF)[LENS] == "a lens"
        assert exif.get_ifd(EXIF)[0x927C] == b"the maker's own notes"
        assert exif.get_ifd(PLACE)[2] == (48, 8, 6)
        assert made.info["icc_profile"] == PROFILE
        if ".webp" not in (source.suffix, f".{ending}"):  # which only EXIF tells the resolution of
            assert made.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    assert told == ([f"{tmp_path / 'out.webp'} is written without its resolution of 300 dpi"] if lost else [])
    assert read_picture(tmp_path / f"out.{ending}").shape == (120, 80, 3)  # not turned once more


@pytest.mark.parametrize("form", ["grey", "alpha", "16 bits", "grey in 16 bits"])
def test_a_png_keeps_them_in_every_form(form, tmp_path):
    picture = {"alpha": np.dstack([SIDES, SIDES[..., 0]]), "16 bits": SIDES.astype(np.uint16) * 257}.get(form)
    picture = SIDES[..., 1].astype(np.uint16 if "16" in form else np.uint8) if picture is None else picture
    Image.fromarray(SIDES).save(tmp_path / "in.jpg", exif=full_exif(1), icc_profile=PROFILE, dpi=(72, 72))
    told = again(tmp_path / "in.jpg", tmp_path / "out.png", lambda _: picture)
    with Image.open(tmp_path / "out.png") as made:
        assert made.getexif()[COPYRIGHT] == "a photographer"
        assert made.info.get("icc_profile") == (None if "grey" in form else PROFILE)
    assert ("for RGB and not for GRAY" in "".join(told)) == ("grey" in form)
    assert (read_picture(tmp_path / "out.png") == picture).all()


def test_a_grey_photo_keeps_a_grey_profile(tmp_path):
    Image.fromarray(SIDES[..., 0]).save(tmp_path / "in.png", icc_profile=GREY_PROFILE)
    assert not again(tmp_path / "in.png", tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as made:
        assert made.info["icc_profile"] == GREY_PROFILE


@pytest.mark.parametrize(
    ("ending", "change", "words"),
    [
        ("bmp", lambda picture: picture, "without EXIF and its colour profile"),
        ("tif", lambda picture: picture.astype(np.uint16), "without EXIF and its colour profile"),
    ],
)
def test_what_a_format_cannot_keep_is_told(ending, change, words, tmp_path):
    Image.fromarray(SIDES).save(tmp_path / "in.jpg", exif=full_exif(), icc_profile=PROFILE)
    told = again(tmp_path / "in.jpg", tmp_path / f"out.{ending}", change)
    assert words in "".join(told)
    assert read_picture(tmp_path / f"out.{ending}").shape == (60, 40, 3)


def test_a_resolution_without_exif_is_told_where_it_is_lost(tmp_path):
    Image.fromarray(SIDES).save(tmp_path / "in.png", dpi=(300, 300))
    assert "its resolution of" in again(tmp_path / "in.png", tmp_path / "out.webp")[0]


def test_xmp_is_told(tmp_path):
    Image.fromarray(SIDES).save(tmp_path / "in.webp", xmp=b"<x:xmpmeta/>")
    assert "without XMP and IPTC" in again(tmp_path / "in.webp", tmp_path / "out.webp")[0]


@pytest.mark.parametrize("ending", ["jpg", "tif"])
def test_colours_for_printing_are_told(tmp_path, ending):
    Image.fromarray(SIDES).convert("CMYK").save(tmp_path / f"in.{ending}")
    (said,) = again(tmp_path / f"in.{ending}", tmp_path / "out.png")
    assert said.endswith("is written without its CMYK colours, which are RGB now")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_photo_that_says_nothing_is_written_without_a_word(ending, tmp_path):
    write_picture(tmp_path / f"in.{ending}", SIDES)
    assert not read_notes(tmp_path / f"in.{ending}")
    assert not again(tmp_path / f"in.{ending}", tmp_path / "out.webp")


def test_broken_exif_is_told_and_stops_nothing(tmp_path):
    Image.fromarray(SIDES).save(tmp_path / "in.jpg", exif=b"Exif\0\0no EXIF at all")
    assert "EXIF, which cannot be read" in again(tmp_path / "in.jpg", tmp_path / "out.jpg")[0]
    assert read_picture(tmp_path / "out.jpg").shape == SIDES.shape


@pytest.mark.parametrize("order", ["<", ">"])
def test_upright_exif_moves_nothing_and_has_no_thumbnail(order):
    exif = full_exif(8)
    exif.endian = order
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    start = 10 + 12 * int.from_bytes(block[8:10], "little" if order == "<" else "big")
    block = block[:start] + b"\1\1\1\1" + block[start + 4 :]  # a second directory
    made = upright_exif(block)
    assert len(made) == len(block)
    assert made[start : start + 4] == bytes(4)
    back = Image.Exif()
    back.load(made)
    assert (back[ORIENTATION], back[COPYRIGHT]) == (1, "a photographer")


@pytest.mark.parametrize(
    "block", [b"", b"II", b"MM\0*", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"x" * 9]
)
def test_exif_that_cannot_be_read_is_none(block):
    assert upright_exif(block) == b""
