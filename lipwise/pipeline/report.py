"""What a run did, in numbers a person can read and a program can compare."""

import json
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lipwise.errors import MediaError
from lipwise.files import written_whole

PAGE_COLUMNS = 96  # characters that fit beside each other on a notebook's page
TOGETHER = "\u00a0"  # a space at which no line ends


def counted(number: int, what: str) -> str:
    """So many of something that takes an s: "1 face", "2 faces"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def on_a_page(out: Path, lines: Iterable[str]) -> str:
    """The lines of a report below its name; what is longer than a page is wide goes on further in."""
    wrap = textwrap.TextWrapper(
        PAGE_COLUMNS, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join([str(out), *(wrap.fill(line).replace(TOGETHER, " ") for line in lines)])


@dataclass(frozen=True)
class Enhancement:
    """What was done to make the picture better.

    Attributes:
        restorer, upscaler: what did it, by whose code, under which licence; empty where nothing did.
        restored: frames with a restored face.
        left_alone: frames with a face that was not restored: too small, or its lips are the clip's own.
        without_face: frames in which there is none.
        fp32_batches: batches that were not finite in a fast number format and were computed again.
        flicker: how much the faces flicker in relation to before; None where it was not measured.
    """

    restorer: str = ""
    upscaler: str = ""
    restored: int = 0
    left_alone: int = 0
    without_face: int = 0
    fp32_batches: int = 0
    flicker: float | None = None

    def lines(self) -> list[str]:
        """The same in words."""
        lines = []
        if self.restorer:
            done = f"{counted(self.restored, 'face')} restored" if self.restored else "nothing was restored"
            rest = f"{self.left_alone} left alone, {self.without_face} without a face"
            lines += [f"{done}, {rest}", f"restorer: {self.restorer}"]
        if self.upscaler:
            lines.append(f"upscaled: {self.upscaler}")
        if self.flicker is not None:
            lines.append(f"the face flickers {self.flicker:.2f} times as much as before enhancement")
        return lines


@dataclass(frozen=True)
class RunReport:
    """The outcome of a run.

    Attributes:
        out: the result.
        frames: frames of the result.
        fps: frames a second of the result.
        size_wh: its size; H.264 makes odd sides even by repeating the last row or column.
        synthesised: frames with new lips.
        passed: frames shown untouched.
        filled: synthesised frames whose face was interpolated between its neighbours.
        generator, note: what made the mouths, and how good that is.
        remarks: everything that was replaced, repaired or left out.
        seconds: stage -> seconds spent.
        enhancement: what was restored and upscaled.
        why_passed: what is to be said of frames that passed.
        held: frames of the result that show the last usable frame in place of one that cannot be used.
        dropped: frames of the clip that cannot be used and were left out, as far as the clip is shown.
    """

    out: Path
    frames: int
    fps: float
    size_wh: tuple[int, int]
    synthesised: int
    passed: int
    filled: int
    generator: str
    note: str
    remarks: tuple[str, ...]
    seconds: dict[str, float]
    enhancement: Enhancement = Enhancement()
    why_passed: str = "without a face passed untouched"
    held: int = 0
    dropped: int = 0

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, whole or not at all.

        Raises:
            DiskFullError: no space is left. MediaError: it cannot be written for another reason. Both say that the
                result is there.
        """
        _save(self, Path(path))

    def __str__(self) -> str:
        total = sum(self.seconds.values())
        lines = [
            f"{counted(self.frames, 'frame')}, {self.size_wh[0]} x {self.size_wh[1]} at {self.fps:g} a second",
            f"{self.synthesised} with new lips, {self.passed} {self.why_passed}",
            self.note,
        ]
        if self.held:
            lines.append(f"{counted(self.held, 'frame')} held: the last usable one, in place of one that is not")
        if self.dropped:
            lines.append(f"{counted(self.dropped, 'frame')} of the clip dropped: unusable")
        lines += [*self.enhancement.lines(), *(f"note: {remark}" for remark in self.remarks)]
        spent = ", ".join(f"{stage} {value:.1f}".replace(" ", TOGETHER) for stage, value in self.seconds.items())
        return on_a_page(self.out, [*lines, f"{total:.1f} s: {spent}"])


@dataclass(frozen=True)
class EnhanceReport:
    """The outcome of enhancing a video, a photo or a folder of photos.

    Attributes:
        out: the result.
        frames: frames of the video, or photos that were enhanced.
        size_wh: of the result; None for photos that differ, see `sizes`.
        enhancement: what was restored and upscaled; faces are counted in frames for a video, one by one for photos.
        remarks: everything that was replaced, repaired or left out.
        seconds: stage -> seconds spent.
        sizes: name -> width and height of each photo; empty for a video.
        failed: names of the photos that could not be enhanced; the remarks say why.
    """

    out: Path
    frames: int
    size_wh: tuple[int, int] | None
    enhancement: Enhancement
    remarks: tuple[str, ...]
    seconds: dict[str, float]
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    failed: tuple[str, ...] = ()

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, whole or not at all.

        Raises:
            DiskFullError: no space is left. MediaError: it cannot be written for another reason. Both say that the
                result is there.
        """
        _save(self, Path(path))

    def __str__(self) -> str:
        sizes = sorted(self.sizes.values()) if self.size_wh is None else [self.size_wh]
        size = " to ".join(f"{width} x {height}" for width, height in dict.fromkeys((sizes[0], sizes[-1])))
        lines = [f"{counted(self.frames, 'picture')}, {size}"]
        if self.failed:
            lines.append(f"{len(self.failed)} left out: {', '.join(self.failed)}")
        lines += self.enhancement.lines()
        lines += [f"note: {remark}" for remark in self.remarks]
        spent = ", ".join(f"{stage} {value:.1f}".replace(" ", TOGETHER) for stage, value in self.seconds.items())
        return on_a_page(self.out, [*lines, f"{sum(self.seconds.values()):.1f} s: {spent}"])


def _save(report: RunReport | EnhanceReport, path: Path) -> None:
    values = asdict(report) | {"out": str(report.out)}
    try:
        with written_whole(path) as part:
            part.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    except MediaError as error:
        there = f"{error.next_step}; the result itself is complete: {report.out}"
        raise type(error)(error.what, cause=error.cause, next_step=there) from error
