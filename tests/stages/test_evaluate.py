"""Evaluation of results that were made so that the right answer is known."""

import json
import tracemalloc

import cv2
import numpy as np
import pytest

import lipwise as lw
from lipwise import __main__ as command_line
from lipwise.stages import evaluate as stages_evaluate
from lipwise.stages import mouth_figures, pair
from lipwise.stages.compare import compare_pictures

FRAMES = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluate")


@pytest.fixture(scope="module")
def sample(folder, face_mesh) -> lw.Sample:
    """The sample, its clip cut to its first frames."""
    whole = lw.make_sample(folder)
    frames = lw.read_frames(whole.face, np.arange(FRAMES))
    return lw.Sample(lw.write_video(folder / "short.mp4", frames, fps=25, quality=10), whole.speech)


@pytest.fixture(scope="module")
def made(folder, sample):
    """A result of the whole chain and its run folder."""
    recipe = lw.Recipe(
        face=sample.face, speech=sample.speech, speech_end_s=FRAMES / 25, out=folder / "result.mp4", consent=True,
        clean={"cache": False},
    )  # fmt: skip
    lw.run(recipe, run_folder=folder / "run", progress=False)
    return recipe.out, folder / "run"


@pytest.fixture(scope="module")
def evaluation(made) -> lw.Evaluation:
    return lw.evaluate(made[0], run=made[1], sync=None)


@pytest.fixture(scope="module")
def source(sample, made):
    """The used part of the sample and its track."""
    return lw.probe(sample.face), lw.FaceTrack.load(made[1] / "track.npz")


@pytest.fixture(scope="module")
def speaking(made, source):
    """The result as a source of its own: a clip whose lips say what is heard."""
    video = lw.probe(made[0])
    timeline = lw.Timeline(np.arange(FRAMES), np.ones(FRAMES, bool), video.fps)
    return video, mouth_figures.look_again(video, source[1], timeline)


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


def test_a_run_is_judged_well(evaluation):
    assert evaluation["psnr_outside_db"] > 37
    assert evaluation["ssim_outside"] > 0.95
    assert evaluation["psnr_inside_db"] < evaluation["psnr_outside_db"] - 5
    assert evaluation["seam"] < 1.1
    assert evaluation["seam_worst"] < 1.1
    assert evaluation["flicker"] < 2
    assert evaluation["trembling"] < 1.3
    assert evaluation["mouth_opening"] > 0.85
    assert evaluation["mouth_width"] > 0.5
    assert abs(evaluation["offset_s"]) < 1 / 25
    assert evaluation["offset_confidence"] > 0.8


def test_every_figure_is_there_or_its_reason(evaluation):
    for values, missing in (
        (evaluation.figures, evaluation.missing),
        (evaluation.anchors, evaluation.missing_anchors),
    ):
        assert not set(values) & set(missing)
        assert all(missing.values())
    assert {*evaluation.figures, *evaluation.missing} == set(lw.FIGURES)
    anchored = {name for name, figure in lw.FIGURES.items() if figure.anchored}
    assert {*evaluation.anchors, *evaluation.missing_anchors} == anchored
    assert evaluation.missing["lse_d"] == "SyncNet was not asked for"
    assert "no sound of its own" in evaluation.missing_anchors["offset_s"]
    with pytest.raises(lw.LipwiseError, match="not asked for"):
        evaluation["lse_d"]
    with pytest.raises(lw.LipwiseError, match="the figures are psnr"):
        evaluation["beauty"]


def test_a_run_knows_its_source(made, own_cache, no_search, evaluation):
    again = lw.evaluate(made[0], run=made[1])
    assert again.figures == evaluation.figures
    assert "weights are not there" in again.missing["lse_d"]
    assert "weights are not there" in again.missing_anchors["lse_d"]


def test_curves_have_a_value_for_each_frame(evaluation):
    assert {len(curve) for curve in evaluation.curves.values()} == {FRAMES}
    assert np.isfinite(evaluation.curves["gap"]).mean() > 0.9
    assert np.isfinite(evaluation.curves["seam"]).all()
    assert evaluation.offset is not None
    assert evaluation.offset.offset_s == evaluation["offset_s"]


def test_it_is_written_as_words_and_as_json(evaluation, tmp_path):
    text = str(evaluation)
    assert "PSNR outside the mask" in text
    assert "not measured: LSE-D, LSE-C, AV offset: SyncNet was not asked for" in text
    evaluation.save(tmp_path / "e.json")
    stored = json.loads((tmp_path / "e.json").read_text())
    assert stored["figures"] == dict(evaluation.figures)
    assert stored["missing"] == dict(evaluation.missing)
    rows = {row["name"]: row for row in evaluation.to_rows()}
    assert rows["seam"]["result"] == evaluation["seam"]
    assert rows["lse_c"]["missing"]


def test_its_curves_become_a_table(evaluation):
    pytest.importorskip("pandas")
    table = evaluation.to_pandas()
    assert len(table) == FRAMES
    assert table["time_s"].iloc[1] == pytest.approx(1 / 25)


def test_the_command_prints_the_same(made, evaluation, tmp_path, capsys, monkeypatch):
    asked = {}

    def fake(result, **given):
        asked.update(given, result=result)
        return evaluation

    monkeypatch.setattr(lw, "evaluate", fake)
    command_line.main(
        ["evaluate", str(made[0]), "--run", str(made[1]), "--no-sync", "--report", str(tmp_path / "e.json")]
    )
    assert capsys.readouterr().out == f"{evaluation}\n"
    assert json.loads((tmp_path / "e.json").read_text())["figures"] == dict(evaluation.figures)
    assert (asked["result"], asked["run"], asked["sync"], asked["pasted"]) == (*made, None, None)


@pytest.fixture
def sound_only(speaking, no_search, monkeypatch):
    """Pictures are not compared, and the face in the result is known: only what is heard is measured."""

    def refuse(*_, **__):
        raise lw.SettingsError("no pictures", cause="a test", next_step="none")

    monkeypatch.setattr(stages_evaluate, "compare_pictures", refuse)
    monkeypatch.setattr(stages_evaluate, "look_again", lambda *_, **__: speaking[1])


def test_speech_given_by_name_is_what_is_heard(speaking, sample, sound_only):
    whole = lw.evaluate(speaking[0], speech=sample.speech, sync=None)
    cut = lw.evaluate(speaking[0], speech=lw.load_speech(sample.speech, start_s=0.2), sync=None)
    assert whole["offset_s"] == pytest.approx(0, abs=0.04)
    assert cut["offset_s"] == pytest.approx(0.2, abs=0.04)  # it is cut at its beginning, so it comes early


def test_a_copy_of_the_source(sample, source, no_search):
    video, track = (whole.part(0, 8) for whole in source)
    found = lw.evaluate(video, source=video, track=track, sync=None)
    assert found["psnr_outside_db"] == found["psnr_inside_db"] == 100
    assert found["ssim_inside"] == pytest.approx(1)
    assert found["seam"] == found["flicker"] == found["trembling"] == pytest.approx(1)
    assert "has no sound" in found.missing["offset_s"]


def test_dropped_and_backward_frames_are_matched(source, tmp_path, no_search):
    order = [0, 1, 20, 21, 39, 38, 37, 5, 5, 6]
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
    other = [cv2.flip(frame, 0) for frame in lw.read_frames(source[0], np.arange(8))]
    found = evaluated(tmp_path, source, other, order=range(8))
    assert any("hardly agree" in remark for remark in found.remarks)


def test_a_visible_edge_is_a_seam(source, tmp_path, no_search):
    video, track = source
    region = lw.PastedRegion()
    frames = list(lw.read_frames(video, np.arange(8)))
    for row, frame in enumerate(frames):
        inside = region.mask(track, row, video.size_wh) > 0.5
        frame[inside] = np.clip(frame[inside].astype(int) + 40, 0, 255)
    found = evaluated(tmp_path, source, frames, order=range(8))
    assert found["seam"] > 1.4
    assert found["psnr_inside_db"] < 18
    assert found["psnr_outside_db"] > 35


def test_untouched_frames_have_no_inside(source, tmp_path, no_search):
    video, track = source
    timeline = lw.Timeline(np.arange(8), np.zeros(8, bool), video.fps)
    result = lw.write_video(tmp_path / "made.mp4", lw.read_frames(video, np.arange(8)), fps=video.fps)
    found = lw.evaluate(result, source=video, track=track, timeline=timeline, sync=None)
    assert {"psnr_inside_db", "ssim_inside", "seam", "seam_worst"} <= set(found.missing)
    assert "psnr_outside_db" in found.figures


@pytest.mark.parametrize("size_wh", [(1024, 1024), (256, 256)])
def test_another_size_is_brought_to_the_sources(source, tmp_path, size_wh, no_search):
    frames = [cv2.resize(f, size_wh, interpolation=cv2.INTER_AREA) for f in lw.read_frames(source[0], np.arange(8))]
    found = evaluated(tmp_path, source, frames, order=range(8))
    assert found["psnr_outside_db"] > (28 if size_wh[0] < 512 else 36)
    assert any("resized" in remark for remark in found.remarks)


def test_a_photo_is_a_source(folder, sample, made, tmp_path):
    photo = tmp_path / "photo.png"
    frame = next(lw.read_frames(sample.face))[:509, :511]  # H.264 will make these sides even
    cv2.imwrite(str(photo), frame[..., ::-1])
    result = lw.write_video(tmp_path / "made.mp4", [frame] * 10, fps=25)
    found = lw.evaluate(result, source=photo, sync=None, cache=False)
    assert found["psnr_outside_db"] > 38
    assert not found.remarks
    assert "is a picture" in found.missing_anchors["offset_s"]


def test_the_source_is_the_anchor(speaking, sound_only):
    """A source that speaks itself: a result evaluated against itself."""
    video, track = speaking
    found = lw.evaluate(video, source=video, track=track, sync=OwnNetwork())
    assert found.anchors["mouth_opening"] == pytest.approx(found["mouth_opening"], abs=0.02)
    assert found.anchors["offset_s"] == pytest.approx(found["offset_s"], abs=0.01)
    assert found.source_offset is not None
    assert {"lse_d", "lse_c", "av_offset_frames"} <= set(found.figures) & set(found.anchors)
    assert found.sync is not None
    assert found["lse_d"] == pytest.approx(found.sync.lse_d)
    assert found.anchors["lse_d"] == pytest.approx(found["lse_d"], rel=0.05)


def test_the_anchor_is_heard_where_the_used_part_begins(speaking, sound_only):
    video, track = speaking
    part, rows = video.part(10, FRAMES), track.part(10, FRAMES)
    timeline = lw.Timeline(np.arange(FRAMES) % len(rows), np.zeros(FRAMES, bool), video.fps)
    given = {"source": part, "track": rows, "timeline": timeline, "sync": None}
    right = lw.evaluate(video, source_start_s=10 / 25, **given)
    wrong = lw.evaluate(video, **given)
    assert right.anchors["offset_s"] == pytest.approx(0, abs=0.04)
    assert wrong.anchors["offset_s"] == pytest.approx(-0.4, abs=0.06)  # the lips of later are early for this sound


class OwnNetwork:
    """Stands in for SyncNet: lips are brighter and sound is louder at the same moments."""

    window_frames, crop_size = 5, 224

    def embed_lips(self, crops):
        rows = np.array([crop[112:].mean() for crop in crops], np.float32)
        return np.stack([rows, rows], 1)[: len(rows) - self.window_frames + 1]

    def embed_sound(self, mfcc):
        rows = mfcc[0, : 4 * (mfcc.shape[1] // 4)].reshape(-1, 4).mean(1).astype(np.float32)
        return np.stack([rows, rows], 1)


def test_the_mask_of_a_restored_face_is_larger(source):
    track = source[1]
    lips = lw.PastedRegion().mask(track, 0, track.size_wh)
    both = lw.PastedRegion(restored=lw.EnhanceSettings()).mask(track, 0, track.size_wh)
    hard = lw.PastedRegion("wav2lip_gan", lw.LipsyncSettings(region="rectangle")).mask(track, 0, track.size_wh)
    assert (both >= lips).all()
    assert (both > 0).sum() > 1.1 * (lips > 0).sum()
    assert set(np.unique(hard)) == {0, 1}


def test_memory_does_not_grow_with_the_result(source, tmp_path):
    peaks = []
    for count in (12, 36):
        result = lw.write_video(tmp_path / "made.mp4", lw.read_frames(source[0], np.arange(count)), fps=25)
        timeline = lw.Timeline(np.arange(count), np.ones(count, bool), source[0].fps)
        tracemalloc.start()
        compare_pictures(lw.probe(result), *source, timeline)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 6 * 512 * 512 * 3  # 24 frames more were read
