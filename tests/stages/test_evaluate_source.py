"""A result beside its source: which frame was which, at which size, and what is said of made-up faults."""

import tracemalloc
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

import lipwise as lw
from lipwise.sample import SPEECH, sample_frames
from lipwise.stages import mouth_figures, pair
from lipwise.stages.compare import compare_pictures

FRAMES, SIDE = 20, 256


@pytest.fixture(scope="module")
def source(tmp_path_factory, face_mesh):
    """The beginning of the sample and its track."""
    frames = (cv2.resize(frame, (SIDE, SIDE)) for _, frame in zip(range(FRAMES), sample_frames(), strict=False))
    video = lw.probe(lw.write_video(tmp_path_factory.mktemp("source") / "clip.mp4", frames, fps=25, quality=10))
    return video, lw.track_faces(video)


@pytest.fixture
def no_search(monkeypatch):
    """Nobody looks for a face."""

    def refuse(*_, **__):
        raise AssertionError("a face was looked for")

    monkeypatch.setattr(pair, "examine", refuse)
    monkeypatch.setattr(mouth_figures, "examine", refuse)


def evaluated(tmp_path, source, frames, *, order=None, **given) -> lw.Evaluation:
    """Write frames as a result without sound and evaluate it; `order` is the timeline."""
    video, track = source
    result = lw.write_video(tmp_path / "made.mp4", frames, fps=video.fps, quality=10)
    timeline = None
    if order is not None:
        timeline = lw.Timeline(np.asarray(order, np.int64), np.ones(len(order), bool), video.fps)
    return lw.evaluate(result, source=video, track=track, timeline=timeline, sync=None, **given)


def test_a_copy_of_the_source(source, no_search):
    video, track = (whole.part(0, 6) for whole in source)
    found = lw.evaluate(video, source=video, track=track, sync=None)
    assert found["psnr_outside_db"] == found["psnr_inside_db"] == 100
    assert found["ssim_inside"] == pytest.approx(1)
    assert found["seam"] == found["flicker"] == found["trembling"] == pytest.approx(1)
    assert "has no sound" in found.missing["offset_s"]


def test_dropped_and_backward_frames_are_matched(source, tmp_path, no_search):
    order = [0, 1, 8, 9, 15, 14, 13, 5, 5, 6]
    frames = list(lw.read_frames(source[0], np.array(order)))
    right = evaluated(tmp_path, source, frames, order=order)
    assert right.curves["psnr_outside_db"].min() > 40
    with pytest.warns(lw.LipwiseWarning, match="the beginning of the source"):
        wrong = evaluated(tmp_path, source, frames)
    assert wrong["psnr_outside_db"] < right["psnr_outside_db"] - 8
    assert any("no timeline" in remark for remark in wrong.remarks)


def test_a_longer_result_is_taken_to_go_backward(source, tmp_path, no_search):
    part = source[0].part(0, 6), source[1].part(0, 6)
    with pytest.warns(lw.LipwiseWarning, match="backward"):
        found = evaluated(tmp_path, part, lw.read_frames(part[0], np.array([0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 0])))
    assert found.curves["psnr_outside_db"].min() > 40


def test_another_clip_is_noticed(source, tmp_path, no_search):
    other = [cv2.flip(frame, 0) for frame in lw.read_frames(source[0], np.arange(6))]
    found = evaluated(tmp_path, source, other, order=range(6))
    assert any("hardly agree" in remark for remark in found.remarks)


def test_a_visible_edge_is_a_seam(source, tmp_path, no_search):
    video, track = source
    region = lw.PastedRegion()
    frames = list(lw.read_frames(video, np.arange(6)))
    for row, frame in enumerate(frames):
        inside = region.mask(track, row, video.size_wh) > 0.5
        frame[inside] = np.clip(frame[inside].astype(int) + 40, 0, 255)
    found = evaluated(tmp_path, source, frames, order=range(6))
    assert found["seam"] > 1.4
    assert found["psnr_inside_db"] < 18
    assert found["psnr_outside_db"] > 35


def test_untouched_frames_have_no_inside(source, tmp_path, no_search):
    video, track = source
    timeline = lw.Timeline(np.arange(6), np.zeros(6, bool), video.fps)
    result = lw.write_video(tmp_path / "made.mp4", lw.read_frames(video, np.arange(6)), fps=video.fps)
    found = lw.evaluate(result, source=video, track=track, timeline=timeline, sync=None)
    assert {"psnr_inside_db", "ssim_inside", "seam", "seam_worst"} <= set(found.missing)
    assert "psnr_outside_db" in found.figures


@pytest.mark.parametrize("size_wh", [(512, 512), (128, 128)])
def test_another_size_is_brought_to_the_sources(source, tmp_path, size_wh, no_search):
    frames = [cv2.resize(f, size_wh, interpolation=cv2.INTER_AREA) for f in lw.read_frames(source[0], np.arange(6))]
    found = evaluated(tmp_path, source, frames, order=range(6))
    assert found["psnr_outside_db"] > (28 if size_wh[0] < SIDE else 36)
    assert any("resized" in remark for remark in found.remarks)


def test_a_photo_is_a_source(source, tmp_path):
    photo = tmp_path / "photo.png"
    frame = next(lw.read_frames(source[0]))[:253, :255]  # H.264 will make these sides even
    cv2.imwrite(str(photo), frame[..., ::-1])
    result = lw.write_video(tmp_path / "made.mp4", [frame] * 4, fps=25)
    found = lw.evaluate(result, source=photo, sync=None, cache=False)
    assert found.missing["flicker"] == "the source is a single picture, which cannot flicker"
    assert "trembling" in found.figures
    assert found["psnr_outside_db"] > 38
    assert not found.remarks
    assert "is a picture" in found.missing_anchors["offset_s"]


def test_the_mask_of_a_restored_face_is_larger(source):
    track = source[1]
    lips = lw.PastedRegion().mask(track, 0, track.size_wh)
    both = lw.PastedRegion(restored=lw.EnhanceSettings()).mask(track, 0, track.size_wh)
    hard = lw.PastedRegion("wav2lip_gan", lw.LipsyncSettings(region="rectangle")).mask(track, 0, track.size_wh)
    assert (both >= lips).all()
    assert (both > 0).sum() > 1.1 * (lips > 0).sum()
    assert set(np.unique(hard)) == {0, 1}


def lips_mask(source, generator="viseme", **settings) -> np.ndarray:
    region = lw.PastedRegion(generator, lw.LipsyncSettings(**settings))
    return region.lips_mask(source[1], 0, source[1].size_wh)


def test_the_mask_is_that_which_the_lips_were_pasted_through(source):
    """Made again from the track: the same pixels as the steps of lipsync show."""
    video, track = source
    speech = lw.load_speech(SPEECH)
    generator = lw.load_generator("viseme")
    timeline = lw.Timeline(np.arange(4), np.ones(4, bool), video.fps)
    settings = lw.LipsyncSettings(feather=0.3, region="mouth")
    state = lw.prepare_lipsync(video, track, timeline, speech, generator=generator)
    given = {"generator": generator, "state": state, "settings": settings}
    (step,) = lw.lipsync_steps(list(lw.read_frames(video, [0])), np.array([0]), track, timeline, speech, **given)
    mask = lips_mask(source, feather=0.3, region="mouth")
    assert np.array_equal(step.box.of(mask), step.mask)
    assert mask.sum() == pytest.approx(step.mask.sum())


def test_every_setting_moves_the_mask(source):
    usual = lips_mask(source)
    for other in ({"region": "mouth"}, {"region": "face"}, {"feather": 0.3}, {"generator": "wav2lip"}):
        assert not np.array_equal(lips_mask(source, **other), usual), other
    hard = lips_mask(source, "wav2lip", region="rectangle")
    padded = lips_mask(source, "wav2lip", region="rectangle", pads=(0, 30, 5, 5))
    assert padded.sum() > hard.sum()


def test_a_restored_mask_reaches_as_far_as_its_blur(source):
    def touched(**settings):
        restored = lw.EnhanceSettings(**settings)
        return (lw.PastedRegion(restored=restored).mask(source[1], 0, source[1].size_wh) > 0).sum()

    assert touched(feather=0.3) > touched(feather=0.1)
    assert touched(dilate=0.3) > touched(dilate=0.0)
    assert touched(region="mouth") < touched()


def test_a_clip_on_its_side_is_turned_as_its_track_says(source, tmp_path, no_search):
    video, track = (whole.part(0, 4) for whole in source)
    upright = list(lw.read_frames(video))
    lying = lw.write_video(tmp_path / "lying.mp4", [np.rot90(frame) for frame in upright], fps=25, quality=5)
    turned = next(angle for angle in (90, 270) if is_like(lw.turn_video(lw.probe(lying), angle), upright[0]))
    found = lw.evaluate(video, source=lying, track=replace(track, rotation=turned), sync=None)
    assert found["psnr_outside_db"] > 36


def is_like(video: lw.VideoInfo, frame: np.ndarray) -> bool:
    return float(np.abs(next(lw.read_frames(video)).astype(int) - frame).mean()) < 8


def test_a_track_without_a_mesh_gets_one(source, no_search):
    video, track = (whole.part(0, 3) for whole in source)
    found = pair.match(video, video, track=replace(track, mesh_xy=np.zeros((0, 468, 2), np.float32)))
    assert found.track is not None
    assert np.abs(found.track.mesh_xy - track.mesh_xy).mean() < 2


def test_rates_that_a_file_has_rounded_are_the_same(source, no_search):
    video, track = (whole.part(0, 4) for whole in source)
    timeline = lw.Timeline(np.arange(4), np.ones(4, bool), video.fps * Fraction(9999, 10000))
    assert lw.evaluate(video, source=video, track=track, timeline=timeline, sync=None)["psnr_outside_db"] == 100


@pytest.mark.slow
def test_memory_does_not_grow_with_the_result(source, tmp_path):
    peaks = []
    for count in (10, FRAMES):
        result = lw.write_video(tmp_path / "made.mp4", lw.read_frames(source[0], np.arange(count)), fps=25)
        timeline = lw.Timeline(np.arange(count), np.ones(count, bool), source[0].fps)
        tracemalloc.start()
        compare_pictures(lw.probe(result), *source, timeline)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 5 * SIDE * SIDE * 3  # 10 frames more were read
