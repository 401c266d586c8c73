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
#     language: python
#     name: python3
# ---

# %% [markdown]
# {badge}
#
# # Make a face say a recording
#
# ![Four frames of a portrait above; below, the same frames with new mouths](images/quickstart.png)
#
# A clip and a recording go in; a video whose lips say the recording comes out.
#
# **Time:** two minutes, plus a few for set-up the first time. **Runtime:** any; a GPU is not needed.

# %% [markdown]
# **You will**
#
# 1. run the whole chain on a real face and watch the video it makes,
# 2. see every picture on the way: box, mesh, mel window, mask, before and after,
# 3. measure what changed, and what was left alone.
#
# **Consent.** Use faces and voices only of people who agreed. The sample is a public-domain NASA portrait with a
# synthetic voice. Colab's rules list deepfakes among the uses it does not allow; your own machine runs this too.

# %% cellView="form" jupyter={"source_hidden": true}
# @title Set up
# {set_up}

# %%
import numpy as np

import lipwise as lw
from lipwise.notebook import show, widgets

# %% [markdown]
# ## Choose a face and a recording
#
# Leave `face` and `speech` empty to use the sample. For files of your own, tick *consent* when the people seen and
# heard agreed. `number` is the frame that you will look at closely.

# %%
# @title Your choices
face = ""  # @param {type:"string"}
speech = ""  # @param {type:"string"}
out = "result.mp4"  # @param {type:"string"}
generator = "viseme"  # @param ["viseme", "wav2lip", "wav2lip_gan"]
quality = "good"  # @param ["draft", "good", "best"]
number = 63  # @param {type:"integer"}
consent = False  # @param {type:"boolean"}

# %% [markdown]
# `viseme` is built in, needs no download and is of **preview quality**: it moves the mouth that is there.
# `wav2lip` and `wav2lip_gan` paint a new mouth; each fetches 436 MB of weights, for **research and other
# non-commercial use only**.

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
# Expect a progress bar, then a short report: how many frames got new lips, how many were left alone, and where the
# time went. The player comes after it; turn the sound on.

# %%
report = lw.run(recipe)
print(report)

# %%
show.play(report.out)

# %% [markdown]
# **What to look at**
#
# - The sample says *Hello! This picture has learned to speak. Please watch my lips.* The lips meet on *p* and *m* and
#   part on the vowels.
# - Only mouth and jaw move on their own; eyes and hair sway with the camera.
# - Failure looks like this: a mouth that chatters in a pause, or lips that move before you hear them.

# %%
# Check: the file has sound and as many frames as the report counts.
result = lw.probe(report.out)
assert result.has_audio
assert result.frame_count == report.frames == report.synthesised + report.passed

# %% [markdown]
# ## Find the face
#
# Now the same steps one by one. A detector finds a box and five points in every frame; then a mesh of 468 points is
# laid on the face. Expect the points to sit on eyes, nose and lips.

# %%
video = lw.probe(recipe.face)
video = video.part(0, min(video.frame_count, report.frames))  # what the speech needs
track = lw.track_faces(video)
first = int(track.has_face.argmax())  # the first frame with a face
show.face(next(lw.read_frames(video, [first])), track, first)

# %% [markdown]
# **What to look at**
#
# - The box reaches from the forehead to the chin.
# - The green lines follow the inner lips. The gap between them is how far the mouth is open.
# - Failure looks like this: on a face in profile, the mesh slides off the cheek.

# %%
# Check: the face was followed through most of the clip.
assert track.has_face.mean() > 0.5, f"a face in only {track.has_face.mean():.0%} of the frames"

# %% [markdown]
# ## Hear the speech
#
# Sound becomes a mel spectrogram: 80 bands of pitch, 80 steps a second. Each frame of the video hears a window of 16
# steps, a fifth of a second round its own time. Expect stripes for vowels and dark columns where no sound comes out.

# %%
voice = lw.load_speech(recipe.speech)
model = lw.load_generator(recipe.generator)
number = min(number, report.frames - 1)
show.mel(voice, video.fps, frame=number, offset_s=model.window_shift_s)

# %% [markdown]
# **What to look at**
#
# - Frame 63 of the sample hears the silence before *please*, and the burst of its *p*: to say *p*, lips must shut
#   first.
# - Bright stripes low down are the voice; bright patches high up are hissing sounds such as *s*.
# - Failure looks like this: a bright haze in every column is noise, and makes mouths that never rest.

# %%
# Check: there is one window for each frame of the result.
windows = voice.windows(video.fps, first=0, count=voice.frame_count(video.fps))
assert windows.shape == (report.frames, 80, 16)

# %% [markdown]
# ## Make one mouth
#
# A *timeline* says which frame of the clip feeds each frame of the result: a short clip plays forward, then backward.
# The generator looks at the whole clip once. Then one frame goes through every step. Expect shut lips in the sample's
# frame 63.

# %%
timeline = lw.Timeline.for_speech(track.has_face, video.fps, report.frames)
state = lw.prepare_lipsync(video, track, timeline, voice, generator=model)

# %%
frame = next(lw.read_frames(video, timeline.source_index[[number]]))
chain = {"generator": model, "state": state}
step = lw.lipsync_steps([frame], np.array([number]), track, timeline, voice, **chain)[0]
assert step is not None, f"frame {number} shows no face: choose another number"
show.step(step)

# %% [markdown]
# **What to look at**
#
# - The mask is soft: white is taken from the new crop, black from the frame, grey is a mix of both.
# - Picture 6 is brightest at mouth and jaw, and black from the nose up.
# - Failure looks like this: a line round the mouth, or an edge seen twice where the mask fades.

# %%
# Check: where the mask is black, the frame stays as it was, bit for bit.
outside = np.ones(frame.shape[:2], bool)
step.box.of(outside)[step.mask > 0] = False
assert (step.result[outside] == frame[outside]).all()

# %% [markdown]
# ## Before and after
#
# Six moments from your frame on: the clip above, the result below. Expect the sample's one smile above, and a
# different mouth in every picture below.

# %%
moments = np.clip(number + 4 * np.arange(6), 0, report.frames - 1)
show.before_after(video, report.out, timeline, numbers=moments, track=track)

# %% [markdown]
# **What to look at**
#
# - Eyes and nose are the same above and below; chin and cheeks follow the mouth.
# - Teeth appear when the mouth opens and go when it shuts.
# - Failure looks like this: teeth that change shape between frames, or a chin that stays while the lips drop.

# %%
# Check: the file holds what you saw made step by step; compression changes it little.
written = next(lw.read_frames(report.out, [number]))[: frame.shape[0], : frame.shape[1]]
assert np.abs(written.astype(int) - step.result).mean() < 4

# %% [markdown]
# **Try it.** Guess first: on which word does the mouth open widest? Then move the slider and look for it. (A page
# without a kernel shows no slider; the sheet above is its stand-in.)

# %%
widgets.BeforeAfter(video, report.out, timeline, number=number)

# %% [markdown]
# ## Exercise
#
# Measure it. Set `widest` to the number of the frame in which the result's mouth is open widest.
# `lw.mouth_gap(made.mesh_xy)` gives the gap between the lips in every frame, in eye distances; frames without a face
# hold NaN.

# %% tags=["exercise"]
# Write your code here.
made = lw.track_faces(report.out)
widest = None
# --- solution ---
widest = int(np.nanargmax(lw.mouth_gap(made.mesh_xy)))

# %%
# Check your answer.
assert widest is not None, "Not solved yet: set widest in the cell above."
after = lw.mouth_gap(made.mesh_xy)
assert after[widest] == np.nanmax(after), f"The lips are {after[widest]:.2f} apart there, and further elsewhere."
before = lw.mouth_gap(track.mesh_xy[timeline.source_index])
show.opening({"before": before, "after": after}, video.fps, marked=widest)

# %% [markdown]
# ## What you did
#
# 1. You ran the whole chain. Which frames would `report.passed` count?
# 2. You saw every picture on the way. What happens to a pixel where the mask is grey?
# 3. You measured what changed. Was your guess right, and how do you know that the background is untouched?

# %% [markdown]
# ## If something goes wrong
#
# | You see | Do this |
# |---|---|
# | `No face was found` | use a clip in which a large face looks at the camera |
# | `Nobody has said that the people ... agreed` | ask them, then tick *consent* |
# | `has no sound` | choose a recording, or a video with sound |
# | the wrong person speaks | `lw.Recipe(..., choose=1)`; from the left, from 0 |
# | `Set REPOSITORY` | put your copy's address into *Set up* |

# %% [markdown]
# ## Next steps
#
# - [01_setup](01_setup.ipynb): what is installed, which weights there are, and what is inside them.
# - Set `face` and `speech` to files of your own and run all cells again; a photo works too.
# - Choose `wav2lip_gan` and compare its mouths with these.
# - Long clips: `python -m lipwise run --help` does the same from a terminal.
