"""Which way up a picture was taken, for those that OpenCV hands out as they lie: PNG and WebP with transparency.

And the EXIF of a picture that was set upright.

EXIF is a TIFF in small: its first directory holds the orientation (CIPA DC-008, 4.6.4). PNG keeps it in an `eXIf`
chunk, WebP in an `EXIF` chunk. A TIFF itself OpenCV turns in every case.
"""

from typing import Literal

import numpy as np

PNG_BEGINS, RIFF_HEAD = b"\x89PNG\r\n\x1a\n", 12
CHUNKS = (b"eXIf", b"EXIF")
JPEG_MARK = b"Exif\0\0"  # some programs write it before the block in other formats, too
ORIENTATION_TAG, RESOLUTION_TAG, ENTRY_BYTES = 0x0112, 0x011A, 12
Order = Literal["little", "big"]
# Orientation -> transposed first, then mirrored up-down, then left-right.
TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def set_upright(picture: np.ndarray, stored: bytes) -> np.ndarray:
    """A picture (H, W, C), decoded as it lies in a PNG or WebP, turned as the file's EXIF says."""
    transposed, up_down, left_right = TURNS.get(orientation_of(stored), (False, False, False))
    picture = picture.swapaxes(0, 1) if transposed else picture
    return np.ascontiguousarray(picture[:: -1 if up_down else 1, :: -1 if left_right else 1])


def orientation_of(stored: bytes) -> int:
    """The orientation, 1 to 8, that a PNG or WebP names; 1, upright, where it names none that can be read."""
    block = exif_of(stored).removeprefix(JPEG_MARK)
    order, entries = _directory(block)
    turns = (_number(block, entry + 8, 2, order) for entry in entries if _tag(block, entry, order) == ORIENTATION_TAG)
    return next(turns, 1)


def upright_exif(block: bytes) -> bytes:
    """An EXIF block for the picture set upright: orientation 1, and no thumbnail, which shows it as it was.

    Nothing else moves, so notes that only the camera's maker can read stay readable. Empty where it cannot be read.
    """
    changed = bytearray(block.removeprefix(JPEG_MARK))
    order, entries = _directory(changed)
    if not entries:
        return b""
    for entry in entries:
        if _tag(changed, entry, order) == ORIENTATION_TAG:
            changed[entry + 8 : entry + 10] = (1).to_bytes(2, order)
    if entries.stop + 4 <= len(changed):  # where the second directory lies, which is the thumbnail's
        changed[entries.stop : entries.stop + 4] = bytes(4)
    return bytes(changed)


def says_resolution(block: bytes) -> bool:
    """True where an EXIF block says how many dots an inch has."""
    order, entries = _directory(block)
    return any(_tag(block, entry, order) == RESOLUTION_TAG for entry in entries)


def _directory(block: bytes | bytearray) -> tuple[Order, range]:
    """The order of a block's bytes, and where the entries of its first directory lie; none where it is no EXIF."""
    orders: dict[bytes, Order] = {b"II": "little", b"MM": "big"}
    order = orders.get(bytes(block[:2]))
    if order is None:
        return "big", range(0)
    first = _number(block, 4, 4, order)
    start, count = first + 2, _number(block, first, 2, order)
    whole = min(count, max(len(block) - start, 0) // ENTRY_BYTES)
    return order, range(start, start + ENTRY_BYTES * whole, ENTRY_BYTES)


def _number(block: bytes | bytearray, place: int, size: int, order: Order) -> int:
    return int.from_bytes(block[place : place + size], order)


def _tag(block: bytes | bytearray, entry: int, order: Order) -> int:
    return _number(block, entry, 2, order)


def exif_of(stored: bytes) -> bytes:
    """The EXIF block of a PNG or WebP; empty where there is none."""
    is_png = stored.startswith(PNG_BEGINS)
    if not is_png and stored[:4] != b"RIFF":
        return b""
    place = len(PNG_BEGINS) if is_png else RIFF_HEAD
    while place + 8 <= len(stored):
        first, second = stored[place : place + 4], stored[place + 4 : place + 8]
        kind, size = (second, int.from_bytes(first, "big")) if is_png else (first, int.from_bytes(second, "little"))
        if kind in CHUNKS:
            return stored[place + 8 : place + 8 + size]
        place += 8 + size + (4 if is_png else size % 2)  # a PNG's checksum, or WebP's padding to whole 2 bytes
    return b""
