"""Exclusive times of nested stages."""

import time

import pytest

from lipwise.pipeline.stopwatch import Stopwatch


def test_inner_time_is_not_counted_twice():
    watch = Stopwatch()
    with watch.measure("outer"):
        time.sleep(0.02)
        with watch.measure("inner"):
            time.sleep(0.06)
    assert watch.seconds["inner"] >= 0.06
    assert 0.02 <= watch.seconds["outer"] < watch.seconds["inner"]


def test_a_chain_of_iterators_is_split_by_stage():
    watch = Stopwatch()

    def slow(items, seconds):
        for item in items:
            time.sleep(seconds)
            yield item

    read = watch.each("read", slow(range(5), 0.02))
    made = watch.each("make", slow(read, 0.005))
    assert list(made) == list(range(5))
    assert watch.seconds["read"] >= 0.1
    assert 0.025 <= watch.seconds["make"] < watch.seconds["read"]


def test_time_is_counted_when_the_stage_fails():
    watch = Stopwatch()
    with pytest.raises(ValueError, match="broken"), watch.measure("stage"):
        raise ValueError("broken")
    assert watch.seconds["stage"] > 0
