"""Text in a picture that Pillow draws, whatever letters a file's name has."""

import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
NO_LETTER = "\uffff"  # stands for nothing in Unicode: fonts draw their box for it
REPLACED = "?"


@cache
def font(size: int) -> Font:
    """A font of a height in pixels: matplotlib's DejaVu Sans where that is installed, else Pillow's own.

    The file alone is used, which has most letters of Europe; Pillow's has plain A to Z. Draw `drawable` text with it.
    """
    found = find_spec("matplotlib")
    if found is not None and found.origin is not None:
        file = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if file.is_file():
            return ImageFont.truetype(str(file), size)
    return ImageFont.load_default(size)


def drawable(text: str, letters: Font) -> str:
    """The text with what a font cannot draw put plainly: "ü" becomes "u", and what has no such stand-in "?"."""
    return "".join(_drawn(letter, letters) for letter in unicodedata.normalize("NFC", text))


def _drawn(letter: str, letters: Font) -> str:
    if _has(letter, letters):
        return letter
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return plain if plain and all(_has(part, letters) for part in plain) else REPLACED


def _has(letter: str, letters: Font) -> bool:
    """Whether a font has a picture of its own for a letter."""
    return letter == " " or _look(letter, letters) != _look(NO_LETTER, letters)


def _look(letter: str, letters: Font) -> tuple[object, bytes]:
    mask = letters.getmask(letter)
    return mask.size, bytes(mask)
