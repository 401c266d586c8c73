"""What enhancing a clip will cost, measured before it begins, and what it did cost."""

import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from threading import Event, Thread
from time import perf_counter
from typing import TYPE_CHECKING, Self

import numpy as np

from lipwise.faces.flicker import FlickerMeter
from lipwise.faces.track import FaceTrack
from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.media.write import VideoWriter
from lipwise.notebook.show_enhance_offers import duration
from lipwise.notebook.show_weights import in_words
from lipwise.stages.aligned import EnhanceSettings
from lipwise.stages.enhance import enhance_frames

if TYPE_CHECKING:  # at run time these two would bring torch along
    from lipwise.models.restorers import Restorer
    from lipwise.models.upscalers import Upscaler

LOOK_S = 0.01
STATM = Path("/proc/self/statm")  # Linux


class MemoryWatch:
    """The most memory that this process takes while the body of a `with` runs.

    Attributes:
        peak_bytes: resident memory, looked at a hundred times a second; where the system does not tell it, the most
            that the process ever took.
    """

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._done = Event()
        self._thread = Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.peak_bytes = max(self.peak_bytes, resident_bytes())

    def _look(self) -> None:
        while not self._done.wait(LOOK_S):
            self.peak_bytes = max(self.peak_bytes, resident_bytes())


def resident_bytes() -> int:
    """Memory that this process takes now; where the system does not tell, the most that it ever took."""
    try:
        return int(STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most


@dataclass(frozen=True)
class Estimate:
    """What enhancing a whole clip will cost.

    Attributes:
        frames: of the clip.
        frame_s: seconds a frame, each frame that was measured.
        once_s: seconds that do not depend on the networks: finding the face.
        warm_frames: frames that were made first and not counted.
        peak_bytes: memory of this process at most.
        whole_bytes: what all frames of the result would take at once.
    """

    frames: int
    frame_s: tuple[float, ...]
    once_s: float
    warm_frames: int
    peak_bytes: int
    whole_bytes: int

    @property
    def seconds(self) -> float:
        """For the whole clip."""
        return self.once_s + self.frames * mean(self.frame_s)

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{duration(self.seconds)} for {self.frames} frames, {in_words(self.peak_bytes)} of memory at most",
                f"  basis: {len(self.frame_s)} frames took {mean(self.frame_s):.2f} s each, after {self.warm_frames} "
                f"that warmed up; {self.once_s:.1f} s to find the face",
                "  memory does not grow with the clip: a few frames are open at a time, of "
                f"{in_words(self.whole_bytes)} in all",
            ]
        )

    def against(self, seconds: float, peak_bytes: int) -> str:
        """The estimate beside what it really took."""
        return "\n".join(
            [
                f"time: {duration(self.seconds)} estimated, {duration(seconds)} taken "
                f"({seconds / self.seconds:.2f} times)",
                f"memory: {in_words(self.peak_bytes)} estimated, {in_words(peak_bytes)} taken "
                f"({peak_bytes / self.peak_bytes:.2f} times)",
            ]
        )


def estimate(
    video: VideoInfo,
    track: FaceTrack,
    *,
    restorer: "Restorer | None" = None,
    upscaler: "Upscaler | None" = None,
    settings: EnhanceSettings | None = None,
    once_s: float = 0.0,
) -> Estimate:
    """What enhancing a clip will cost, by enhancing and encoding its first frames; nothing is kept of these.

    Args:
        track: of the whole clip.
        once_s: seconds that finding the face took.
    """
    settings = settings or EnhanceSettings()
    warm = min(settings.batch_frames, video.frame_count // 2)
    count = min(2 * settings.batch_frames, video.frame_count)
    first, size = video.part(0, count), video.size_wh if upscaler is None else upscaler.size_for(video.size_wh)
    made = enhance_frames(
        read_frames(first),
        track.part(0, count),
        restorer=restorer,
        upscaler=upscaler,
        meter=FlickerMeter(),
        settings=settings,
    )
    times = [perf_counter()]
    with MemoryWatch() as watch, tempfile.TemporaryDirectory() as folder:
        with VideoWriter(Path(folder) / "first.mp4", fps=video.fps) as writer:
            for frame in made:
                writer.write(frame)
                times.append(perf_counter())
        times[-1] = perf_counter()  # the encoder was behind by some frames
    taken = np.diff(times)[warm:]
    whole = video.frame_count * size[0] * size[1] * 3
    return Estimate(video.frame_count, tuple(taken.tolist()), once_s, warm, watch.peak_bytes, whole)
