"""Makes notebooks/images/*.png from the shipped sample with the library itself.

python tools/make_pictures.py
"""

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

import lipwise as lw
from lipwise.notebook import show

IMAGES = Path(__file__).resolve().parent.parent / "notebooks" / "images"
# Lips shut on the p of "please", narrow on the w of "watch", wide open on its a, spread on the i of "lips".
QUICKSTART_FRAMES = [63, 71, 75, 89]
WIDTH = 1200
BITS = 7  # of each colour: a smaller file that looks the same (a palette of 256 takes the red from the lips)


def quickstart(folder: Path) -> Path:
    """Four frames of the sample above, what came of them below."""
    sample = lw.make_sample(folder)
    report = lw.run(lw.Recipe(face=sample.face, speech=sample.speech, out=folder / "result.mp4", consent=True))
    video, speech = lw.probe(sample.face), lw.load_speech(sample.speech)
    track = lw.track_faces(video)
    timeline = lw.Timeline.for_speech(track.has_face, video.fps, speech.frame_count(video.fps))
    figure = show.before_after(video, report.out, timeline, numbers=QUICKSTART_FRAMES, track=track)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=2 * WIDTH / figure.get_figwidth())
    picture = Image.open(drawn).convert("RGB")
    picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    path = IMAGES / "quickstart.png"
    ImageOps.posterize(picture, BITS).save(path, optimize=True)
    return path


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        sys.stdout.write(f"{quickstart(Path(scratch))}\n")
