"""Wav2Lip for lessons: with trained weights where they are, else with weights that a formula gives.

The official weights may not be shipped, and a lesson must run without them. What it runs on then says so: nobody has
trained it, and its picture is noise.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from lipwise.errors import SettingsError
from lipwise.models.formula_weights import NOTE, load_network, write_untrained
from lipwise.weights import find_weights
from lipwise.weights_list import weights_entries

TRAINED = ("wav2lip_gan", "wav2lip", "wav2lip_sd_gan")  # the first that was fetched is taken
UNTRAINED = "untrained_wav2lip.pth"


class LessonWeights(NamedTuple):
    """A checkpoint to show.

    Attributes:
        path: of the file, for `lipwise.load_generator`.
        trained: False where the weights come from a formula.
    """

    path: Path
    trained: bool

    @property
    def name(self) -> str:
        """What the network is called in figures."""
        return "Wav2Lip" if self.trained else "Wav2Lip (untrained)"

    def __str__(self) -> str:
        """What a reader has to know of it."""
        if self.trained:
            return f"{self.path}: trained weights. Wav2Lip's are for research and other non-commercial use only."
        return f"{self.path}: {NOTE}. All steps round it are real."

    def network(self) -> Callable[..., Any]:
        """The bare network; see `lipwise.models.formula_weights.load_network`.

        Raises:
            CheckpointError: the file holds another network.
        """
        return load_network(self.path, known_sha256={entry.sha256 for entry in weights_entries().values()})


def lesson_weights(checkpoint: str | Path = "", *, folder: str | Path) -> LessonWeights:
    """The best Wav2Lip weights that are here: those asked for, else fetched ones, else some made from a formula.

    Nothing is downloaded.

    Args:
        checkpoint: a file of your own; empty looks for those that `lipwise.fetch_weights` has fetched.
        folder: where the file of 145 MB is written when there are none.

    Raises:
        SettingsError: there is no such checkpoint.
        OSError, MediaError: the folder cannot be written to.
    """
    if checkpoint:
        if not Path(checkpoint).is_file():
            raise SettingsError(
                f"There is no checkpoint {str(checkpoint)!r}",
                cause="no file has this path",
                next_step="name a Wav2Lip checkpoint, or leave it empty",
            )
        return LessonWeights(Path(checkpoint), Path(checkpoint).name != UNTRAINED)
    for name in TRAINED:
        path = find_weights(name)
        if path is not None:
            return LessonWeights(path, True)
    return LessonWeights(write_untrained(Path(folder) / UNTRAINED), False)
