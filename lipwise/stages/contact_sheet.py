"""A picture of a whole clip at a glance: its timeline as a coloured strip, and a thumbnail for each run of reasons."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from lipwise.errors import MediaError
from lipwise.faces.track import FaceTrack
from lipwise.files import written_whole
from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.stages.belongs import check_report
from lipwise.stages.judge import Reason
from lipwise.stages.lettering import drawable, font
from lipwise.stages.reason_strip import COLOUR_OF, PAPER, RGB, colours_of, draw_strip, kinds_of, marks_of
from lipwise.stages.usability import UsabilityReport

MOST_TILES = 36  # thumbnails of a sheet; the longest runs are shown
COLUMNS, TILE_WH, CAPTION_PX, MARGIN = 6, (240, 160), 44, 12
STRIP_PX, MARKS_PX, LEGEND_PX, TITLE_PX = 34, 9, 26, 36
TEXT_PX, TITLE_TEXT_PX = 15, 20
INK, GREY = (30, 30, 30), 225
WIDTH = COLUMNS * (TILE_WH[0] + MARGIN) + MARGIN
LEGEND_TOP = TITLE_PX + STRIP_PX + MARKS_PX + TEXT_PX + 2 * MARGIN


def contact_sheet(video: VideoInfo, report: UsabilityReport, *, track: FaceTrack | None = None) -> np.ndarray:
    """Draw a clip's report.

    Args:
        video: the clip.
        report: of all its frames.
        track: draws its box into the thumbnails, upright as it was tracked.

    Returns:
        (H, W, 3) uint8 RGB: a title; the timeline, where a frame with several faults shows a colour for each, with
        cuts and the like as ticks below it; a legend of the colours drawn, with counts; and the middle frame of each
        run of equal reasons with its frames and reasons.

    Raises:
        SettingsError: the report is not of this clip.
    """
    check_report(report, video)
    runs, kinds, marks = _runs(report), kinds_of(report), marks_of(report)
    entries = [(COLOUR_OF[name], f"{name}: {np.count_nonzero(mask)}") for name, mask in (kinds | marks).items()]
    top = LEGEND_TOP + MARGIN + -(-len(entries) // COLUMNS) * LEGEND_PX
    rows = -(-len(runs) // COLUMNS)
    sheet = Image.new("RGB", (WIDTH, top + rows * (TILE_WH[1] + CAPTION_PX + MARGIN) + MARGIN), PAPER)
    title = f"{video.path.name}: {report.count} of {len(report)} frames can be used"
    _write(sheet, (MARGIN, MARGIN), title, size=TITLE_TEXT_PX)
    width = WIDTH - 2 * MARGIN
    sheet.paste(Image.fromarray(draw_strip(kinds, (width, STRIP_PX))), (MARGIN, TITLE_PX + MARGIN))
    sheet.paste(Image.fromarray(draw_strip(marks, (width, MARKS_PX))), (MARGIN, TITLE_PX + MARGIN + STRIP_PX))
    _draw_times(sheet, len(report) / float(report.fps))
    _draw_legend(sheet, entries)
    frames = [(run.start + run.stop - 1) // 2 for run in runs]
    pictures = read_frames(video if track is None else turn_video(video, track.rotation), frames)
    colours = colours_of(report)
    for number, (run, frame, picture) in enumerate(zip(runs, frames, pictures, strict=True)):
        tile = _thumbnail(picture, None if track is None else track.boxes_xyxy[frame])
        at = _column(number), top + (number // COLUMNS) * (TILE_WH[1] + CAPTION_PX + MARGIN)
        _draw_tile(sheet, at, tile, colour=tuple(colours[run.start].tolist()), caption=_caption(report, run))
    return np.asarray(sheet)


def check_sheet(path: str | Path) -> Path:
    """The path, or MediaError where its ending is no picture's."""
    path = Path(path)
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise MediaError(
            f"The contact sheet cannot be written to {path}",
            cause=f"nothing is known of the ending '{path.suffix}'",
            next_step="use .png, .jpg or .webp",
        )
    return path


def save_contact_sheet(
    path: str | Path, video: VideoInfo, report: UsabilityReport, *, track: FaceTrack | None = None
) -> Path:
    """Write the sheet as a picture, whole or not at all.

    Raises:
        DiskFullError: no space is left. MediaError: it cannot be written for another reason, or its ending is no
            picture's.
    """
    path = check_sheet(path)
    coded = cv2.imencode(path.suffix, cv2.cvtColor(contact_sheet(video, report, track=track), cv2.COLOR_RGB2BGR))[1]
    with written_whole(path) as part:
        part.write_bytes(coded.tobytes())
    return path


def _runs(report: UsabilityReport) -> list[slice]:
    """Runs of frames of one shot with equal reasons and edits; the longest where there are too many, in order."""
    kinds = (report.reasons & ~np.uint16(Reason.SCENE_CUT | Reason.JUMP)).astype(np.int64) * 3 + report.edited
    borders = np.flatnonzero((np.diff(kinds) != 0) | (np.diff(report.measures.shot) != 0)) + 1
    runs = [slice(first, stop) for first, stop in pairwise([0, *borders.tolist(), len(kinds)])]
    longest = sorted(runs, key=lambda run: run.start - run.stop)[:MOST_TILES]
    return sorted(longest, key=lambda run: run.start)


def _column(number: int) -> int:
    """Where the tile or entry of a number begins, in pixels from the left."""
    return MARGIN + (number % COLUMNS) * (TILE_WH[0] + MARGIN)


def _write(sheet: Image.Image, at: tuple[float, float], text: str, *, size: int = TEXT_PX, anchor: str = "la") -> None:
    letters = font(size)
    ImageDraw.Draw(sheet).text(at, drawable(text, letters), fill=INK, font=letters, anchor=anchor)


def _draw_times(sheet: Image.Image, length_s: float) -> None:
    """The times of the strip's ends and middle, below it."""
    for share, anchor in ((0.0, "la"), (0.5, "ma"), (1.0, "ra")):
        at = MARGIN + share * (WIDTH - 2 * MARGIN), TITLE_PX + MARGIN + STRIP_PX + MARKS_PX + 2
        _write(sheet, at, f"{share * length_s:.1f} s", anchor=anchor)


def _draw_legend(sheet: Image.Image, entries: list[tuple[RGB, str]]) -> None:
    draw = ImageDraw.Draw(sheet)
    for number, (colour, text) in enumerate(entries):
        x, y = _column(number), LEGEND_TOP + (number // COLUMNS) * LEGEND_PX
        draw.rectangle((x, y, x + 16, y + 16), fill=colour)
        _write(sheet, (x + 22, y - 1), text)


def _thumbnail(picture: np.ndarray, box_xyxy: np.ndarray | None) -> np.ndarray:
    """A frame at the tile's size, its whole picture on grey, with the track's box in white on black."""
    height, width = picture.shape[:2]
    scale = min(TILE_WH[0] / width, TILE_WH[1] / height)
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if box_xyxy is not None and np.isfinite(box_xyxy).all():
        x0, y0, x1, y1 = (round(float(side) * scale) for side in box_xyxy)
        cv2.rectangle(small, (x0, y0), (x1, y1), (0, 0, 0), 3)
        cv2.rectangle(small, (x0, y0), (x1, y1), (255, 255, 255), 1)
    tile = np.full((TILE_WH[1], TILE_WH[0], 3), GREY, np.uint8)
    left, top = (TILE_WH[0] - size_wh[0]) // 2, (TILE_WH[1] - size_wh[1]) // 2
    tile[top : top + size_wh[1], left : left + size_wh[0]] = small
    return tile


def _draw_tile(
    sheet: Image.Image, at: tuple[int, int], tile: np.ndarray, *, colour: RGB, caption: tuple[str, str]
) -> None:
    """A thumbnail in a frame of its colour, and two lines below it."""
    (x, y), (width, height) = at, TILE_WH
    sheet.paste(Image.fromarray(tile), at)
    ImageDraw.Draw(sheet).rectangle((x - 3, y - 3, x + width + 2, y + height + 2), outline=colour, width=4)
    for line, text in enumerate(caption):
        _write(sheet, (x, y + height + 3 + line * (TEXT_PX + 4)), text)


def _caption(report: UsabilityReport, run: slice) -> tuple[str, str]:
    """Frames of a run, and what is to be said of them."""
    edit = {1: "kept by hand", -1: "dropped by hand"}.get(int(report.edited[run.start]))
    told = [*([edit] if edit else []), *(name.replace("_", " ") for name in report.why(run.start))]
    frames = f"frame {run.start}" if run.stop - run.start == 1 else f"frames {run.start}-{run.stop - 1}"
    at_s = run.start / float(report.fps)
    return f"{frames}, {at_s:.2f} s", _shortened(", ".join(told) or "good")


def _shortened(text: str, most: int = 33) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
