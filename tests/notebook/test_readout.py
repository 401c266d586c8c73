"""Time, time to go and memory while something runs."""

from dataclasses import replace
from time import perf_counter, sleep

import numpy as np
import pytest

from lipwise.notebook.readout import Reading, Readout

READING = Reading(elapsed_s=30, share=0.25, now_bytes=500_000_000, peak_bytes=800_000_000)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "30 s · about 1 min 30 s to go · memory 500.0 MB, at most 800.0 MB"),
        ({"share": None}, "30 s · memory 500.0 MB, at most 800.0 MB"),
        ({"share": 0.0}, "30 s · memory 500.0 MB, at most 800.0 MB"),
        ({"share": 1.0}, "30 s · memory 500.0 MB, at most 800.0 MB"),
        ({"share": 0.8, "first_share": 0.79}, "30 s · memory 500.0 MB, at most 800.0 MB"),
        ({"share": None, "gpu_bytes": 2_000_000_000}, "30 s · memory 500.0 MB, at most 800.0 MB · GPU 2.0 GB"),
    ],
)
def test_a_reading_in_words(change, words):
    assert str(replace(READING, **change)) == words


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ({"share": 0.8, "first_share": 0.7}, 60),  # a tenth in 30 s: what the last session made took none of them
        ({"share": 0.5, "first_s": 20}, 10),  # half of it in 10 s: for 20 s the face was looked for
        ({"share": 1.0, "first_share": 0.7}, 0),
    ],
)
def test_the_time_to_go_counts_from_when_the_share_was_known(change, seconds):
    assert replace(READING, **change).remaining_s == pytest.approx(seconds)


def test_a_readout_takes_the_pace_from_the_first_share_it_sees():
    shares = iter([None, None, 0.8, 0.9, None, 0.5, 1.0])
    readout = Readout(lambda: next(shares))
    readout.reading()
    assert readout.reading().remaining_s is None
    first, second = readout.reading(), readout.reading()
    assert (first.remaining_s, first.first_share, second.first_share) == (None, 0.8, 0.8)
    assert second.first_s == first.elapsed_s
    assert second.remaining_s == pytest.approx(second.elapsed_s - first.elapsed_s)
    with readout:  # another run
        assert readout.reading().first_share == 0.5


def test_a_readout_tells_while_the_body_runs_and_stops_after_it():
    shares = iter(np.linspace(0.2, 0.9, 50))
    readout, told = Readout(lambda: float(next(shares))), []
    readout.observe(lambda change: told.append(change["new"]), "value")
    with readout:
        held = np.ones(40_000_000, np.uint8)
        begun = perf_counter()
        while len(told) < 2 and perf_counter() - begun < 10:
            sleep(0.05)
    assert held.any()
    assert len(told) >= 2
    assert "to go" in told[-1]
    after = len(told)
    sleep(0.7)
    assert len(told) == after
    assert readout.reading().peak_bytes >= 40_000_000
