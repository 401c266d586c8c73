"""A coloured HDR clip through the whole of enhancement."""

from fractions import Fraction

import av
import numpy as np
import pytest

import lipwise as lw
from lipwise.media.colour import LUMA
from lipwise.media.tone import to_sdr

BRICK = np.array([0.56, 0.36, 0.26])  # levels of red, green and blue, 0 to 1
BT2020, LIMITED = 9, 1  # codes of ITU-T H.273, for matrix and primaries, and for the range
TRANSFERS = {"pq": 16, "hlg": 18}


def hdr_clip(path, transfer: str):
    """Four frames of one colour, in ten bits a channel."""
    red, blue = LUMA["bt2020"]
    luma = BRICK @ (red, 1 - red - blue, blue)
    levels = (
        64 + 876 * luma,
        512 + 896 * (BRICK[2] - luma) / (2 - 2 * blue),
        512 + 896 * (BRICK[0] - luma) / (2 - 2 * red),
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_range, context.color_primaries = BT2020, LIMITED, BT2020
        context.color_trc = TRANSFERS[transfer]
        for number in range(4):
            frame = av.VideoFrame(64, 48, "yuv420p10le")
            frame.colorspace, frame.color_range, frame.pts = BT2020, LIMITED, number
            for plane, level in zip(frame.planes, levels, strict=True):
                plane.update(np.full(plane.buffer_size // 2, round(level), np.uint16).tobytes())
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_hdr_comes_out_in_the_colours_of_standard_range(tmp_path, transfer):
    clip = hdr_clip(tmp_path / "hdr.mkv", transfer)
    report = lw.enhance(clip, tmp_path / "out.mp4", upscale="lanczos", scale=2, progress=False)
    expected = to_sdr(np.round(BRICK * 65535).astype(np.uint16)[None, None], transfer, "bt2020")[0, 0].astype(int)
    assert expected[0] > expected[1] > expected[2]  # a colour, for grey hides a wrong matrix
    made = lw.probe(report.out)
    assert (made.is_hdr, made.colour.matrix, made.frame_count) == (False, "bt709", 4)
    for frame in lw.read_frames(report.out):
        assert np.abs(frame[8:-8, 8:-8].astype(int) - expected).max() <= 3
    assert any("HDR" in remark for remark in report.remarks)
