"""What a run says of frames that cannot be used, and of what encoding changes: in its report and on the page's card."""

from fractions import Fraction

import av
import numpy as np
import pytest

import lipwise as lw
from lipwise.__main__ import main
from lipwise.media.audio import SAMPLE_RATE, load_audio
from lipwise.notebook.file_picker import FilePicker
from lipwise.notebook.show_run import card
from lipwise.pipeline.plan import load_plan

FIRST, GAP, LAST = 8, 5, 12  # frames with a face, without one, and with one again


@pytest.fixture(scope="module")
def clip(sample, tmp_path_factory):
    """The sample, 511 pixels wide, with a gap."""
    frames = list(lw.read_frames(sample.face, range(FIRST + LAST)))
    whole = [*frames[:FIRST], *[np.full_like(frames[0], 90)] * GAP, *frames[FIRST:]]
    path = tmp_path_factory.mktemp("gap") / "gap.mkv"
    return write_odd(path, [frame[:, :511] for frame in whole])


def write_odd(path, frames):
    """A clip of odd width without loss; what LipWise writes is even."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(25))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "bgr0"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")
            container.mux(stream.encode(picture.reformat(format="bgr0")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def picked(sample, tmp_path_factory):
    """A recording that was taken in the picker, where the form still names the sample."""
    folder = tmp_path_factory.mktemp("voices")
    lw.save_wav(folder / "some_person.wav", load_audio(sample.speech), sample_rate=SAMPLE_RATE)
    picker = FilePicker("speech", sample.speech, chosen=sample.speech)
    picker.go(folder)
    picker.files.index = 1  # below the folder above
    picker.open_or_take()
    return picker.path


@pytest.mark.parametrize("policy", ["hold", "drop", "pass"])
def test_a_run_tells_what_became_of_every_frame(clip, picked, tmp_path, policy):
    length = FIRST + GAP + LAST - (GAP if policy == "drop" else 0)
    recipe = lw.Recipe(
        face=clip,
        speech=picked,
        out=tmp_path / "out.mp4",
        consent=True,
        speech_end_s=length / 25,
        clean={"policy": policy},
    )
    report = lw.run(recipe, run_folder=tmp_path / "run", progress=False)
    assert (report.frames, report.size_wh) == (length, (512, 512))
    held, dropped, passed = (GAP * (policy == name) for name in ("hold", "drop", "pass"))
    assert (report.held, report.dropped, report.passed) == (held, dropped, passed)
    assert any("511 x 512 px become 512 x 512 px" in remark for remark in report.remarks)
    plan = load_plan(tmp_path / "run")
    tables = card(report, plan).tables
    assert tables["Models"]["voice"] == "your file, some_person.wav"
    rows = tables[f"Frames, {length} in all"]
    told = {"of these held, a usable one in their place": held, "dropped from the clip": dropped}
    told |= {"untouched, nobody seen": passed, "new lips, face found": length - passed}
    assert rows == {what: str(count) for what, count in told.items() if count}


def test_settings_that_play_no_part_are_told(clip, sample, tmp_path, capsys):
    arguments = ["run", "--face", str(clip), "--speech", str(sample.speech), "--out", str(tmp_path / "out.mp4")]
    arguments += ["--consent", "--speech-end", "0.2"]
    main([*arguments, "--fidelity", "0.5", "--restore-region", "mouth", "--restore-engine", "spandrel"])
    said = capsys.readouterr().out
    for option in ("--fidelity", "--restore-region", "--restore-engine"):
        assert f"note: {option} plays no part: no face is restored" in said
    main(arguments)
    assert "plays no part" not in capsys.readouterr().out
