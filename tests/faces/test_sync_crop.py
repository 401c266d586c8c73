"""The crop that SyncNet's published scores are taken with."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from lipwise.faces.sync_crop import GREY, sync_crop, sync_squares

FACE = np.array([170.0, 60.0, 270.0, 200.0])  # of the astronaut: 100 x 140 px


def padded_crop(frame: np.ndarray, x: float, y: float, half: float) -> np.ndarray:
    """The same rule the long way round: the whole frame set into grey, whole numbers counted there."""
    border = int(half * 1.8)
    padded = cv2.copyMakeBorder(frame, border, border, border, border, cv2.BORDER_CONSTANT, value=(GREY,) * 3)
    x, y = x + border, y + border
    part = padded[int(y - half) : int(y + half * 1.8), int(x - half * 1.4) : int(x + half * 1.4)]
    return cv2.resize(part, (224, 224))


@pytest.mark.parametrize(
    "square",
    [(220.0, 130.0, 70.0), (220.4, 130.7, 69.6), (20.0, 130.0, 70.0), (500.5, 500.5, 90.25), (256.0, 3.0, 200.0)],
    ids=["inside", "between pixels", "left edge", "corner", "larger than the frame"],
)
def test_crop_is_cut_as_the_rule_says(square):
    frame = astronaut()
    kept = frame.copy()
    crop = sync_crop(frame, np.array(square), 224)
    assert crop.shape == (224, 224, 3)
    assert crop.dtype == np.uint8
    assert np.array_equal(crop, padded_crop(frame, *square))
    assert np.array_equal(frame, kept)


def test_a_face_outside_the_frame_is_grey():
    assert (sync_crop(astronaut(), np.array([-900.0, 100.0, 50.0]), 224) == GREY).all()


def test_a_steady_box_stays():
    squares = sync_squares(np.tile(FACE, (30, 1)))
    assert np.array_equal(squares, np.tile([220.0, 130.0, 70.0], (30, 1)))


def test_stray_boxes_do_not_show_and_a_move_comes_on_time():
    boxes = np.tile(FACE, (40, 1))
    boxes[25:] += 8  # the face moves for good
    boxes[10:13] += 50  # the detector strays
    squares = sync_squares(boxes)
    assert np.array_equal(squares[:25], np.tile([220.0, 130.0, 70.0], (25, 1)))
    assert np.array_equal(squares[25:], np.tile([228.0, 138.0, 70.0], (15, 1)))


@pytest.mark.parametrize("count", [1, 2, 3, 12, 13, 14])
def test_short_stretches_never_shrink_to_nothing(count):
    assert np.array_equal(sync_squares(np.tile(FACE, (count, 1))), np.tile([220.0, 130.0, 70.0], (count, 1)))


@pytest.mark.parametrize("shape", [(0, 4), (4,), (3, 5)])
def test_what_are_no_boxes_is_named(shape):
    with pytest.raises(ValueError, match="expected boxes"):
        sync_squares(np.zeros(shape))
