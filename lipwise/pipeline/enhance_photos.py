"""One photo enhanced, or all of a folder."""

import warnings
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from lipwise.errors import LipwiseError, LipwiseWarning, MediaError
from lipwise.faces.rotation import turn_frame
from lipwise.faces.track import FaceTrack
from lipwise.media.picture import ENDINGS, check_picture_destination, read_picture, write_picture
from lipwise.media.probe import probe
from lipwise.pipeline.enhance_job import EnhanceJob
from lipwise.pipeline.enhancers import tell_of_enhancement
from lipwise.pipeline.report import EnhanceReport
from lipwise.stages.aligned import FaceCount
from lipwise.stages.clean import track_faces
from lipwise.stages.photo import enhance_photo

Pair = tuple[Path, Path]  # a photo, and where its result goes


def photos_of(folder: Path, out: Path) -> list[Pair]:
    """The photos of a folder, not of those in it, and where their results go: under the same names.

    Raises:
        MediaError: there is none, or `out` is a file.
    """
    found = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in ENDINGS)
    if not found:
        raise MediaError(
            f"{folder} holds no photo",
            cause=f"no name in it ends in {', '.join(ENDINGS)}",
            next_step="name a folder of photos, one photo, or a video",
        )
    if out.is_file():
        raise MediaError(f"{out} cannot hold photos", cause="it is a file", next_step="name a folder, new or not")
    return [(path, out / path.name) for path in found]


def enhance_photos(pairs: list[Pair], out: Path, job: EnhanceJob) -> EnhanceReport:
    """Restore all faces of photos and upscale them, one photo after the other.

    Of several, those that cannot be enhanced are left out and told; an error is raised when none can be.

    Raises:
        LipwiseError: what is wrong with the only photo, or with the last one of which none can be enhanced.
    """
    counts, sizes, failed = np.zeros(4, int), {}, []
    for path, target in tqdm(pairs, desc="enhance", unit="photo", disable=not job.progress or len(pairs) == 1):
        try:
            sizes[target.name], count = _enhance_one(path, target, job)
        except LipwiseError as error:
            if len(failed) == len(pairs) - 1:
                raise
            warnings.warn(f"{path.name} was left out: {error.what}: {error.cause}", LipwiseWarning, stacklevel=2)
            failed.append(path.name)
        else:
            counts += (count.restored, count.small, count.not_synthesised, count.without_face)
    told = tell_of_enhancement(job.enhancers, FaceCount(*(int(number) for number in counts)), None)
    last = list(sizes.values())[-1]
    return EnhanceReport(out, len(sizes), last, told, (), {}, sizes=sizes, failed=tuple(failed))


def _enhance_one(path: Path, target: Path, job: EnhanceJob) -> tuple[tuple[int, int], FaceCount]:
    """The size of the result, and what became of the faces."""
    picture = read_picture(path)
    upscaler, size_wh = job.enhancers.upscaler, (picture.shape[1], picture.shape[0])
    check_picture_destination(target, size_wh if upscaler is None else upscaler.size_for(size_wh))
    with job.watch.measure("find the faces"):
        tracks = _faces_of(path, job.detector) if job.enhancers.restorer is not None else []
    if tracks:
        picture = turn_frame(picture, tracks[0].rotation)
    with job.watch.measure("enhance"):
        result, count = enhance_photo(picture, tracks, enhancers=job.enhancers, settings=job.settings)
    write_picture(target, result)
    return (result.shape[1], result.shape[0]), count


def _faces_of(path: Path, detector: str) -> list[FaceTrack]:
    """A track of one frame for every face of a photo, from left to right."""
    video = probe(path)
    first = track_faces(video, detector=detector)
    if first.people[0] < 2:
        return [first] if first.has_face.any() else []
    tracks = [track_faces(video, detector=detector, choose=number) for number in range(int(first.people[0]))]
    return [track for track in tracks if track.has_face.any()]
