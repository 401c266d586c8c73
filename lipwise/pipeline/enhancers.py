"""Restorer and upscaler of a run: refused early, loaded once, told of in its report."""

from lipwise.errors import MediaError, SettingsError
from lipwise.faces.flicker import FlickerMeter
from lipwise.pipeline.report import Enhancement
from lipwise.stages.aligned import FaceCount
from lipwise.stages.enhancers import (
    LARGEST_HEIGHT,
    LARGEST_SCALE,
    NO_WEIGHTS,
    Engine,
    Enhancers,
    check_denoise,
    check_restorer_name,
    check_upscaler_name,
    load_restorer,
    load_upscaler,
)

LONGEST_SIDE = 16_384  # px, of a picture that an H.264 encoder takes


def check_enhancers(
    *, restore: str | None, upscale: str | None, scale: float | None, height: int | None, denoise: float = 1.0
) -> None:
    """Refuse names, sizes and strengths that cannot be, before any work is done.

    Raises:
        SettingsError: no such restorer or upscaler, a size without an upscaler, two sizes, one that is too large, or a
            strength for an upscaler that has none.
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
    for what, size, most in (("scale", scale, LARGEST_SCALE), ("height", height, LARGEST_HEIGHT)):
        if size is not None and not 0 < size <= most:
            raise SettingsError(
                f"A {what} of {size:g} cannot be upscaled to",
                cause=f"it must be above 0 and at most {most:,}",
                next_step="give a scale such as 2, or a height such as 1080",
            )
    check_denoise(upscale, denoise)


def check_video_size(enhancers: Enhancers, size_wh: tuple[int, int]) -> None:
    """Refuse a video of frames that no encoder takes, before one is made.

    Raises:
        MediaError: upscaled, frames of that size have a side that is too long.
    """
    if enhancers.upscaler is None:
        return
    larger_wh = enhancers.upscaler.size_for(size_wh)
    if max(larger_wh) > LONGEST_SIDE:
        raise MediaError(
            f"A video of {larger_wh[0]} x {larger_wh[1]} px cannot be written",
            cause=f"H.264 has at most {LONGEST_SIDE:,} px on a side",
            next_step="use a smaller scale or height",
        )


def load_enhancers(
    *,
    restore: str | None,
    upscale: str | None,
    engine: Engine | None = None,
    scale: float | None = None,
    height: int | None = None,
    denoise: float = 1.0,
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
        upscaler = load_upscaler(upscale, scale=scale, height=height, denoise=denoise, device=device)
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
