"""Photos as they are, grey, with alpha, in 16 bits, to be changed and written again."""

import warnings
from pathlib import Path

import cv2
import numpy as np

from lipwise.errors import LipwiseWarning, MediaError
from lipwise.files import new_part, unwritable, writing, written_whole
from lipwise.media.exif import set_upright
from lipwise.media.photo_notes import PhotoNotes, encoded_with_notes, fitting, with_png_notes
from lipwise.media.still import is_still_file

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
DEEP_ENDINGS, ALPHA_ENDINGS = (".png", ".tif", ".tiff"), (".png", ".webp", ".tif", ".tiff")
JPEG_QUALITY, WEBP_LOSSLESS = 95, 101  # OpenCV's numbers
LONGEST_SIDE = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}  # px, of libjpeg and of the format


def read_picture(path: str | Path) -> np.ndarray:
    """A photo, upright.

    Returns:
        (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16.

    Raises:
        MediaError: it is not a picture that OpenCV can decode, or holds other numbers than 8 or 16 bits.
    """
    path = Path(path)
    if not is_still_file(path):
        raise _unreadable(path, "its first bytes are those of no JPEG, PNG, WebP, BMP or TIFF")
    stored = np.fromfile(path, np.uint8)  # not cv2.imread, which fails on some names
    try:
        picture = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED)
        if picture is not None and (picture.ndim == 2 or picture.shape[2] == 3):
            picture = cv2.imdecode(stored, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)  # turned as its EXIF says
    except cv2.error as error:
        raise _unreadable(path, str(error).strip()) from error
    if picture is None:
        raise _unreadable(path, "OpenCV finds no picture that it can decode in it", "copy or download it again, or ")
    if picture.dtype not in (np.uint8, np.uint16):
        raise _unreadable(path, f"it holds {picture.dtype}, which does not say where white is")
    if picture.ndim == 2:
        return picture
    if picture.shape[2] == 3:
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return cv2.cvtColor(set_upright(picture, stored.tobytes()), cv2.COLOR_BGRA2RGBA)


def _unreadable(path: Path, cause: str, before: str = "") -> MediaError:
    return MediaError(f"{path} cannot be read as a photo", cause=cause, next_step=f"{before}save it as JPEG or PNG")


def check_picture_destination(path: str | Path, size_wh: tuple[int, int] | None = None) -> None:
    """Raise MediaError now if a photo, of that size where it is known, cannot be written under that name later.

    No file is made, and folders only on the way.
    """
    path = Path(path)
    if path.is_dir():
        raise MediaError(f"{path} cannot be written", cause="it is a folder", next_step="name a file inside it")
    if path.suffix.lower() not in ENDINGS:
        raise MediaError(
            f"{path} cannot be written as a photo",
            cause=f"nothing is known of the ending '{path.suffix}'" if path.suffix else "its name has no ending",
            next_step=f"use one of {', '.join(ENDINGS)}",
        )
    most = LONGEST_SIDE.get(path.suffix.lower())
    if size_wh is not None and most is not None and max(size_wh) > most:
        raise MediaError(
            f"{path} cannot hold {size_wh[0]} x {size_wh[1]} px",
            cause=f"{path.suffix} has at most {most:,} px on a side",
            next_step="use a smaller scale, or write a .png or .tif",
        )
    with writing(path):
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        new_part(path).unlink()


def write_picture(path: str | Path, picture: np.ndarray, *, notes: PhotoNotes | None = None) -> Path:
    """Write a photo, whole or not at all; folders on the way are made.

    Args:
        picture: as `read_picture` gives it.
        notes: what the file says beside its pixels; None is nothing.

    Raises:
        DiskFullError: no space is left.
        MediaError: nothing is known of the ending, it holds no picture as large, or the place cannot be written to.

    Warns:
        LipwiseWarning: the format cannot hold 16 bits, transparency or one of the notes, which are given up.
    """
    path = Path(path)
    check_picture_destination(path, (picture.shape[1], picture.shape[0]))
    ending = path.suffix.lower()
    if picture.dtype == np.uint16 and ending not in DEEP_ENDINGS:
        warnings.warn(f"{path}: {ending} holds 8 bits, not 16", LipwiseWarning, stacklevel=2)
        picture = np.rint(picture / 257).astype(np.uint8)
    if picture.ndim == 3 and picture.shape[2] == 4 and ending not in ALPHA_ENDINGS:
        warnings.warn(f"{path}: {ending} holds no transparency", LipwiseWarning, stacklevel=2)
        picture = np.ascontiguousarray(picture[..., :3])
    notes = fitting(PhotoNotes() if notes is None else notes, picture, ending)
    if notes.lost:
        warnings.warn(f"{path} is written without {' and '.join(notes.lost)}", LipwiseWarning, stacklevel=2)
    try:
        stored = _encoded(picture, ending, notes)
        with written_whole(path) as part:
            part.write_bytes(stored)  # numpy's tofile does not say why it cannot
    except (cv2.error, OSError, ValueError) as error:
        raise unwritable(path, error) from error
    return path


def _encoded(picture: np.ndarray, ending: str, notes: PhotoNotes) -> bytes:
    """A photo as a file of that ending."""
    if notes and ending != ".png":
        return encoded_with_notes(picture, ending, notes)
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR if picture.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    qualities = {".jpg": (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY), ".webp": (cv2.IMWRITE_WEBP_QUALITY, WEBP_LOSSLESS)}
    done, stored = cv2.imencode(ending, picture, list(qualities.get(ending.replace("jpeg", "jpg"), ())))
    if not done:
        raise OSError(f"OpenCV does not encode {picture.shape[1]} x {picture.shape[0]} px as {ending}")
    return with_png_notes(stored.tobytes(), notes) if notes else stored.tobytes()
