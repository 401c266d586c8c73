"""Errors and warnings that a person can act on."""

import re

# FFmpeg's own number is made of four letters, and tells nobody anything; the system's is said in words behind it.
NUMBER = re.compile(r"^\[Errno -?\d+\]\s*")


class LipwiseError(Exception):
    """Something the user can mend.

    Args:
        what: what failed, with the file or value it is about.
        cause: why, in the words of whatever library said so where there are any.
        next_step: what to do now.
    """

    def __init__(self, what: str, *, cause: str, next_step: str) -> None:
        super().__init__(what, cause, next_step)
        self.what, self.cause, self.next_step = what, cause, next_step

    def __str__(self) -> str:
        return f"{self.what}\n  why:  {self.cause}\n  next: {self.next_step}"


class MediaError(LipwiseError):
    """A video, picture or sound file that cannot be read, or any file that cannot be written."""


class DiskFullError(MediaError):
    """A file that cannot be written because no space is left; none of the next ones could be."""


class SpeechError(LipwiseError):
    """A recording with nothing in it that lips could say."""


class FaceError(LipwiseError):
    """No face where one is needed."""


class WeightsError(LipwiseError):
    """A weights file that cannot be had or is not what it claims to be."""


class LicenceError(WeightsError):
    """A file would have to be downloaded whose condition nobody has accepted."""


class CheckpointError(WeightsError):
    """A checkpoint that cannot be loaded into the network it was named for."""


class SettingsError(LipwiseError):
    """A setting that makes no sense, alone or beside another."""


class ConsentError(LipwiseError):
    """Nobody has said that the people seen and heard agreed."""


class LipwiseWarning(UserWarning):
    """Something was replaced, repaired or left out, and the user should know."""


def in_words(error: Exception) -> str:
    """An error of FFmpeg or of the system in its words, without its number."""
    return NUMBER.sub("", str(error))
