"""Restorers and upscalers by name or file."""

import warnings
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.settings import NOT_A_NUMBER, is_number
from lipwise.weights import fetch_weights, weights_entries

if TYPE_CHECKING:  # at run time these bring torch along, so they are imported when a network is wanted
    from lipwise.models.device import Precision
    from lipwise.models.restorers import Restorer
    from lipwise.models.upscalers import Upscaler

Engine = Literal["gfpgan", "spandrel"]
RESTORERS = ("gfpgan_1.4", "gfpgan_1.3", "restoreformer", "codeformer")
NO_WEIGHTS = "lanczos"
DENOISING, DENOISING_LESS = "realesr_general_x4v3", "realesr_general_wdn_x4v3"
UPSCALERS = (
    NO_WEIGHTS,
    "realesrgan_x2plus",
    "realesrgan_x4plus",
    "realesrgan_x4plus_anime_6b",
    DENOISING,
    "realesr_animevideov3",
    # The same networks from a package index, for machines that reach nothing else.
    "realesrgan_x4plus_ncnn",
    "realesrgan_x4plus_anime_6b_ncnn",
    "realesr_animevideov3_ncnn",
)
CHECKPOINT_ENDINGS = (".pth", ".pt", ".ckpt", ".safetensors", ".bin", ".param")
LARGEST_SCALE, LARGEST_HEIGHT = 16, 16_384  # times as large; px


class Enhancers(NamedTuple):
    """What restores faces and what upscales pictures; None does neither."""

    restorer: "Restorer | None" = None
    upscaler: "Upscaler | None" = None

    @property
    def fp32_batches(self) -> int:
        """Batches that were computed again in fp32 because they were not finite."""
        runners = (getattr(one, "runner", None) for one in self)
        return sum(runner.fp32_batches for runner in runners if runner is not None)

    def size_for(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """Width and height of what becomes of a picture of that size."""
        return size_wh if self.upscaler is None else self.upscaler.size_for(size_wh)

    def remarks(self) -> list[str]:
        """What had to be given up, one sentence each."""
        return [remark for one in self if one is not None for remark in one.remarks()]


def check_restorer_name(name: str) -> None:
    """Refuse a name that is neither a known restorer nor a file, before any work is done.

    Raises:
        SettingsError: it says what the name stands for, or names the nearest known ones.
    """
    _check_type(name, RESTORERS, "restorer")
    if name in UPSCALERS:
        raise _other_kind(name, "upscaler", "upscale", "restorer")
    _check_name(name, RESTORERS, "restorer")


def check_upscaler_name(name: str) -> None:
    """The same for upscalers."""
    _check_type(name, UPSCALERS, "upscaler")
    if name in RESTORERS:
        raise _other_kind(name, "restorer", "restore", "upscaler")
    _check_name(name, UPSCALERS, "upscaler")


def _other_kind(name: str, what: str, setting: str, wanted: str) -> SettingsError:
    return SettingsError(
        f"{name} is no {wanted}", cause=f"that is {_with_article(what)}", next_step=f"name it as {setting}={name}"
    )


def _with_article(what: str) -> str:
    return f"{'an' if what[0] in 'aeiou' else 'a'} {what}"


def _check_type(name: object, known: tuple[str, ...], what: str) -> None:
    if not isinstance(name, str | Path):
        raise SettingsError(
            f"{name!r:.60} is no {what}",
            cause=f"a name or the path of a checkpoint is expected, not a {type(name).__name__}",
            next_step=f"choose one of {', '.join(known)}",
        )


def _check_name(name: str, known: tuple[str, ...], what: str) -> None:
    if name in known or Path(name).is_file():
        return
    if Path(name).is_dir():
        raise SettingsError(
            f"{name} is no {what}", cause="it is a folder", next_step="name the checkpoint file inside it"
        )
    if Path(name).suffix.lower() in CHECKPOINT_ENDINGS or len(Path(name).parts) > 1:
        raise SettingsError(
            f"There is no {what} {name!r}",
            cause="there is no such file",
            next_step=f"check the spelling and the folder {Path(name).absolute().parent}",
        )
    near = get_close_matches(name, known, n=2, cutoff=0.4)
    meant = f"was {' or '.join(near)} meant? " if near else ""
    raise SettingsError(
        f"There is no {what} {name!r}",
        cause="it is neither a known name nor the path of a checkpoint file",
        next_step=f"{meant}choose one of {', '.join(known)}, or give the path of a checkpoint",
    )


def check_denoise(name: str | None, denoise: float) -> None:
    """Refuse a strength of denoising that cannot be, before any work is done.

    Raises:
        SettingsError: it is outside 0 to 1, or under 1 for another upscaler than "realesr_general_x4v3".
    """
    if denoise == 1:
        return
    if not is_number(denoise) or not 0 <= denoise <= 1:
        raise SettingsError(
            f"denoise {denoise:g} is not usable" if is_number(denoise) else f"denoise {denoise!r} is not usable",
            cause="it goes from 0 to 1" if is_number(denoise) else NOT_A_NUMBER,
            next_step="choose 0.5, say",
        )
    if name != DENOISING:
        raise SettingsError(
            f"denoise {denoise:g} for {name}" if name else f"denoise {denoise:g} without an upscaler",
            cause="it takes two checkpoints that only differ in how much noise they remove",
            next_step=f"choose {DENOISING}, or leave denoise out",
        )


def load_restorer(name: str = RESTORERS[0], *, engine: Engine | None = None, device: str | None = None) -> "Restorer":
    """Load what restores faces.

    Args:
        name: "gfpgan_1.4", "gfpgan_1.3", "restoreformer" or "codeformer" (the last for non-commercial use only, and
            parts of GFPGAN too) are fetched. Anything else is the path of a checkpoint of one of these networks.
        engine: whose code runs it, "gfpgan" or "spandrel"; None takes what weights.yaml says.
        device: "cuda", "cpu" ...; None chooses the best there is.

    Raises:
        SettingsError: no such name and no such file, or no such engine or device.
        WeightsError: the checkpoint cannot be had or is not one.

    Warns:
        LipwiseWarning: gfpgan or basicsr cannot be imported, and spandrel is used.
    """
    check_restorer_name(name)
    from lipwise.models import restorers

    if name not in RESTORERS:
        return restorers.load_restorer(name, engine=engine, device=device)
    path, entry = fetch_weights(name)[0], weights_entries()[name]
    stated: Engine = "spandrel" if entry.engine == "spandrel" else "gfpgan"
    return restorers.load_restorer(path, name=name, engine=engine or stated, device=device, licence=entry.licence)


def load_upscaler(
    name: str = NO_WEIGHTS,
    *,
    scale: float | None = None,
    height: int | None = None,
    denoise: float = 1.0,
    device: str | None = None,
    precision: "Precision" = "auto",
    tile: int | None = None,
    overlap: int | None = None,
) -> "Upscaler":
    """Load what makes pictures larger.

    Args:
        name: "lanczos" needs no weights; the other names of `UPSCALERS` are fetched. Anything else is the path of a
            checkpoint.
        scale, height: how large the result is; with neither, what the network gives (2 times for "lanczos").
        denoise: for "realesr_general_x4v3": 1 removes noise as it was trained to, 0 hardly any.
        device: "cuda", "cpu" ...; None chooses the best there is. "lanczos" always runs on the processor.
        precision: "auto" is what is fast and safe on the device; "fp32" is exact.
        tile, overlap: px, the longest side of what goes to the device at once, and what neighbours share; None takes
            what suits the network. A smaller tile takes less memory; overlap 0 shows the seams.

    Raises:
        SettingsError: no such name and no such file, or a size, strength, device or tile that makes no sense.
        WeightsError: the checkpoint cannot be had or is not one.

    Warns:
        LipwiseWarning: "lanczos" was given what only networks take; numba, which saves time, cannot be used.
    """
    check_upscaler_name(name)
    check_denoise(name, denoise)
    if name == NO_WEIGHTS:
        from lipwise.models.lanczos import Lanczos

        device = None if device == "cpu" else device
        asked = {
            "device": device,
            "tile": tile,
            "overlap": overlap,
            "precision": None if precision == "auto" else precision,
        }
        for what, value in asked.items():
            if value is not None:
                warnings.warn(f"{what} plays no part in {NO_WEIGHTS}", LipwiseWarning, stacklevel=2)
        return Lanczos(scale=scale, height=height)
    from lipwise.models import upscalers

    listed = name in UPSCALERS
    path = fetch_weights(name)[0] if listed else Path(name)
    less = fetch_weights(DENOISING_LESS)[0] if denoise != 1 else None
    return upscalers.load_upscaler(
        path,
        name=name if listed else None,
        scale=scale,
        height=height,
        denoise=denoise,
        wdn_path=less,
        device=device,
        precision=precision,
        tile=tile,
        overlap=overlap,
        licence=weights_entries()[name].licence if listed else None,
    )
