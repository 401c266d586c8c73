"""How well lips and sound agree, as SyncNet hears and sees it: LSE-D, LSE-C and the AV offset.

Five pictures and the 0.2 s of sound beside them become a point each (Chung & Zisserman, "Out of time: automated lip
sync in the wild", ACCV 2016 workshops). The distance between the two points is taken with the sound moved by up to 15
frames each way and averaged over the clip. The smallest average is LSE-D, the median of the 31 less the smallest is
LSE-C (Prajwal et al., "A Lip Sync Expert Is All You Need", ACM MM 2020), and the shift of the smallest is the AV
offset. The arithmetic is that of SyncNetInstance.py of github.com/joonson/syncnet_python and of Wav2Lip's
evaluation/scores_LSE.

Two things the numbers do not tell: a constant offset does not make them worse, so the offset belongs beside them; and
generated video often outscores real video, so the source clip's own score belongs there as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Protocol

import numpy as np

from lipwise.errors import MediaError, SpeechError
from lipwise.media import audio
from lipwise.media.mfcc import mfcc

SYNC_FPS = 25  # SyncNet's own; every clip is read at it
SAMPLES_PER_FRAME = audio.SAMPLE_RATE // SYNC_FPS  # 640
SEARCH_FRAMES = 15  # the sound is moved by up to so many frames, each way
LEAST_WINDOWS = 2 * SEARCH_FRAMES + 1  # fewer, and the farthest shifts would be made of silence more than of sound
DISTANCE_EPS = 1e-6  # added to every difference, as torch's pairwise_distance does


class SyncNetwork(Protocol):
    """What turns pictures and sound into points; `lipwise.models.syncnet.SyncNet` is one."""

    window_frames: int
    crop_size: int

    def embed_lips(self, crops: Iterable[np.ndarray]) -> np.ndarray:
        """T crops (crop_size, crop_size, 3) RGB uint8 to (T - window_frames + 1, D) float32."""
        ...

    def embed_sound(self, mfcc: np.ndarray) -> np.ndarray:
        """MFCC (13, M) to (N, D) float32, one row for every 25th of a second."""
        ...


@dataclass(frozen=True, eq=False)
class SyncScores:
    """How well lips and sound agree.

    Attributes:
        distances: (N, 31) float32, N windows of five frames; column k is the sound taken k - 15 frames later than its
            picture. Beyond the ends of the sound stand distances to the zero vector, as in the reference.
    """

    distances: np.ndarray

    @cached_property
    def mean_distances(self) -> np.ndarray:
        """(31,) float32: the average over the windows, for `shifts`."""
        return self.distances.mean(axis=0)

    @property
    def shifts(self) -> np.ndarray:
        """(31,) the AV offset in frames that each column stands for: 15, 14 .. -15."""
        search = self.distances.shape[1] // 2
        return search - np.arange(2 * search + 1)

    @property
    def lse_d(self) -> float:
        """Lip-sync error, distance: the smallest average. Lower is better; real speech lies near 7."""
        return float(self.mean_distances.min())

    @property
    def lse_c(self) -> float:
        """Lip-sync error, confidence: how far the smallest lies under the median. Higher is better."""
        return float(np.median(self.mean_distances) - self.mean_distances.min())

    @property
    def offset_frames(self) -> int:
        """AV offset in frames of 1/25 s. Positive: the sound comes early, before the lips that say it; negative: late.

        A clip whose sound is cut by 7 frames at its beginning gives +7. Delaying the sound by as much mends it, and so
        does adding `offset_s` to `audio_offset_s` and making the lips anew.
        """
        return int(self.shifts[self.mean_distances.argmin()])

    @property
    def offset_s(self) -> float:
        """The AV offset in seconds."""
        return self.offset_frames / SYNC_FPS

    @property
    def windows(self) -> int:
        """How many windows were averaged."""
        return len(self.distances)

    @property
    def confidence(self) -> np.ndarray:
        """(N,) float32: what each window adds to LSE-C; where it is low, lips and sound do not agree."""
        return np.median(self.mean_distances) - self.distances[:, self.mean_distances.argmin()]

    def __str__(self) -> str:
        where, frames = "in time", abs(self.offset_frames)
        if frames:
            side = "early" if self.offset_frames > 0 else "late"
            where = f"{frames} frame{'s' * (frames > 1)} ({frames / SYNC_FPS:.2f} s) {side}"
        return f"LSE-D {self.lse_d:.3f}, LSE-C {self.lse_c:.3f}, sound {where}"


def sync_distances(lips: np.ndarray, sounds: np.ndarray, *, search: int = SEARCH_FRAMES) -> np.ndarray:
    """Distances between the points of pictures and of sound, with the sound moved.

    Args:
        lips, sounds: (N, D) embeddings of the same moments.
        search: how many windows the sound is moved by, each way.

    Returns:
        (N, 2 * search + 1) float32: entry (i, k) is the distance of picture i from sound i + k - search, which is the
        zero vector before the first and after the last.
    """
    if lips.ndim != 2 or lips.shape != sounds.shape:
        raise ValueError(f"expected two arrays (N, D) of one shape, got {lips.shape} and {sounds.shape}")
    padded = np.pad(sounds, ((search, search), (0, 0)))
    moved = (padded[k : k + len(lips)] for k in range(2 * search + 1))
    columns = [np.linalg.norm(lips - sound + np.float32(DISTANCE_EPS), axis=1) for sound in moved]
    return np.stack(columns, axis=1).astype(np.float32)


def window_distances(
    crops: Iterable[np.ndarray], waveform: np.ndarray, network: SyncNetwork, name: str = "The clip"
) -> np.ndarray:
    """Distances of one face in one shot, for `SyncScores`.

    Picture i is shown at i / 25 s, and zero is the first sample. The longer of the two is cut to the shorter, and the
    last window is left out, as the reference does.

    Args:
        crops: (224, 224, 3) RGB uint8, 25 a second; see `lipwise.faces.sync_crop`. They may be a stream.
        waveform: (n,) float32 at 16 kHz.
        network: what `load_sync_network` gave.
        name: of the clip, for errors.

    Returns:
        (N, 31) float32.

    Raises:
        MediaError: too few pictures. SpeechError: too little sound.
    """
    heard = len(waveform) // SAMPLES_PER_FRAME
    if heard < least_frames(network):
        raise too_little_sound(name, heard, network)
    lips = network.embed_lips(islice(crops, heard))[:-1]
    if len(lips) < LEAST_WINDOWS:
        raise too_short(name, len(lips), network)
    return sync_distances(lips, network.embed_sound(mfcc(waveform))[: len(lips)])


def least_frames(network: SyncNetwork) -> int:
    """Frames at 25 a second under which nothing can be scored."""
    return network.window_frames + LEAST_WINDOWS


def too_short(name: str, windows: int, network: SyncNetwork) -> MediaError:
    """The error of a clip that gives so few windows."""
    return MediaError(
        f"{name} is too short to be scored",
        cause=f"at {SYNC_FPS} frames a second it gives {windows} windows of {network.window_frames} frames; the sound "
        f"is moved by {SEARCH_FRAMES} frames each way, which takes {LEAST_WINDOWS} windows "
        f"({least_frames(network) / SYNC_FPS:.2f} s)",
        next_step="score a longer part; the reference scores nothing of 4 s or less",
    )


def too_little_sound(name: str, frames: int, network: SyncNetwork) -> SpeechError:
    """The error of sound that lasts for so few frames."""
    return SpeechError(
        f"{name} has too little sound to be scored",
        cause=f"it lasts {frames / SYNC_FPS:.2f} s and {least_frames(network) / SYNC_FPS:.2f} s are needed",
        next_step="choose a longer recording",
    )
