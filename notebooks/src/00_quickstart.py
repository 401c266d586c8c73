# ---
# jupyter:
#   accelerator: GPU
#   colab:
#     gpuType: T4
#     toc_visible: true
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/lipwise/blob/main/notebooks/00_quickstart.ipynb)
#
# # Make a face say a recording
#
# ![A face before and after](images/quickstart.png)
#
# A clip and a recording go in; a video whose lips say the recording comes out. About two minutes on any machine, with
# or without a GPU.

# %% [markdown]
# **You will**
#
# 1. run the whole chain on a real face and see the video it makes,
# 2. see each picture on the way: box, mesh, mel window, mask, before and after,
# 3. know which frames were changed and what was left alone.
#
# **Consent.** Use faces and voices only of people who agreed. The sample asks nobody: a public-domain portrait by
# NASA and a synthetic voice. Colab's rules list deepfakes among the uses it does not allow; on your own machine the
# same notebook runs unchanged.

# %%
# @title Set up
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

REPOSITORY = "https://github.com/OWNER/lipwise"
here = Path.cwd()
root = next((place for place in (here, *here.parents, here / "lipwise") if (place / "setup_colab.sh").exists()), None)
if root is None and "/OWNER/" in REPOSITORY:
    raise SystemExit("Set REPOSITORY above to the address of your copy of LipWise, then run this cell again.")
if root is None:
    subprocess.run(["git", "clone", "--depth", "1", REPOSITORY, "lipwise"], check=True)
    root = here / "lipwise"
if find_spec("av") is None or find_spec("lipwise") is None:
    subprocess.run(["bash", str(root / "setup_colab.sh")], check=True)
    sys.path.insert(0, str(root))

# %%
import lipwise as lw
from lipwise.notebook import show, widgets

# %% [markdown]
# ## Choose a face and a recording
#
# Leave both empty for the sample. Tick the box when the people seen and heard agreed.

# %%
# @title Your choices
face = ""  # @param {type:"string"}
speech = ""  # @param {type:"string"}
out = "result.mp4"  # @param {type:"string"}
generator = "viseme"  # @param ["viseme", "wav2lip", "wav2lip_gan"]
quality = "good"  # @param ["draft", "good", "best"]
consent = False  # @param {type:"boolean"}

# %% [markdown]
# `viseme` is built in, needs no download and is of **preview quality**: it moves the mouth that is there.
# `wav2lip` and `wav2lip_gan` paint a new mouth; their weights (436 MB) are for **research and other non-commercial
# use only**.

# %%
sample = lw.make_sample("sample")
uses_sample = not (face or speech)
recipe = lw.Recipe(
    face=face or sample.face,
    speech=speech or sample.speech,
    out=out,
    generator=generator,
    quality=quality,
    consent=consent or uses_sample,
)

# %% [markdown]
# ## Run the whole chain
#
# Expect a progress bar over the frames and a short report: how many frames got new lips, how many were left alone,
# and where the time went.

# %%
report = lw.run(recipe)
print(report)

# %%
show.play(report.out)

# %% [markdown]
# **What to look at**
#
# - The lips shut on *p* and *m* and open on *a* and *o*.
# - Nothing moves but the mouth and the jaw.
# - Failure looks like this: a mouth that opens in a pause, or an edge round it that stays still while the head turns.

# %%
assert report.synthesised + report.passed == report.frames

# %% [markdown]
# ## Find the face
#
# The same steps one by one. First a detector finds a box and five points in every frame; then a mesh of 468 points
# is laid on the face. Expect the dots to sit on the lips and along the jaw.

# %%
video = lw.probe(recipe.face)
track = lw.track_faces(video)
frames = list(lw.read_frames(video, [0]))
show.face(frames[0], track, 0);

# %% [markdown]
# **What to look at**
#
# - The box holds the chin.
# - The green outline follows the inner lips: it says where the mouth opens.
# - Failure looks like this: the mesh slides off when the face is turned far away.

# %%
assert track.has_face.all() or not uses_sample

# %% [markdown]
# ## Hear the speech
#
# Sound becomes a mel spectrogram, 80 bands at 80 steps a second. Each frame of the video gets a window of 16 steps,
# a fifth of a second. Expect dark columns where the speaker pauses.

# %%
voice = lw.load_speech(recipe.speech)
show.mel(voice, video.fps, frame=30);

# %%
assert voice.windows(video.fps, first=0, count=10).shape == (10, 80, 16)

# %% [markdown]
# ## Make one mouth
#
# A *timeline* says which frame of the clip feeds each frame of the result; the generator looks at the whole clip
# once. Then one frame goes through every step.

# %%
timeline = lw.Timeline.for_speech(track.has_face, video.fps, voice.frame_count(video.fps))
model = lw.load_generator(recipe.generator)
state = lw.prepare_lipsync(video, track, timeline, voice, generator=model)

# %%
import numpy as np

number = 30
source = list(lw.read_frames(video, timeline.source_index[[number]]))
step = lw.lipsync_steps(source, np.array([number]), track, timeline, voice, generator=model, state=state)[0]
show.step(step);

# %% [markdown]
# **What to look at**
#
# - The mask is soft: white is taken from the new picture, black from the old.
# - Eyes, hair and background are the source's own pixels.
# - Failure looks like this: with `region="rectangle"` a box shows round the mouth.

# %%
assert (step.result[:10] == step.frame[:10]).all()

# %% [markdown]
# ## Before and after
#
# **Try it.** Guess first: at which frame is the mouth widest open? Then move the slider.

# %%
widgets.BeforeAfter(video, report.out, timeline.source_index)

# %% [markdown]
# ## Exercise
#
# Cut the same frame's mouth with `region="rectangle"` and measure how visible its edge is. `lw.seam_energy(result,
# source, mask)` is 1 for no edge at all.

# %% tags=["exercise"]
# Write your code here.
settings = lw.LipsyncSettings(region="rectangle")
rectangle = lw.lipsync_steps(
    source, np.array([number]), track, timeline, voice, generator=model, state=state, settings=settings
)[0]
seam = lw.seam_energy(rectangle.box.of(rectangle.result), rectangle.box.of(rectangle.frame), step.mask)

# %%
assert 0 < seam < 5, "seam should hold the figure that lw.seam_energy gives"

# %% [markdown]
# ## What you did
#
# 1. Ran the whole chain: which frames would `report.passed` count?
# 2. Saw each picture on the way: what does the mask's grey edge do?
# 3. Know what was changed: how would you find out which frames the detector missed?

# %% [markdown]
# ## If something goes wrong
#
# | You see | Do this |
# |---|---|
# | `No face was found` | use a clip in which a face looks at the camera and is large enough |
# | `Nobody has said that the people ... agreed` | ask them; then tick *consent* |
# | `has no sound` | choose a recording, or a video that is not silent |
# | the wrong person speaks | `lw.Recipe(..., choose=1)` counts from the left, from 0 |

# %% [markdown]
# ## Next steps
#
# Change `face` and `speech` above to files of your own and run all cells again.
