"""Small clips whose frames carry their own number, in every codec that FFmpeg inside PyAV can write."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

BITS = 8
DARK, LIGHT = 40, 215


class Clips:
    """Makes clips in one folder. `barcode` and `number_in` are each other's inverse through any codec."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def barcode(number: int, size_wh: tuple[int, int] = (96, 64)) -> np.ndarray:
        """A frame with its number as eight upright bars, dark for 0 and light for 1."""
        width, height = size_wh
        bits = [(number >> bit) & 1 for bit in range(BITS)]
        row = np.repeat(np.where(bits, LIGHT, DARK).astype(np.uint8), -(-width // BITS))[:width]
        return np.repeat(np.broadcast_to(row, (height, width))[..., None], 3, axis=2).copy()

    @staticmethod
    def number_in(frame: np.ndarray) -> int:
        height, width = frame.shape[:2]
        row = frame[height // 3 : 2 * height // 3].mean(axis=(0, 2))
        return sum(int(row[round((bit + 0.5) * width / BITS)] > 128) << bit for bit in range(BITS))

    def numbers(self, frames) -> list[int]:
        return [self.number_in(frame) for frame in frames]

    def make(self, name: str, count: int, *, size_wh: tuple[int, int] = (96, 64), **how) -> Path:
        """A clip of `count` numbered frames; the rest as `encode`."""
        return self.encode(name, (self.barcode(number, size_wh) for number in range(count)), **how)

    def encode(
        self,
        name: str,
        pictures,
        *,
        codec: str = "libx264",
        pixel_format: str = "yuv420p",
        fps: Fraction = Fraction(25),
        times: list[int] | None = None,
        colour: tuple[int, int, int, int] | None = None,
        prepare=lambda stream: None,
        **options: str,
    ) -> Path:
        """Encode RGB pictures or ready frames.

        Args:
            times: of the frames, counted in steps of 1 / fps.
            colour: tags of matrix, range, primaries and transfer (ITU-T H.273).
            prepare: called with the stream before the first frame.
        """
        path, stream = self.folder / name, None
        with av.open(str(path), "w") as container:
            for order, picture in enumerate(pictures):
                frame = picture if isinstance(picture, av.VideoFrame) else av.VideoFrame.from_ndarray(picture, "rgb24")
                if stream is None:
                    stream = container.add_stream(codec, rate=fps, options=options)
                    stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixel_format
                    context = stream.codec_context
                    context.time_base = 1 / fps
                    if colour:
                        context.colorspace, context.color_range, context.color_primaries, context.color_trc = colour
                    prepare(stream)
                frame.pts, frame.time_base = (order if times is None else times[order]), 1 / fps
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    return Clips(tmp_path)
