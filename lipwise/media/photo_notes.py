"""What a photo says of itself beside its pixels: EXIF, colour profile and resolution; read, and written again.

The pixels of an enhanced photo mean the colours that they meant before, so its colour profile stays right.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lipwise.media.exif import JPEG_MARK, RESOLUTION_TAG, exif_of, says_resolution, upright_exif

INCH_M = 0.0254
IHDR_ENDS = 33  # byte of a PNG: what it begins with, and its header
JPEG_SEGMENT = 65_533  # bytes that a JPEG's EXIF may have
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP"}
OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95},  # what OpenCV takes
    "WEBP": {"lossless": True, "exact": True},
}
# Of a TIFF's own directory (TIFF 6.0; CIPA DC-008, 4.6.4): who, when, with what. The rest says how it is stored.
TOLD_BY_TIFF = (0x10E, 0x10F, 0x110, 0x131, 0x132, 0x13B, 0x13C, 0x8298)
DIRECTORIES = (0x8769, 0x8825)  # EXIF's own and the place
PLACES_OF_OTHERS = ("xmp", "XML:com.adobe.xmp", "photoshop")  # what Pillow calls XMP and IPTC
TIFF_XMP, TIFF_IPTC = 700, 33_723
# What Pillow raises over notes that are broken, or a photo that it does not know.
_DAMAGE = (*(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError), struct.error)


@dataclass(frozen=True)
class PhotoNotes:
    """What is said of a photo that stands upright.

    Attributes:
        exif: a block that begins with its byte order; empty for none.
        profile: ICC; empty for none.
        dpi: across and down; None where it is not said.
        lost: what was there and is not kept, in words.
    """

    exif: bytes = b""
    profile: bytes = b""
    dpi: tuple[float, float] | None = None
    lost: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.exif or self.profile or self.dpi)


def read_notes(path: str | Path) -> PhotoNotes:
    """What a photo says of itself; what cannot be read or kept is in `lost`."""
    path = Path(path)
    try:
        with opened_photo(path) as photo:
            return _notes_of(photo, path)
    except UnreadablePhotoError as error:
        return PhotoNotes(lost=(f"EXIF and colour profile, which Pillow cannot read ({error})",))


class UnreadablePhotoError(Exception):
    """A photo, or what it says of itself, that Pillow does not understand."""


@contextmanager
def opened_photo(path: Path) -> Iterator[Any]:
    """A photo as Pillow opens it, without its warnings of large pictures: nothing is decoded here.

    Raises:
        UnreadablePhotoError: whatever Pillow raises while it is opened or looked at in the body.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path) as photo:
                yield photo
        except (*_DAMAGE, Image.DecompressionBombError) as error:
            raise UnreadablePhotoError(str(error)) from error


def _notes_of(photo: Any, path: Path) -> PhotoNotes:
    """Those of a photo that Pillow has opened."""
    lost = ["XMP and IPTC"] if any(photo.info.get(place) for place in PLACES_OF_OTHERS) else []
    if photo.format == "TIFF":
        block, found = _exif_of_tiff(photo), photo.getexif()
        lost = ["XMP and IPTC"] if TIFF_XMP in found or TIFF_IPTC in found else []
    else:
        stored = photo.info.get("exif", b"") if photo.format in ("JPEG", "MPO") else exif_of(path.read_bytes())
        block = upright_exif(stored)
        lost += ["EXIF, which cannot be read"] if stored and not block else []
    if photo.mode == "CMYK" and not photo.info.get("icc_profile"):  # of a profile `fitting` tells
        lost.append("its CMYK colours, which are RGB now")
    # Pillow gives 1 dpi for a TIFF that says nothing of it.
    says_none = photo.format == "TIFF" and RESOLUTION_TAG not in photo.getexif()
    across, down = (0, 0) if says_none else photo.info.get("dpi") or (0, 0)
    dpi = (float(across), float(down)) if across > 0 and down > 0 else None
    return PhotoNotes(block, photo.info.get("icc_profile") or b"", dpi, tuple(lost))


def _exif_of_tiff(photo: Any) -> bytes:
    """An EXIF block with what a TIFF tells that is not about how it is stored."""
    from PIL import Image

    found, kept = photo.getexif(), Image.Exif()
    for tag in TOLD_BY_TIFF:
        if tag in found:
            kept[tag] = found[tag]
    for directory in DIRECTORIES:
        inner = found.get_ifd(directory)
        if inner:
            kept[directory] = dict(inner)
    return kept.tobytes().removeprefix(JPEG_MARK) if len(kept) else b""


def fitting(notes: PhotoNotes, picture: np.ndarray, ending: str) -> PhotoNotes:
    """Notes that a photo of that form and ending can have; the others are in `lost`."""
    lost = list(notes.lost)
    wanted = b"GRAY" if picture.ndim == 2 else b"RGB "
    if notes.profile and notes.profile[16:20] != wanted:  # ICC.1, 7.2.8: the colours that it is about
        kind = notes.profile[16:20].decode("latin-1").strip()
        lost.append(f"its colour profile, which is for {kind} and not for {wanted.decode().strip()}")
        notes = replace(notes, profile=b"")
    if ending == ".bmp" or (picture.dtype != np.uint8 and ending != ".png"):
        lost += ["EXIF"] * bool(notes.exif) + ["its colour profile"] * bool(notes.profile)
        notes = replace(notes, exif=b"", profile=b"")
    if notes.dpi and (ending == ".webp" or (picture.dtype != np.uint8 and ending != ".png")):
        lost += [f"its resolution of {round(notes.dpi[0], 1):g} dpi"] * (not says_resolution(notes.exif))
        notes = replace(notes, dpi=None)
    if FORMATS.get(ending) == "JPEG" and len(JPEG_MARK + notes.exif) > JPEG_SEGMENT:
        lost.append("EXIF, which is too long for a JPEG")
        notes = replace(notes, exif=b"")
    return replace(notes, lost=tuple(lost))


def with_png_notes(stored: bytes, notes: PhotoNotes) -> bytes:
    """A PNG with chunks of notes behind its header (PNG, third edition, 11.3)."""
    chunks = b""
    if notes.profile:
        chunks += _chunk(b"iCCP", b"ICC\0\0" + zlib.compress(notes.profile))
    if notes.dpi:
        across, down = (round(dots / INCH_M) for dots in notes.dpi)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", across, down, 1))  # 1: a metre
    if notes.exif:
        chunks += _chunk(b"eXIf", notes.exif)
    return stored[:IHDR_ENDS] + chunks + stored[IHDR_ENDS:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def encoded_with_notes(picture: np.ndarray, ending: str, notes: PhotoNotes) -> bytes:
    """A photo in 8 bits, (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, as a file of that ending with notes that fit.

    Raises:
        OSError, ValueError: Pillow cannot encode it.
    """
    from PIL import Image

    kind = FORMATS[ending]
    asked: dict[str, Any] = {**OPTIONS.get(kind, {})}
    if notes.exif:
        asked["exif"] = JPEG_MARK + notes.exif
    if notes.profile:
        asked["icc_profile"] = notes.profile
    if notes.dpi:
        asked["dpi"] = notes.dpi
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **asked)
    return file.getvalue()
