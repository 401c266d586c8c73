"""Everybody in a clip is shown with a button, and a click gives the choice and its code."""

from fractions import Fraction

import numpy as np
import pytest

import lipwise as lw
from lipwise.errors import FaceError, SettingsError
from lipwise.faces.choose import Click
from lipwise.faces.track import DETECTED, NONE, FaceTrack
from lipwise.media.probe import probe
from lipwise.media.write import write_video
from lipwise.notebook import people as seen
from lipwise.notebook.person_picker import PersonPicker

COUNT = 20


def person(x: int, frames: slice, *, shots: int = 1, best: int | None = None) -> FaceTrack:
    """Somebody at a place in some frames, largest in one of them."""
    boxes, origin = np.full((COUNT, 4), np.nan, np.float32), np.full(COUNT, NONE, np.uint8)
    boxes[frames], origin[frames] = (x, 20, x + 20, 44), DETECTED
    if best is not None:
        boxes[best] = (x - 4, 16, x + 24, 48)
    return FaceTrack(
        boxes,
        np.full((COUNT, 5, 2), 40, np.float32),
        np.full(COUNT, 0.9, np.float32),
        origin,
        np.arange(COUNT, dtype=np.int32) * shots // COUNT,
        np.full(shots, 2, np.int32),
        (96, 64),
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Frame n is a grey of 10 n."""
    greys = (np.full((64, 96, 3), 10 * number, np.uint8) for number in range(COUNT))
    return probe(write_video(tmp_path_factory.mktemp("greys") / "clip.mp4", greys, fps=Fraction(25), quality=5))


@pytest.fixture
def two() -> list[FaceTrack]:
    return [person(10, slice(0, 12), best=3), person(60, slice(8, 20))]


@pytest.fixture
def picker(clip, two) -> PersonPicker:
    return PersonPicker(clip, two)


# --- what it does without a browser ---


def test_a_person_is_chosen_by_number_and_where_shots_count_anew_by_a_click(two):
    assert [seen.choice_of(two, number) for number in (0, 1)] == [0, 1]
    cut = [person(10, slice(0, 12), shots=2, best=3), person(60, slice(8, 20), shots=2)]
    assert seen.choice_of(cut, 0) == Click(20, 32, 3)
    assert seen.code_of(seen.choice_of(cut, 0)) == "track, report = lw.examine(video, choose=lw.Click(20, 32, 3))"
    assert seen.code_of(None, name="clip") == "track, report = lw.examine(clip)"


@pytest.mark.parametrize("number", [-1, 2])
def test_nobody_of_a_number_is_told(two, number):
    with pytest.raises(SettingsError, match=f"no person {number}"):
        seen.choice_of(two, number)


@pytest.mark.parametrize("frame", [-1, 7, COUNT])
def test_a_click_needs_a_frame_with_the_face(two, frame):
    with pytest.raises(SettingsError, match="from frame 8 to 19"):
        seen.click_on(two[1], frame)


def test_a_portrait_shows_the_face_in_the_frame_where_it_is_best(clip, two):
    first, _ = seen.portraits(clip, two).values()
    assert first.shape == (132, 132, 3)
    assert abs(int(first[60, 60, 0]) - 30) < 4  # frame 3
    frame = np.zeros((64, 96, 3), np.uint8)
    frame[20:44, 60:80] = 200
    face = seen.portrait(frame, np.float32([60, 20, 80, 44]), 1)
    assert (face[66, 66] == 200).all()
    assert (face[4, 66] == 0).all()


def test_faces_of_a_frame_are_numbered_and_the_chosen_one_is_green(two):
    picture = seen.numbered_faces(np.full((64, 96, 3), 128, np.uint8), two, 9, chosen=1)
    assert picture.shape == (320, 480, 3)
    assert tuple(picture[160, 300]) == seen.CHOSEN  # the left side of the second box
    assert tuple(picture[160, 50]) == seen.INK
    one = seen.numbered_faces(np.full((64, 96, 3), 128, np.uint8), two, 2)
    assert (one[160, 300] == 128).all()


def test_the_sheet_has_everybody_in_rows(clip, two):
    assert seen.people_sheet(clip, two).shape == (132, 264, 3)
    assert seen.people_sheet(clip, two * 4).shape == (264, 7 * 132, 3)
    with pytest.raises(FaceError, match="Nobody is seen"):
        seen.people_sheet(clip, [])


# --- the widget ---


def test_a_click_on_a_portrait_chooses_and_says_the_code(picker):
    assert picker.choice is None
    assert "2 people are seen" in picker.said.value
    picker.buttons[1].click()
    assert picker.choice == 1
    assert "<code>track, report = lw.examine(video, choose=1)</code>" in picker.said.value
    assert [button.icon for button in picker.buttons.values()] == ["", "check"]
    picker.choose(0)
    assert picker.code() == "track, report = lw.examine(video, choose=0)"


def test_a_face_of_a_frame_is_chosen_by_its_point(picker):
    assert picker.slider.value == 8  # the first with both
    assert [button.description for button in picker.here.children] == ["0 here", "1 here"]
    picker.slider.value = 15
    (only,) = picker.here.children
    before = bytes(picker.picture.value)
    only.click()
    assert picker.choice == Click(70, 32, 15)
    assert bytes(picker.picture.value) != before
    assert picker.code() == "track, report = lw.examine(video, choose=lw.Click(70, 32, 15))"
    with pytest.raises(SettingsError, match="no face in frame 15"):
        picker.choose_in(15, 0)
    assert picker.choice == Click(70, 32, 15)


@pytest.mark.parametrize(("count", "said"), [(1, "One person is seen"), (0, "Nobody is seen")])
def test_with_one_person_or_nobody_there_is_nothing_to_choose(clip, two, count, said):
    picker = PersonPicker(clip, two[:count])
    assert said in picker.said.value
    assert len(picker.children) == 2  # no frame to look in
    assert len(picker.buttons) == count


def test_a_crowd_has_portraits_of_those_seen_for_longest(clip):
    crowd = [person(10, slice(0, 4 + number % 13)) for number in range(30)]
    picker = PersonPicker(clip, crowd)
    assert len(picker.buttons) == seen.MOST_PORTRAITS
    assert "9 more are seen" in picker.said.value
    least = min(np.count_nonzero(crowd[number].has_face) for number in picker.buttons)
    assert all(np.count_nonzero(track.has_face) <= least for n, track in enumerate(crowd) if n not in picker.buttons)


def test_without_a_kernel_it_says_what_stands_in(picker):
    assert "people_sheet" in repr(picker)


# --- with real faces ---


def test_the_choice_follows_the_person_of_the_portrait(tmp_path, face_mesh):
    """Two real faces side by side, the second one smaller; then the same after a cut, where numbers count anew."""
    from skimage.data import astronaut

    frames = []
    for number in range(24):
        frame = np.full((300, 640, 3), 90 if number < 12 else 200, np.uint8)
        frame[20:270, 20 + number : 270 + number] = astronaut()[:250, 100:350]
        if number < 12:
            frame[60:260, 400:600] = astronaut()[10:210, 340:140:-1]
        frames.append(frame)
    video = probe(write_video(tmp_path / "two.mp4", frames, fps=Fraction(25), quality=5))
    picker = PersonPicker(video)
    assert len(picker.people) >= 2
    for number in picker.buttons:
        picker.choose(number)
        track = lw.examine(video, choose=picker.choice, cache=False).track
        both = track.has_face & picker.people[number].has_face
        assert both.any()
        apart = np.abs(track.boxes_xyxy - picker.people[number].boxes_xyxy)[both]
        assert apart.max() < 2
