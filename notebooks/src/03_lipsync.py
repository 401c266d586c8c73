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
# # See how sound becomes lips
#
# ![A mouth saying a word, right; below, the same word with wrong windows](images/lipsync.png)
#
# A lip-sync network hears a fifth of a second, sees half a face, and paints the other half. Look inside, break each
# step, and measure.
#
# **Time:** fifteen minutes, plus a few for set-up the first time. **Runtime:** any; a GPU is not needed.

# %% [markdown]
# **You will**
#
# 1. see what one frame hears, and what Wav2Lip is given and gives back,
# 2. break its box, windows and colours on purpose, to know each failure when you meet it,
# 3. measure how early lips move, and set it.
#
# **Consent.** Use faces and voices only of people who agreed. Wav2Lip's weights are for research and other
# non-commercial use only; this lesson downloads none. Colab's rules do not allow deepfakes.

# %% cellView="form" jupyter={"source_hidden": true}
# @title Set up
# {set_up}

# %%
import math
from fractions import Fraction

import numpy as np
import torch

import lipwise as lw
from lipwise.notebook import show, show_lipsync, show_lipsync_failures, show_lipsync_offset, warn
from lipwise.notebook.formula_weights import lesson_weights
from lipwise.notebook.parameter_panel import ParameterPanel
from lipwise.notebook.show_lipsync_cursor import WindowCursor
from lipwise.notebook.show_lipsync_stand_in import StandIn, hears, through_box

warn.plainly()
lw.environment()

# %% [markdown]
# *Ready* above the table is all you need of it; otherwise look for *missing*, and read *next* beside it.
#
# ## Choose a face and a recording
#
# The sample is a NASA portrait (public domain) with a synthetic voice. Without Wav2Lip's weights, the lesson takes
# **untrained** ones made from a formula ([formula weights]({glossary}#formula-weights)): they show how the network
# runs, and draw noise.

# %%
# @title Your choices
# @markdown A clip or a photo; empty takes the sample. On Colab, first drop the file into the panel on the left.
face = ""  # @param {type:"string"}
# @markdown A recording, or a video with sound; empty takes the sample.
speech = ""  # @param {type:"string"}
# @markdown The video that is written.
out = "synced.mp4"  # @param {type:"string"}
# @markdown A Wav2Lip file of yours; empty takes `wav2lip_gan` if you fetched it, else untrained weights.
checkpoint = ""  # @param {type:"string"}
# @markdown The frame that you look at closely, counted from 0.
number = 74  # @param {type:"integer"}
# @markdown Tick it when the people seen and heard agreed; the sample needs no tick.
consent = False  # @param {type:"boolean"}

# %%
assert consent or not (face or speech), "Nobody has said that these people agreed: ask them, then tick consent."
sample = lw.make_sample("sample")
recording = speech or sample.speech
waveform, voice, video = lw.load_audio(recording), lw.load_speech(recording), lw.probe(face or sample.face)
count = voice.frame_count(video.fps)
video = video.part(0, min(video.frame_count, count))
track = lw.track_faces(video)
assert track.has_face.any(), "No face was found in this clip: take another one."
timeline = lw.Timeline.for_speech(track.has_face, video.fps, count)
number = min(max(number, 0), count - 1)
assert timeline.synth[number], f"frame {number} shows no face: choose another number"

# %% [markdown]
# ## Hear what one frame hears
#
# Sound becomes a [mel spectrogram]({glossary}#mel-spectrogram): 80 bands of pitch, 80 steps a second. A frame of video
# hears 16 steps, its [mel window]({glossary}#mel-window). Expect frame 74 of the sample to hear the *a* of *watch*: a
# broad bright stripe low down.

# %%
show_lipsync.heard(waveform, voice, video.fps, frame=number)

# %% [markdown]
# **What to look at**
#
# - Wav2Lip's window (cyan) begins at the frame's own time and reaches 0.2 s ahead. The built-in network wants it round
#   the frame, and says so: `window_shift_s = -0.06`.
# - Move the cursor below one frame on: most of the window stays. At 25 frames a second neighbours share 13 of 16 steps.
# - Failure looks like this: a window that runs away from the red line as you go on.

# %%
# Check: a window is 80 bands by 16 steps, a fifth of a second, cut from the mel without a change.
window = voice.windows(video.fps, first=number, count=1)[0]
start = math.floor(80 * number / video.fps)
assert window.shape == (80, 16)
assert (window[:, : voice.mel.shape[1] - start] == voice.mel[:, start : start + 16]).all()
WindowCursor(waveform, voice, video.fps, number=number)

# %% [markdown]
# ## Keep the mouth shut in silence
#
# Rooms hum, and a network takes hum for a vowel. A [silence gate]({glossary}#silence-gate) lowers the mel to its floor
# where nobody speaks. Here a lamp hums under the speech, and for one second after it. Expect two curves that agree in
# speech and part where it pauses.

# %%
seconds = np.arange(len(waveform) + 16_000) / 16_000
hum = sum(np.sin(2 * np.pi * 100 * k * seconds) / k for k in range(1, 6)) * waveform.std() * 0.15
humming = lw.save_wav("humming.wav", np.pad(waveform, (0, 16_000)) + hum, sample_rate=16_000)
gated, ungated = lw.load_speech(humming), lw.load_speech(humming, gate_silence=False)
# Check: once the speech is over, the gated mouth is shut.
assert show_lipsync_offset.heard_opening(gated, video.fps)[count + 8 :].max() < 0.02
show_lipsync.gate(lw.load_audio(humming), gated, ungated, video.fps)

# %% [markdown]
# **What to look at**
#
# - The gate opens before each word, so that no first sound is lost, and stays open through short gaps.
# - Where somebody speaks, the two curves are nearly the same: a gate takes hardly anything from speech.
# - Failure looks like this: the dashed line in the last second. Nobody speaks, and the mouth stands open.

# %% [markdown]
# ## Fill half a face
#
# Wav2Lip is given six pictures of 96 x 96: a face with its lower half blacked out, and the same face whole, each as
# blue, green, red. From the whole one it takes who this is; in training that was *another* frame, so copying its mouth
# did not pay. The other input is the window. Expect black from row 48 on.

# %%
weights = lesson_weights(checkpoint, folder="sample")
print(weights)
wav2lip, builtin = lw.load_generator(str(weights.path)), lw.load_generator("viseme")
generators = {"built-in": builtin, "stand-in": StandIn(), weights.name: wav2lip}
state = lw.prepare_lipsync(video, track, timeline, voice, generator=builtin)
source = timeline.source_index[number]
upright = lw.turn_video(video, track.rotation)  # a phone's clip may lie on its side
frame, mesh = next(lw.read_frames(upright, [source])), track.mesh_xy[source]


def new_mouth(generator, settings=None):  # this frame's, with every picture on the way to it
    return lw.lipsync_steps(
        [frame], np.array([number]), track, timeline, voice, generator=generator, state=state, settings=settings
    )[0]


# %%
crop = new_mouth(wav2lip).crop  # (96, 96, 3), RGB
reference = crop[..., ::-1].transpose(2, 0, 1) / np.float32(255)  # BGR, (3, 96, 96)
masked = reference.copy()
masked[:, 48:] = 0
six = np.concatenate([masked, reference])  # (6, 96, 96)
with torch.inference_mode():
    raw = weights.network()(torch.from_numpy(six)[None], torch.from_numpy(window)[None, None])[0].numpy()
# Check: by hand and through the library the same picture comes out, up to rounding.
by_library = wav2lip.synthesize(crop[None], window[None])[0]
assert np.abs(255 * raw[::-1].transpose(1, 2, 0) - by_library).mean() < 3
show_lipsync.network_input(six, window, raw, trained=weights.trained)

# %% [markdown]
# **What to look at**
#
# - The mouth is gone from channels 0 to 2 and stands in 3 to 5.
# - Skin is brightest in red, channels 2 and 5: blue comes first.
# - The output is raw: 96 x 96, nothing pasted. **Untrained** weights give a grey pattern there, trained ones a face.
# - Failure looks like this: a smile left above row 48. Then the box is too low.

# %% [markdown]
# ## Paste it
#
# The crop goes back through a soft [mask]({glossary}#mask), in the colours of its surroundings. Three mouths: the
# built-in [generator]({glossary}#generator)'s, a [stand-in]({glossary}#stand-in)'s (the built-in mouth behind Wav2Lip's
# box and 96 pixels; you will break it below), and Wav2Lip's. Expect the second to be softer than the first, and
# untrained weights to give a patch the colour of skin.

# %%
steps = {name: new_mouth(generator) for name, generator in generators.items()}
# Check: where the mask is black, every frame stays as it was, bit for bit.
for step in steps.values():
    outside = np.ones(frame.shape[:2], bool)
    step.box.of(outside)[step.mask > 0] = False
    assert (step.result[outside] == frame[outside]).all()
show_lipsync.beside(steps)

# %% [markdown]
# **What to look at**
#
# - The built-in generator moves the frame's own pixels. Wav2Lip paints 96 x 96 new ones, which are stretched: that is
#   why its mouths look soft, and why faces are restored afterwards.
# - The mask follows the lower face. Wav2Lip's narrow box cuts it short: the stand-in's cheek is seen twice.
# - Failure looks like this: a patch that you can tell from its surroundings, as where nobody trained the network.

# %% [markdown]
# ## Let it see the chin
#
# The lower half gets painted, so the box decides what the network sees and what it may paint. Here is the same mouth,
# the stand-in's, through three boxes. Guess first: which of them opens least?

# %%
box, low = steps[weights.name].box, round(mesh[[14, 17], 1].max())  # points 14 and 17: the lower lip
ends = {"ends at the lips": low, "chin inside (default)": box.y1, "far too low": round(1.6 * box.y1 - 0.6 * box.y0)}
boxes = {name: through_box(frame, mesh, box._replace(y1=end), state[np.array([number])]) for name, end in ends.items()}
# Check: only with the chin inside is the old mouth hidden and the new one taken.
serves = {name: min(show_lipsync_failures.mouth_in_crop(step, mesh)) for name, step in boxes.items()}
assert max(serves, key=serves.get) == "chin inside (default)", serves
show_lipsync_failures.boxes(boxes, mesh)

# %% [markdown]
# **What to look at**
#
# - Without the chin, the crop's middle rises to the eyes: the nose has to be invented. The jaw has no room to drop, and
#   the mask, which ends inside the box, takes less of the mouth.
# - Far too low, the old mouth stands above the black: a wrong answer, which only a network reads.
# - Failure looks like this: lips that move on a chin that does not. Add to the second of
#   [pads]({glossary}#pads), the bottom.

# %% [markdown]
# ## Break windows and colours
#
# No error tells you of a wrong window: the shapes fit. Two usual ones: windows that share nothing, and windows cut as
# if the video had 80 frames a second. Then the colours: Wav2Lip's network speaks [BGR]({glossary}#bgr), and a program
# forgets to turn its picture round.

# %%
right = voice.windows(video.fps, first=0, count=count, offset_s=builtin.window_shift_s)
hold = round(video.fps / 5)  # frames in 0.2 s
speech_windows = {"right": right, "no overlap": right[np.arange(count) // hold * hold]}
speech_windows["80 a second"] = voice.windows(Fraction(80), first=0, count=count, offset_s=builtin.window_shift_s)
part = slice(max(0, number - 3), min(count, number + 7))
mouths = {}
for name, windows in speech_windows.items():
    heard_so = hears(state, windows)
    frames = lw.lipsync_frames(video, track, timeline, voice, generator=builtin, state=heard_so, part=part)
    mouths[name] = heard_so.per_frame["gap"], list(frames)
# Check: every shape fits, so no error tells; the mouths are others.
assert len({windows.shape for windows in speech_windows.values()}) == 1
agrees = [np.corrcoef(gap, mouths["right"][0])[0, 1] for gap, _ in mouths.values()]
assert max(agrees[1:]) < 0.95, "one of the wrong windows made the right mouth: take livelier speech"
show_lipsync_failures.mouths(mouths, track.mesh_xy[timeline.source_index[part]], first=part.start)

# %%
blue, hard = StandIn(forgets_bgr=True), lw.LipsyncSettings(region="rectangle")
faces = {"right": steps["stand-in"], "forgotten": new_mouth(blue, hard), "forgotten, colours matched": new_mouth(blue)}
# Check: matching hides most of the bug.
apart = {name: np.abs(step.result.astype(int) - steps["stand-in"].result).mean() for name, step in faces.items()}
assert apart["forgotten, colours matched"] < apart["forgotten"] / 2
show_lipsync_failures.colours(faces, mesh)

# %% [markdown]
# **What to look at**
#
# - Without overlap the mouth stands for a fifth of a second, then jumps: slow video with fast sound.
# - At 80 a second it says what was said long before, three times too slowly.
# - Matching colours hides the blue and leaves grey cheeks and yellow teeth: a good paste can hide a bug.
# - Failure looks like this: any row or picture but the first.

# %% [markdown]
# ## Sweep the offset
#
# `audio_offset_s`, the [audio offset]({glossary}#audio-offset), gives each frame later sound, so its lips move earlier.
# Set five offsets, make the lips, lay a mesh on each picture, and compare the gap between its lips with the opening
# that was heard, at every shift in time. Expect five peaks, and five points on a line.

# %%
heard, short = show_lipsync_offset.heard_opening(voice, video.fps), timeline[:100]
opened = {}
for offset_s in (-0.16, -0.08, 0.0, 0.08, 0.16):
    offset = lw.LipsyncSettings(audio_offset_s=offset_s)
    frames = lw.lipsync_frames(video, track, short, voice, generator=builtin, settings=offset)
    opened[offset_s] = show_lipsync_offset.shown_opening(frames, track, short)
    # Check: the lead that is measured is the one that was set, within a frame.
    found_s = show_lipsync_offset.lead_s(opened[offset_s], heard[: len(short)], video.fps)
    print(f"set {offset_s:+.2f} s, measured {found_s:+.3f} s")
    assert abs(found_s - offset_s) < 1 / video.fps, "no clear peak: take a larger face, or clearer speech"
show_lipsync_offset.sweep(opened, heard, video.fps)

# %% [markdown]
# **What to look at**
#
# - Viewers notice sound that is 0.045 s early, but only 0.125 s late (ITU-R BT.1359): lips had better lead.
# - Wav2Lip was trained on windows that begin one frame earlier than its own program cuts them. Its lips lead by about
#   0.04 s.
# - Failure looks like this: flat curves. Then lips and sound have nothing in common, and no lead can be named.

# %% [markdown]
# **Try it.** Choose the stand-in: a cheek is seen twice. Guess first which pads mend it, then move them; change region,
# feather and offset, too. The line below is the same in code. (A page without a kernel shows no panel; the figures
# above take its place.) The cell after it writes the whole clip as you left the panel.

# %%
panel = ParameterPanel(video, track, timeline, voice, generators=generators, number=number)
panel

# %%
frames = lw.lipsync_frames(video, track, timeline, voice, generator=panel.generator, settings=panel.settings)
show.play(lw.write_video(out, frames, fps=video.fps, sound=lw.read_sound(recording)))

# %% [markdown]
# ## Exercise
#
# Write `window_start(frame, fps, offset_s)`: the mel step, a whole number, at which the window of a frame begins. There
# are 80 steps a second; frame 0 is shown at 0 s; a window begins `offset_s` seconds later than its frame is shown, and
# between two steps the earlier one counts. Before the recording, steps are below 0.


# %% tags=["exercise"]
# Write your code here.
def window_start(frame, fps, offset_s=0.0):
    return None


# --- solution ---
def window_start(frame, fps, offset_s=0.0):  # noqa: F811  # takes the place of the starting point
    return math.floor(80 * (frame / fps + offset_s))


# %%
# Check your answer.
why = {14: "it counts frames", 224: "windows would share nothing", 42: "80 / 25 is not 3", 45: "it rounds up"}
why |= {36: "later sound has larger numbers", 44: "0.1 seconds are 8 steps", 266_666: "29.97 a second is not 30"}
why |= {-4: "int() cuts towards 0; take math.floor", 0: "before the recording there is silence: do not clip"}
cases = {(14, 25): 44, (14, 25, 0.1): 52, (0, 25, -0.06): -5, (100_000, Fraction(30_000, 1001)): 266_933}
for asked, step in cases.items():
    begins = window_start(*asked)
    assert begins is not None, "Not solved yet: let window_start return a number."
    assert begins == int(begins), f"{begins} is no whole number: between two steps the earlier one counts."
    clipped = begins == 0 and step > 0  # what 0 says of a step before the recording is no reason here
    reason = "80 steps a second, and rounding comes last"
    reason = reason if clipped else why.get(begins, reason)
    assert begins == step, f"window_start{asked} is {step}, not {begins}: {reason}."
print("Right, even after an hour.")

# %% [markdown]
# ## What you did
#
# 1. You saw what goes in and out. Why is a mouth given, in channels 3 to 5?
#    <details><summary>Answer</summary>It tells who this is; the window tells what is said.</details>
# 2. You broke it. Which failure does colour matching hide?
#    <details><summary>Answer</summary>Wrong channel order, on skin.</details>
# 3. You measured the lead. Lips come 0.08 s late: what do you set?
#    <details><summary>Answer</summary>audio_offset_s=0.08</details>

# %% [markdown]
# ## If something goes wrong
#
# | You see | Do this |
# |---|---|
# | `shows no face` | another `number` |
# | `There is no checkpoint` | its path, or leave `checkpoint` empty |
# | `holds another network` | a Wav2Lip checkpoint, no other |
# | `was refused` | it could run code: get a state dict or safetensors |
# | Wav2Lip paints noise | fetch weights: [01_setup](01_setup.ipynb) |
# | the panel is slow | the built-in generator answers fastest |
# | `Set REPOSITORY` | put your copy's address into *Set up* |

# %% [markdown]
# ## Next steps
#
# - {badge:04_enhance}
#   [04_enhance](04_enhance.ipynb): more pixels.
# - [05_evaluate](05_evaluate.ipynb): how good is it? [02_clean_faces](02_clean_faces.ipynb): leave out the frames in
#   which no mouth can be made.
# - [00_quickstart](00_quickstart.ipynb): the whole chain in one call; set `generator` to `wav2lip_gan`.
# - [01_setup](01_setup.ipynb): fetch Wav2Lip's weights, and look inside them.
# - In a terminal, `python -m lipwise run --help` has region and offset; pads and feather are set in Python:
#   `lw.Recipe(..., lipsync={"pads": (0, 20, 0, 0)})`.
# - Words: the [glossary]({glossary}).
