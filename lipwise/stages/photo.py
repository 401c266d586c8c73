"""One photo with any number of faces, in any form that a photo has."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lipwise.faces.track import FaceTrack
from lipwise.settings import as_settings
from lipwise.stages.aligned import EnhanceSettings, FaceCount, align_track
from lipwise.stages.enhance import ShownFrame, cut_face, paste_face
from lipwise.stages.enhancers import Enhancers


def enhance_photo(
    picture: np.ndarray,
    tracks: Sequence[FaceTrack],
    *,
    enhancers: Enhancers,
    settings: EnhanceSettings | Mapping[str, Any] | None = None,
) -> tuple[np.ndarray, FaceCount]:
    """Restore the faces of a photo and upscale it.

    Args:
        picture: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16; the result is of the same kind. Faces
            are restored in 8 bits, transparency is upscaled with the colours.
        tracks: one of one frame for each face.
        settings: None is the defaults.

    Returns:
        The photo, and how many faces were restored or left alone; `without_face` is 1 where there is none.
    """
    from lipwise.models.stills import check_picture, join_picture, split_picture

    check_picture(picture)
    settings = as_settings(EnhanceSettings, settings)
    colours, alpha = split_picture(picture)
    colours = np.ascontiguousarray(colours)
    enlarged = colours if enhancers.upscaler is None else enhancers.upscaler.upscale(colours)
    restored = small = 0
    for track in tracks:
        aligned = align_track(track, settings)
        if not aligned.large_enough[0]:
            small += 1
            continue
        if enhancers.restorer is None:
            continue
        to_aligned, crop, mask = cut_face(ShownFrame(colours, 0, True), track, aligned, settings)
        new = enhancers.restorer.restore(crop[None])[0]
        enlarged = paste_face(colours, enlarged, to_aligned, crop, new, mask, settings).result
        restored += 1
    result = join_picture(enlarged, alpha, grey=picture.ndim == 2)
    return result, FaceCount(restored, small, 0, int(not tracks))
