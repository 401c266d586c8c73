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
