"""One photo enhanced, or all of a folder."""

import warnings
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from lipwise.errors import DiskFullError, LipwiseError, LipwiseWarning, MediaError
from lipwise.faces.rotation import turn_frame
from lipwise.faces.track import FaceTrack
from lipwise.files import no_empty_folders
from lipwise.media.output import MUXERS
from lipwise.media.photo_notes import PhotoNotes, read_notes
from lipwise.media.picture import ENDINGS, check_picture_destination, read_picture, write_picture
from lipwise.media.probe import probe
from lipwise.media.still import further_notes
from lipwise.pipeline.enhance_job import EnhanceJob
from lipwise.pipeline.enhancers import tell_of_enhancement
from lipwise.pipeline.report import EnhanceReport, counted
from lipwise.stages.aligned import FaceCount
from lipwise.stages.clean import track_people
from lipwise.stages.mesh_track import with_mesh
from lipwise.stages.photo import enhance_photo

MOST_NAMED = 5  # files in one sentence
Pair = tuple[Path, Path]  # a photo, and where its result goes


def photos_of(folder: Path, out: Path) -> list[Pair]:
    """The photos of a folder, not of those in it, and where their results go: under the same names.

    Names that begin with a dot are nobody's photos: programs keep notes under them.

    Raises:
        MediaError: there is none, or `out` is a file, has the name of one or cannot be written to.

    Warns:
        LipwiseWarning: there are other files, which are left out.
    """
    files = sorted(path for path in folder.iterdir() if not path.is_dir() and not path.name.startswith("."))
    found = [path for path in files if path.suffix.lower() in ENDINGS and path.is_file()]
    if not found:
        raise MediaError(
            f"{folder} holds no photo",
            cause=f"no name in it ends in {', '.join(ENDINGS)}",
            next_step="name a folder of photos, one photo, or a video",
        )
    if out.is_file():
        raise MediaError(f"{out} cannot hold photos", cause="it is a file", next_step="name a folder, new or not")
    if out.suffix.lower() in (*ENDINGS, *MUXERS) and not out.is_dir():
        raise MediaError(
            f"{out} cannot hold photos",
            cause=f"{folder} is a folder, and '{out.suffix}' is the ending of a single file",
            next_step="name a folder for the results, such as restored",
        )
    target = out / found[0].name
    with no_empty_folders(target, keep=False):
        check_picture_destination(target)
    kept = set(found)
    others = [path.name for path in files if path not in kept]
    if others:
        named = ", ".join(others[:MOST_NAMED]) + (", ..." if len(others) > MOST_NAMED else "")
        said = f"{counted(len(others), 'file')} left out, no photo by name or nothing behind it: {named}"
        warnings.warn(said, LipwiseWarning, stacklevel=3)
    return [(path, out / path.name) for path in found]


def enhance_photos(pairs: list[Pair], out: Path, job: EnhanceJob) -> EnhanceReport:
    """Restore all faces of photos and upscale them, one photo after the other.

    Of several, those that cannot be enhanced are left out and told; an error is raised when none can be.

    Raises:
        DiskFullError: no space is left; the photos behind are not begun.
        LipwiseError: what is wrong with the only photo, or with the last one of which none can be enhanced.
    """
    with no_empty_folders(pairs[0][1]):
        counts, sizes, failed = _enhance_each(pairs, job)
    told = tell_of_enhancement(job.enhancers, counts, None)
    sizes_wh = set(sizes.values())
    size_wh = sizes_wh.pop() if len(sizes_wh) == 1 else None
    return EnhanceReport(out, len(sizes), size_wh, told, (), {}, sizes=sizes, failed=tuple(failed))


def _enhance_each(pairs: list[Pair], job: EnhanceJob) -> tuple[FaceCount, dict[str, tuple[int, int]], list[str]]:
    """What became of all faces, the sizes of the results, and the names of the photos that failed."""
    counts, sizes, failed = np.zeros(4, int), {}, []
    for path, target in tqdm(pairs, desc="enhance", unit="photo", disable=not job.progress or len(pairs) == 1):
        said = f"{path.name} was left out"
        try:
            result, notes, count = _enhanced(path, target, job)
            said = f"{path.name} was enhanced but not written"
            write_picture(target, result, notes=notes)
        except DiskFullError as error:
            done = f"; {len(sizes)} of {len(pairs)} photos were written" if len(pairs) > 1 else ""
            raise DiskFullError(error.what, cause=error.cause + done, next_step=error.next_step) from error
        except LipwiseError as error:
            if len(failed) == len(pairs) - 1:
                raise
            warnings.warn(f"{said}: {error.what}: {error.cause}", LipwiseWarning, stacklevel=2)
            failed.append(path.name)
        else:
            sizes[target.name] = (result.shape[1], result.shape[0])
            counts += (count.restored, count.small, count.not_synthesised, count.without_face)
    return FaceCount(*(int(number) for number in counts)), sizes, failed


def _enhanced(path: Path, target: Path, job: EnhanceJob) -> tuple[np.ndarray, PhotoNotes, FaceCount]:
    """The result, what it says beside its pixels, and what became of the faces."""
    picture, notes = read_picture(path), read_notes(path)
    for note in further_notes(path):
        warnings.warn(f"{path.name}: {note}", LipwiseWarning, stacklevel=3)
    check_picture_destination(target, job.enhancers.size_for((picture.shape[1], picture.shape[0])))
    with job.watch.measure("find the faces"):
        tracks = _faces_of(path, job.detector) if job.enhancers.restorer is not None else []
    if tracks:
        picture = turn_frame(picture, tracks[0].rotation)
    with job.watch.measure("enhance"):
        result, count = enhance_photo(picture, tracks, enhancers=job.enhancers, settings=job.settings)
    return result, notes, count


def _faces_of(path: Path, detector: str) -> list[FaceTrack]:
    """A track of one frame for every face of a photo, from left to right."""
    video = probe(path)
    tracks = [with_mesh(video, track) for track in track_people(video, detector=detector)]
    return [track for track in tracks if track.has_face.any()]
