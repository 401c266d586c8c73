"""What is said of an evaluation without looking at a result: verdicts, table, SyncNet's curve, sounds that move."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("agg")

import lipwise as lw
from lipwise.media.audio import SAMPLE_RATE
from lipwise.notebook import show_evaluate
from lipwise.stages.lse import SyncScores


def made_up(**values) -> lw.Evaluation:
    """An evaluation with these values, three frames long."""
    given = {
        "result": Path("made.mp4"), "source": None, "frames": 3, "fps": 25.0, "size_wh": (64, 64), "figures": {},
        "anchors": {}, "missing": {"lse_d": "SyncNet was <not> asked for"}, "missing_anchors": {},
    }  # fmt: skip
    return lw.Evaluation(**(given | values))


def drawn(figure) -> None:
    figure.savefig(BytesIO(), dpi=30)


# --- verdicts and the table ---


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("psnr_outside_db", 41, "good"),
        ("psnr_outside_db", 33, "fair"),
        ("psnr_outside_db", 20, "bad"),
        ("psnr_inside_db", 5, ""),
        ("lse_d", 7, ""),
        ("seam", 0.97, "good"),
        ("seam", 1.5, "bad"),
        ("offset_s", 0.05, "fair"),  # early is noticed sooner than late
        ("offset_s", -0.1, "good"),
        ("offset_s", 0.1, "bad"),
        ("offset_s", -0.18, "fair"),
        ("offset_s", -0.2, "bad"),
    ],
)
def test_a_verdict_is_that_of_its_limits(name, value, word):
    assert show_evaluate.verdict(name, value) == word


def test_fair_is_wider_than_good_and_every_figure_says_what_is_good():
    for (low, high), (fair_low, fair_high) in show_evaluate.LIMITS.values():
        assert fair_low <= low < high <= fair_high
    assert {
        name: show_evaluate.good_is(name) for name in ("seam", "ssim_outside", "offset_s", "lse_c", "ssim_inside")
    } == {
        "seam": "1.1 or less",
        "ssim_outside": "0.95 or more",
        "offset_s": "-0.125 to 0.045",
        "lse_c": "near the source's",
        "ssim_inside": "-",
    }


def test_the_table_holds_values_anchors_verdicts_and_reasons():
    page = show_evaluate.table(
        made_up(
            figures={"seam": 1.52, "offset_s": 0.01},
            anchors={"offset_s": -0.07},
            missing_anchors={"mouth_width": "silent & still"},
            remarks=("resized",),
        )
    ).data
    assert page.count("<tr>") == 3
    assert ">1.520</td>" in page
    assert ">-0.070 s</td>" in page
    assert page.index(">bad<") < page.index(">good<")
    assert "<li>not measured: LSE-D: SyncNet was &lt;not&gt; asked for</li>" in page
    assert "<li>not measured on the source: mouth width, r: silent &amp; still</li>" in page
    assert "<li>resized</li>" in page


def test_syncnets_scores_are_drawn_or_their_absence_is_explained():
    page = show_evaluate.sync(made_up())
    assert "SyncNet was &lt;not&gt; asked for" in page.data
    distances = np.full((40, 31), 9, np.float32)
    distances[:, 12] = 6
    scores = SyncScores(distances)
    figure = show_evaluate.sync(made_up(sync=scores, source_sync=scores))
    drawn(figure)
    (axes,) = figure.axes
    lines = [line for line in axes.lines if len(line.get_xdata()) == 31]
    assert len(lines) == 2
    assert lines[0].get_xdata()[lines[0].get_ydata().argmin()] == 3
    assert "LSE-D 6.00, LSE-C 3.00" in axes.get_legend().get_texts()[0].get_text()


# --- sounds that move ---


@pytest.mark.parametrize(("late_s", "halves"), [(0.5, [0, 1, 2]), (-0.5, [2, 3, 4]), (0, [1, 2, 3]), (9, [0, 0, 0])])
def test_a_sound_is_moved_and_keeps_its_length(late_s, halves):
    sound = np.repeat(np.arange(1.0, 7), SAMPLE_RATE // 2).astype(np.float32)  # half a second each
    moved = show_evaluate.delayed(sound, late_s)
    assert (moved.shape, moved.dtype) == (sound.shape, sound.dtype)
    assert moved[[1, SAMPLE_RATE // 2 + 1, SAMPLE_RATE + 1]].tolist() == halves


def test_a_secret_move_is_far_enough_to_be_seen_and_always_the_same():
    sound = np.zeros(2 * SAMPLE_RATE, np.float32)
    sound[SAMPLE_RATE] = 1
    places = {
        seed: int(show_evaluate.secretly_moved(sound, Fraction(25), seed=seed).argmax()) - SAMPLE_RATE
        for seed in range(20)
    }
    frames = {place / (SAMPLE_RATE // 25) for place in places.values()}
    assert {abs(frame) for frame in frames} == {4, 5, 6, 7}
    assert min(frames) < 0 < max(frames)
    assert int(show_evaluate.secretly_moved(sound, Fraction(25), seed=3).argmax()) - SAMPLE_RATE == places[3]


def estimates() -> dict[float, lw.OffsetEstimate]:
    lags = np.linspace(-0.6, 0.6, 97)
    return {
        late: lw.OffsetEstimate(-late, 0.9, 0.8, 0.5, lags, 0.8 - np.abs(lags + late), 3.0) for late in (-0.3, 0.0, 0.3)
    }


def test_shifts_are_drawn_against_what_was_found():
    figure = show_evaluate.shifts(estimates())
    drawn(figure)
    curves, line = figure.axes[:2]
    assert [text.get_text() for text in curves.get_legend().get_texts()] == ["0.30 s early", "not moved", "0.30 s late"]
    assert line.collections[0].get_offsets().tolist() == [[-0.3, 0.3], [0, 0], [0.3, -0.3]]
