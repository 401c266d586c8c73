"""The parameter panel: one frame, the settings of lip-sync under your hand, and the line of code that says the same.

A thin view: every move makes a `LipsyncSettings` and shows what `lipsync_steps` gives for it. Only what ipywidgets 7.7
and 8 have in common is used, without the Output widget, which notebook 6.5 does not show.
"""

import html
from collections.abc import Mapping
from typing import Any, cast, get_args

import cv2
import ipywidgets
import numpy as np

from lipwise.errors import FaceError, SettingsError
from lipwise.faces.blend import Region
from lipwise.faces.crop import Box, clip_box
from lipwise.faces.track import FaceTrack
from lipwise.landmarks import FACE_OVAL, MOUTH_CORNERS, eye_distance
from lipwise.media.probe import VideoInfo
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.models.generator import Generator, GeneratorState
from lipwise.notebook.widgets import as_jpeg
from lipwise.stages.lipsync import LipsyncSettings, LipsyncStep, lipsync_steps, prepare_lipsync
from lipwise.stages.speech import Speech
from lipwise.timeline import Timeline

PICTURE_PX = 300  # side of each of the three pictures
MOST_PAD = 1.5  # of a pad, in eye distances
VIEW_REACH = 0.9  # how far the first picture reaches beyond the face, in eye distances
CLOSE_REACH = 1.3  # how far the last one reaches from the mouth
MOST_OFFSET_S, OFFSET_STEP_S = 0.3, 0.02
BOX_RGB, MASK_RGB = (255, 220, 0), (0, 255, 255)
SIDES = ("above", "below", "left", "right")
CONTROL_WIDTH, LABEL_WIDTH = "24em", "7em"  # one for all controls: they stand below each other, no label is cut


def code_of(settings: LipsyncSettings, *, name: str = "settings") -> str:
    """The line of code that makes these settings; what is as by default stays out."""
    default = LipsyncSettings()
    changed = {
        key: value for key in LipsyncSettings.model_fields if (value := getattr(settings, key)) != getattr(default, key)
    }
    arguments = (f'{key}="{value}"' if isinstance(value, str) else f"{key}={value!r}" for key, value in changed.items())
    return f"{name} = lw.LipsyncSettings({', '.join(arguments)})"


def views_of(mesh_xy: np.ndarray, size_wh: tuple[int, int]) -> tuple[Box, Box]:
    """The parts of a frame that the panel shows whatever is set: round a face (468, 2), and round its mouth."""
    oval, unit = mesh_xy[FACE_OVAL], float(eye_distance(mesh_xy))
    middle, half = (oval.min(0) + oval.max(0)) / 2, float(np.ptp(oval, axis=0).max()) / 2 + VIEW_REACH * unit
    mouth, near = mesh_xy[MOUTH_CORNERS].mean(0), CLOSE_REACH * unit
    return (
        clip_box((*(middle - half), *(middle + half)), size_wh),
        clip_box((*(mouth - near), *(mouth + near)), size_wh),
    )


def picture_of(step: LipsyncStep, view: Box, close: Box, *, network_px: int | None) -> np.ndarray:
    """Three pictures beside each other, (300, 900, 3) uint8 RGB: where, what the generator is shown, what comes out.

    Args:
        step: as `lipsync_steps` gives it.
        view, close: parts of the frame to show, of the first and the last picture.
        network_px: side of a network that is shown its crop with the lower half blacked out; None for another one.
    """
    where = step.frame.copy()
    line = max(1, round(view.size_wh[0] / PICTURE_PX * 2))
    outline, _ = cv2.findContours(
        (step.mask >= 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=step.box[:2]
    )
    cv2.drawContours(where, outline, -1, MASK_RGB, line)
    cv2.rectangle(where, step.box[:2], (step.box.x1 - 1, step.box.y1 - 1), BOX_RGB, line)
    shown = step.crop
    if network_px is not None:
        shown = cv2.resize(shown, (network_px, network_px), interpolation=cv2.INTER_AREA)
        shown[network_px // 2 :] = 0
    return np.hstack([_square(view.of(where)), _square(shown), _square(close.of(step.result))])


def _square(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) in a black square of the panel's height, its shape kept."""
    scale = PICTURE_PX / max(picture.shape[:2])
    size_wh = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    small = cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    right, below = PICTURE_PX - size_wh[0], PICTURE_PX - size_wh[1]
    edges = (below // 2, below - below // 2, right // 2, right - right // 2)
    return cv2.copyMakeBorder(small, *edges, cv2.BORDER_CONSTANT, value=(0, 0, 0))


class ParameterPanel(ipywidgets.VBox):
    """Pads, region, feather and audio offset of one frame, tried by hand.

    `settings` is what is set now, `generator` what makes the mouth.

    Args:
        video, track, timeline, speech: as for `lipwise.lipsync_frames`.
        generators: name -> generator, the first one is shown first.
        number: the output frame.

    Raises:
        FaceError: the frame shows no face.
        SettingsError: there is no such frame, or no generator.
    """

    def __init__(
        self,
        video: VideoInfo,
        track: FaceTrack,
        timeline: Timeline,
        speech: Speech,
        *,
        generators: Mapping[str, Generator],
        number: int,
    ) -> None:
        _check(timeline, generators, number)
        self.clip = (turn_video(video, track.rotation), track, timeline, speech)
        self.generators, self.number = dict(generators), number
        self._states: dict[tuple[str, float], GeneratorState] = {}
        source = int(timeline.source_index[number])
        self.frame = next(read_frames(self.clip[0], [source]))
        self.views = views_of(track.mesh_xy[source], (self.frame.shape[1], self.frame.shape[0]))
        default = LipsyncSettings()
        most = max(*default.pads, round(MOST_PAD * float(eye_distance(track.mesh_xy[source]))))
        self.choice = ipywidgets.Dropdown(options=list(self.generators), **_labelled("generator"))
        self.region = ipywidgets.Dropdown(options=list(get_args(Region)), value=default.region, **_labelled("region"))
        self.feather = _float_slider("feather", 0.02, 0.4, 0.02, default.feather)
        self.offset = _float_slider("offset (s)", -MOST_OFFSET_S, MOST_OFFSET_S, OFFSET_STEP_S, default.audio_offset_s)
        self.pads = [
            ipywidgets.IntSlider(value=pad, min=0, max=most, continuous_update=False, **_labelled(f"pad {side}"))
            for side, pad in zip(SIDES, default.pads, strict=True)
        ]
        as_wide = ipywidgets.Layout(width="auto", align_self="flex-start")
        self.reset = ipywidgets.Button(description="Defaults", icon="undo", layout=as_wide)
        self.picture = ipywidgets.Image(format="jpeg", layout=ipywidgets.Layout(max_width="100%"))
        self.caption = ipywidgets.HTML()
        self._resting, self._kept = False, default
        moved = [self.choice, self.region, self.feather, self.offset, *self.pads]
        for control in moved:
            control.observe(self._moved, names="value")
        self.reset.on_click(lambda _: self.set(LipsyncSettings()))
        flow = ipywidgets.Layout(flex_flow="row wrap")
        columns = [ipywidgets.VBox(part) for part in (moved[:4], self.pads)]
        super().__init__([ipywidgets.HBox(columns, layout=flow), self.reset, self.picture, self.caption])
        self.show()

    @property
    def settings(self) -> LipsyncSettings:
        """What is set now."""
        moved = {
            "region": self.region.value,
            "feather": round(self.feather.value, 6),  # a page sends 0.30000000000000004
            "pads": tuple(slider.value for slider in self.pads),
            "audio_offset_s": round(self.offset.value, 6),
        }
        return self._kept.model_copy(update=moved)

    @property
    def chosen(self) -> str:
        """What the generator is called here."""
        return cast("str", self.choice.value)

    @property
    def generator(self) -> Generator:
        """What makes the mouth now."""
        return self.generators[self.chosen]

    def set(self, settings: LipsyncSettings) -> None:
        """Move every control to these settings, and show them once; a slider that is too short for them grows."""
        self._resting, self._kept = True, settings
        self.region.value = settings.region
        values = (settings.feather, settings.audio_offset_s, *settings.pads)
        for slider, value in zip((self.feather, self.offset, *self.pads), values, strict=True):
            slider.min, slider.max = min(slider.min, value), max(slider.max, value)
            slider.value = value
        self._resting = False
        self.show()

    def step(self) -> LipsyncStep:
        """The frame as it is set now."""
        settings = self.settings
        key = (self.chosen, settings.audio_offset_s)
        chosen: dict[str, Any] = {"generator": self.generator, "settings": settings}
        if key not in self._states:
            self._states[key] = prepare_lipsync(*self.clip, **chosen)
        numbers = np.array([self.number])
        made = lipsync_steps([self.frame], numbers, *self.clip[1:], state=self._states[key], **chosen)[0]
        return cast("LipsyncStep", made)  # that the frame gets a mouth was checked when the panel was made

    def code(self) -> str:
        """The line that sets the same."""
        return code_of(self.settings)

    def show(self) -> None:
        """Make the frame and draw it."""
        has_pads = self.generator.crop == "face"
        for slider in self.pads:
            slider.disabled = not has_pads
        picture = picture_of(self.step(), *self.views, network_px=self.generator.crop_size if has_pads else None)
        self.picture.value = as_jpeg(picture)
        note = "" if has_pads else "; this generator cuts the mouth itself and takes no pads"
        about = "box (yellow) and mask (cyan); what the generator is shown; the result"
        self.caption.value = f"{about}{note}<br><code>{html.escape(self.code())}</code>"

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        return f"a panel for frame {self.number}; it needs a kernel, show_lipsync.beside draws a step without"

    def _moved(self, _change: object) -> None:
        if not self._resting:
            self.show()


def _check(timeline: Timeline, generators: Mapping[str, Generator], number: int) -> None:
    if not generators or not 0 <= number < len(timeline):
        raise SettingsError(
            f"There is nothing to show of frame {number}",
            cause=f"the result has {len(timeline)} frames, and {len(generators)} generators were given",
            next_step="give at least one generator, and a frame of the result",
        )
    if not timeline.synth[number]:
        raise FaceError(
            f"Frame {number} gets no new mouth",
            cause="no face was found in it, so it passes untouched",
            next_step="choose another frame: timeline.synth says which have a face",
        )


def _labelled(words: str) -> dict[str, Any]:
    """A control's label, and the widths that it has in common with the others."""
    layout = ipywidgets.Layout(width=CONTROL_WIDTH, max_width="100%")
    return {"description": words, "style": {"description_width": LABEL_WIDTH}, "layout": layout}


def _float_slider(words: str, low: float, high: float, step: float, value: float) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        value=value,
        min=low,
        max=high,
        step=step,
        continuous_update=False,
        readout_format=".2f",
        **_labelled(words),
    )
