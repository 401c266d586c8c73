"""What FFmpeg says of an error, for people."""

import re

NUMBER = re.compile(r"^\[Errno -?\d+\]\s*")  # FFmpeg's own, made of four letters, which tells nobody anything


def in_words(error: Exception) -> str:
    """An error of FFmpeg or of the system in its words, without its number."""
    return NUMBER.sub("", str(error))
