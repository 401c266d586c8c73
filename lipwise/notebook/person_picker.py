"""Choose whom to follow by clicking on a face.

A thin view: `lipwise.notebook.people` does without a browser what the picker does with one, and its `people_sheet` is
the picture that reads without a kernel. Only what ipywidgets 7.7 and 8 have in common is used; no widget of theirs
tells where a picture was clicked, so each face has a button.
"""

import html
from collections.abc import Callable, Sequence
from pathlib import Path

import ipywidgets
import numpy as np

from lipwise.faces.choose import Choice
from lipwise.faces.track import FaceTrack
from lipwise.media.probe import VideoInfo, probe
from lipwise.media.read import read_frames
from lipwise.media.turn import turn_video
from lipwise.notebook.people import PORTRAIT_PX, choice_of, click_on, code_of, fullest_frame, numbered_faces, portraits
from lipwise.notebook.widgets import as_jpeg
from lipwise.stages.clean import track_people


class PersonPicker(ipywidgets.VBox):
    """Everybody seen in a clip, each with a button that chooses them; `choice` is what `lipwise.examine` takes.

    Args:
        video: the clip, or its path.
        people: as `lipwise.track_people` gives them; None looks for them now.
        name: what the clip is called in the code that is shown.
    """

    def __init__(
        self, video: VideoInfo | str | Path, people: Sequence[FaceTrack] | None = None, *, name: str = "video"
    ) -> None:
        self.video = video if isinstance(video, VideoInfo) else probe(video)
        self.people = list(track_people(self.video) if people is None else people)
        self.name = name
        self.choice: Choice | None = None
        self.number: int | None = None
        self.upright = turn_video(self.video, self.people[0].rotation) if self.people else self.video
        self.said = ipywidgets.HTML()
        several = len(self.people) > 1
        super().__init__([self._portraits(), *(self._frame() if several else []), self.said])
        self._show()

    def _portraits(self) -> ipywidgets.Widget:
        """Portraits, each above its button."""
        self.buttons: dict[int, ipywidgets.Button] = {}
        columns = []
        for number, picture in portraits(self.video, self.people).items():
            image = ipywidgets.Image(value=as_jpeg(picture), format="jpeg", width=PORTRAIT_PX, height=PORTRAIT_PX)
            self.buttons[number] = _button(f"Follow {number}", lambda number=number: self.choose(number))
            seen = f"in {np.count_nonzero(self.people[number].has_face)} frames"
            columns.append(ipywidgets.VBox([image, self.buttons[number], ipywidgets.HTML(seen)]))
        return ipywidgets.HBox(columns, layout=ipywidgets.Layout(flex_flow="row wrap"))

    def _frame(self) -> list[ipywidgets.Widget]:
        """A frame to look for the person in, and a button for each face in it."""
        wide = ipywidgets.Layout(width="98%")
        last = self.video.frame_count - 1
        self.slider = ipywidgets.IntSlider(
            min=0, max=last, description="frame", continuous_update=False, layout=wide, value=fullest_frame(self.people)
        )
        self.picture = ipywidgets.Image(
            format="jpeg", layout=ipywidgets.Layout(max_width="100%", align_self="flex-start")
        )
        self.here = ipywidgets.HBox([], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self.slider.observe(self._moved, names="value")
        self._show_frame()
        return [self.slider, self.picture, self.here]

    def choose(self, number: int) -> None:
        """Follow a person in the whole clip; a portrait's button does this.

        Raises:
            SettingsError: there is nobody of this number.
        """
        self.choice, self.number = choice_of(self.people, number), number
        self._show()

    def choose_in(self, frame: int, number: int) -> None:
        """Follow whoever a person is in one frame; a button below the frame does this.

        Raises:
            SettingsError: there is nobody of this number, or not in this frame.
        """
        choice_of(self.people, number)  # refuses a number of nobody
        self.choice, self.number = click_on(self.people[number], frame), number
        self._show()

    def code(self) -> str:
        """The line of code that does the same."""
        return code_of(self.choice, name=self.name)

    def __repr__(self) -> str:
        """What a page without a kernel shows in the widget's place."""
        people = "1 person" if len(self.people) == 1 else f"{len(self.people)} people"
        return f"a picker of {people}; it needs a kernel, people_sheet draws a picture without"

    def _show(self) -> None:
        for number, button in self.buttons.items():
            button.icon = "check" if number == self.number else ""  # words on a colour would be faint
        if len(self.people) > 1:
            self._show_frame()
        words = _said(len(self.people), self.number, len(self.buttons))
        self.said.value = f"{words}<br><code>{html.escape(self.code())}</code>"

    def _show_frame(self) -> None:
        at = self.slider.value
        frame = next(read_frames(self.upright, [at]))
        self.picture.value = as_jpeg(numbered_faces(frame, self.people, at, chosen=self.number))
        there = [number for number, track in enumerate(self.people) if track.has_face[at]]
        self.here.children = tuple(
            _button(f"{number} here", lambda number=number: self.choose_in(at, number)) for number in there
        )

    def _moved(self, _change: object) -> None:
        self._show_frame()


def _button(words: str, does: Callable[[], None]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=words, layout=ipywidgets.Layout(width="auto"))
    button.on_click(lambda _: does())
    return button


def _said(count: int, number: int | None, shown: int) -> str:
    """What is to be said of the choice."""
    if count == 0:
        return "Nobody is seen: there is nobody to choose."
    if count == 1:
        return "One person is seen: there is nothing to choose."
    more = "" if shown == count else f" {count - shown} more are seen for less long: look for them in a frame."
    if number is None:
        return f"{count} people are seen, and nobody is chosen: the largest face is followed.{more}"
    return f"Person {number} is followed.{more}"
