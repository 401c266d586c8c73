"""A run that is evaluated: its figures, reasons, curves, words, JSON and the command."""

import json

import cv2
import numpy as np
import pytest

import lipwise as lw
from lipwise import __main__ as command_line
from lipwise.pipeline import evaluate as of_run
from lipwise.sample import SPEECH, sample_frames
from lipwise.stages import evaluate as stages_evaluate
from lipwise.stages import mouth_figures, pair

FRAMES, SIDE = 36, 256


@pytest.fixture(scope="module")
def folder(tmp_path_factory, face_mesh):
    return tmp_path_factory.mktemp("evaluate")


@pytest.fixture(scope="module")
def made(folder):
    """A result of the whole chain and its run folder."""
    frames = (cv2.resize(frame, (SIDE, SIDE)) for _, frame in zip(range(FRAMES), sample_frames(), strict=False))
    face = lw.write_video(folder / "short.mp4", frames, fps=25, quality=10)
    recipe = lw.Recipe(
        face=face, speech=SPEECH, speech_end_s=FRAMES / 25, out=folder / "result.mp4", consent=True,
        clean={"cache": False},
    )  # fmt: skip
    lw.run(recipe, run_folder=folder / "run", progress=False)
    return recipe.out, folder / "run"


@pytest.fixture(scope="module")
def evaluation(made) -> lw.Evaluation:
    return lw.evaluate(made[0], run=made[1], sync=None)


@pytest.fixture
def no_search(monkeypatch):
    """Nobody looks for a face."""

    def refuse(*_, **__):
        raise AssertionError("a face was looked for")

    monkeypatch.setattr(pair, "examine", refuse)
    monkeypatch.setattr(mouth_figures, "examine", refuse)


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


def test_a_run_knows_its_source(made, own_cache, no_search, monkeypatch):
    """Clip, track, timeline, mask and the place of the used part come from the folder."""
    asked = {}

    def fake(result, source, track, timeline, *, pasted, progress):
        asked.update(source=source, track=track, timeline=timeline, pasted=pasted)
        raise lw.SettingsError("no pictures", cause="a test", next_step="none")

    monkeypatch.setattr(stages_evaluate, "compare_pictures", fake)
    again = lw.evaluate(made[0], run=made[1])
    plan = of_run.open_run(made[1])
    assert asked["source"].path == plan.recipe.face
    assert (asked["track"].boxes_xyxy == plan.track.boxes_xyxy).all()
    assert (asked["timeline"].source_index == plan.timeline.source_index).all()
    assert asked["pasted"] == lw.PastedRegion("viseme", plan.recipe.lipsync)
    assert abs(again["offset_s"]) < 1 / 25
    assert "weights are not there" in again.missing["lse_d"]
    assert "weights are not there" in again.missing_anchors["lse_d"]


def test_a_run_says_what_it_pasted():
    recipe = lw.Recipe(face="clip.mp4", speech="speech.wav", consent=True)
    own = recipe.model_copy(update={"generator": "my/checkpoint.pth", "restore": "gfpgan_1.4"})
    assert of_run.pasted_by(recipe).restored is None
    assert of_run.pasted_by(own) == lw.PastedRegion("wav2lip", own.lipsync, own.enhance)


def test_curves_have_a_value_for_each_frame(evaluation):
    assert {len(curve) for curve in evaluation.curves.values()} == {FRAMES}
    assert np.isfinite(evaluation.curves["gap"]).mean() > 0.9
    assert np.isfinite(evaluation.curves["seam"]).all()
    assert evaluation.offset is not None
    assert evaluation.offset.offset_s == evaluation["offset_s"]


def test_it_is_written_as_words_and_as_json(evaluation, tmp_path):
    text = str(evaluation)
    assert "PSNR outside the mask" in text
    assert "not measured: LSE-D; LSE-C; AV offset: SyncNet was not asked for" in text
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


def test_the_command_hands_on_what_it_was_given(made, evaluation, tmp_path, capsys, monkeypatch):
    asked = {}
    monkeypatch.setattr(lw, "evaluate", lambda result, **given: asked.update(given) or evaluation)
    track, speech = tmp_path / "track.npz", tmp_path / "speech.wav"
    lw.FaceTrack.load(made[1] / "track.npz").save(track)
    given = ["--source", "clip.mp4", "--track", str(track), "--speech", str(speech), "--generator", "wav2lip_gan"]
    more = ["--region", "face", "--detector", "yunet", "--no-cache"]
    command_line.main(["evaluate", str(made[0]), *given, *more])
    capsys.readouterr()
    assert len(asked.pop("track")) == FRAMES
    assert asked.pop("pasted") == lw.PastedRegion("wav2lip_gan", lw.LipsyncSettings(region="face"))
    assert str(asked.pop("source")) == "clip.mp4"
    rest = {"run": None, "speech": speech, "sync": "auto", "detector": "yunet", "cache": False, "progress": True}
    assert asked == rest


def test_an_upscaled_run_is_remarked_and_its_cache_setting_kept(made, own_cache, monkeypatch):
    """What a run's recipe says: upscaled, nothing to be kept, and where the used part of the clip begins."""
    plan, asked = of_run.open_run(made[1]), {}
    recipe = plan.recipe.model_copy(update={"upscale": "lanczos"})
    monkeypatch.setattr(of_run, "load_plan", lambda _folder: Planned(plan, recipe))
    monkeypatch.setattr(of_run, "measure", lambda pair, **given: asked.update(given, pair=pair))
    lw.evaluate(made[0], run=made[1])
    assert "upscaled with lanczos" in asked["pair"].remarks[0]
    assert asked["cache"] is False
    assert asked["pair"].source_start_s == 1.25


class Planned:
    """A plan with another recipe, whose clip is used from 1.25 s on."""

    clip_span_s = (1.25, 3.0)

    def __init__(self, plan, recipe):
        self.video, self.track, self.timeline, self.recipe = plan.video, plan.track, plan.timeline, recipe
