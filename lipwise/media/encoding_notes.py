"""What encoding a clip as H.264 changes of it, to be told."""

import av

from lipwise.media.probe import VideoInfo

BITS = 8  # a channel, that are written
MOST_PLAYED = 139_264 * 16 * 16  # px of a frame in the highest level of H.264, 6.2 (ITU-T H.264, table A-1)


def encoding_notes(video: VideoInfo, size_wh: tuple[int, int]) -> list[str]:
    """What of a clip gets another form when frames of that size are made of it and written.

    Args:
        video: what the frames are made of.
        size_wh: of the frames, before they are written.
    """
    notes = []
    even_wh = tuple(side + side % 2 for side in size_wh)
    if even_wh != size_wh:
        lines = [line for line, side in zip(("column", "row"), size_wh, strict=True) if side % 2]
        notes.append(
            f"{size_wh[0]} x {size_wh[1]} px become {even_wh[0]} x {even_wh[1]} px: the sides of H.264 are even, so "
            f"the last {' and the last '.join(lines)} of pixels {'is' if len(lines) == 1 else 'are'} repeated"
        )
    if size_wh[0] * size_wh[1] > MOST_PLAYED:
        notes.append(
            f"hardly any player shows a video of {size_wh[0]} x {size_wh[1]} px: it is beyond the highest level of "
            "H.264, 8192 x 4352"
        )
    bits = 0 if video.is_still else max(part.bits for part in av.VideoFormat(video.pixel_format).components)
    if bits > BITS:
        notes.append(f"its {bits} bits a channel become {BITS}")
    return notes
