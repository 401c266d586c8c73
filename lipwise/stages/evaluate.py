"""How well did it go: a result beside its source, and its mouth beside its sound.

Only the result is looked at anew; the source's face is known from its track.
"""

import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lipwise.errors import FaceError, LipwiseError, MediaError, SpeechError, WeightsError
from lipwise.faces.track import FaceTrack
from lipwise.media.audio import SAMPLE_RATE, load_audio
from lipwise.media.probe import VideoInfo
from lipwise.media.sound import save_wav
from lipwise.stages.compare import compare_pictures, is_resized
from lipwise.stages.evaluation import FIGURES, Evaluation
from lipwise.stages.findings import (
    INSIDE,
    MOUTH,
    ONE_PICTURE,
    OUTSIDE,
    PICTURE,
    STEADY,
    SYNC,
    UNLIKE_DB,
    WHY_NONE,
    Findings,
    Heard,
    SoundPart,
)
from lipwise.stages.lse import SyncNetwork, SyncScores
from lipwise.stages.lse_clip import clip_sync_scores, load_sync_network
from lipwise.stages.mouth_figures import MouthFigures, look_again, mouth_figures
from lipwise.stages.pair import Pair
from lipwise.stages.pasted import PastedRegion
from lipwise.stages.speech import Speech, load_speech
from lipwise.weights import find_weights

NO_SYNCNET = (
    'SyncNet\'s weights are not there; lipwise.fetch_weights("syncnet", accept_licence=True) fetches them: 55 MB, '
    "published without clear terms, so treat them as for research only"
)


def measure(
    pair: Pair,
    *,
    speech: Speech | str | Path | None = None,
    pasted: PastedRegion | None = None,
    sync: SyncNetwork | Literal["auto"] | None = "auto",
    detector: str = "auto",
    cache: bool = True,
    progress: bool = False,
) -> Evaluation:
    """Measure everything that can be; `lipwise.evaluate` tells what the arguments mean."""
    found = Findings(remarks=list(pair.remarks))
    _picture(found, pair, pasted, progress)
    track = _own_track(found, pair, detector, cache, progress)
    heard = _own_sound(found, pair, speech)
    theirs = _source_sound(found, pair)
    if track is not None and heard is not None:
        _mouth(found, "offset", track, heard.mel, pair.result)
    if theirs is not None and pair.track is not None and pair.source is not None:
        _mouth(found, "source_offset", pair.track, theirs, pair.source, start_s=pair.source_start_s)
    _sync(found, pair, track, heard, sync, progress)
    return Evaluation(
        result=pair.result.path,
        source=None if pair.source is None else pair.source.path,
        frames=pair.result.frame_count,
        fps=float(pair.result.fps),
        size_wh=pair.result.size_wh,
        figures=_in_order(found.figures),
        anchors=_in_order(found.anchors),
        missing=_in_order(found.missing),
        missing_anchors=_in_order(found.missing_anchors),
        remarks=tuple(dict.fromkeys(found.remarks)),
        curves=found.curves,
        **found.parts,
    )


def _in_order(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in FIGURES if name in values}


def _picture(found: Findings, pair: Pair, pasted: PastedRegion | None, progress: bool) -> None:
    if pair.source is None or pair.track is None or pair.timeline is None:
        found.miss(PICTURE, pair.unmatched or "no source was given to compare with")
        return
    try:
        seen = compare_pictures(pair.result, pair.source, pair.track, pair.timeline, pasted=pasted, progress=progress)
    except LipwiseError as error:
        found.miss(PICTURE, error)
        return
    values = dict(zip(OUTSIDE, seen.outside, strict=True)) | dict(zip(INSIDE[:2], seen.inside, strict=True))
    values |= dict(zip((*INSIDE[2:], *STEADY), (seen.seam, seen.seam_worst, seen.flicker, seen.trembling), strict=True))
    reasons = WHY_NONE
    if pair.source.frame_count == 1:
        values["flicker"], reasons = np.nan, WHY_NONE | {"flicker": ONE_PICTURE}
    for name, value in values.items():
        if np.isfinite(value):
            found.figures[name] = float(value)
        else:
            found.miss([name], reasons[name])
    found.curves |= seen.curves
    if is_resized(pair.result, pair.source):
        sizes = [f"{width} x {height}" for width, height in (pair.result.size_wh, pair.source.size_wh)]
        found.remarks.append(f"for comparing, frames of {sizes[0]} were resized to {sizes[1]} pixels")
    if found.figures.get("psnr_outside_db", UNLIKE_DB) < UNLIKE_DB:
        found.remarks.append("the pictures hardly agree outside the mask: is this the source, and its timeline?")


def _own_track(found: Findings, pair: Pair, detector: str, cache: bool, progress: bool) -> FaceTrack | None:
    """The face as the result shows it."""
    try:
        return look_again(pair.result, pair.track, pair.timeline, detector=detector, cache=cache, progress=progress)
    except FaceError as error:
        found.miss((*MOUTH, *SYNC), error)
        return None


def _own_sound(found: Findings, pair: Pair, speech: Speech | str | Path | None) -> Heard | None:
    """What is heard with the result."""
    if isinstance(speech, Speech):
        return Heard(speech.mel, SoundPart(speech.path, speech.start_s, speech.end_s))
    path = pair.result.path if speech is None else Path(speech)
    try:
        if speech is None and not pair.result.has_audio:
            raise SpeechError(
                f"{path.name} has no sound", cause="its file holds a picture only", next_step="name the speech"
            )
        return Heard(load_speech(path).mel, SoundPart(path))
    except (SpeechError, MediaError) as error:
        if speech is not None and isinstance(error, MediaError):
            raise
        found.miss([name for name in (*MOUTH, *SYNC) if name not in found.missing], error)
        return None


def _source_sound(found: Findings, pair: Pair) -> np.ndarray | None:
    """The mel of the source clip's own sound, the anchor of everything about sync."""
    why: str | LipwiseError = _why_no_anchor(pair)
    if not why and pair.source is not None:
        try:
            return load_speech(pair.source.path).mel
        except LipwiseError as error:
            why = error
    found.miss((*MOUTH, *SYNC), why, anchor=True)
    return None


def _why_no_anchor(pair: Pair) -> str:
    """Why the source has no speaking face to compare with; empty where it may have one."""
    if pair.source is None or pair.track is None:
        return "no source was given"
    name = pair.source.path.name
    if pair.source.is_still:
        return f"{name} is a picture and says nothing"
    if not pair.source.has_audio:
        return f"{name} has no sound of its own"
    return "" if pair.track.has_face.any() else f"no face is seen in {name}"


def _mouth(
    found: Findings, part: str, track: FaceTrack, mel: np.ndarray, video: VideoInfo, *, start_s: float = 0.0
) -> None:
    """Mouth against sound of the result (part "offset") or the source ("source_offset")."""
    anchor = part != "offset"
    try:
        seen: MouthFigures = mouth_figures(track.mesh_xy, mel, fps=video.fps, start_s=start_s)
    except (FaceError, SpeechError) as error:
        found.miss(MOUTH, error, anchor=anchor)
        return
    values = (seen.opening, seen.width, seen.offset.offset_s, seen.offset.confidence)
    (found.anchors if anchor else found.figures).update(zip(MOUTH, values, strict=True))
    found.parts[part] = seen.offset
    if not anchor:
        found.curves |= seen.curves


def _sync(
    found: Findings,
    pair: Pair,
    track: FaceTrack | None,
    heard: Heard | None,
    sync: SyncNetwork | Literal["auto"] | None,
    progress: bool,
) -> None:
    """SyncNet's scores of the result, and of the source clip as their anchor."""
    network, why = _sync_network(sync)
    if network is None:
        found.miss(SYNC, why)
        found.miss(SYNC, why, anchor=True)
        return
    if track is not None and heard is not None:
        _score(found, "sync", pair.result, track, network, heard.part, progress)
    if SYNC[0] not in found.missing_anchors and pair.source is not None and pair.track is not None:
        own = SoundPart(pair.source.path, pair.source_start_s)
        _score(found, "source_sync", pair.source, pair.track, network, own, progress)


def _sync_network(sync: SyncNetwork | Literal["auto"] | None) -> tuple[SyncNetwork | None, str]:
    if sync is None:
        return None, "SyncNet was not asked for"
    if sync != "auto":
        return sync, ""
    if find_weights("syncnet") is None:
        return None, NO_SYNCNET
    try:
        return load_sync_network(), ""
    except WeightsError as error:
        return None, f"{error.what} ({error.cause})"


def _score(
    found: Findings,
    name: str,
    video: VideoInfo,
    track: FaceTrack,
    network: SyncNetwork,
    part: SoundPart,
    progress: bool,
) -> None:
    anchor = name != "sync"
    try:
        with tempfile.TemporaryDirectory() as folder:
            sound = _own_file(part, Path(folder))
            scores: SyncScores = clip_sync_scores(video, track, network=network, sound=sound, progress=progress)
    except (FaceError, SpeechError, MediaError) as error:
        found.miss(SYNC, error, anchor=anchor)
        return
    values = (scores.lse_d, scores.lse_c, float(scores.offset_frames))
    (found.anchors if anchor else found.figures).update(zip(SYNC, values, strict=True))
    found.parts[name] = scores


def _own_file(part: SoundPart, folder: Path) -> Path:
    """A file that holds just this part."""
    if part.start_s <= 0 and part.end_s is None:
        return part.path
    waveform = load_audio(part.path, start_s=part.start_s, end_s=part.end_s)
    return save_wav(folder / "part.wav", waveform, sample_rate=SAMPLE_RATE)
