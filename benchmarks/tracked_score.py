"""How well the cases of `tracked_cases` are tracked, by their exact truth."""

from dataclasses import dataclass

import numpy as np
from drawn_head import HEAD_XY, SIZE_WH, Pose
from tracked_cases import FPS, Case, paste_head, shared_area

from lipwise.faces.detect import FaceDetector
from lipwise.faces.rotation import find_rotation, turn_frame
from lipwise.faces.track import track_people


def overlap(boxes: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(T,) intersection over union; NaN where either is missing."""
    shared = shared_area(boxes, other)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(other[:, 2:] - other[:, :2], axis=1)
    return shared / (areas - shared)


def portrait_box(detector: FaceDetector) -> np.ndarray:
    """What the detector calls this face, in pixels of the portrait: the median over pastes at rest.

    Boxes are a matter of definition, and this one is the detector's own.
    """
    found = []
    for scale in (0.8, 1.0, 1.4):
        for shift in (-40, 0, 40):
            pose = Pose((320 + shift, 180), scale)
            frame = np.full((SIZE_WH[1], SIZE_WH[0], 3), 120, np.uint8)
            paste_head(frame, pose)
            box = detector.detect(frame).boxes_xyxy[0]
            found.append(((box.reshape(2, 2) - pose.at_xy) / scale + HEAD_XY).ravel())
    return np.median(found, axis=0)


@dataclass(frozen=True)
class Score:
    """What tracking everybody in a case gave.

    Attributes:
        iou: (people,) median overlap of each person's box with the truth, where both are there.
        found: (people,) share of the frames in which the person can be seen that have a box of theirs.
        swaps: how often a track goes over from one person to another.
        tracks: how many people were told apart.
        jitter: before and after smoothing, mean of the tracks, thousandths of a box size a frame squared.
        rotation: clockwise turn that was found.
    """

    iou: np.ndarray
    found: np.ndarray
    swaps: int
    tracks: int
    jitter: tuple[float, float]
    rotation: int


def score_case(case: Case, detector: FaceDetector, box: np.ndarray, *, every: int = 1) -> Score:
    """Find out which way up a case is, track everybody in it, and compare with the truth.

    Args:
        box: the detector's own `portrait_box`.
        every: look at every second frame ... only, so that everybody moves as much faster.
    """
    shown = case.frames(every)
    rotation = find_rotation([case.stored(number) for number in range(0, case.count, case.count // 3)], detector)
    upright = (turn_frame(frame, rotation.degrees) for frame in shown)
    tracks = track_people(upright, detector, fps=FPS)
    truth = case.truth(box)[:, ::every]
    overlaps = np.array([[overlap(track.boxes_xyxy, of) for of in truth] for track in tracks])  # (tracks, people, T)
    best = np.nansum(overlaps, axis=2).argmax(axis=0)  # (people,) the track of each
    visible = np.isfinite(truth[..., 0])
    own = np.stack([overlaps[track, person] for person, track in enumerate(best)])
    figures = np.array([(track.raw_jitter, track.jitter) for track in tracks])
    return Score(
        iou=np.nanmedian(own, axis=1),
        found=np.array([np.isfinite(own[person])[visible[person]].mean() for person in range(len(truth))]),
        swaps=sum(_changes(track.boxes_xyxy, case.truth(box, with_hidden=True)[:, ::every]) for track in tracks),
        tracks=len(tracks),
        jitter=(1000 * float(figures[:, 0].mean()), 1000 * float(figures[:, 1].mean())),
        rotation=rotation.degrees,
    )


def _changes(boxes: np.ndarray, truth: np.ndarray) -> int:
    """How often a track's boxes (T, 4) change over from one person to another; `truth` (people, T, 4).

    Where two are at the same place, nobody can say on whom it lies; those frames are left out.
    """
    known = np.nan_to_num([overlap(boxes, of) for of in truth])
    clear = (known.max(axis=0) >= 0.5) & ((known >= 0.4).sum(axis=0) == 1)
    return int(np.count_nonzero(np.diff(known.argmax(axis=0)[clear])))
