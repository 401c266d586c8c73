"""Time and memory are told before a run: measured on a few frames, with their basis, and near what is taken."""

from fractions import Fraction

import numpy as np
import pytest

import lipwise as lw
from lipwise.faces.track import DETECTED, FaceTrack
from lipwise.notebook import show_enhance_cost, show_enhance_offers
from lipwise.notebook.show_enhance_cost import Estimate, MemoryWatch
from lipwise.notebook.show_enhance_offers import Offer, Offers, duration

COUNT = 20
MB = 1_000_000


class Slow:
    """An upscaler that takes a known time for a frame, and four times as long for the first."""

    name, needs_weights, note = "slow", False, "sleeps"
    scale = 2.0

    def __init__(self, sleep: float) -> None:
        self.sleep, self.frames = sleep, 0

    def size_for(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        return 2 * size_wh[0], 2 * size_wh[1]

    def upscale(self, frame: np.ndarray) -> np.ndarray:
        import time

        time.sleep(self.sleep * (1 if self.frames else 4))
        self.frames += 1
        return frame.repeat(2, 0).repeat(2, 1)

    def remarks(self) -> list[str]:
        return []


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    noise = np.random.default_rng(0).integers(0, 255, (COUNT, 64, 96, 3), np.uint8)
    return lw.probe(lw.write_video(tmp_path_factory.mktemp("noise") / "clip.mp4", iter(noise), fps=Fraction(25)))


def nobody(count: int = COUNT) -> FaceTrack:
    return FaceTrack(
        np.full((count, 4), np.nan, np.float32),
        np.full((count, 5, 2), np.nan, np.float32),
        np.zeros(count, np.float32),
        np.full(count, DETECTED, np.uint8),
        np.zeros(count, np.int32),
        np.ones(1, np.int32),
        (96, 64),
        mesh_xy=np.full((count, 468, 2), np.nan, np.float32),
    )


# --- offers ---


def test_every_restorer_and_upscaler_is_offered_and_lanczos_is_timed(clip, tmp_path, monkeypatch):
    monkeypatch.setenv("LIPWISE_HOME", str(tmp_path))
    found = show_enhance_offers.offers(clip, scale=3)
    assert [one.name for one in found.rows] == [*lw.RESTORERS, *lw.UPSCALERS]
    assert found.upscalers == ("lanczos",)
    assert (found.frames, found.size_wh) == (COUNT, (96, 64))
    assert found.best_within(1) == "lanczos"
    page, words = found._repr_html_(), repr(found)
    for text in (page, words):
        assert "non-commercial" in text
        assert "lw.fetch_weights(name)" in text
    assert "color" not in page.replace("border-color", "")  # legible on a dark page, too
    assert page.count("font-weight:bold") == 1


def test_the_best_that_fits_is_for_filmed_pictures():
    seconds = {
        "lanczos": 1.0,
        "realesr_animevideov3_ncnn": 5.0,
        "realesrgan_x2plus": 50.0,
        "realesrgan_x4plus_ncnn": 500.0,
    }
    rows = [Offer(name, "", "", "", kept=True, seconds=taken) for name, taken in seconds.items()]
    found = Offers((*rows, Offer("realesrgan_x4plus", "", "", "", kept=False)), 10, (96, 64))
    assert [found.best_within(minutes) for minutes in (0, 0.5, 2, 10)] == [
        "lanczos",
        "lanczos",
        "realesrgan_x2plus",
        "realesrgan_x4plus_ncnn",
    ]


def test_a_piece_tells_the_time_of_a_frame(monkeypatch):
    import time

    class Even(Slow):
        def upscale(self, frame):
            time.sleep(1e-5 * frame[..., 0].size)  # so much for each pixel
            return frame

    monkeypatch.setattr(show_enhance_offers, "load_upscaler", lambda name, scale: Even(0))
    frame = np.zeros((192, 384, 3), np.uint8)
    expected = 1e-5 * 192 * 384
    assert 0.9 * expected < show_enhance_offers.seconds_a_frame("even", frame) < 3 * expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "under 1 s"),
        (1, "1 s"),
        (59.4, "59 s"),
        (75, "1 min 15 s"),
        (59.7, "1 min 0 s"),
        (3700, "62 min"),
        (35_000, "10 h"),
    ],
)
def test_a_duration_in_words(seconds, words):
    assert duration(seconds) == words


# --- estimates ---


def test_an_estimate_leaves_the_warm_up_out_and_tells_its_basis(clip):
    slow = Slow(0.05)
    settings = lw.EnhanceSettings(batch_frames=3)
    told = show_enhance_cost.estimate(clip, nobody(), upscaler=slow, settings=settings, once_s=2.0)
    assert slow.frames == 6
    assert (told.frames, told.warm_frames, len(told.frame_s)) == (COUNT, 3, 3)
    assert told.whole_bytes == COUNT * 192 * 128 * 3
    assert 2 + COUNT * 0.05 < told.seconds < 2 + COUNT * 0.5  # the encoder and a busy machine take their time, too
    assert "basis: 3 frames took" in str(told)
    assert "2.0 s to find the face" in str(told)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_frames_are_estimated(clip, count):
    told = show_enhance_cost.estimate(clip.part(0, count), nobody(count), upscaler=Slow(0.01))
    assert told.frames == count
    assert len(told.frame_s) >= 1
    assert told.seconds > 0


def test_an_estimate_is_set_against_the_truth():
    told = Estimate(100, (0.5, 0.5), 10.0, 4, 800 * MB, 3000 * MB)
    assert told.seconds == 60
    words = told.against(90, 1000 * MB)
    assert "1 min 0 s estimated, 1 min 30 s taken (1.50 times)" in words
    assert "800.0 MB estimated, 1.0 GB taken (1.25 times)" in words


def test_the_most_memory_is_seen_while_it_is_taken():
    before = show_enhance_cost.resident_bytes()
    with MemoryWatch() as watch:
        block = np.ones(200 * MB, np.uint8)
        assert block[::4096].all()
        import time

        time.sleep(0.1)
        del block
    assert watch.peak_bytes > before + 150 * MB
    with MemoryWatch() as nothing:
        pass
    assert nothing.peak_bytes >= before / 2


def test_memory_is_told_where_the_system_has_no_proc(monkeypatch):
    real = show_enhance_cost.resident_bytes()
    monkeypatch.setattr(show_enhance_cost, "STATM", show_enhance_cost.STATM / "not there")
    assert show_enhance_cost.resident_bytes() >= real / 2
