"""Reading ahead in a thread."""

import threading
import time

import pytest

from lipwise.media.prefetch import prefetch


@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_items_come_in_order(count):
    assert list(prefetch(range(count), depth=3)) == list(range(count))


def test_an_error_comes_where_its_item_would_have():
    def items():
        yield 1
        raise OSError("disk gone")

    stream = prefetch(items())
    assert next(stream) == 1
    with pytest.raises(OSError, match="disk gone"):
        next(stream)


def test_it_never_runs_far_ahead():
    fetched = []

    def items():
        for number in range(100):
            fetched.append(number)
            yield number

    stream = prefetch(items(), depth=3)
    next(stream)
    time.sleep(0.3)
    assert len(fetched) <= 6
    stream.close()


def test_leaving_early_ends_the_thread():
    stream = prefetch(iter(int, 1), depth=2)
    next(stream)
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "lipwise-prefetch"]
