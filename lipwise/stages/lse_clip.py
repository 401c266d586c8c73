"""Scoring a clip with SyncNet: its frames at 25 a second, its face cut out, its sound beside it.

What the reference does as run_pipeline.py of github.com/joonson/syncnet_python, but for three things: faces come from
the track and not from S3FD, frames are not encoded twice more on the way (MPEG-4 and JPEG), and stretches are scored
from 1.44 s on where the reference asks for more than 4 s.
"""

import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from lipwise.errors import FaceError, LipwiseWarning
from lipwise.faces.smooth import find_runs
from lipwise.faces.sync_crop import sync_crop, sync_squares
from lipwise.faces.track import FaceTrack
from lipwise.media import audio
from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.stages.lse import (
    SAMPLES_PER_FRAME,
    SYNC_FPS,
    SyncNetwork,
    SyncScores,
    least_frames,
    too_little_sound,
    too_short,
    window_distances,
)
from lipwise.weights import fetch_weights


def load_sync_network(path: str | Path | None = None, *, device: str | None = None) -> SyncNetwork:
    """SyncNet with its published weights (no clear terms: treat them as for research only).

    Args:
        path: a checkpoint; None fetches `syncnet_v2.model`. `find_weights("syncnet")` tells whether it is there.
        device: "cuda", "cpu" ...; None chooses the best there is.

    Raises:
        WeightsError: the checkpoint cannot be had or is not one.
    """
    from lipwise.models.syncnet import load_syncnet

    return load_syncnet(fetch_weights("syncnet")[0] if path is None else path, device=device)


def clip_sync_scores(
    video: VideoInfo,
    track: FaceTrack,
    *,
    network: SyncNetwork,
    sound: str | Path | None = None,
    progress: bool = False,
) -> SyncScores:
    """Score a clip: every stretch of one shot in which the face is seen, all their windows together.

    A clip of another rate is read on a grid of 25 frames a second, each time the frame that is nearest.

    Args:
        video, track: what `probe` and `track_faces` gave, of the same clip.
        sound: the file that is heard with it, from the clip's time zero on; None is the clip's own sound.
        network: what `load_sync_network` gave.
        progress: show a bar.

    Raises:
        FaceError: no stretch with a face is long enough. MediaError: the clip is too short, or cannot be read.
        SpeechError: no sound, too little, or nothing but silence.

    Warns:
        LipwiseWarning: stretches with a face that are too short and left out.
    """
    if len(track) != video.frame_count:
        raise ValueError(f"expected a track of {video.frame_count} frames, got {len(track)}")
    video = turn_video(video, track.rotation)
    grid = sync_grid(video.fps, video.frame_count)
    if len(grid) < least_frames(network):
        raise too_short(str(video.path), max(0, len(grid) - network.window_frames), network)
    waveform, _, _ = audio.load_speech(sound or video.path)
    runs = list(find_runs(track.has_face[grid], track.shot[grid]))
    runs = _long_enough(runs, network, len(waveform) // SAMPLES_PER_FRAME, video.path)
    with tqdm(desc="sync", total=sum(r.stop - r.start for r in runs), unit="frame", disable=not progress) as bar:
        parts = [
            window_distances(
                _crops(video, track, grid[run], network.crop_size, bar),
                waveform[_samples(run)],
                network,
                str(video.path),
            )
            for run in runs
        ]
    return SyncScores(np.concatenate(parts))


def sync_grid(fps: Fraction, frame_count: int) -> np.ndarray:
    """(T,) int64: the frame of a clip that is nearest to each 25th of a second; of two as near, the earlier."""
    count = int(frame_count * SYNC_FPS / fps + Fraction(1, 2))
    step = fps / SYNC_FPS  # whole numbers only: exact at 30000/1001 after hours
    doubled, below = 2 * step.numerator, 2 * step.denominator
    nearest = [-((step.denominator - index * doubled) // below) for index in range(count)]
    return np.minimum(np.array(nearest, np.int64), frame_count - 1)


def _samples(run: slice) -> slice:
    return slice(run.start * SAMPLES_PER_FRAME, run.stop * SAMPLES_PER_FRAME)


def _crops(video: VideoInfo, track: FaceTrack, numbers: np.ndarray, size: int, bar: tqdm) -> Iterator[np.ndarray]:
    squares = sync_squares(track.boxes_xyxy[numbers])
    for frame, square in zip(read_frames(video, numbers), squares, strict=True):
        yield sync_crop(frame, square, size)
        bar.update()


def _long_enough(runs: Sequence[slice], network: SyncNetwork, heard: int, path: Path) -> list[slice]:
    """The stretches that are seen and heard for so many frames."""
    least = least_frames(network)
    if heard < least:
        raise too_little_sound(str(path), heard, network)
    kept = [run for run in runs if min(run.stop, heard) - run.start >= least]
    if not kept:
        longest = max((run.stop - run.start for run in runs), default=0)
        raise FaceError(
            f"{path} cannot be scored",
            cause=f"a face has to be seen and heard for {least / SYNC_FPS:.2f} s on end; the longest stretch has "
            f"{longest / SYNC_FPS:.2f} s",
            next_step="take a clip that shows one face for longer, or choose another person",
        )
    if len(kept) < len(runs):
        lost = [run.stop - run.start for run in runs if run not in kept]
        said = f"left out as too short to be scored: {len(lost)} of {len(runs)} stretches with a face"
        warnings.warn(f"{path}: {said} ({sum(lost) / SYNC_FPS:.1f} s)", LipwiseWarning, stacklevel=3)
    return kept
