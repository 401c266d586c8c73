# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# Every widget of `lipwise.notebook`, each in a cell of its own, on a clip whose frame n is a grey of 8 n. Nothing here
# takes longer than a second. A new widget gets a cell, and `test_every_widget_is_tried` says so.

# %%
import hashlib
import os
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import ipywidgets
import numpy as np

from lipwise.faces.track import DETECTED, NONE
from lipwise.media.probe import probe
from lipwise.media.write import write_video
from lipwise.notebook import show, widgets
from lipwise.notebook.reviewer import FrameReviewer
from lipwise.notebook.weights_picker import WeightsPicker
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.usability import UsabilityReport
from lipwise.timeline import Timeline
from lipwise.weights_list import weights_entries

Path("versions.txt").write_text(ipywidgets.__version__, encoding="utf-8")
COUNT, FPS = 25, Fraction(25)


def grey_clip(path, first, step):
    greys = (np.full((120, 160, 3), first + step * number, np.uint8) for number in range(COUNT))
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
