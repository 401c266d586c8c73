"""Restorer and upscaler of a run: refused early, loaded once, told of in its report."""

from lipwise.errors import SettingsError
from lipwise.faces.flicker import FlickerMeter
from lipwise.pipeline.report import Enhancement
from lipwise.stages.aligned import FaceCount
from lipwise.stages.enhancers import (
    NO_WEIGHTS,
    Engine,
    Enhancers,
    check_restorer_name,
    check_upscaler_name,
    load_restorer,
    load_upscaler,
)


def check_enhancers(*, restore: str | None, upscale: str | None, scale: float | None, height: int | None) -> None:
    """Refuse names and sizes that cannot be, before any work is done.

    Raises:
        SettingsError: no such restorer or upscaler, a size without an upscaler, or two sizes.
    """
    if restore is not None:
        check_restorer_name(restore)
    if upscale is not None:
        check_upscaler_name(upscale)
    sizes = [size for size in (scale, height) if size is not None]
    if len(sizes) > (upscale is not None):
        raise SettingsError(
            "A size to upscale to that cannot be kept",
            cause="scale and height were both given" if upscale else "nothing was named to upscale with",
            next_step="give either a scale or a height, beside an upscaler such as lanczos",
        )
    if any(size <= 0 for size in sizes):
        raise SettingsError(
            f"A size of {sizes[0]:g} cannot be upscaled to", cause="it must be above 0", next_step="use 2, say"
        )


def load_enhancers(
    *,
    restore: str | None,
    upscale: str | None,
    engine: Engine | None = None,
    scale: float | None = None,
    height: int | None = None,
    device: str | None = None,
) -> Enhancers:
    """What restores faces and what upscales, by name or file; None for what is not wanted.

    Raises:
        LipwiseError: see `load_restorer` and `load_upscaler`.
    """
    restorer = upscaler = None
    if restore is not None:
        restorer = load_restorer(restore, engine=engine, device=device)
    if upscale is not None:
        device = None if upscale == NO_WEIGHTS else device
        upscaler = load_upscaler(upscale, scale=scale, height=height, device=device)
    return Enhancers(restorer, upscaler)


def tell_of_enhancement(enhancers: Enhancers, count: FaceCount | None, meter: FlickerMeter | None) -> Enhancement:
    """The part of a report that is about enhancement."""
    restorer, upscaler = enhancers
    done = count if restorer is not None and count is not None else FaceCount(0, 0, 0, 0)
    return Enhancement(
        restorer="" if restorer is None else f"{restorer.name}. {restorer.note}",
        upscaler="" if upscaler is None else f"{upscaler.name}. {upscaler.note}",
        restored=done.restored,
        left_alone=done.small + done.not_synthesised,
        without_face=done.without_face,
        fp32_batches=enhancers.fp32_batches,
        flicker=None if meter is None else meter.ratio,
    )
