"""What the enhancing lesson shows, writes and accepts as an answer; it runs without any weights that enhance."""

import re

import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError

from lipwise.media.audio import load_audio
from lipwise.media.probe import probe


@pytest.fixture(scope="module")
def lesson(ran):
    return ran("04_enhance")


def test_the_lesson_writes_the_sample_the_small_clip_and_the_result_only(lesson):
    written = sorted(path.relative_to(lesson.folder).as_posix() for path in lesson.folder.rglob("*") if path.is_file())
    assert written == ["enhanced.mp4", "sample/sample_face.mp4", "small.mp4"]


def test_the_lesson_shows_each_picture_once(lesson):
    assert len(lesson.pictures) == 6  # steps, choices, seams, spectrum, before and after, flicker


def test_without_weights_it_works_and_says_what_to_fetch_and_under_which_licence(lesson):
    assert "unsharp\n  A stand-in: it sharpens what is there and restores nothing." in lesson.printed
    assert "lanczos\n  No network" in lesson.printed
    table = next(page for page in lesson.of_type("text/html") if "this clip takes" in page)
    assert "S-Lab Licence, non-commercial use only" in table
    assert re.search(r">lanczos</td>.*?>yes</td>", table)
    assert table.count(">yes</td>") == 1
    told = "".join(cell.source for cell in lesson.book.cells if cell.cell_type == "markdown")
    assert 'lw.fetch_weights("realesrgan_x4plus_ncnn")' in told
    assert 'lw.fetch_weights("gfpgan_1.4", accept_licence=True)' in told


def test_cost_is_told_with_its_basis_before_the_run_and_set_against_the_truth_after(lesson):
    words = lesson.printed
    before, after = words.index("basis: 4 frames took"), words.index("estimated, ")
    assert before < words.index("enhanced.mp4\n  50 pictures, 576 x 576") < after
    assert re.search(r"time: .* taken \(\d+\.\d\d times\)", words)
    times = float(re.search(r"memory: .* taken \((\d+\.\d\d) times\)", words)[1])
    assert 0.7 < times < 1.4


def test_no_line_is_wider_than_the_page(lesson):
    assert max(map(len, lesson.printed.splitlines())) <= 100


def test_the_result_is_larger_and_its_sound_the_same(lesson):
    before, after = probe(lesson.folder / "small.mp4"), probe(lesson.folder / "enhanced.mp4")
    assert (before.size_wh, after.size_wh) == ((192, 192), (576, 576))
    assert before.frame_count == after.frame_count == 50
    np.testing.assert_array_equal(load_audio(before.path), load_audio(after.path))


def test_the_seams_go_and_the_flicker_is_told(lesson):
    without, with_it = map(float, re.search(r"difference: ([\d.]+) without overlap, ([\d.]+)", lesson.printed).groups())
    assert with_it < without / 100
    assert float(re.search(r"the face flickers ([\d.]+) times", lesson.printed)[1]) < 1.15


def test_lanczos_is_closest_to_the_truth_and_lacks_its_detail(lesson):
    rows = re.findall(r"^(\S.*?) +([\d.]+) dB from the real one, +(\d+)%", lesson.printed, re.MULTILINE)
    nearness = {name: float(decibels) for name, decibels, _ in rows}
    assert max(nearness, key=nearness.get) == "lanczos"
    assert {name: int(share) for name, _, share in rows}["lanczos"] < 40


# What the cells before the exercise leave behind: a picture and what was made from few of its pixels.
MADE = """
import numpy as np
from skimage.data import astronaut
from lipwise.notebook import show_enhance
real = astronaut()[:192, 130:322]
enlarged = {"real": real, "dark": (real * 0.9).astype(np.uint8)}
"""
WRONG = {
    "bytes that wrap": ("return 10 * np.log10(255**2 / np.mean((picture - truth) ** 2))", "30 squared is 132"),
    "a square too many": ("return 20 * np.log10(255**2 / np.mean((picture.astype(float) - truth) ** 2))", "18.59 dB"),
    "natural logarithm": ("return 10 * np.log(255**2 / np.mean((picture.astype(float) - truth) ** 2))", "18.59 dB"),
    "absolute": ("return 10 * np.log10(255**2 / np.mean(np.abs(picture.astype(float) - truth)))", "18.59 dB"),
}


@pytest.mark.parametrize(("answer", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_why(answered, answer, said):
    with pytest.raises(CellExecutionError, match=said):
        answered("04_enhance", f"def psnr(picture, truth):\n    {answer}", before=MADE)


def test_a_right_answer_is_accepted(answered):
    right = "return 10 * np.log10(255**2 / np.mean((picture.astype(float) - truth.astype(float)) ** 2))"
    answered("04_enhance", f"def psnr(picture, truth):\n    {right}", before=MADE)
