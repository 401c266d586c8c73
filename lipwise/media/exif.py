"""Which way up a picture was taken, for those that OpenCV hands out as they lie: PNG and WebP with transparency.

EXIF is a TIFF in small: its first directory holds the orientation (CIPA DC-008, 4.6.4). PNG keeps it in an `eXIf`
chunk, WebP in an `EXIF` chunk. A TIFF itself OpenCV turns in every case.
"""

import numpy as np

PNG_BEGINS, RIFF_HEAD = b"\x89PNG\r\n\x1a\n", 12
CHUNKS = (b"eXIf", b"EXIF")
JPEG_MARK = b"Exif\0\0"  # some programs write it before the block in other formats, too
ORIENTATION_TAG, ENTRY_BYTES = 0x0112, 12
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
    block = _exif_of(stored).removeprefix(JPEG_MARK)
    order = {b"II": "little", b"MM": "big"}.get(block[:2])
    if order is None:
        return 1

    def number(place: int, size: int) -> int:
        return int.from_bytes(block[place : place + size], order)  # pyright: ignore[reportArgumentType]  # one of two

    first = number(4, 4)
    entries = range(first + 2, min(first + 2 + ENTRY_BYTES * number(first, 2), len(block)), ENTRY_BYTES)
    return next((number(entry + 8, 2) for entry in entries if number(entry, 2) == ORIENTATION_TAG), 1)


def _exif_of(stored: bytes) -> bytes:
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
