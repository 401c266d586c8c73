"""Everything that the quickstart shows round a run: speech, costs, one frame, the result, what was done, a download."""

from lipwise.notebook.choices import Choice, Choices, measure_choices
from lipwise.notebook.hand_over import download
from lipwise.notebook.one_frame import Preview, Stretch, look_round, preview
from lipwise.notebook.show_run import RunCard, card, compare, one_frame
from lipwise.notebook.speech_source import SpeechSource, choose_speech, needs_consent

__all__ = [
    "Choice",
    "Choices",
    "Preview",
    "RunCard",
    "SpeechSource",
    "Stretch",
    "card",
    "choose_speech",
    "compare",
    "download",
    "look_round",
    "measure_choices",
    "needs_consent",
    "one_frame",
    "preview",
]
