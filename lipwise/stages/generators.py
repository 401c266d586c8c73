"""Generators by name or file."""

import warnings
from difflib import get_close_matches
from pathlib import Path

from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.models.generator import Generator
from lipwise.weights import fetch_weights
from lipwise.weights_list import weights_entries

BUILT_IN = "viseme"
FETCHED = ("wav2lip", "wav2lip_gan", "wav2lip_sd_gan")
GENERATORS = (BUILT_IN, *FETCHED)


def check_generator_name(name: str) -> None:
    """Refuse a name that is neither a known generator nor a file, before any work is done.

    Raises:
        SettingsError: names the nearest known ones.
    """
    if name in GENERATORS or Path(name).is_file():
        return
    near = get_close_matches(name, GENERATORS, n=2, cutoff=0.4)
    raise SettingsError(
        f"There is no generator {name!r}",
        cause="it is neither a known name nor the path of a checkpoint file",
        next_step=f"choose {' or '.join(near or GENERATORS)}, or give the path of a Wav2Lip checkpoint",
    )


def load_generator(name: str = BUILT_IN, *, device: str | None = None) -> Generator:
    """Load what makes the mouths.

    Args:
        name: "viseme" is built in and of preview quality. "wav2lip", "wav2lip_gan" and "wav2lip_sd_gan" are fetched
            (research and other non-commercial use only). Anything else is the path of a Wav2Lip checkpoint; a
            TorchScript file has to be one that a list of weights knows by its hash.
        device: "cuda", "cpu" ...; None chooses the best there is. The built-in generator always runs on the processor.

    Raises:
        SettingsError: no such name and no such file.
        WeightsError: the checkpoint cannot be had or is not one.
    """
    check_generator_name(name)
    if name == BUILT_IN:
        from lipwise.models.viseme import VisemeGenerator

        if device not in (None, "cpu"):
            warnings.warn(f"device={device!r} plays no part: {BUILT_IN} needs none", LipwiseWarning, stacklevel=2)
        return VisemeGenerator()
    from lipwise.models.wav2lip import load_wav2lip

    path = fetch_weights(name)[0] if name in FETCHED else Path(name)
    known = {entry.sha256 for entry in weights_entries().values()}
    return load_wav2lip(path, device=device, known_sha256=known)
