"""A picture of a whole clip at a glance: its timeline as a coloured strip, and a thumbnail for each run of reasons."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lipwise.errors import MediaError
from lipwise.faces.track import FaceTrack
from lipwise.files import written_whole
from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.stages.judge import FAULTS, REASONS, Reason
from lipwise.stages.usability import UsabilityReport

MOST_TILES = 36  # thumbnails of a sheet; the longest runs are shown
COLUMNS, TILE_WH, CAPTION_PX, MARGIN = 6, (240, 160), 44, 12
STRIP_PX, LEGEND_PX, TITLE_PX = 34, 26, 36
TEXT_PX = 15
GOOD, BY_HAND, INK, PAPER = (76, 160, 96), (40, 90, 190), (30, 30, 30), (255, 255, 255)
# Told apart by lightness as well as by hue, so that a reader who sees few colours can follow.
COLOURS = {
    "no_face": (40, 40, 40),
    "too_small": (150, 110, 60),
    "turned": (190, 120, 200),
    "blurred": (120, 150, 210),
    "too_dark": (80, 60, 110),
    "too_bright": (235, 200, 60),
    "cut_off": (215, 100, 50),
    "doubtful": (230, 150, 150),
    "several": (60, 170, 190),
    "jump": (200, 40, 60),
    "scene_cut": (140, 140, 140),
}


def contact_sheet(video: VideoInfo, report: UsabilityReport, *, track: FaceTrack | None = None) -> np.ndarray:
    """Draw a clip's report.

    Args:
        video: the clip.
        report: of all its frames.
        track: draws its box into the thumbnails, upright as it was tracked.

    Returns:
        (H, W, 3) uint8 RGB: a title, the timeline with a colour for the first fault of each frame, a legend with
        counts, and the middle frame of each run of equal reasons with its frames and reasons.
    """
    runs = _runs(report)
    frames = [(run.start + run.stop - 1) // 2 for run in runs]
    pictures = read_frames(video if track is None else turn_video(video, track.rotation), frames)
    rows = -(-len(runs) // COLUMNS)
    width = COLUMNS * (TILE_WH[0] + MARGIN) + MARGIN
    legend = _legend(report)
    legend_rows = -(-len(legend) // COLUMNS)
    top = TITLE_PX + STRIP_PX + TEXT_PX + 3 * MARGIN + legend_rows * LEGEND_PX
    sheet = Image.new("RGB", (width, top + rows * (TILE_WH[1] + CAPTION_PX + MARGIN) + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(TEXT_PX)
    title = f"{video.path.name}: {report.count} of {len(report)} frames can be used"
    draw.text((MARGIN, MARGIN), title, fill=INK, font=ImageFont.load_default(TEXT_PX + 5))
    _draw_strip(sheet, draw, report, font)
    for number, (colour, text) in enumerate(legend):
        x = MARGIN + (number % COLUMNS) * (TILE_WH[0] + MARGIN)
        y = TITLE_PX + STRIP_PX + TEXT_PX + 2 * MARGIN + (number // COLUMNS) * LEGEND_PX
        draw.rectangle((x, y, x + 16, y + 16), fill=colour)
        draw.text((x + 22, y - 1), text, fill=INK, font=font)
    colours = colours_of(report)
    for number, (run, frame, picture) in enumerate(zip(runs, frames, pictures, strict=True)):
        x = MARGIN + (number % COLUMNS) * (TILE_WH[0] + MARGIN)
        y = top + (number // COLUMNS) * (TILE_WH[1] + CAPTION_PX + MARGIN)
        box = None if track is None else track.boxes_xyxy[frame]
        _draw_tile(sheet, draw, (x, y), _thumbnail(picture, box), tuple(colours[run.start].tolist()))
        for line, text in enumerate(_caption(report, run)):
            draw.text((x, y + TILE_WH[1] + 3 + line * (TEXT_PX + 4)), text, fill=INK, font=font)
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
        MediaError: the file cannot be written, or its ending is no picture's.
    """
    path = check_sheet(path)
    coded = cv2.imencode(path.suffix, cv2.cvtColor(contact_sheet(video, report, track=track), cv2.COLOR_RGB2BGR))[1]
    try:
        with written_whole(path) as part:
            part.write_bytes(coded.tobytes())
    except OSError as error:
        raise MediaError(
            f"The contact sheet cannot be written to {path}",
            cause=str(error),
            next_step="choose a folder that is there and can be written to",
        ) from error
    return path


def _runs(report: UsabilityReport) -> list[slice]:
    """Runs of frames of one shot with equal reasons and edits; the longest where there are too many, in order."""
    kinds = (report.reasons & ~np.uint16(Reason.SCENE_CUT | Reason.JUMP)).astype(np.int64) * 3 + report.edited
    borders = np.flatnonzero((np.diff(kinds) != 0) | (np.diff(report.measures.shot) != 0)) + 1
    runs = [slice(first, stop) for first, stop in pairwise([0, *borders.tolist(), len(kinds)])]
    longest = sorted(runs, key=lambda run: run.start - run.stop)[:MOST_TILES]
    return sorted(longest, key=lambda run: run.start)


def colours_of(report: UsabilityReport) -> np.ndarray:
    """(T, 3) uint8, the colour of each frame's first fault; of a person's decision where there is one."""
    colours = np.full((len(report), 3), GOOD, np.uint8)
    for name in reversed(FAULTS):
        colours[report.has(name)] = COLOURS[name]
    colours[report.edited > 0], colours[report.edited < 0] = GOOD, BY_HAND
    return colours


def _legend(report: UsabilityReport) -> list[tuple[tuple[int, int, int], str]]:
    counts = report.counts()
    entries = [(GOOD, f"can be used: {report.count}")]
    entries += [(COLOURS[name], f"{_words(name)}: {counts[name]}") for name in REASONS if name in counts]
    by_hand = int(np.count_nonzero(report.edited < 0))
    return [*entries, (BY_HAND, f"dropped by hand: {by_hand}")] if by_hand else entries


def _words(name: str) -> str:
    return name.replace("_", " ")


def _draw_strip(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    report: UsabilityReport,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """The timeline, and the times of its ends and middle."""
    width = sheet.width - 2 * MARGIN
    strip = cv2.resize(colours_of(report)[None], (width, STRIP_PX), interpolation=cv2.INTER_NEAREST)
    top = TITLE_PX + MARGIN
    sheet.paste(Image.fromarray(strip), (MARGIN, top))
    length_s = len(report) / float(report.fps)
    for share, anchor in ((0.0, "la"), (0.5, "ma"), (1.0, "ra")):
        at = MARGIN + share * width, top + STRIP_PX + 2
        draw.text(at, f"{share * length_s:.1f} s", fill=INK, font=font, anchor=anchor)


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
    tile = np.full((TILE_WH[1], TILE_WH[0], 3), 225, np.uint8)
    left, top = (TILE_WH[0] - size_wh[0]) // 2, (TILE_WH[1] - size_wh[1]) // 2
    tile[top : top + size_wh[1], left : left + size_wh[0]] = small
    return tile


def _draw_tile(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    tile: np.ndarray,
    colour: tuple[int, int, int],
) -> None:
    sheet.paste(Image.fromarray(tile), at)
    draw.rectangle((at[0] - 3, at[1] - 3, at[0] + TILE_WH[0] + 2, at[1] + TILE_WH[1] + 2), outline=colour, width=4)


def _caption(report: UsabilityReport, run: slice) -> tuple[str, str]:
    """Frames of a run, and what is to be said of them."""
    edit = {1: "kept by hand", -1: "dropped by hand"}.get(int(report.edited[run.start]))
    told = [*([edit] if edit else []), *(_words(name) for name in report.why(run.start))]
    frames = f"frame {run.start}" if run.stop - run.start == 1 else f"frames {run.start}-{run.stop - 1}"
    at_s = run.start / float(report.fps)
    return f"{frames}, {at_s:.2f} s", _shortened(", ".join(told) or "good")


def _shortened(text: str, most: int = 33) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
