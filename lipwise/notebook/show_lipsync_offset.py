"""How much earlier than the sound lips move: measured on pictures, and drawn.

The measure needs no trained judge: the gap between the lips in the pictures is compared with the opening that the
built-in network hears, at every shift in time. Where the two agree best is the lead.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from lipwise.faces.mesh import LOOK_MARGINS, FaceMesh, mesh_points
from lipwise.faces.track import FaceTrack
from lipwise.landmarks import mouth_gap
from lipwise.models.mouth_shape import mouth_targets
from lipwise.models.viseme_net import WINDOW_SHIFT_S, predict_mouth
from lipwise.notebook.show import PAGE_IN
from lipwise.stages.speech import Speech
from lipwise.timeline import Timeline
from lipwise.weights import fetch_weights

MOST_LEAD_S = 0.4  # the furthest shift that is tried, either way
LEAST_FRAMES = 12  # compared at a shift; fewer agree by chance


def heard_opening(speech: Speech, fps: Fraction, *, count: int | None = None) -> np.ndarray:
    """How far apart the built-in network wants the lips, (count,) float32 in eye distances.

    Args:
        count: frames; None is as many as the recording lasts.
    """
    count = speech.frame_count(fps) if count is None else count
    windows = speech.windows(fps, first=0, count=count, offset_s=WINDOW_SHIFT_S)
    return mouth_targets(predict_mouth(windows))[0]


def shown_opening(frames: Iterable[np.ndarray], track: FaceTrack, timeline: Timeline) -> np.ndarray:
    """How far apart the lips are in the pictures of a result, (T_out,) in eye distances, NaN without a face.

    The mesh is laid on each picture anew; where the face is, is known from the clip's track.

    Args:
        frames: as many as the timeline is long, (H, W, 3) uint8 RGB.

    Raises:
        WeightsError: the face mesh is not there.
    """
    net = FaceMesh(fetch_weights("face_mesh")[0], margins=LOOK_MARGINS[:1])  # one look: half the time
    sources = timeline.source_index
    mesh = mesh_points(frames, track.landmarks_xy[sources], net, shot=track.shot[sources], smooth_frames=0)
    return mouth_gap(mesh)


def agreement(shown: np.ndarray, heard: np.ndarray, fps: Fraction) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of what is shown with what is heard, for each lead of the lips.

    Args:
        shown, heard: (T,) openings; NaN in the first is left out.

    Returns:
        leads_s: (L,) seconds, above 0 the lips come first.  correlations: (L,), NaN where too little overlaps.
    """
    most = min(round(MOST_LEAD_S * fps), len(shown) - 1)
    leads = np.arange(-most, most + 1)
    return leads / float(fps), np.array([_correlation(shown, heard, int(lead)) for lead in leads])


def _correlation(shown: np.ndarray, heard: np.ndarray, lead: int) -> float:
    """Of shown[t] with heard[t + lead]."""
    first, stop = max(0, -lead), len(shown) - max(0, lead)
    seen, said = shown[first:stop], heard[first + lead : stop + lead]
    both = np.isfinite(seen) & np.isfinite(said)
    if both.sum() < LEAST_FRAMES:
        return np.nan
    seen, said = seen[both] - seen[both].mean(), said[both] - said[both].mean()
    scale = float(np.sqrt((seen**2).sum() * (said**2).sum()))
    return float((seen * said).sum()) / scale if scale > 0 else np.nan


def lead_s(shown: np.ndarray, heard: np.ndarray, fps: Fraction) -> float:
    """How much earlier than the sound the lips move, in seconds; NaN where nothing can be said.

    The best lead of `agreement`, refined between frames by the parabola through it and its neighbours.
    """
    leads, values = agreement(shown, heard, fps)
    if not np.isfinite(values).any():
        return np.nan
    best = int(np.nanargmax(values))
    between = 0.0
    if 0 < best < len(values) - 1 and np.isfinite(values[best - 1 : best + 2]).all():
        before, here, after = values[best - 1 : best + 2]
        between = 0.5 * (before - after) / min(before - 2 * here + after, -1e-9)
    return float(leads[best] + between / float(fps))


def sweep(shown: Mapping[float, np.ndarray], heard: np.ndarray, fps: Fraction) -> Figure:
    """Agreement against lead for each audio offset that was set, and the lead measured against the one set.

    Args:
        shown: audio offset in seconds -> (T,) opening of the result made with it.
        heard: (T,) opening heard with none.
    """
    figure, (curves, measured) = plt.subplots(1, 2, figsize=(PAGE_IN, 4), width_ratios=(3, 2), layout="constrained")
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(shown)))
    offsets_s = np.array(list(shown))
    for (offset_s, opening), colour in zip(shown.items(), colours, strict=True):
        found_s = lead_s(opening, heard, fps)
        name = f"{offset_s:+.2f} s" if offset_s else "0 s"
        curves.plot(*agreement(opening, heard, fps), color=colour, lw=2, label=name)
        curves.axvline(found_s, color=colour, lw=1, ls=":")
        measured.plot(offset_s, found_s, "o", ms=9, color=colour)
    reach = 1.2 * max(float(np.abs(offsets_s).max()), float(1 / fps))
    measured.plot([-reach, reach], [-reach, reach], color="0.6", zorder=0, label="as it should be")
    curves.set(xlabel="lead of the lips (seconds)", ylabel="agreement of lips and sound")
    curves.legend(title="audio_offset_s", fontsize=9)
    measured.set(xlabel="audio_offset_s that was set", ylabel="lead that was measured (seconds)")
    measured.legend(fontsize=9)
    for place in (curves, measured):
        place.grid(alpha=0.3)
    plt.close(figure)
    return figure
