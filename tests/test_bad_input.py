"""Nothing but bad input: each gets an error that names the file, the cause and the next step."""

import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import lipwise as lw
from lipwise.__main__ import main

RATE = 16000


@pytest.fixture(scope="module")
def stock(tmp_path_factory) -> Path:
    """Good and bad files, made once."""
    folder = tmp_path_factory.mktemp("stock")
    grey = np.full((96, 128, 3), 90, np.uint8)
    lw.write_video(folder / "faceless.mp4", [grey] * 10, fps=Fraction(25))
    (folder / "folder.mp4").mkdir()
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("this is not a film\n" * 50)
    (folder / "page.wav").write_text("<html><body>Quota exceeded</body></html>")
    rng = np.random.default_rng(0)
    lw.save_wav(folder / "noise.wav", (0.2 * rng.standard_normal(RATE)).astype(np.float32), sample_rate=RATE)
    lw.save_wav(folder / "silent.wav", np.zeros(RATE, np.float32), sample_rate=RATE)
    lw.save_wav(folder / "nothing.wav", np.zeros(0, np.float32), sample_rate=RATE)
    return folder


@pytest.fixture
def run(stock, tmp_path, face_mesh) -> Callable[..., lw.RunReport]:
    """Runs the chain on stock files (or any path), on good ones where nothing is said."""

    def call(face="good", speech="good", out="out.mp4", **settings) -> lw.RunReport:
        sample = lw.make_sample(stock)
        recipe = lw.Recipe(
            face=sample.face if face == "good" else stock / face,
            speech=sample.speech if speech == "good" else stock / speech,
            out=tmp_path / out,
            **({"consent": True} | settings),
        )
        return lw.run(recipe, progress=False)

    return call


FILES = {
    "face missing": ({"face": "gone.mp4"}, lw.MediaError, "gone.mp4"),
    "face is a directory": ({"face": "folder.mp4"}, lw.MediaError, "folder.mp4"),
    "face is empty": ({"face": "empty.mp4"}, lw.MediaError, "empty.mp4"),
    "face is text": ({"face": "text.mp4"}, lw.MediaError, "text.mp4"),
    "face is sound": ({"face": "noise.wav"}, lw.MediaError, "noise.wav"),
    "no face anywhere": ({"face": "faceless.mp4"}, lw.FaceError, "faceless.mp4"),
    "speech missing": ({"speech": "gone.wav"}, lw.MediaError, "gone.wav"),
    "speech is a directory": ({"speech": "folder.mp4"}, lw.LipwiseError, "folder.mp4"),
    "speech is a web page": ({"speech": "page.wav"}, lw.LipwiseError, "page.wav"),
    "speech is a silent film": ({"speech": "faceless.mp4"}, lw.LipwiseError, "faceless.mp4"),
    "speech is silence": ({"speech": "silent.wav"}, lw.SpeechError, "silent.wav"),
    "speech has no length": ({"speech": "nothing.wav"}, lw.LipwiseError, "nothing.wav"),
    "unknown suffix": ({"out": "out.xyz"}, lw.LipwiseError, "out.xyz"),
    "unknown generator": ({"generator": "wav2lib"}, lw.SettingsError, "wav2lip"),
    "start after the end": ({"start_s": 3.0, "end_s": 1.0}, lw.SettingsError, "3 s"),
    "start past the end": ({"start_s": 100.0}, lw.SettingsError, "100 s"),
    "speech start past the end": ({"speech_start_s": 100.0}, lw.LipwiseError, "100"),
    "nobody there to choose": ({"choose": 5}, lw.FaceError, "5"),
    "no consent": ({"consent": False}, lw.ConsentError, "consent"),
}


@pytest.mark.parametrize(("arguments", "kind", "named"), FILES.values(), ids=FILES)
def test_the_error_names_file_cause_and_next_step(run, tmp_path, monkeypatch, arguments, kind, named):
    monkeypatch.delenv("LIPWISE_CONSENT", raising=False)
    with pytest.raises(kind) as caught:
        run(**arguments)
    assert named in str(caught.value)
    assert caught.value.cause
    assert caught.value.next_step
    assert list(tmp_path.iterdir()) == [], "something was left behind"


ADDRESS = "https://example.com/a.mp4"
READERS = {
    "run": lambda folder: lw.run(lw.Recipe(face=ADDRESS, speech="b.wav", out=folder / "o.mp4", consent=True)),
    "enhance": lambda folder: lw.enhance(ADDRESS, folder / "o.mp4", upscale="lanczos"),
    "probe": lambda _: lw.probe(ADDRESS),
    "load_audio": lambda _: lw.load_audio(ADDRESS),
}


@pytest.mark.parametrize("reader", READERS)
def test_an_address_is_told_apart_from_a_file(tmp_path, reader):
    with pytest.raises(lw.MediaError, match=r"(?s)it is an address \(https\).*next: download it"):
        READERS[reader](tmp_path)


def test_a_device_is_told_apart_from_a_file_that_is_missing():
    with pytest.raises(lw.MediaError, match="it is a device or a pipe"):
        lw.probe(os.devnull)
    with pytest.raises(lw.MediaError) as caught:
        lw.probe("~/nowhere.mp4")
    assert caught.value.cause == f"nothing has that name in {Path.home()}"


SETTINGS = ({"keep_background": 2}, {"quality": "superb"}, {"stil_fps": 25}, {"end_s": "soon"})


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_out_of_range_is_named(setting):
    with pytest.raises(lw.SettingsError, match=next(iter(setting))):
        lw.Recipe(face="a.mp4", speech="b.wav", **setting)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "face: [unclosed", "face: a.mp4\nspeech: b.wav\nmood: good\n"])
def test_a_recipe_file_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(lw.SettingsError):
        lw.Recipe.from_yaml(path)


def test_the_result_never_overwrites_an_input(stock):
    sample = lw.make_sample(stock)
    before = sample.face.read_bytes()
    recipe = lw.Recipe(face=sample.face, speech=sample.speech, out=sample.face, consent=True)
    with pytest.raises(lw.SettingsError, match="overwrite"):
        lw.run(recipe, progress=False)
    assert sample.face.read_bytes() == before


def test_an_unwritable_place_is_refused_before_any_work(stock, tmp_path):
    sample = lw.make_sample(stock)
    (tmp_path / "file").write_text("in the way")
    recipe = lw.Recipe(face=sample.face, speech=sample.speech, out=tmp_path / "file" / "out.mp4", consent=True)
    with pytest.raises(lw.MediaError, match=r"out\.mp4"):
        lw.run(recipe, progress=False)


def test_an_existing_result_survives_a_failed_run(run, tmp_path, stock):
    kept = tmp_path / "out.mp4"
    kept.write_bytes(b"an older result")
    with pytest.raises(lw.FaceError):
        run(face="faceless.mp4")
    assert kept.read_bytes() == b"an older result"
    assert list(tmp_path.iterdir()) == [kept]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--face", "gone.mp4"], "gone.mp4"),
        (["--face", "text.mp4"], "text.mp4"),
        (["--generator", "nobody"], "nobody"),
        (["--track", "t.npz", "--choose", "1"], "--choose and --track were both given"),
        (["--track", "t.npz"], "nothing has that name"),
        (["--track", "text.mp4"], "it is no .npz file"),
        (["--keep-background", "2"], "'--keep-background' is not usable"),
    ],
)
def test_the_command_line_ends_with_status_2_and_no_traceback(stock, tmp_path, arguments, named):
    sample = lw.make_sample(stock)
    command = ["--face", sample.face, "--speech", sample.speech, "--out", tmp_path / "out.mp4", "--consent", *arguments]
    done = subprocess.run(
        [sys.executable, "-m", "lipwise", "run", *map(str, command)],
        capture_output=True,
        text=True,
        cwd=stock,
        env={**os.environ, "PYTHONPATH": str(Path(lw.__file__).parent.parent)},
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert named in done.stderr
    assert "next:" in done.stderr


@pytest.fixture
def good(stock, tmp_path) -> dict:
    """Arguments of a recipe that would run."""
    sample = lw.make_sample(stock)
    face = tmp_path / "face.mp4"
    face.write_bytes(sample.face.read_bytes())
    return {"face": face, "speech": sample.speech, "consent": True, "end_s": 0.1, "speech_end_s": 0.2}


def test_a_file_that_only_looks_temporary_stays(good, tmp_path, face_mesh):
    """Somebody's own file may be called like a temporary one of an older program."""
    own = tmp_path / "out.mp4.part"
    own.write_bytes(b"mine")
    lw.run(lw.Recipe(**good, out=tmp_path / "out.mp4"), progress=False)
    assert own.read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["face.mp4", "out.mp4", "nowhere/report.json"])
def test_the_report_overwrites_nothing_and_is_refused_before_any_work(good, tmp_path, name):
    before = good["face"].read_bytes()
    with pytest.raises(lw.SettingsError, match="report"):
        lw.run(lw.Recipe(**good, out=tmp_path / "out.mp4"), report_path=tmp_path / name, progress=False)
    assert good["face"].read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["face.mp4"]


def test_a_kept_run_is_never_mixed_with_another(good, tmp_path, face_mesh):
    recipe = lw.Recipe(**good, out=tmp_path / "out.mp4")
    lw.run(recipe, run_folder=tmp_path / "run", progress=False)
    assert (tmp_path / "run" / "segments" / "00000.mp4").exists()
    with pytest.raises(lw.SettingsError, match="something already"):
        lw.run(recipe, run_folder=tmp_path / "run", progress=False)
    with pytest.raises(lw.SettingsError, match="a file"):
        lw.run(recipe, run_folder=good["face"], progress=False)


def test_a_failed_run_takes_its_new_folders_with_it(good, stock, tmp_path):
    out = tmp_path / "new" / "newer" / "out.mp4"
    with pytest.raises(lw.LipwiseError):
        lw.run(lw.Recipe(**(good | {"face": stock / "faceless.mp4"}), out=out), progress=False)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("part", "named"),
    [({"speech_start_s": 0.5, "speech_end_s": 0.51}, "too short"), ({"end_s": float("inf")}, "end_s")],
)
def test_a_part_that_cannot_be_used_is_named(good, tmp_path, part, named):
    with pytest.raises(lw.LipwiseError, match=named):
        lw.run(lw.Recipe(**(good | part), out=tmp_path / "out.mp4"), progress=False)


def test_a_run_that_is_kept_and_stopped_says_how_to_go_on(good, tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    command = ["run", "--face", good["face"], "--speech", good["speech"], "--out", tmp_path / "out.mp4", "--consent"]
    command = [str(word) for word in (*command, "--keep-run", tmp_path / "run")]
    monkeypatch.setattr("lipwise.pipeline.chain.join_plan", stop)
    with pytest.raises(SystemExit, match="130"):
        main(command)
    said = f"what is made stays in {tmp_path / 'run'}; the same command with --resume goes on\nstopped\n"
    assert capsys.readouterr().err.endswith(said)
    monkeypatch.undo()
    main([*command, "--resume"])
    assert lw.probe(tmp_path / "out.mp4").frame_count


def test_a_killed_run_leaves_nothing_behind(good, tmp_path, face_mesh):
    command = ["run", "--face", good["face"], "--speech", good["speech"], "--out", tmp_path / "out.mp4", "--consent"]
    with subprocess.Popen([sys.executable, "-m", "lipwise", *map(str, command)], stderr=subprocess.PIPE) as process:
        while not list(tmp_path.glob(".lipwise-out-*")):
            assert process.poll() is None, "the run ended before it could be killed"
        process.terminate()
        assert process.wait(30) == 128 + 15
    assert [path.name for path in tmp_path.iterdir()] == ["face.mp4"]
