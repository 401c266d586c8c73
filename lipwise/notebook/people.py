"""Everybody who is seen in a clip: their portraits, and what `choose` takes to follow one of them."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from lipwise.errors import FaceError, SettingsError
from lipwise.faces.choose import Choice, Click
from lipwise.faces.track import DETECTED, FaceTrack
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video

PORTRAIT_PX, ROUND_FACE = 132, 0.45  # a portrait's side; what it shows round the box, in boxes
FRAME_PX = 320  # height of the frame that is shown
ABREAST = 7  # portraits in a row of the sheet
MOST_PORTRAITS = 21  # of those seen for longest; the others can be chosen in a frame
INK, EDGE, CHOSEN = (255, 255, 255), (0, 0, 0), (76, 160, 96)


def best_frame(track: FaceTrack) -> int:
    """The frame in which a person is seen best: large, and with a high score."""
    size = np.prod(np.maximum(track.boxes_xyxy[:, 2:] - track.boxes_xyxy[:, :2], 0), axis=1) ** 0.5
    return int(np.nanargmax(np.where(track.origin == DETECTED, size * track.score, np.nan)))


def fullest_frame(people: Sequence[FaceTrack]) -> int:
    """The first of the frames in which most people are seen."""
    return int(np.sum([track.has_face for track in people], axis=0).argmax())


def click_on(track: FaceTrack, frame: int) -> Click:
    """The point that chooses a person in a frame: the middle of their face.

    Raises:
        SettingsError: they are not seen there.
    """
    if not 0 <= frame < len(track) or not track.has_face[frame]:
        seen = np.flatnonzero(track.has_face)
        raise SettingsError(
            f"This person has no face in frame {frame} to click on",
            cause=f"they are seen from frame {seen[0]} to {seen[-1]}" if len(seen) else "they are never seen",
            next_step="choose a frame in which they are seen",
        )
    x, y = track.boxes_xyxy[frame].reshape(2, 2).mean(axis=0).round().astype(int).tolist()
    return Click(x, y, frame)


def choice_of(people: Sequence[FaceTrack], number: int) -> Choice:
    """What `choose` takes to follow one of the people: their number, or a click where shots count anew.

    Args:
        people: as `lipwise.track_people` gives them.
        number: from 0 on.

    Raises:
        SettingsError: there is nobody of this number.
    """
    if not 0 <= number < len(people):
        raise SettingsError(
            f"There is no person {number}",
            cause=f"people seen in the clip: {len(people)}, numbered from 0 on",
            next_step="choose one of them",
        )
    shots = len(people[number].people)
    return number if shots == 1 else click_on(people[number], best_frame(people[number]))


def code_of(choice: Choice | None, *, name: str = "video") -> str:
    """The line of code that follows whoever is chosen."""
    words = f"lw.Click({', '.join(f'{part:g}' for part in choice)})" if isinstance(choice, Click) else choice
    return f"track, report = lw.examine({name}{'' if choice is None else f', choose={words}'})"


def portrait(frame: np.ndarray, box_xyxy: np.ndarray, number: int) -> np.ndarray:
    """A face cut out of a frame (H, W, 3) with some room round it and its number, (132, 132, 3) uint8 RGB."""
    middle, side = box_xyxy.reshape(2, 2).mean(axis=0), float((box_xyxy[2:] - box_xyxy[:2]).max())
    reach = max(1.0, side * (0.5 + ROUND_FACE))
    scale = PORTRAIT_PX / (2 * reach)
    move = np.array([[scale, 0, scale * (reach - middle[0])], [0, scale, scale * (reach - middle[1])]])
    cut = cv2.warpAffine(frame, move, (PORTRAIT_PX, PORTRAIT_PX), flags=cv2.INTER_AREA)
    return _numbered(cut, number, (6, PORTRAIT_PX - 8))


def numbered_faces(frame: np.ndarray, people: Sequence[FaceTrack], at: int, *, chosen: int | None = None) -> np.ndarray:
    """A frame (H, W, 3) 320 pixels high with everybody's box and number, the chosen one's in green.

    Args:
        at: the frame's number.
    """
    scale = FRAME_PX / frame.shape[0]
    size_wh = max(1, round(frame.shape[1] * scale)), FRAME_PX
    small = cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    for number, track in enumerate(people):
        if track.has_face[at]:
            x0, y0, x1, y1 = (round(float(side) * scale) for side in track.boxes_xyxy[at])
            cv2.rectangle(small, (x0, y0), (x1, y1), EDGE, 4)
            cv2.rectangle(small, (x0, y0), (x1, y1), CHOSEN if number == chosen else INK, 2)
            small = _numbered(small, number, (x0 + 4, max(20, y1 - 6)))
    return small


def portraits(video: VideoInfo, people: Sequence[FaceTrack]) -> dict[int, np.ndarray]:
    """Number -> portrait of each person, (132, 132, 3) uint8 RGB, upright; in a crowd, of those seen for longest."""
    longest = sorted(range(len(people)), key=lambda number: -np.count_nonzero(people[number].has_face))
    shown = sorted(longest[:MOST_PORTRAITS])
    frames = [best_frame(people[number]) for number in shown]
    if not shown:
        return {}
    read = read_frames(turn_video(video, people[0].rotation), frames)
    return {
        number: portrait(picture, people[number].boxes_xyxy[frame], number)
        for number, frame, picture in zip(shown, frames, read, strict=True)
    }


def people_sheet(video: VideoInfo | str | Path, people: Sequence[FaceTrack]) -> np.ndarray:
    """Everybody seen in a clip with their number, (H, W, 3) uint8 RGB; it reads without a kernel.

    Raises:
        FaceError: nobody is seen.
    """
    video = video if isinstance(video, VideoInfo) else probe(video)
    tiles = list(portraits(video, people).values())
    if not tiles:
        raise FaceError(
            f"Nobody is seen in {video.path.name}",
            cause="no face was found for long enough to be followed",
            next_step="use a clip with a larger, upright face, or the other detector",
        )
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % min(ABREAST, len(tiles)))
    return np.vstack([np.hstack(tiles[first : first + ABREAST]) for first in range(0, len(tiles), ABREAST)])


def _numbered(picture: np.ndarray, number: int, at_xy: tuple[int, int]) -> np.ndarray:
    picture = np.ascontiguousarray(picture)
    for colour, width in ((EDGE, 5), (INK, 2)):  # white on black: seen on every ground
        cv2.putText(picture, f"{number}", at_xy, cv2.FONT_HERSHEY_SIMPLEX, 0.8, colour, width, cv2.LINE_AA)
    return picture
