"""Several people in a real clip: chosen by a click in a frame, and each saved with their own track."""

import numpy as np
import pytest

import lipwise as lw

PART = slice(35, 50)  # of the clip with two faces, frames in which both are seen


@pytest.fixture(scope="module")
def both(build, face_mesh) -> lw.VideoInfo:
    return lw.probe(build("two").path).part(PART.start, PART.stop)


@pytest.fixture(scope="module")
def people(both) -> list[lw.FaceTrack]:
    return lw.track_people(both)


def middles(track: lw.FaceTrack) -> np.ndarray:
    return (track.boxes_xyxy[:, :2] + track.boxes_xyxy[:, 2:]) / 2


def test_everybody_has_a_track_of_their_own(people, tmp_path):
    first, second = people
    assert first.has_face.all()
    assert second.has_face.all()
    assert (middles(second)[:, 0] > middles(first)[:, 0] + 50).all()
    lw.save_tracks(tmp_path / "people.npz", people)
    for kept, track in zip(lw.load_tracks(tmp_path / "people.npz"), people, strict=True):
        assert np.array_equal(kept.boxes_xyxy, track.boxes_xyxy)


@pytest.mark.parametrize(
    ("person", "choice"),
    [(0, lambda x, y: lw.Click(x, y, 6)), (1, lambda x, y: (x, y, 6)), (0, lambda x, y: {0: (x, y)})],
)
def test_whoever_is_clicked_on_in_a_frame_is_followed(both, people, person, choice):
    x, y = (float(part) for part in middles(people[person])[6])
    found = lw.examine(both, choose=choice(x, y), cache=False)
    assert np.abs(middles(found.track) - middles(people[person])).max() < 1


def test_a_click_survives_the_recipe_and_its_file(tmp_path):
    for choice in (lw.Click(120.5, 80, 6), (120.5, 80.0, 6), {0: 1, 2: (4.0, 5.0)}, {1: (3.0, 4.0, 30)}):
        recipe = lw.Recipe(face="a.mp4", speech="b.wav", choose=choice)
        assert recipe.choose == choice
        recipe.to_yaml(tmp_path / "recipe.yaml")
        assert lw.Recipe.from_yaml(tmp_path / "recipe.yaml").choose == choice


def test_a_click_where_nobody_is_names_itself(both):
    with pytest.raises(lw.FaceError, match="630"):
        lw.examine(both, choose=(630, 5, 6), cache=False)
    with pytest.raises(lw.SettingsError, match="no frame 99"):
        lw.examine(both, choose=lw.Click(5, 5, 99), cache=False)
