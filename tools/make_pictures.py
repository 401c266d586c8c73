"""Makes notebooks/images/*.png from what LipWise ships with the library itself.

python tools/make_pictures.py              all of them
python tools/make_pictures.py quickstart   this one
"""

import sys
import tempfile
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image, ImageOps
from safetensors.torch import save_file

import lipwise as lw
from lipwise.landmarks import MOUTH_CORNERS
from lipwise.models.viseme_net import load_viseme_net
from lipwise.notebook import show, show_clean, show_enhance, show_evaluate, show_lipsync_failures, show_weights
from lipwise.notebook.show_lipsync_stand_in import hears
from lipwise.pipeline.evaluate import open_run
from lipwise.sample import make_hard_sample, sample_frames

IMAGES = Path(__file__).resolve().parent.parent / "notebooks" / "images"
# Lips shut before the p of "please", narrow on the w of "watch", wide open on its a, spread on the i of "lips".
QUICKSTART_FRAMES = [63, 71, 75, 89]
QUICKSTART_WORDS = ("Please", "watch: w", "watch: a", "lips: i")
NEAR_FRAME = QUICKSTART_FRAMES[2]  # whose mouth README shows near
EVALUATED_FRAMES = 32  # as in the lesson
LIPSYNC_FRAMES = slice(71, 81)  # the same "watch"
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
    return save(figure, "quickstart")


def readme(folder: Path) -> Path:
    """A frame of the sample beside four of the result, then a mouth near: clip, result, enlarged; fetches 33 MB."""
    sample = lw.make_sample(folder)
    report = lw.run(lw.Recipe(face=sample.face, speech=sample.speech, out=folder / "result.mp4", consent=True))
    video, track = lw.probe(sample.face), lw.track_faces(sample.face)
    timeline = lw.Timeline.for_speech(track.has_face, video.fps, report.frames)
    made = dict(zip(QUICKSTART_FRAMES, lw.read_frames(report.out, QUICKSTART_FRAMES), strict=True))
    meshes = {number: track.mesh_xy[timeline.source_index[number]] for number in made}
    clip = next(lw.read_frames(video, [timeline.source_index[NEAR_FRAME]]))
    above = {"the clip": whole_face(clip, meshes[NEAR_FRAME])}
    for word, number in zip(QUICKSTART_WORDS, made, strict=True):
        above[word] = whole_face(made[number], meshes[number])
    before, after = (lower_face(frame, meshes[NEAR_FRAME]) for frame in (clip, made[NEAR_FRAME]))
    below = {"the clip": before, "the result": after}
    below["the result, enlarged by Real-ESRGAN"] = lw.load_upscaler("realesrgan_x4plus_ncnn").upscale(after)
    figure = Figure(figsize=(12, 5.2), layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0))
    for part, pictures in zip(figure.subfigures(2, 1, height_ratios=(2.6, 2.75)), (above, below), strict=True):
        for place, (name, picture) in zip(part.subplots(1, len(pictures)), pictures.items(), strict=True):
            place.imshow(picture)
            place.set_title(name, fontsize=15)
            place.set_axis_off()
    return save(figure, "readme")


def whole_face(frame: np.ndarray, mesh_xy: np.ndarray) -> np.ndarray:
    """A square from the hair to below the chin."""
    (left, top), (right, bottom) = mesh_xy.min(axis=0), mesh_xy.max(axis=0)
    reach = 0.68 * (bottom - top)
    return cut(frame, (left + right) / 2, (top + bottom) / 2 - 0.08 * reach, reach, reach)


def lower_face(frame: np.ndarray, mesh_xy: np.ndarray) -> np.ndarray:
    """A strip across the mouth, from the nose to the chin."""
    (left, top), (right, bottom) = mesh_xy.min(axis=0), mesh_xy.max(axis=0)
    x, y = mesh_xy[MOUTH_CORNERS].mean(axis=0)
    return cut(frame, x, y, 0.5 * (right - left), 0.28 * (bottom - top))


def cut(frame: np.ndarray, x: float, y: float, half_width: float, half_height: float) -> np.ndarray:
    """What lies round a point."""
    rows, columns = (slice(max(0, round(c - h)), round(c + h)) for c, h in ((y, half_height), (x, half_width)))
    return np.ascontiguousarray(frame[rows, columns])


def setup(folder: Path) -> Path:
    """The hash of the built-in network's file, before and after one of its bits was flipped."""
    good, damaged = folder / "viseme.safetensors", folder / "damaged.safetensors"
    save_file(load_viseme_net().state_dict(), good)
    content = bytearray(good.read_bytes())
    content[-1] ^= 0b0100_0000
    damaged.write_bytes(content)
    return save(show_weights.hashes(good, damaged), "setup")


def clean_faces(folder: Path) -> Path:
    """A good frame of the hard sample, and one for each kind of trouble."""
    video = lw.probe(make_hard_sample(folder).face)
    track, report = lw.examine(video, cache=False)
    return save(show_clean.faces(video, track, report), "clean_faces")


def lipsync(folder: Path) -> Path:
    """A word with the windows it should have, with windows that share nothing, and with windows cut too slowly."""
    sample = lw.make_sample(folder)
    video, speech, generator = lw.probe(sample.face), lw.load_speech(sample.speech), lw.load_generator()
    track, count = lw.track_faces(video), speech.frame_count(video.fps)
    timeline = lw.Timeline.for_speech(track.has_face, video.fps, count)
    state = lw.prepare_lipsync(video, track, timeline, speech, generator=generator)
    asked = {"first": 0, "count": count, "offset_s": generator.window_shift_s}
    right, hold = speech.windows(video.fps, **asked), round(video.fps / 5)
    windows = {"right": right, "windows that share nothing": right[np.arange(count) // hold * hold]}
    windows["windows cut as if there were 80 frames a second"] = speech.windows(Fraction(80), **asked)
    tries = {}
    for name, given in windows.items():
        told = hears(state, given)
        chosen = {"generator": generator, "state": told, "part": LIPSYNC_FRAMES}
        tries[name] = told.per_frame["gap"], list(lw.lipsync_frames(video, track, timeline, speech, **chosen))
    meshes_xy = track.mesh_xy[timeline.source_index[LIPSYNC_FRAMES]]
    return save(show_lipsync_failures.mouths(tries, meshes_xy, first=LIPSYNC_FRAMES.start), "lipsync")


def enhance(_folder: Path) -> Path:
    """A face of 96 px, the same interpolated, and drawn by Real-ESRGAN; fetches 33 MB of weights."""
    small = cv2.resize(next(sample_frames()), (256, 256), interpolation=cv2.INTER_AREA)
    face = np.ascontiguousarray(small[58:154, 78:174])
    pictures = {"96 x 96 pixels": face, "four times as many each way: lanczos": lw.load_upscaler(scale=4).upscale(face)}
    pictures["the same, drawn by Real-ESRGAN"] = lw.load_upscaler("realesrgan_x4plus_ncnn").upscale(face)
    return save(show_enhance.beside(pictures), "enhance")


def evaluate(folder: Path) -> Path:
    """A result of the sample and spoiled copies of it, with what the figures say about each."""
    sample, run = lw.make_sample(folder), folder / "judged"
    recipe = lw.Recipe(face=sample.face, speech=sample.speech, out=folder / "judged.mp4", consent=True)
    lw.run(recipe, run_folder=run)
    stretch = show_evaluate.Stretch(open_run(run), recipe.out, count=EVALUATED_FRAMES)
    trials = {
        "the result": stretch.judge(),
        "clip untouched": stretch.judge(stretch.untouched),
        "0.28 s early": stretch.judge(late_s=-0.28),
        "lighter patch": stretch.judge(stretch.patch),
        "light flickers": stretch.judge(stretch.flicker),
    }
    return save(show_evaluate.faults(trials), "evaluate")


def save(figure: Figure, name: str) -> Path:
    """A figure as wide as a page, in few bytes."""
    drawn = BytesIO()
    figure.savefig(drawn, dpi=2 * WIDTH / figure.get_figwidth())
    picture = Image.open(drawn).convert("RGB")
    picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    path = IMAGES / f"{name}.png"
    ImageOps.posterize(picture, BITS).save(path, optimize=True)
    return path


PICTURES = {
    picture.__name__: picture for picture in (readme, quickstart, setup, clean_faces, lipsync, enhance, evaluate)
}

if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in sys.argv[1:] or PICTURES:
            sys.stdout.write(f"{PICTURES[name](Path(scratch))}\n")
