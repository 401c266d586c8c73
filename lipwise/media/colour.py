"""What the numbers of a picture mean as colours, and the conversion to and from RGB.

Numbers of matrices, ranges, primaries and transfers are those of ITU-T H.273, which FFmpeg uses.
"""

from dataclasses import dataclass
from functools import cache

import av
import cv2
import numpy as np
from av.codec.context import CodecContext
from av.video.reformatter import Interpolation, VideoReformatter

MATRICES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 12: "p3"}
TRANSFERS = {1: "bt709", 4: "gamma22", 5: "gamma28", 6: "bt601", 7: "smpte240m", 8: "linear", 13: "srgb"}
TRANSFERS |= {14: "bt2020", 15: "bt2020", 16: "pq", 18: "hlg"}
RANGES = {1: "limited", 2: "full"}
HDR_TRANSFERS = ("pq", "hlg")
SWS_MATRIX = {"bt709": 1, "fcc": 4, "bt601": 5, "smpte240m": 7, "bt2020": 9}  # SWS_CS_* of libswscale
LIMITED, FULL = 1, 2
BT709 = 1  # as matrix, primaries and transfer alike
HIGH_DEFINITION_HEIGHT = 720  # an untagged picture at least this high is taken for BT.709

LUMA = {  # weights of red and blue in the luma of each matrix (ITU-T H.273, table 4)
    "bt709": (0.2126, 0.0722),
    "bt601": (0.299, 0.114),
    "bt2020": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}
PLAIN_FORMATS = {f"yuv{j}{sampling}p" for j in ("", "j") for sampling in ("420", "422", "444")}  # planes of 8 bits

# Flags of libswscale that PyAV 14 has no name for. Without them chroma is taken from the nearest sample and the error
# of a flat colour reaches 4/255; with them 2/255.
FULL_CHROMA, ACCURATE = 0x2000, 0x40000
TO_RGB = int(Interpolation.BILINEAR) | FULL_CHROMA | ACCURATE
TO_RGB_SCALED = int(Interpolation.BICUBIC) | FULL_CHROMA | ACCURATE


@dataclass(frozen=True)
class Colour:
    """How a clip's numbers become colours.

    Attributes:
        matrix: bt709, bt601, bt2020, smpte240m, fcc, or rgb where there is nothing to convert.
        range: limited (16-235 in 8 bits) or full.
        primaries: bt709, bt601, bt2020, p3, ... or unknown.
        transfer: bt709, srgb, pq, hlg, ... or unknown.
        guessed: True where the file does not say which matrix it uses.
    """

    matrix: str
    range: str
    primaries: str
    transfer: str
    guessed: bool

    @property
    def is_hdr(self) -> bool:
        return self.transfer in HDR_TRANSFERS


def is_rgb(pixel_format: av.VideoFormat) -> bool:
    return pixel_format.is_rgb or pixel_format.has_palette


def _matrix(code: int, frame: av.VideoFrame) -> tuple[str, bool]:
    """Name of the matrix, and whether it had to be guessed."""
    if is_rgb(frame.format):
        return "rgb", False
    if code in MATRICES:
        return MATRICES[code], False
    if frame.format.name.startswith("yuvj"):  # JPEG is BT.601 whatever its size (JFIF 1.02)
        return "bt601", True
    return ("bt709" if frame.height >= HIGH_DEFINITION_HEIGHT else "bt601"), True


def colour_of(frame: av.VideoFrame, context: CodecContext) -> Colour:
    """The colour of a decoded frame; what neither frame nor file says is guessed from format and height."""
    matrix, guessed = _matrix(int(frame.colorspace), frame)
    full = matrix == "rgb" or frame.format.name.startswith(("yuvj", "gray", "ya"))
    stated_range = RANGES.get(int(frame.color_range))
    primaries = int(getattr(frame, "color_primaries", 2))  # PyAV 14 knows these on the context only
    transfer = int(getattr(frame, "color_trc", 2))
    return Colour(
        matrix=matrix,
        range="full" if full else stated_range or "limited",
        primaries=PRIMARIES.get(primaries) or PRIMARIES.get(getattr(context, "color_primaries", 2), "unknown"),
        transfer=TRANSFERS.get(transfer) or TRANSFERS.get(getattr(context, "color_trc", 2), "unknown"),
        guessed=guessed,
    )


@cache
def yuv_of_rgb(matrix: str, *, full: bool) -> np.ndarray:
    """(3, 4) float64: 8-bit Y, Cb, Cr from 8-bit R, G, B and 1."""
    red, blue = LUMA[matrix]
    luma = np.array([red, 1 - red - blue, blue])
    blueness = (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
    redness = (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
    spans, offsets = ((255, 255, 255), (0, 128, 128)) if full else ((219, 224, 224), (16, 128, 128))
    linear = np.stack([luma, blueness, redness]) * np.array(spans)[:, None] / 255
    return np.column_stack([linear, offsets])


@cache
def rgb_of_yuv(matrix: str, *, full: bool) -> np.ndarray:
    """(3, 4) float64: the inverse of `yuv_of_rgb`."""
    forward = yuv_of_rgb(matrix, full=full)
    inverse = np.linalg.inv(forward[:, :3])
    return np.column_stack([inverse, -inverse @ forward[:, 3]])


class ToRgb:
    """Decoded frames to RGB of one size, with the clip's own matrix and range.

    Args:
        size_wh: size of the result in pixels; a stored picture of another size is scaled to it (pixel aspect).
        deep: 16 bits a channel instead of 8.
        alpha: keep the alpha channel.
    """

    def __init__(self, colour: Colour, size_wh: tuple[int, int], *, deep: bool = False, alpha: bool = False) -> None:
        self._size_wh = size_wh
        self._matrix = colour.matrix if colour.matrix in LUMA else "bt709"
        self._full = colour.range == "full"
        # Planar, because libswscale writes wrong colours into rgb48le with the flags below (seen in its version 9.5).
        self._format = "gbrp16le" if deep else "rgba" if alpha else "rgb24"
        self._reformatter = VideoReformatter()  # one for all frames: it keeps libswscale's tables

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        """(H, W, 3 or 4) uint8 or uint16; the array owns its memory."""
        as_stored = (frame.width, frame.height) == self._size_wh
        if as_stored and self._format == "rgb24" and frame.format.name in PLAIN_FORMATS:
            return self._from_planes(frame)
        return self._reformat(frame, TO_RGB if as_stored else TO_RGB_SCALED)

    def _from_planes(self, frame: av.VideoFrame) -> np.ndarray:
        """The usual 8-bit case, at a third of libswscale's time and within 1/255 of the exact conversion."""
        planes = [
            np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
            for plane in frame.planes
        ]
        planes = [cv2.resize(plane, self._size_wh, interpolation=cv2.INTER_LINEAR) for plane in planes]
        return cv2.transform(cv2.merge(planes), rgb_of_yuv(self._matrix, full=self._full))

    def _reformat(self, frame: av.VideoFrame, interpolation: int) -> np.ndarray:
        converted = self._reformatter.reformat(
            frame,
            *self._size_wh,
            self._format,
            src_colorspace=SWS_MATRIX[self._matrix],
            # Has no meaning for RGB, but PyAV before 17 ignores all four arguments unless the two differ.
            dst_colorspace=SWS_MATRIX["bt601" if self._matrix == "bt709" else "bt709"],
            interpolation=interpolation,
            src_color_range=FULL if self._full else LIMITED,
            dst_color_range=FULL,
        )
        pixels = converted.to_ndarray()
        return pixels.copy() if converted is frame or not pixels.flags.c_contiguous else pixels


def to_bt709(frame: np.ndarray) -> av.VideoFrame:
    """An RGB frame (H, W, 3) uint8 with even sides as yuv420p, BT.709, limited range, tagged so."""
    height, width = frame.shape[:2]
    luma, *chroma = cv2.split(cv2.transform(frame, yuv_of_rgb("bt709", full=False)))
    half_wh = (width // 2, height // 2)
    planes = [luma, *(cv2.resize(plane, half_wh, interpolation=cv2.INTER_AREA) for plane in chroma)]
    packed = np.concatenate([plane.reshape(-1) for plane in planes], dtype=np.uint8)
    converted = av.VideoFrame.from_ndarray(packed.reshape(-1, width), "yuv420p")  # (1.5 H, W)
    converted.colorspace, converted.color_range = BT709, LIMITED
    for tag in ("color_primaries", "color_trc"):  # PyAV 14 takes these from the encoder's context only
        if hasattr(converted, tag):
            setattr(converted, tag, BT709)
    return converted
