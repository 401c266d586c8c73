"""What is said of a clip that changes when it is encoded."""

from dataclasses import replace

import pytest

from lipwise.media.encoding_notes import encoding_notes
from lipwise.media.probe import probe

LARGE = "hardly any player shows a video of 8194 x 4352 px"
SAID = {
    "even, and as large as may be": ((8192, 4352), []),
    "odd": ((63, 48), ["63 x 48 px become 64 x 48 px", "the last column of pixels is repeated"]),
    "too large to be played": ((8194, 4352), [LARGE]),
}


@pytest.mark.parametrize("case", SAID)
@pytest.mark.parametrize("is_still", [False, True])
def test_sizes_are_told_of_clips_and_of_stills(clips, case, is_still):
    size_wh, words = SAID[case]
    video = probe(clips.make("plain.mp4", 2))
    if is_still:
        video = replace(video, is_still=True, pixel_format="uint16 x 3")
    notes = encoding_notes(video, size_wh)
    assert len(notes) == bool(words)
    assert all(word in notes[0] for word in words)
