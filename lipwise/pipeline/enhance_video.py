"""A video enhanced, its sound kept bit for bit."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from lipwise.errors import LipwiseError, LipwiseWarning
from lipwise.faces.choose import Choice
from lipwise.faces.flicker import FlickerMeter
from lipwise.faces.track import FaceTrack
from lipwise.files import hidden_folder, written_for
from lipwise.media.encoding_notes import encoding_notes
from lipwise.media.keep_sound import check_sound_fits, join_kept_sound, what_is_left_out
from lipwise.media.prefetch import prefetch
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.media.write import VideoWriter
from lipwise.pipeline.enhance_job import EnhanceJob
from lipwise.pipeline.enhancers import check_video_size, tell_of_enhancement
from lipwise.pipeline.report import EnhanceReport
from lipwise.stages.aligned import align_track, count_faces
from lipwise.stages.clean import track_faces
from lipwise.stages.enhance import enhance_frames


def enhance_video(
    video: VideoInfo, out: Path, job: EnhanceJob, *, quality: int, choose: Choice | None
) -> EnhanceReport:
    """Restore the face of a video and upscale it.

    Args:
        out: a video that can be written.
        quality: x264's constant quantiser.
        choose: whose face is restored; None is the largest steady one.

    Raises:
        LipwiseError: nobody is the one chosen, the result would be too large, or something cannot be read or written.
    """
    check_video_size(job.enhancers, video.size_wh)
    check_sound_fits(video.path, out)
    track, count = None, None
    with job.watch.measure("find the face"):
        if job.enhancers.restorer is not None:
            track = track_faces(video, detector=job.detector, choose=choose, progress=job.progress)
            video = turn_video(video, track.rotation)
            count = count_faces(align_track(track, job.settings), settings=job.settings)
        elif job.enhancers.upscaler is not None and job.enhancers.upscaler.needs_weights:
            track = _track_to_measure(video, job)
    if choose is not None and count is None:
        warnings.warn("choose plays no part: no face is restored", LipwiseWarning, stacklevel=2)
    meter = FlickerMeter()
    with hidden_folder(out.absolute().parent) as folder:
        silent = folder / "picture.mp4"  # whatever the result is: Matroska keeps no decoding times
        with written_for(out):
            written = _write(video, track, silent, job, meter=meter, quality=quality)
        with job.watch.measure("join"):
            join_kept_sound(silent, video.path, out)
    told = tell_of_enhancement(job.enhancers, count, meter)
    changed = encoding_notes(video, job.enhancers.size_for(video.size_wh))
    notes = (*video.notes, *changed, *what_is_left_out(video.path))
    return EnhanceReport(out, written, probe(out).size_wh, told, notes, {})


def _write(
    video: VideoInfo, track: FaceTrack | None, silent: Path, job: EnhanceJob, *, meter: FlickerMeter, quality: int
) -> int:
    """Write the enhanced picture without sound; gives the number of its frames."""
    restorer, upscaler = job.enhancers
    read = job.watch.each("wait for frames", prefetch(read_frames(video)))
    frames = enhance_frames(read, track, restorer=restorer, upscaler=upscaler, meter=meter, settings=job.settings)
    with VideoWriter(silent, fps=video.fps, quality=quality) as writer:
        shown = tqdm(frames, desc="enhance", total=video.frame_count, unit="frame", disable=not job.progress)
        for frame in job.watch.each("enhance", shown):
            with job.watch.measure("encode"):
                writer.write(frame)
    return writer.frame_count


def _track_to_measure(video: VideoInfo, job: EnhanceJob) -> FaceTrack | None:
    """Where the face is, so that its flicker can be measured, and where the cuts are; the picture stays as it lies.

    None, and a warning, where that cannot be found out: it is no reason not to upscale.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LipwiseWarning)  # they speak of a clip that would be turned, and is not
            track = track_faces(video, detector=job.detector, progress=job.progress)
    except LipwiseError as error:
        said = f"how much the face flickers is not measured: {error.what} ({error.cause})"
        warnings.warn(said, LipwiseWarning, stacklevel=2)
        return None
    return _as_it_lies(track)


def _as_it_lies(track: FaceTrack) -> FaceTrack:
    """The same mesh in the pixels of the frames before they were turned."""
    mesh, (width, height) = track.mesh_xy, track.size_wh
    for _ in range(track.rotation // 90):  # a quarter turn against the clock each
        mesh = np.stack([mesh[..., 1], width - 1 - mesh[..., 0]], -1)
        width, height = height, width
    return replace(track, mesh_xy=mesh, size_wh=(width, height), rotation=0)
