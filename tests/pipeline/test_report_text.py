"""A report as text fits the page of a notebook, and loses no word by that."""

from pathlib import Path

import pytest

from lipwise.pipeline.report import PAGE_COLUMNS, Enhancement, EnhanceReport, RunReport

LONG = "a stand-in: it sharpens what is there and restores nothing. No weights, no licence to heed, and no detail"
ENHANCED = Enhancement(restorer=LONG, upscaler=LONG, restored=50, flicker=0.76)
SECONDS = {f"a stage with a long name, the {number}th": 1.25 * number for number in range(9)}
OUT = Path("a folder with a name that goes on and on", "and another", "a-result-whose-name-is-" + "long-" * 20 + ".mp4")
REPORTS = {
    "of a run": RunReport(OUT, 50, 25.0, (64, 64), 50, 0, 0, "viseme", LONG, (LONG,), SECONDS, ENHANCED),
    "of enhancing": EnhanceReport(OUT, 50, (64, 64), ENHANCED, (LONG,), SECONDS),
}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_lines_are_no_wider_than_a_page_and_hold_every_word(report):
    name, *lines = str(report).splitlines()
    assert name == str(OUT)  # whole, so that it can be copied
    assert max(map(len, lines)) <= PAGE_COLUMNS
    assert all(line.startswith("  ") for line in lines)
    words = " ".join(" ".join(lines).split())
    spent = [f"{stage} {seconds:.1f}" for stage, seconds in SECONDS.items()]
    for told in (f"restorer: {LONG}", f"upscaled: {LONG}", f"note: {LONG}", *spent):
        assert told in words
    assert not [line for line in lines if line.endswith("th")]  # a stage and its time stand together


def test_the_name_of_a_file_is_never_broken():
    report = EnhanceReport(OUT, 1, (64, 64), Enhancement(), (), {"enhance": 1.0}, failed=(f"{'x' * 120}-1.png",))
    assert f"{'x' * 120}-1.png" in str(report)
