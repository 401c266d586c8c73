"""What the quickstart shows, writes and accepts as an answer."""

import base64
import os
import re
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError

from lipwise.media.probe import probe


@pytest.fixture(scope="module")
def quickstart(ran):
    return ran("00_quickstart")


def test_the_quickstart_writes_its_result_and_the_sample_only(quickstart):
    folder = quickstart.folder
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert written == [os.fspath(Path("result.mp4")), os.fspath(Path("sample/sample_face.mp4"))]


def test_the_quickstart_shows_each_picture_once(quickstart):
    assert len(quickstart.pictures) == 6  # one frame, mesh, mel, steps, before and after, opening


def test_the_quickstart_shows_the_video_inside_the_page(quickstart, tmp_path):
    players = [page for page in quickstart.of_type("text/html") if "<video" in page]
    assert len(players) == 1
    content = base64.b64decode(re.search(r"data:video/mp4;base64,([^\"]+)", players[0])[1])
    (tmp_path / "shown.mp4").write_bytes(content)
    shown, result = probe(tmp_path / "shown.mp4"), probe(quickstart.folder / "result.mp4")
    assert (shown.codec, shown.pixel_format, shown.has_audio) == ("h264", "yuv420p", True)
    assert shown.frame_count == result.frame_count


def told(quickstart) -> dict[str, dict[str, str]]:
    """The run report as text: heading -> its rows."""
    (text,) = [shown for shown in quickstart.of_type("text/plain") if shown.startswith("result.mp4, ")]
    blocks = re.findall(r"^  (\S.*)\n((?:    .+\n?)*)", text, re.MULTILINE)
    return {heading: dict(re.findall(r"^    (.+?): (.+)$", rows, re.MULTILINE)) for heading, rows in blocks}


def seconds_of(words: str) -> float:
    """What a report means by "under 1 s", "7 s" or "1 min 15 s"."""
    minutes, seconds = re.fullmatch(r"(?:(\d+) min ?)?(?:(?:under )?(\d+) s)?", words).groups()
    return 60 * int(minutes or 0) + (0.5 if words.startswith("under") else int(seconds or 0))


def test_the_run_report_holds_the_time_of_each_stage(quickstart):
    (heading,) = [heading for heading in told(quickstart) if heading.startswith("Time, ")]
    stages = told(quickstart)[heading]
    assert {"make mouths", "encode"} <= set(stages)  # a face that is known already is not looked for again
    whole = heading.removeprefix("Time, ").removesuffix(" in all")
    assert abs(sum(map(seconds_of, stages.values())) - seconds_of(whole)) <= 1 + len(stages) / 2  # each is rounded


def test_the_run_report_counts_frames_by_reason_and_names_the_models_and_the_seed(quickstart):
    count = probe(quickstart.folder / "result.mp4").frame_count
    report = told(quickstart)
    reasons, models = report[f"Frames, {count} in all"], report["Models"]
    assert "new lips, face found" in reasons
    assert sum(map(int, reasons.values())) == count
    assert models["mouths"].startswith(("viseme: ", "wav2lip"))
    assert {"restored by", "enlarged by"} <= set(models)
    assert models["voice"] == "the sample's synthetic voice, sample_speech.flac"
    assert models["seed"].startswith("none: no chance is used")


def test_the_costs_are_a_short_table_and_a_line_of_what_can_be_fetched(quickstart):
    (page,) = [page for page in quickstart.of_type("text/html") if "all frames take" in page]
    assert page.count("font-weight:bold") == 3  # one value of each field
    assert page.count("<tr") <= 10
    assert "Times are measured here" in page


def test_the_environment_is_shown_first(quickstart):
    first = quickstart.of_type("text/html")[0]
    assert "torch" in first
    assert "eady" in first  # Ready, or Not ready


# What the cells before the exercise leave behind: a measured video whose widest mouth is in frame 1.
MEASURED = """
from types import SimpleNamespace
import numpy as np
report = SimpleNamespace(out="result.mp4")
lw = SimpleNamespace(
    track_faces=lambda path: SimpleNamespace(mesh_xy=None), mouth_gap=lambda mesh_xy: np.array([0.1, 0.3, np.nan])
)
"""


def test_a_wrong_answer_is_told_why(answered):
    with pytest.raises(CellExecutionError, match="further elsewhere"):
        answered("00_quickstart", "widest = 0", before=MEASURED)
