"""A run that is stopped goes on where it was, by code, by button and by interrupt; what is half-made stays nowhere."""

from itertools import islice
from pathlib import Path

import cv2
import ipywidgets
import numpy as np
import pytest

from lipwise.errors import ConsentError, LipwiseWarning, MediaError, SettingsError
from lipwise.media.read import read_frames
from lipwise.media.write import write_video
from lipwise.notebook.resumable import ResumableRun, StoppedError
from lipwise.notebook.run_panel import RunPanel, code_line
from lipwise.pipeline import chain
from lipwise.recipe import Recipe
from lipwise.sample import SPEECH, sample_frames
from lipwise.stages.clean import examine
from lipwise.stages.policies import LIPSYNC_CLEAN

FRAMES, FIRST_PIECE = 60, 50  # of the result, and of its first piece: two seconds


@pytest.fixture(scope="module")
def clip(tmp_path_factory, face_mesh) -> Path:
    """Ten frames of the sample at half size, and beside them the track of its face, so that it is found once."""
    small = (cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA) for frame in islice(sample_frames(), 10))
    path = write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", small, fps=25)
    examine(path, mesh=True, cache=False).track.save(path.with_suffix(".npz"))
    return path


def recipe_of(clip: Path, out: Path) -> Recipe:
    found = LIPSYNC_CLEAN.model_copy(update={"track_file": clip.with_suffix(".npz")})
    part = {"speech": SPEECH, "speech_end_s": FRAMES / 25}
    return Recipe(face=clip, out=out, consent=True, segment_s=2, quality="draft", clean=found, **part)


@pytest.fixture
def recipe(clip, tmp_path) -> Recipe:
    return recipe_of(clip, tmp_path / "made.mp4")


@pytest.fixture(scope="module")
def whole(clip, tmp_path_factory) -> list[np.ndarray]:
    """The frames of a run that nobody stops."""
    out = tmp_path_factory.mktemp("whole") / "made.mp4"
    ResumableRun(recipe_of(clip, out)).run()
    assert names(out.parent) == ["made.mp4"]
    return list(read_frames(out))


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def stopped_at(work: ResumableRun, frame: int) -> None:
    """Run until a frame is made, then ask to stop."""
    with pytest.raises(StoppedError):
        work.run(lambda stage, done, frames: work.stop() if done >= frame else None)


def half_made(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if ".part" in path.name or path.name == "made.mp4"]


# --- the run ---


def test_a_stopped_run_goes_on_and_gives_the_same_frames(recipe, whole):
    work = ResumableRun(recipe)
    stopped_at(work, FIRST_PIECE + 3)
    assert (work.kept, half_made(recipe.out.parent)) == (1, [])
    told = []
    report = ResumableRun(recipe).run(lambda stage, done, frames: told.append((stage, done, frames)))
    assert "1 of 2 pieces had been made before: times are of the rest" in report.remarks
    assert min(done for stage, done, frames in told if stage == "make the frames") == FIRST_PIECE
    assert told[-1] == ("join", FRAMES, FRAMES)
    made = list(read_frames(recipe.out))
    assert len(made) == len(whole) == FRAMES
    assert all((one == other).all() for one, other in zip(made, whole, strict=True))
    assert names(recipe.out.parent) == ["made.mp4"]


def test_a_stop_leaves_the_result_of_before_untouched(recipe):
    recipe.out.write_bytes(b"the last result")
    stopped_at(ResumableRun(recipe), 3)
    assert recipe.out.read_bytes() == b"the last result"


def test_an_interrupt_leaves_what_a_stop_leaves(recipe):
    work = ResumableRun(recipe)

    def interrupt(stage: str, done: int, frames: int) -> None:
        if done == FIRST_PIECE + 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work.run(interrupt)
    assert (work.kept, half_made(recipe.out.parent)) == (1, [])


def test_pieces_of_another_run_are_forgotten_and_that_is_told(recipe):
    stopped_at(ResumableRun(recipe), FIRST_PIECE + 1)
    other = ResumableRun(recipe.model_copy(update={"quality": "best"}))
    with pytest.warns(LipwiseWarning, match="is forgotten: quality was 'draft' and is 'best'"):
        stopped_at(other, 1)
    assert other.kept == 0


def test_a_chosen_folder_is_never_emptied(recipe, tmp_path):
    stopped_at(ResumableRun(recipe, folder=tmp_path / "run"), FIRST_PIECE + 1)
    other = ResumableRun(recipe.model_copy(update={"quality": "best"}), folder=tmp_path / "run")
    with pytest.raises(SettingsError, match="cannot go on"):
        other.run()
    assert other.kept == 1
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("keep me")
    work = ResumableRun(recipe, folder=mine)
    with pytest.raises(SettingsError, match="not known for a run"):
        work.run()
    work.forget()
    assert (mine / "letter.txt").read_text() == "keep me"


def test_what_a_stopped_run_has_kept_can_be_deleted(recipe):
    work = ResumableRun(recipe)
    stopped_at(work, 1)
    assert work.folder.is_dir()
    work.forget()
    assert names(recipe.out.parent) == []


@pytest.mark.parametrize(
    ("change", "error"), [({"consent": False}, ConsentError), ({"face": Path("no.mp4")}, MediaError)]
)
def test_what_cannot_be_run_is_refused_before_anything_is_written(recipe, change, error, monkeypatch):
    monkeypatch.delenv("LIPWISE_CONSENT", raising=False)
    with pytest.raises(error):
        ResumableRun(recipe.model_copy(update=change)).run()
    assert names(recipe.out.parent) == []


# --- its panel ---


def test_the_panel_runs_in_a_cell_and_gives_the_report(recipe):
    panel = RunPanel(recipe)
    during = []
    panel.bar.observe(lambda _: during.append((panel.cancel_button.disabled, panel.start_button.disabled)), "value")
    report = panel.run()
    assert report is panel.report
    assert (panel.bar.value, panel.bar.max, panel.bar.bar_style) == (FRAMES, FRAMES, "success")
    assert set(during) == {(True, True)}
    assert "made.mp4" in panel.message.value
    assert (panel.start_button.disabled, panel.cancel_button.disabled, panel.forget_button.disabled) == (
        False,
        True,
        True,
    )


def test_buttons_start_cancel_and_go_on(recipe, whole):
    panel = RunPanel(recipe)
    panel.bar.observe(lambda change: panel.cancel_button.click() if change["new"] == FIRST_PIECE + 2 else None, "value")
    panel.start_button.click()
    panel.wait(120)
    assert isinstance(panel.error, StoppedError)
    assert "was stopped" in panel.message.value
    assert panel.bar.bar_style == "warning"
    assert (panel.start_button.description, panel.forget_button.disabled) == ("Go on", False)
    assert not recipe.out.exists()
    panel.bar.unobserve_all("value")
    panel.start_button.click()
    panel.wait(120)
    assert panel.error is None
    assert any("1 of 2 pieces" in remark for remark in panel.report.remarks)
    assert (next(read_frames(recipe.out, [FRAMES - 1])) == whole[-1]).all()


def test_a_cancel_before_the_first_frame_is_heard_and_holds_for_one_start(recipe):
    panel = RunPanel(recipe)
    panel.cancel_button.click()  # while nothing runs it means nothing
    panel.readout.observe(lambda _: panel.cancel_button.click(), "value")  # told once before the run begins
    panel.start_button.click()
    panel.wait(60)
    assert isinstance(panel.error, StoppedError)
    assert panel.work.kept == 0
    panel.readout.unobserve_all("value")
    panel.start_button.click()
    panel.wait(120)
    assert panel.error is None


def test_time_to_go_counts_from_the_pieces_that_were_kept(recipe):
    panel, readings = RunPanel(recipe), []
    panel.bar.observe(lambda change: panel.work.stop() if change["new"] > FIRST_PIECE else None, "value")
    with pytest.raises(StoppedError):
        panel.run()
    panel.bar.unobserve_all("value")
    panel.bar.observe(lambda _: readings.append(panel.readout.reading()), "value")
    panel.run()
    assert readings[0].share is None  # the bar is at 0 again, and what the last run came to is not told of this one
    first = next(reading for reading in readings if reading.share is not None)
    assert first.first_share == pytest.approx(FIRST_PIECE / FRAMES)
    assert first.remaining_s is None


def test_the_panel_deletes_what_is_kept(recipe):
    panel = RunPanel(recipe)
    stopped_at(panel.work, 1)
    panel = RunPanel(recipe)
    assert panel.start_button.description == "Go on"
    panel.forget_button.click()
    assert (panel.start_button.description, panel.forget_button.disabled) == ("Start", True)
    assert names(recipe.out.parent) == []


def test_an_error_is_told_and_raised(recipe):
    panel = RunPanel(recipe.model_copy(update={"face": Path("a<b>.mp4")}))
    with pytest.raises(MediaError):
        panel.run()
    assert "a&lt;b&gt;.mp4" in panel.message.value
    assert (panel.bar.bar_style, panel.start_button.disabled) == ("danger", False)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # its traceback is for the log
def test_what_nobody_foresaw_is_told_on_the_page_too(recipe, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on <this> device")

    panel = RunPanel(recipe)
    monkeypatch.setattr(panel.work, "run", full)
    panel.start_button.click()
    panel.wait(30)
    assert isinstance(panel.error, OSError)
    assert "OSError: [Errno 28] No space left on &lt;this&gt; device\n0 complete pieces are kept" in panel.message.value
    assert (panel.bar.bar_style, panel.start_button.disabled) == ("danger", False)
    with pytest.raises(OSError, match="No space left"):
        panel.run()


def test_an_interrupted_cell_says_what_is_kept(recipe, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    panel = RunPanel(recipe)
    monkeypatch.setattr(chain, "render_segment", interrupted)
    with pytest.raises(KeyboardInterrupt):
        panel.run()
    assert "0 complete pieces are kept" in panel.message.value
    assert (panel.start_button.disabled, panel.start_button.description) == (False, "Go on")


def test_the_panel_prints_its_line_of_code():
    recipe = Recipe(face=Path("a.mp4"), speech=Path("b.wav"), generator="wav2lip", upscale_scale=2)
    line = code_line(recipe)
    assert line == "lw.run(lw.Recipe(face='a.mp4', speech='b.wav', generator='wav2lip', upscale_scale=2.0))"
    assert eval(line.removeprefix("lw.run(")[:-1], {"lw": __import__("lipwise")}) == recipe


def test_settings_inside_the_recipe_can_be_pasted_too():
    changed = {"clean": {"policy": "hold"}, "lipsync": {"region": "face"}, "enhance": {"fidelity": 0.3}}
    recipe = Recipe(face=Path("a.mp4"), speech=Path("b.wav"), **changed)
    line = code_line(recipe)
    assert "clean={'policy': 'hold'}" in line
    assert eval(line.removeprefix("lw.run(")[:-1], {"lw": __import__("lipwise")}) == recipe


def test_the_panel_is_for_the_keyboard_and_for_pages_without_a_kernel(recipe):
    panel = RunPanel(recipe)
    hands = [one for row in panel.children for one in getattr(row, "children", ())]
    assert sum(isinstance(one, ipywidgets.Button) for one in hands) == 3
    assert "lw.run" in repr(panel)
