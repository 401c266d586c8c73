"""What `enhance` refuses before any work is done, and which settings it tells to play no part."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lipwise.errors import LipwiseWarning, SettingsError
from lipwise.faces.detect import DETECTORS, check_detector_name
from lipwise.media.container import not_there
from lipwise.recipe import QUANTISER, Recipe
from lipwise.stages.aligned import EnhanceSettings
from lipwise.stages.enhancers import NO_WEIGHTS, Enhancers

# Settings that are about upscaled pictures, too; all others are about restored faces only.
FOR_ALL = ("steady",)


def check_paths(source: object, out: object) -> tuple[Path, Path]:
    """Source and result as paths.

    Raises:
        MediaError: the source is not there. SettingsError: one is no path, or both are the same.
    """
    for what, given in (("source", source), ("out", out)):
        if not isinstance(given, str | Path):
            raise SettingsError(
                f"{what} is of type {type(given).__name__}",
                cause="the path of a video, a photo or a folder of photos is expected",
                next_step="for one picture as an array use load_upscaler(...).upscale(picture)",
            )
    source, out = Path(str(source)), Path(str(out))
    if not source.exists():
        raise not_there(source, f"{source} is not there")
    if source.resolve() == out.resolve():
        raise SettingsError(
            f"The result {out} would overwrite the source",
            cause="both are the same",
            next_step="choose another name for the result",
        )
    return source, out


def check_choices(*, quality: str, detector: object) -> None:
    """Raises SettingsError where there is no such quality or detector, whether it plays a part or not."""
    if quality not in list(QUANTISER):
        raise SettingsError(
            f"There is no quality {quality!r}",
            cause=f"the qualities are {', '.join(QUANTISER)}",
            next_step="choose one of them",
        )
    if isinstance(detector, str):  # else it is one of the caller's own
        check_detector_name(detector)


def refuse_for_loaded(asked: dict[str, Any]) -> None:
    """Raises SettingsError where what only loading an upscaler can settle was given beside a loaded one."""
    given = [what for what, value in asked.items() if value != (1.0 if what == "denoise" else None)]
    if given:
        raise SettingsError(
            f"{' and '.join(given)} beside an upscaler that is loaded",
            cause="the upscaler was given ready-made, and has its size, strength and tiles already",
            next_step='give them when loading it, as in lipwise.load_upscaler("lanczos", scale=2)',
        )


def tell_of_idle(
    restore: object,
    upscale: object,
    *,
    settings: EnhanceSettings,
    engine: str | None,
    device: str | None,
    cut: dict[str, int | None],
) -> None:
    """Warn of settings that play no part beside that restorer and upscaler.

    Raises:
        SettingsError: there is no such device, whether it plays a part or not.
    """
    if restore is None:
        _tell(_changed(settings), "no face is restored")
    if upscale is None:
        _tell([name for name, value in cut.items() if value is not None], "nothing is upscaled")
    if engine is not None and not isinstance(restore, str):
        _tell(["engine"], "no restorer is loaded here")
    if device is not None:
        from lipwise.models.device import choose_device

        place = choose_device(device)
        networks = [one for one in (restore, upscale) if isinstance(one, str) and one != NO_WEIGHTS]
        if not networks and place.type != "cpu":
            _tell(["device"], "no network is loaded here")


def tell_of_idle_in_run(recipe: Recipe) -> None:
    """Warn of settings of a run that are about faces which it does not restore."""
    if recipe.restore is None:
        engine = ["restore_engine"] if recipe.restore_engine is not None else []
        _tell([*(f"enhance.{name}" for name in _changed(recipe.enhance)), *engine], "no face is restored")


def _changed(settings: EnhanceSettings) -> list[str]:
    """The settings about restored faces that are not the defaults."""
    default = EnhanceSettings()
    names = [name for name in EnhanceSettings.model_fields if name not in FOR_ALL]
    return [name for name in names if getattr(settings, name) != getattr(default, name)]


def tell_of_idle_detector(detector: str, enhancers: Enhancers, *, moves: bool) -> None:
    """Warn of a detector where no face is looked for: to be restored, or in a video to see how a network flickers."""
    restorer, upscaler = enhancers
    measured = moves and upscaler is not None and upscaler.needs_weights
    if detector != DETECTORS[0] and restorer is None and not measured:
        _tell(["detector"], "no face is looked for")


def tell_of_idle_in_photos(*, choose: object, quality: str) -> None:
    """Warn of settings that are about videos."""
    if choose is not None:
        _tell(["choose"], "all faces of a photo are restored")
    if quality != "good":
        _tell(["quality"], "it is about written videos")


def _tell(names: Sequence[str], why: str) -> None:
    for name in names:
        warnings.warn(f"{name} plays no part: {why}", LipwiseWarning, stacklevel=4)
