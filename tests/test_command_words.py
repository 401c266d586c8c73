"""What the commands say: warnings without code, options by their own names, help and lists without gaps."""

import warnings

import numpy as np
import pytest

import lipwise as lw
from lipwise.__main__ import HOMES, main
from lipwise.commands.run import WORDING
from lipwise.commands.warned import plain_warnings
from lipwise.errors import LipwiseWarning
from lipwise.pipeline.run_inputs import changes_of


@pytest.mark.parametrize("name", sorted(HOMES))
def test_every_command_warns_in_words_only(name, monkeypatch, capsys):
    def warn(arguments: list[str]) -> None:
        warnings.warn(f"{arguments[0]} left something out", LipwiseWarning, stacklevel=1)

    monkeypatch.setattr("lipwise.__main__.dispatch", warn)
    usual = warnings.formatwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", shown_by_format)
        main([name])
    assert capsys.readouterr().out == f"warning: {name} left something out\n"
    assert warnings.formatwarning is usual


def shown_by_format(message, category, filename, lineno, file=None, line=None) -> None:
    print(warnings.formatwarning(message, category, filename, lineno, line), end="")


def test_other_warnings_stay_as_they_are():
    usual = warnings.formatwarning("old", DeprecationWarning, "a.py", 3, "")
    with plain_warnings():
        assert warnings.formatwarning("old", DeprecationWarning, "a.py", 3, "") == usual


def test_in_what_two_runs_differ_is_told_by_the_options():
    before = {
        "face": "sha256:1",
        "quality": "good",
        "restore": None,
        "lipsync.region": "face",
        "lipsync.audio_offset_s": 0.0,
        "lipsync.gate_silence": True,
        "track.least_confidence": 0.0,
    }
    now = {
        "face": "sha256:2",
        "quality": "best",
        "restore": "codeformer",
        "lipsync.region": "mouth",
        "lipsync.audio_offset_s": 0.1,
        "lipsync.gate_silence": False,
        "track.least_confidence": 0.5,
    }
    assert WORDING.of("; ".join(changes_of(before, now))).split("; ") == [
        "--face is another file, or its content has changed",
        "--quality was 'good' and is 'best'",
        "--restore was None and is 'codeformer'",
        "--region was 'face' and is 'mouth'",
        "--audio-offset was 0.0 and is 0.1",
        "--move-in-silence was not given and is now",
        "--least-confidence was 0.0 and is 0.5",
    ]
    assert WORDING.of("No face was found in a.mp4") == "No face was found in a.mp4"


@pytest.mark.parametrize("name", sorted(HOMES))
def test_no_default_in_the_help_is_empty(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert "(default: )" not in " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_what_a_run_without_a_face_advises_can_be_typed(capsys, tmp_path, face_mesh):
    wall = lw.write_video(tmp_path / "wall.mp4", [np.full((96, 128, 3), 90, np.uint8)] * 5, fps=25)
    speech = lw.make_sample(tmp_path).speech
    command = ["run", "--face", wall, "--speech", speech, "--out", tmp_path / "o.mp4", "--consent"]
    with pytest.raises(SystemExit):
        main([*map(str, command), "--detector", "libfacedetection"])
    assert "try the other --detector (yunet" in capsys.readouterr().err


def test_the_list_of_weights_marks_what_is_on_the_disk(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("lipwise.find_weights", lambda name: tmp_path if name == "wav2lip" else None)
    main(["weights"])
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines.keys() == lw.weights_entries().keys()
    assert [name for name, line in lines.items() if " MB  here  " in line] == ["wav2lip"]


REFUSED = {
    "the system": (OSError(28, "No space left on device", "/a/b"), "No space left on device: '/a/b'"),
    "a module": (ModuleNotFoundError("No module named 'tyro'"), "No module named 'tyro'"),
    "the library": (lw.SettingsError("What", cause="the cause", next_step="go on"), "the cause"),
}


@pytest.mark.parametrize(("error", "cause"), REFUSED.values(), ids=REFUSED)
def test_whatever_ends_a_command_is_told_in_three_lines(error, cause, monkeypatch, capsys):
    def fail(_: list[str]) -> None:
        raise error

    monkeypatch.setattr("lipwise.__main__.dispatch", fail)
    with pytest.raises(SystemExit) as ended:
        main(["clean"])
    what, why, step = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert what.startswith("error: ")
    assert why == f"  why:  {cause}"
    assert step.startswith("  next: ")
