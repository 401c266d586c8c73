"""Whom a click means, and how shots are named."""

import numpy as np
import pytest
from squares import follow, picture

from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.faces.choose import Click, choose_people, name_shots
from lipwise.faces.people import Person
from lipwise.faces.track import TrackSettings

COUNT = 10


def person(box_xyxy) -> Person:
    """Somebody whose box stays where it is for ten frames."""
    made = Person()
    for frame in range(COUNT):
        made.add(frame, 0, np.array(box_xyxy, float), 0.9)
    return made


def chosen(people: list[Person], x: float, y: float) -> int:
    """Which of the people of one shot a click means."""
    followed, _ = choose_people([people], Click(x, y, 4), shot=np.zeros(COUNT, int))
    return [one is followed[0] for one in people].index(True)


def test_a_click_a_little_beside_a_face_still_means_it():
    people = [person((100, 50, 150, 100)), person((300, 50, 350, 100))]
    assert chosen(people, 95, 75) == 0  # a tenth of the box to its left
    assert chosen(people, 355, 75) == 1


def test_a_click_in_two_boxes_means_the_nearer_face():
    people = [person((100, 50, 200, 150)), person((140, 50, 240, 150))]
    assert chosen(people, 160, 100) == 0  # middles at 150 and 190
    assert chosen(people, 180, 100) == 1
    assert chosen(people[::-1], 160, 100) == 1


def test_shots_are_named_with_their_frames():
    shot = np.repeat([0, 1, 2], [4, 6, 3])
    assert name_shots([0, 2], shot) == "shot 0 (frames 0-3), shot 2 (frames 10-12)"


def test_a_warning_of_doubt_names_the_frames_and_takes_nobody_up_again_in_the_first_shot():
    """The larger face, which is followed, is in the second shot."""
    frames = [picture((30, 50, 40), ground=40)] * 12 + [picture((200, 30, 110), ground=220)] * 12
    with pytest.warns(LipwiseWarning, match=r"shot 0 \(0\.\d\d, frames 0-11\)") as caught:
        follow(frames)
    assert "again" not in str(caught[0].message)


@pytest.mark.parametrize("wrong", ["0.3", None, True, [0.3]])
def test_a_tracks_settings_are_numbers(wrong):
    with pytest.raises(SettingsError, match="smooth_s"):
        TrackSettings(smooth_s=wrong)


def test_numpys_numbers_are_numbers():
    assert TrackSettings(smooth_s=np.float32(0.5)) == TrackSettings(smooth_s=0.5)
    assert type(TrackSettings(hold_s=np.float64(0.1)).hold_s) is float
