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
from IPython.display import display

import lipwise as lw
from lipwise.notebook import quick, show, warn, widgets

warn.plainly()
lw.environment()

# %% [markdown]
# Look at the words above the table: *Ready* is all you need. Otherwise look for *missing*: *next* beside it says what
# to do, and [01_setup](01_setup.ipynb) explains each row.

# %% [markdown]
# ## Choose a face and a voice
#
# To run it all on the sample, change nothing and choose *Run all*. Each field's line says what it does. The speech is
# a recording, or a sentence that espeak-ng says, or what you record in the browser; all empty: the sample's. `auto` is
# the best that is on your disk; another name fetches it.

# %%
# @title Your choices
# @markdown A clip or a photo of a face; empty takes the sample.
face = ""  # @param {type:"string"}
# @markdown A recording, or a video whose sound is used.
speech = ""  # @param {type:"string"}
# @markdown Instead of a recording: a sentence for espeak-ng's synthetic voice.
say = ""  # @param {type:"string"}
# @markdown The language of that voice, such as en or de.
voice = "en"  # @param {type:"string"}
# @markdown Instead of a recording: so many seconds of your own voice (Colab only).
record_s = 0  # @param {type:"number"}
# @markdown Tick it when the people seen and heard agreed; the sample needs no tick.
consent = False  # @param {type:"boolean"}
# @markdown `viseme` is built in; the others fetch 436 MB, for research and other non-commercial use only.
generator = "auto"  # @param ["auto", "viseme", "wav2lip", "wav2lip_gan"]
# @markdown What draws the face anew in detail: 0.3 to 0.4 GB each, and slow without a GPU.
restore = "auto"  # @param ["auto", "none", "gfpgan_1.4", "gfpgan_1.3", "restoreformer", "codeformer"]
# @markdown What enlarges the picture: `lanczos` is quick; the others are 33 to 67 MB, slow without a GPU.
upscale = "auto"  # @param ["auto", "none", "lanczos", "realesrgan_x4plus_ncnn", "realesr_general_x4v3"]
# @markdown How many times as wide and high the picture becomes; twice as much is four times the pixels.
scale = 2  # @param {type:"number"}
# @markdown How many minutes `auto` may spend on restoring, and as many on enlarging.
minutes = 2  # @param {type:"number"}
# @markdown Of the written file: `draft` is small and quick, `best` is large.
quality = "good"  # @param ["draft", "good", "best"]
# @markdown The video that is written.
out = "result.mp4"  # @param {type:"string"}
# @markdown The frame that you look at closely, counted from 0.
number = 63  # @param {type:"integer"}

# %%
sample = lw.make_sample("sample")
source = quick.choose_speech(speech, say=say, voice=voice, record_s=record_s, sample=sample.speech)
print(source)
# Or pick files here, then run the cells from the next one on.
clip = widgets.FilePicker("face", sample.face, chosen=face)
heard = widgets.FilePicker("speech", sample.speech, chosen=source.path)
display(clip, heard)

# %% [markdown]
# ## See what each choice costs
#
# About a second of your clip is looked at, and whatever is on your disk is tried on one frame of it. Expect a short
# table with one bold row for each of `generator`, `restore` and `upscale`: what the run will take. A line below names
# what else the form offers; click it for sizes and licences.

# %%
agreed = consent or not quick.needs_consent(clip.path, heard.path, sample)
wanted = lw.Recipe(face=clip.path, speech=heard.path, out=out, quality=quality, consent=agreed)
wanted.check_consent()
stretch = quick.look_round(wanted, number)
number = stretch.number
offered = quick.measure_choices(stretch, scale=scale)
offered = offered.take(generator=generator, restore=restore, upscale=upscale, minutes=minutes)
# Check: each field has one value, and nothing is fetched that you did not name.
taken = {row.field: row for row in offered.rows if row.taken}
assert set(taken) == {"generator", "restore", "upscale"}
assert all(row.kept or row.name in (generator, restore, upscale) for row in taken.values())
offered

# %% [markdown]
# **What to look at**
#
# - `viseme` is built in and of **preview quality**: it moves the mouth that is there. `wav2lip_gan` paints a new one;
#   its weights are for **research and other non-commercial use only**.
# - `lw.fetch_weights("wav2lip_gan", accept_licence=True)` fetches them. Run all cells again: `auto` takes them.
# - Failure looks like this: hours in the time column. Choose `none`, a smaller `scale`, or a GPU.

# %% [markdown]
# ## Try one frame first
#
# One frame goes through the whole chain: face, mouth, [restorer]({glossary}#restorer), [upscaler]({glossary}#upscaler),
# encoder. Expect it in a few seconds, with an estimate for all frames. If you do not like it, change the form now.

# %%
recipe = lw.Recipe(**dict(wanted) | offered.settings(scale=scale))
model = lw.load_generator(recipe.generator)
restorer = lw.load_restorer(recipe.restore) if recipe.restore else None
upscaler = lw.load_upscaler(recipe.upscale, scale=scale) if recipe.upscale else None
trial = quick.preview(stretch, generator=model, enhancers=lw.Enhancers(restorer, upscaler))
print(trial)
# Check: the frame got a new mouth, and has the size that you chose.
assert trial.lipsync is not None, f"nobody is seen in frame {number}: choose another number"
grown = trial.result.shape[0] / trial.before.shape[0]
assert abs(grown - (scale if upscaler else 1)) < 0.01, f"{grown:g} times as high"
quick.one_frame(trial)

# %% [markdown]
# **What to look at**
#
# - The sample's frame 63 shuts its lips: a *p* is coming.
# - The estimate counts no loading. Cost a minute? Then go on. Cost an hour? Then a smaller choice.
# - Failure looks like this: the same mouth in both pictures (nobody is seen there), or a face with a border.

# %% [markdown]
# ## Run the whole chain
#
# Expect a bar, the time to go and the memory in use. Stop it with the notebook's stop button, or use *Start* and
# *Cancel* in the panel. Nothing half-written is left. Complete pieces are kept in a hidden folder beside
# `out`, and the next start goes on from there: with `out` on a mounted Drive, a lost Colab session costs one piece.

# %%
panel = widgets.RunPanel(recipe)
display(panel)
report = panel.run()
# Check: the file has sound and as many frames as the report counts.
result = lw.probe(report.out)
assert result.has_audio
assert result.frame_count == report.frames == report.synthesised + report.passed

# %%
quick.compare(panel.work.plan, report.out)

# %% [markdown]
# **What to look at**
#
# - Turn the sound on. The sample says *Hello! This picture has learned to speak. Please watch my lips.* The lips meet
#   on *p* and *m* and part on the vowels.
# - Only mouth, jaw and what the chin pushes move on their own; eyes and hair sway with the camera.
# - Failure looks like this: a mouth that chatters in a pause, or lips that move before you hear them.

# %%
quick.card(report, panel.work.plan)

# %%
# Colab downloads the file; elsewhere, here is a link.
quick.download(report.out)

# %% [markdown]
# ## Find the face
#
# Now the same steps one by one. A detector finds a [box]({glossary}#box) and five points in every frame; then a
# [mesh]({glossary}#mesh) of 468 points is laid on the face. Expect the points to sit on eyes, nose and lips, and a list
# of frames with a fault, if any.

# %%
video = lw.probe(recipe.face)
video = video.part(0, min(video.frame_count, report.frames))  # what the speech needs
track, seen = lw.examine(video, mesh=True)
print(seen)
# Check: the face was followed through most of the clip.
assert track.has_face.mean() > 0.5, f"a face in only {track.has_face.mean():.0%} of the frames"
first = int(track.has_face.argmax())  # the first frame with a face
show.face(next(lw.read_frames(video, [first])), track, first)

# %% [markdown]
# **What to look at**
#
# - The box reaches from the forehead to the chin.
# - The green lines follow the inner lips. The gap between them is how far the mouth is open.
# - Failure looks like this: on a face in profile, the mesh slides off the cheek.

# %% [markdown]
# ## Hear the speech
#
# Sound becomes a [mel spectrogram]({glossary}#mel-spectrogram): 80 bands of pitch, 80 steps a second. Each frame of the
# video hears a window of 16 steps, a fifth of a second round its own time. Expect stripes for vowels and dark columns
# where no sound comes out.

# %%
spoken = lw.load_speech(recipe.speech)
# Check: there is one window for each frame of the result.
windows = spoken.windows(video.fps, first=0, count=spoken.frame_count(video.fps))
assert windows.shape == (report.frames, 80, 16)
show.mel(spoken, video.fps, frame=number, offset_s=model.window_shift_s)

# %% [markdown]
# **What to look at**
#
# - Frame 63 of the sample hears the silence before *please*, and the burst of its *p*: to say *p*, lips must shut
#   first.
# - Bright stripes low down are the voice; bright patches high up are hissing sounds such as *s*.
# - Failure looks like this: a bright haze in every column is noise, and makes mouths that never rest.

# %% [markdown]
# ## Make one mouth
#
# A [timeline]({glossary}#timeline) says which frame of the clip feeds each frame of the result: a short clip plays
# forward, then backward. The generator looks at the whole clip once. Then one frame goes through every step. Expect
# shut lips in the sample's frame 63.

# %%
timeline = lw.Timeline.for_speech(track.has_face, video.fps, report.frames)
state = lw.prepare_lipsync(video, track, timeline, spoken, generator=model)
frame = next(lw.read_frames(video, timeline.source_index[[number]]))
step = lw.lipsync_steps([frame], np.array([number]), track, timeline, spoken, generator=model, state=state)[0]
assert step is not None, f"frame {number} shows no face: choose another number"
# Check: where the mask is black, the frame stays as it was, bit for bit.
outside = np.ones(frame.shape[:2], bool)
step.box.of(outside)[step.mask > 0] = False
assert (step.result[outside] == frame[outside]).all()
show.step(step)

# %% [markdown]
# **What to look at**
#
# - The [mask]({glossary}#mask) is soft: white is taken from the new crop, black from the frame, grey is a mix of both.
# - Picture 6 is bright at mouth, jaw and collar, and black from the nose up.
# - Failure looks like this: a line round the mouth, or an edge seen twice where the mask fades.

# %% [markdown]
# ## Before and after
#
# Six moments from your frame on: the clip above, the result below. Expect the sample's one smile above, and a
# different mouth in most pictures below. Eyes and nose are the same in both; chin and cheeks follow the mouth. Teeth
# that change shape between frames would be a fault.

# %%
moments = np.clip(min(number, report.frames - 21) + 4 * np.arange(6), 0, report.frames - 1)
# Check: without enhancement, the file holds what you saw made step by step; compression changes it little.
written = next(lw.read_frames(report.out, [number]))[: frame.shape[0], : frame.shape[1]]
assert recipe.restore or recipe.upscale or np.abs(written.astype(int) - step.result).mean() < 4
show.before_after(video, report.out, timeline, numbers=moments, track=track)

# %% [markdown]
# **What to look at**
#
# - Lips that meet where a *p*, *b* or *m* is said, and part between words that are not.
# - No edge round mouth and chin, and the same teeth from picture to picture.
# - Failure looks like this: the same mouth six times. Then no frame had a face: see *Frames* in the run report.

# %% [markdown]
# **Try it.** Guess first: on which word does the mouth open widest? Then move the slider and look for it. (A page
# without a kernel shows no slider; the sheet above is its stand-in.)

# %%
widgets.BeforeAfter(video, report.out, timeline, number=number)

# %% [markdown]
# ## Exercise
#
# Measure it. Set `widest` to the number of the frame in which the result's mouth is open widest.
# `lw.mouth_gap(result_track.mesh_xy)` gives the gap between the lips in every frame, in eye distances; frames without a
# face hold NaN.


# %% tags=["exercise"]
# Write your code here.
result_track = lw.track_faces(report.out)
widest = None
# --- solution ---
widest = int(np.nanargmax(lw.mouth_gap(result_track.mesh_xy)))

# %%
# Check your answer.
assert widest is not None, "Not solved yet: set widest in the cell above."
after = lw.mouth_gap(result_track.mesh_xy)
counted = isinstance(widest, (int, np.integer)) and 0 <= widest < len(after)
assert counted, f"widest is the number of a frame, from 0 to {len(after) - 1}: neither the gap nor the time."
assert np.isfinite(after[widest]), f"No face was found in frame {widest} of the result."
assert after[widest] == np.nanmax(after), f"The lips are {after[widest]:.2f} apart there, and further elsewhere."
before = lw.mouth_gap(track.mesh_xy[timeline.source_index])
show.opening({"before": before, "after": after}, video.fps, marked=widest)

# %% [markdown]
# ## What you did
#
# 1. You ran the whole chain. What would `report.passed` count?
#    <details><summary>Answer</summary>Frames in which nobody is seen.</details>
# 2. You saw every picture. What becomes of a pixel where the mask is grey?
#    <details><summary>Answer</summary>Crop and frame are mixed.</details>
# 3. You measured what changed. What proves that the background is untouched?
#    <details><summary>Answer</summary>The check above `show.step`: outside the mask, all pixels are equal.</details>

# %% [markdown]
# ## If something goes wrong
#
# | You see | Do this |
# |---|---|
# | `espeak-ng is not installed` | `!apt-get install -y espeak-ng` |
# | `microphone cannot be reached` | record with a phone; name the file in `speech` |
# | `before you accept` | `lw.fetch_weights(name, accept_licence=True)` |
# | `No face was found` | a clip with a large face |
# | `Nobody has said` | ask the people, then tick *consent* |
# | `has no sound` | another recording |
# | the wrong person speaks | `lw.Recipe(..., choose=1)`, from the left |
# | `Set REPOSITORY` | your copy's address into *Set up* |

# %% [markdown]
# ## Next steps
#
# - {badge:01_setup}
#   [01_setup](01_setup.ipynb): what is installed, which weights there are, and what is inside them.
# - Set `face` and `speech` to files of your own and run all cells again; a photo works too.
# - Choose `wav2lip_gan` and compare its mouths with these.
# - Long clips: `python -m lipwise run --help` does the same from a terminal.
# - Words: the [glossary]({glossary}).
