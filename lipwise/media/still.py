"""Pictures: read by OpenCV, which knows EXIF turns, 16 bits and grey."""

from pathlib import Path

import cv2
import numpy as np

from lipwise.errors import MediaError
from lipwise.media.container import check_readable
from lipwise.media.exif import set_upright
from lipwise.media.photo_notes import UnreadablePhotoError, opened_photo

JPEG, PNG, BMP, TIFF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", (b"II*\x00", b"MM\x00*")
ANIMATED_PNG = b"acTL"  # the chunk that an animated PNG has before its first picture
JPEG_SERIES = (".mjpeg", ".mjpg")  # one JPEG after the other: a video
OPAQUE = WHITE = 255
TRANSPARENT = "transparent parts are shown on white"


def is_still_file(path: Path) -> bool:
    """True where the first bytes are those of a single picture: JPEG, PNG, WebP, BMP or TIFF.

    Raises:
        MediaError: the file is missing, empty or a folder.
    """
    with check_readable(path).open("rb") as stream:
        head = stream.read(64)
    if head.startswith(JPEG):
        return path.suffix.lower() not in JPEG_SERIES
    if head.startswith(PNG):
        return ANIMATED_PNG not in head
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return is_webp or head.startswith((*TIFF, BMP))


def further_notes(path: Path) -> tuple[str, ...]:
    """What to say of a file that holds more pictures than the first: an animated WebP, a TIFF of several pages."""
    try:
        with opened_photo(path) as photo:
            count = getattr(photo, "n_frames", 1) if photo.format in ("WEBP", "TIFF") else 1
    except UnreadablePhotoError:
        return ()  # whoever decodes it says what is wrong with it
    return (f"it holds {count} pictures, of which only the first is used",) if count > 1 else ()


def on_white(rgba: np.ndarray) -> np.ndarray:
    """A picture (H, W, 4) uint8 with its transparent parts on white, (H, W, 3) uint8."""
    alpha = rgba[..., 3]
    if alpha.min() == OPAQUE:
        return np.ascontiguousarray(rgba[..., :3])
    weight = alpha[..., None].astype(np.uint16)
    return ((rgba[..., :3] * weight + WHITE * (OPAQUE - weight) + OPAQUE // 2) // OPAQUE).astype(np.uint8)


def read_still(path: Path) -> tuple[np.ndarray, str, tuple[str, ...]]:
    """A picture, upright.

    Returns:
        The picture (H, W, 3) uint8 RGB, its pixel format as stored (such as `uint16 x 4`), and what a user should know.

    Raises:
        MediaError: the file is not a picture that OpenCV can decode.
    """
    stored = np.fromfile(path, np.uint8)  # not cv2.imread, which fails on some names
    try:
        unchanged = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED)
        picture = cv2.imdecode(stored, cv2.IMREAD_COLOR)
    except cv2.error as error:
        unchanged, picture, said = None, None, str(error)
    else:
        said = "OpenCV finds no picture that it can decode in it"
    if unchanged is None or picture is None:
        raise MediaError(
            f"{path} cannot be read as a picture",
            cause=said,
            next_step="copy or download it again, or save it as JPEG or PNG",
        )
    notes = further_notes(path)
    channels = 1 if unchanged.ndim == 2 else unchanged.shape[2]
    pixel_format = f"{unchanged.dtype} x {channels}"
    if channels == 4:
        unchanged = set_upright(unchanged, stored.tobytes())
        eight_bits = unchanged if unchanged.dtype == np.uint8 else np.right_shift(unchanged, 8).astype(np.uint8)
        if eight_bits[..., 3].min() < OPAQUE:
            return on_white(cv2.cvtColor(eight_bits, cv2.COLOR_BGRA2RGBA)), pixel_format, (*notes, TRANSPARENT)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), pixel_format, notes
