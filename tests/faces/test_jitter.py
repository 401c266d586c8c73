"""How much a box trembles, and that taking it off neither leads nor lags."""

import numpy as np
import pytest
from squares import follow, picture

from lipwise.faces.detect import Faces
from lipwise.faces.detections import Detections
from lipwise.faces.jitter import jitter
from lipwise.faces.smooth import keep_near, smooth_polynomial
from lipwise.faces.track import DETECTED, MOST_SMEAR, TrackSettings, follow_face

SIDE = 60


def boxes_at(centres_x, side=SIDE):
    x = np.asarray(centres_x, float)
    return np.stack([x - side / 2, np.full_like(x, 50), x + side / 2, np.full_like(x, 50 + side)], axis=1)


def one_shot(boxes):
    return np.zeros(len(boxes), int)


def test_even_motion_has_no_jitter_and_a_shake_has_its_size():
    even = boxes_at(np.arange(20) * 7.0)
    assert jitter(even, one_shot(even)) == pytest.approx(0, abs=1e-12)
    shaken = boxes_at(np.tile([100.0, 103.0], 10))  # accelerations of 6 pixels
    assert jitter(shaken, one_shot(shaken)) == pytest.approx(6 / SIDE)
    assert jitter(shaken * 4, one_shot(shaken)) == pytest.approx(6 / SIDE)  # of another picture size


def test_jitter_does_not_count_cuts_and_gaps():
    jumps = boxes_at(np.repeat([50.0, 200.0], 6))
    assert jitter(jumps, np.repeat([0, 1], 6)) == 0
    gap = boxes_at(np.repeat([50.0, 0.0, 200.0], [6, 1, 6]))
    gap[6] = np.nan
    assert jitter(gap, one_shot(gap)) == 0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_frames_have_no_jitter(count):
    boxes = boxes_at(np.arange(count))
    assert np.isnan(jitter(boxes, one_shot(boxes)))


def test_a_track_knows_its_jitter_before_and_after():
    rng = np.random.default_rng(3)
    frames = [picture((100 + int(shake), 40, SIDE)) for shake in rng.integers(-2, 3, 60)]
    track = follow(frames)
    assert 0 < track.jitter < 0.4 * track.raw_jitter
    untouched = follow(frames, settings=TrackSettings(smooth_s=0))
    assert untouched.jitter == pytest.approx(untouched.raw_jitter, rel=1e-5)
    assert untouched.raw_jitter == track.raw_jitter


def track_of(xs):
    """(T,) left edges of the track of a face that is detected at `xs`, in one shot."""
    points = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)])
    faces = [
        Faces(
            np.array([(x, 40, x + SIDE, 40 + SIDE)], np.float32), (x, 40) + SIDE * points[None], np.ones(1, np.float32)
        )
        for x in xs
    ]
    detections = Detections(faces, [], np.zeros(len(xs), np.int32), (320, 180))
    track, _ = follow_face(detections, fps=25)
    assert (track.origin == DETECTED).all()
    return track.boxes_xyxy[:, 0].astype(float)


def test_a_box_in_even_motion_is_where_the_face_is():
    xs = 10 + 4 * np.arange(40)
    assert np.abs(track_of(xs) - xs).max() < 0.01


def test_a_box_follows_a_sudden_start_and_stop():
    xs = 10 + np.r_[np.zeros(15), 8 * np.arange(15), np.full(15, 8 * 14)]
    assert np.abs(track_of(xs) - xs).max() <= MOST_SMEAR * SIDE + 1e-3


def test_a_box_that_steps_neither_leads_nor_lags():
    """A step inside a shot, by half a face: the box goes over in the very frame, and as it would backward."""
    xs = np.repeat([60, 90], 20)
    forward = track_of(xs)
    assert np.abs(forward - xs).max() <= MOST_SMEAR * SIDE + 1e-3
    assert forward[19] < 75 < forward[20]
    assert np.allclose(forward - 60, 90 - forward[::-1], atol=1e-3)


def test_one_slip_of_the_detector_is_smoothed_away_not_followed():
    values = np.full((30, 1), 50.0)
    values[14] = 60
    seen = values.copy()
    smooth_polynomial(values, one_shot(values), window=9)
    keep_near(values, seen, one_shot(values), slack=np.full(30, 1.0))
    assert np.abs(values - 50).max() <= 1.0


def test_nearness_is_kept_in_each_run_alone():
    seen = np.r_[np.full((5, 2), 10.0), np.full((1, 2), np.nan), np.full((5, 2), 90.0)]
    values = seen + 30
    keep_near(values, seen, one_shot(seen), slack=np.full(11, 2.0))
    assert np.allclose(values[:5], 12)
    assert np.isnan(values[5]).all()
    assert np.allclose(values[6:], 92)
