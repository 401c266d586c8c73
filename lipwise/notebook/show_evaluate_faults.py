"""A stretch of a result, spoiled on purpose: which figure notices which fault."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipwise.media.audio import SAMPLE_RATE, load_audio
from lipwise.media.probe import probe
from lipwise.media.read import read_frames
from lipwise.media.sound import read_sound, save_wav
from lipwise.media.write import write_video
from lipwise.notebook.show import PAGE_IN
from lipwise.notebook.show_evaluate_mouth import delayed
from lipwise.notebook.show_evaluate_picture import face_place
from lipwise.notebook.show_evaluate_table import verdict
from lipwise.pipeline.evaluate import evaluate, pasted_by
from lipwise.pipeline.plan import Plan
from lipwise.stages.compare import like_source
from lipwise.stages.evaluation import FIGURES, Evaluation
from lipwise.timeline import Timeline

SHOWN = ("psnr_outside_db", "psnr_inside_db", "seam", "flicker", "trembling", "mouth_opening", "offset_s")
SHOWN_AT = 0.5  # of the stretch: the frame in the figure
QUALITY = 10  # of x264, nearly without loss: what is measured is the fault and not the encoding
BACKGROUNDS = {"good": "#d5efdf", "fair": "#fbeecb", "bad": "#f6cdd3", "": "#ffffff"}
PATCH, FLASH = 40, 10  # grey levels by which a fault makes pixels lighter
CELL_IN = 0.34  # height of a row of the table

Change = Callable[[int, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Trial:
    """A spoiled stretch: how it was judged, and one of its frames (H, W, 3), cut to the face."""

    evaluation: Evaluation
    picture: np.ndarray


class Stretch:
    """Some consecutive frames of a result, to be changed and judged.

    Args:
        plan: of the run that made the result.
        result: its video, with sound.
        count: how many frames; at most as many as there are.
        first: the first of them; None takes the stretch in which most frames have new lips.
    """

    def __init__(self, plan: Plan, result: str | Path, *, count: int, first: int | None = None) -> None:
        self.plan, self.video = plan, probe(result)
        self.count = min(count, self.video.frame_count)
        last = self.video.frame_count - self.count
        new = np.concatenate([[0], np.cumsum(plan.timeline.synth)])
        best = int(np.argmax(new[self.count :] - new[: last + 1]))
        self.first = min(best if first is None else first, last)
        self._rows = plan.timeline.source_index[self.first : self.first + self.count]

    @property
    def timeline(self) -> Timeline:
        """Which frame of the source each frame of the stretch was."""
        return Timeline(self._rows, self.plan.timeline.synth[self.first : self.first + self.count], self.video.fps)

    def judge(self, change: Change | None = None, *, late_s: float = 0.0) -> Trial:
        """Change the stretch and evaluate it.

        Args:
            change: takes a frame's number in the stretch, the source's frame and the result's (H, W, 3) of one size,
                and gives the one to show; None shows the result's.
            late_s: the sound is moved so many seconds later, below 0 earlier.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            made = write_video(
                folder / "trial.mp4",
                self._changed(change),
                fps=self.video.fps,
                sound=read_sound(self._sound(folder, late_s)),
                quality=QUALITY,
            )
            judged = self._evaluated(made)
            picture = next(read_frames(made, [int(SHOWN_AT * self.count)]))
        return Trial(judged, face_place(self.plan.track, room=0.0).of(picture))

    def _evaluated(self, made: Path) -> Evaluation:
        plan = self.plan
        given = {"source": plan.video, "track": plan.track, "timeline": self.timeline}
        return evaluate(made, **given, pasted=pasted_by(plan.recipe), sync=None, cache=False)

    def _sound(self, folder: Path, late_s: float) -> Path:
        rate = float(self.video.fps)
        start = round(self.first / rate * SAMPLE_RATE)
        heard = delayed(load_audio(self.video.path), late_s)[start : start + round(self.count / rate * SAMPLE_RATE)]
        return save_wav(folder / "trial.wav", heard, sample_rate=SAMPLE_RATE)

    def _changed(self, change: Change | None) -> Iterator[np.ndarray]:
        numbers = np.arange(self.first, self.first + self.count)
        pairs = zip(read_frames(self.plan.video, self._rows), read_frames(self.video, numbers), strict=True)
        for number, (before, after) in enumerate(pairs):
            after = like_source(after, before)
            yield after if change is None else change(number, before, after)

    # What can be done to a frame; each is a `Change`.

    def untouched(self, _number: int, before: np.ndarray, _after: np.ndarray) -> np.ndarray:
        """The clip as it was: nobody touched the mouth."""
        return before

    def patch(self, number: int, _before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """The new mouth is lighter than the face it was pasted into, with a hard edge."""
        row, size_wh = int(self._rows[number]), (after.shape[1], after.shape[0])
        inside = pasted_by(self.plan.recipe).mask(self.plan.track, row, size_wh) > 0.5
        return np.where(inside[..., None], _lighter(after, PATCH), after)

    def flicker(self, number: int, _before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Every second frame is lighter."""
        return _lighter(after, FLASH * (number % 2))


def _lighter(frame: np.ndarray, by: int) -> np.ndarray:
    return np.clip(frame.astype(np.int16) + by, 0, 255).astype(np.uint8)


def faults(trials: Mapping[str, Trial]) -> Figure:
    """A frame of each trial, and below it what the figures say: good (green), fair (yellow) or bad (red).

    A figure that could not be measured, as of a mouth that does not move, is "none" and counts as bad.
    """
    heights = (PAGE_IN / (len(trials) + 1), CELL_IN * len(SHOWN))
    figure, (pictures, cells) = plt.subplots(
        2, len(trials) + 1, figsize=(PAGE_IN, sum(heights) + 0.5), height_ratios=heights, layout="constrained"
    )
    pictures[0].axis("off")
    _write_column(cells[0], [FIGURES[name].label.strip() for name in SHOWN], [""] * len(SHOWN), align="right")
    for place, below, (name, trial) in zip(pictures[1:], cells[1:], trials.items(), strict=True):
        place.imshow(trial.picture)
        place.set_title(name, fontsize=10)
        place.axis("off")
        values = {key: trial.evaluation.figures.get(key) for key in SHOWN}
        words = ["none" if value is None else FIGURES[key].form.format(value) for key, value in values.items()]
        judged = ["bad" if value is None else verdict(key, value) for key, value in values.items()]
        _write_column(below, words, judged)
    plt.close(figure)
    return figure


def _write_column(axes: Axes, words: list[str], judged: list[str], *, align: str = "center") -> None:
    axes.set(xlim=(0, 1), ylim=(len(words), 0))
    axes.axis("off")
    for row, (word, kind) in enumerate(zip(words, judged, strict=True)):
        axes.axhspan(row + 0.04, row + 0.96, color=BACKGROUNDS[kind])
        axes.text(1 if align == "right" else 0.5, row + 0.5, word, ha=align, va="center", fontsize=10, color="black")
