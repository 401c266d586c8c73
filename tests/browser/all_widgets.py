# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# Every widget of `lipwise.notebook`, each in a cell of its own, on a clip whose frame n is a grey of 8 n with a white
# edge; those that need a face, on a few frames of the sample. A cell takes seconds. A new widget gets one, and
# `test_every_widget_is_tried` says so.

# %%
import hashlib
import os
import time
from dataclasses import fields, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import ipywidgets
import numpy as np
from IPython.display import display

import lipwise as lw
from lipwise import sample
from lipwise.faces.track import DETECTED, NONE
from lipwise.media.probe import probe
from lipwise.media.write import write_video
from lipwise.notebook import show, show_evaluate, widgets
from lipwise.notebook.parameter_panel import ParameterPanel
from lipwise.notebook.person_picker import PersonPicker
from lipwise.notebook.reviewer import FrameReviewer
from lipwise.notebook.show_lipsync_cursor import WindowCursor
from lipwise.notebook.show_lipsync_stand_in import StandIn
from lipwise.notebook.weights_picker import WeightsPicker
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.usability import UsabilityReport
from lipwise.timeline import Timeline
from lipwise.weights_list import weights_entries

Path("versions.txt").write_text(ipywidgets.__version__, encoding="utf-8")
COUNT, FPS = 25, Fraction(25)


def grey_clip(path, first, step):
    levels = (np.full((120, 150, 3), first + step * number, np.uint8) for number in range(COUNT))
    greys = (np.pad(level, ((0, 0), (10, 0), (0, 0)), constant_values=255) for level in levels)
    return probe(write_video(Path(path), greys, fps=FPS, quality=5))


clip, result = grey_clip("clip.mp4", 0, 8), grey_clip("result.mp4", 250, -8)

# %%
widgets.BeforeAfter(clip, result, Timeline(np.arange(COUNT), np.ones(COUNT, bool), FPS))

# %%
kinds = {"faces": np.int32, "origin": np.uint8, "shot": np.int32, "elsewhere": bool}
columns = {entry.name: np.zeros(COUNT, kinds.get(entry.name, np.float32)) for entry in fields(FrameMeasures)}
good = {"eyes_px": 60, "sharpness": 1, "bright": 200, "mouth_margin": 1, "origin": DETECTED}
for name, value in good.items():
    columns[name][:] = value
columns["origin"][5:8] = NONE
FrameReviewer(clip, UsabilityReport.of(FrameMeasures(**columns), fps=FPS))

# %%
widgets.BeforeAfterSlider(clip, result, number=4)

# %%
widgets.FrameScrubber(clip, number=4)

# %%
widgets.FilePicker("face", "clip.mp4")

# %%
with widgets.Readout() as readout:
    time.sleep(0.1)
display(readout)

# %%
Path("mirror").mkdir(exist_ok=True)
Path("mirror", "small.bin").write_bytes(b"numbers")
lines = ["small:", "  file: small.bin", "  bytes: 7", f"  sha256: {hashlib.sha256(b'numbers').hexdigest()}"]
lines += ["  licence: Apache-2.0", "  purpose: a small file", "  engine: lipwise", "  source: https://example.org/net"]
lines += ["  condition: For lessons only."]
Path("own.yaml").write_text("\n".join(lines), encoding="utf-8")
for name, place in {"HOME": "kept", "MIRROR": "mirror", "WEIGHTS": "own.yaml"}.items():
    os.environ[f"LIPWISE_{name}"] = str(Path(place).absolute())
os.environ.pop("LIPWISE_ACCEPT_LICENCE", None)
WeightsPicker({"small": weights_entries()["small"]})

# %%
show.play(result.path)

# %%
speaking = probe(write_video(Path("speaking.mp4"), islice(sample.sample_frames(), 12), fps=FPS, quality=14))
track, speech, waveform = lw.track_faces(speaking), lw.load_speech(sample.SPEECH), lw.load_audio(sample.SPEECH)
timeline = lw.Timeline.for_speech(track.has_face, FPS, speech.frame_count(FPS))

# %%
PersonPicker(speaking, [track, replace(track, boxes_xyxy=track.boxes_xyxy / 2, landmarks_xy=track.landmarks_xy / 2)])

# %%
WindowCursor(waveform, speech, FPS, number=74)

# %%
generators = {"built-in": lw.load_generator("viseme"), "stand-in": StandIn()}
ParameterPanel(speaking, track, timeline, speech, generators=generators, number=74)

# %%
meshes = np.repeat(track.mesh_xy, 8, axis=0)
meshes[..., 1] += np.random.default_rng(0).normal(0, 0.5, (len(meshes), 468))
show_evaluate.SoundShift(meshes, waveform, fps=FPS)

# %%
widgets.RunPanel(lw.Recipe(face="speaking.mp4", speech=sample.SPEECH, out="made.mp4", consent=True))
