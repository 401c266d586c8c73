"""Who is who after a cut: taken up again by size and place, with a confidence; corrected by a choice."""

import warnings

import numpy as np
import pytest
from squares import FPS, SquareDetector, centres_x, follow, picture

from lipwise.errors import FaceError, LipwiseWarning, MediaError, SettingsError
from lipwise.faces.choose import Click
from lipwise.faces.track import NONE, FaceTrack, TrackSettings, load_tracks, save_tracks, track_people

LENGTH = 12


def shots(*scenes):
    """Shots of `LENGTH` frames each, told apart by their ground."""
    grounds = (40, 200, 120, 250, 80)
    return [picture(*squares, ground=grounds[at]) for at, squares in enumerate(scenes) for _ in range(LENGTH)]


def places(track):
    """Where the face is in the middle of each shot."""
    return centres_x(track)[LENGTH // 2 :: LENGTH].tolist()


SMALL_LEFT, LARGE_RIGHT = (30, 50, 60), (200, 30, 100)


def test_after_a_cut_place_and_size_count_not_who_is_larger():
    """In the second shot the other one is the larger."""
    frames = shots([LARGE_RIGHT, SMALL_LEFT], [(210, 35, 90), (20, 30, 95)])
    assert places(follow(frames)) == [250, 255]


def test_without_a_choice_whoever_is_largest_in_the_whole_clip_is_followed():
    frames = shots([LARGE_RIGHT, (20, 40, 85)], [(195, 35, 95), (20, 30, 120)])
    assert places(follow(frames)) == [62.5, 80]


def test_the_confidence_says_how_well_size_and_place_fit():
    same = follow(shots([LARGE_RIGHT], [LARGE_RIGHT])).confidence
    moved = follow(shots([LARGE_RIGHT], [(120, 30, 100)])).confidence
    with pytest.warns(LipwiseWarning, match="shot 1"):
        elsewhere = follow(shots([LARGE_RIGHT], [(10, 20, 45)])).confidence
    assert same.dtype == np.float32
    assert same[0] == moved[0] == elsewhere[0] == 1
    assert 0.8 < same[1] < 1
    assert elsewhere[1] < 0.2 < 0.5 < moved[1] < same[1]


def test_a_shot_with_two_equal_candidates_is_less_sure():
    with pytest.warns(LipwiseWarning, match="shot 1"):
        track = follow(shots([(130, 50, 60)], [(95, 50, 60), (165, 50, 60)]))
    assert track.confidence[1] < 0.5


def test_somebody_who_was_there_before_is_not_taken_for_the_one_followed():
    with pytest.warns(LipwiseWarning, match="shot 1"):
        track = follow(shots([LARGE_RIGHT, SMALL_LEFT], [SMALL_LEFT]))
    assert track.confidence[1] < 0.2


def test_after_a_shot_of_somebody_else_the_first_person_is_taken_up_again():
    with pytest.warns(LipwiseWarning, match=r"shot 1 \(0"):
        track = follow(shots([LARGE_RIGHT], [SMALL_LEFT], [LARGE_RIGHT, SMALL_LEFT]))
    assert places(track) == [250, 60, 250]
    assert track.confidence[2] > 0.7


def test_shots_that_are_too_unsure_can_be_left_alone():
    with pytest.warns(LipwiseWarning, match="shot 1"):
        track = follow(shots([LARGE_RIGHT], [SMALL_LEFT], [LARGE_RIGHT]), settings=TrackSettings(least_confidence=0.5))
    assert (track.origin[LENGTH : 2 * LENGTH] == NONE).all()
    assert track.has_face[2 * LENGTH :].all()
    assert track.people.tolist() == [1, 1, 1]
    with pytest.raises(SettingsError, match="least_confidence"):
        TrackSettings(least_confidence=1.5)


def test_a_choice_in_one_shot_is_taken_up_in_those_before_and_after():
    frames = shots([LARGE_RIGHT, SMALL_LEFT], [(210, 35, 90), (35, 45, 65)], [LARGE_RIGHT, (25, 55, 60)])
    assert places(follow(frames)) == [250, 255, 250]
    corrected = follow(frames, choose={1: 0})
    assert places(corrected) == [60, 67.5, 55]
    assert corrected.confidence[1] == 1
    assert (corrected.confidence[[0, 2]] > 0.7).all()


def test_a_click_in_one_frame_is_enough():
    frames = shots([LARGE_RIGHT, SMALL_LEFT], [(210, 35, 90), (35, 45, 65)])
    for click in (Click(60, 80, 3), (60, 80, 3), Click(60, 80, LENGTH + 2), {0: Click(60, 80, 3)}):
        assert places(follow(frames, choose=click)) == [60, 67.5]


def test_a_click_means_who_is_there_then():
    """They change sides: at the end the place is the other one's."""
    frames = [picture((10 + 4 * index, 20, 60), (250 - 4 * index, 95, 60)) for index in range(55)]
    assert centres_x(follow(frames, choose=Click(40, 50, 0)))[0] == pytest.approx(40, abs=0.1)
    assert centres_x(follow(frames, choose=Click(64, 125, 54)))[54] == pytest.approx(64, abs=0.1)


def test_clicks_that_hit_nothing():
    frames = shots([LARGE_RIGHT], [LARGE_RIGHT])
    with pytest.raises(FaceError, match="Nobody"):
        follow(frames, choose=Click(5, 170, 3))
    with pytest.raises(SettingsError, match="no frame 99"):
        follow(frames, choose=Click(250, 80, 99))
    with pytest.raises(SettingsError, match="not in shot 1"):
        follow(frames, choose={1: Click(250, 80, 3)})
    for wrong in ((1, 2, -3), (1, 2, 0.5), (1, 2, float("nan"))):
        with pytest.raises(SettingsError, match="chooses nobody"):
            follow(frames, choose=wrong)


def everybody(frames):
    return track_people(frames, SquareDetector(), fps=FPS)


def test_everybody_has_a_track_of_their_own_across_cuts():
    frames = shots(
        [LARGE_RIGHT, SMALL_LEFT],
        [(35, 45, 65)],
        [(210, 35, 90), SMALL_LEFT, (130, 100, 50)],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", LipwiseWarning)  # there is no one person to be unsure of
        tracks = everybody(frames)
    found = [[None if np.isnan(place) else place for place in places(track)] for track in tracks]
    assert found == [[60, 67.5, 60], [250, None, 255], [None, None, 155]]
    assert [track.confidence[0] for track in tracks] == [1, 1, 0]
    assert tracks[1].confidence[1] == 0
    assert tracks[2].confidence[2] == 1
    assert all((track.people == [2, 1, 3]).all() for track in tracks)


def test_who_is_like_nobody_before_is_somebody_new():
    tracks = everybody(shots([LARGE_RIGHT], [SMALL_LEFT], [LARGE_RIGHT]))
    assert [track.confidence.round().tolist() for track in tracks] == [[1, 0, 1], [0, 1, 0]]


def test_nobody_gives_no_track():
    assert everybody([picture()] * 3) == []


def test_several_tracks_survive_saving(tmp_path):
    tracks = everybody(shots([LARGE_RIGHT, SMALL_LEFT], [LARGE_RIGHT]))
    path = tmp_path / "people.npz"
    save_tracks(path, tracks)
    loaded = load_tracks(path)
    assert len(loaded) == 2
    for before, after in zip(tracks, loaded, strict=True):
        assert np.array_equal(before.boxes_xyxy, after.boxes_xyxy, equal_nan=True)
        assert np.array_equal(before.confidence, after.confidence)
        assert (before.rotation, before.raw_jitter, before.size_wh) == (after.rotation, after.raw_jitter, after.size_wh)
    with pytest.raises(FaceError, match="Cannot read"):
        FaceTrack.load(path)
    save_tracks(path, [])
    assert load_tracks(path) == []
    tracks[0].save(path)
    with pytest.raises(FaceError, match="Cannot read"):
        load_tracks(path)
    with pytest.raises(MediaError, match="cannot be written"):
        save_tracks(tmp_path / "nowhere" / "people.npz", tracks)


def test_a_confidence_of_the_wrong_shape_is_refused():
    track = follow([picture(SMALL_LEFT)])
    with pytest.raises(ValueError, match="confidence"):
        FaceTrack(**{**vars(track), "confidence": np.ones(3, np.float32)})
