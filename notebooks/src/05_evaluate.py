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
# # Measure a result, and doubt every number
#
# ![A result and four spoiled copies of it; below them, which figure notices which fault](images/evaluate.png)
#
# Was the face left alone, is a seam seen, does it flicker, do the lips say what is heard, and when?
#
# **Time:** ten minutes, plus a few for set-up the first time. **Runtime:** any; a GPU is not needed.

# %% [markdown]
# **You will**
#
# 1. measure a result beside its source, inside and outside the mask,
# 2. move its sound on purpose and find by how much, without a checkpoint,
# 3. fool each figure, and learn which others notice.
#
# **Consent.** Use faces and voices only of people who agreed. A good score says nothing about whether you may show a
# result; say what was made.

# %% cellView="form" jupyter={"source_hidden": true}
# @title Set up
# {set_up}

# %%
import shutil

import numpy as np

import lipwise as lw
from lipwise.notebook import show, show_evaluate, warn
from lipwise.pipeline.evaluate import open_run

warn.plainly()
lw.environment()

# %% [markdown]
# *Ready* above the table is all you need of it; otherwise look for *missing*, and read *next* beside it.
#
# ## Choose a result
#
# Leave everything empty to make one from the sample. Or name a face and a speech; or a result that is there, with its
# [run folder]({glossary}#run-folder): `lw.run(..., run_folder="folder")`, or `--keep-run folder` in a terminal, keeps
# it.

# %%
# @title Your choices
# @markdown A clip or a photo; empty takes the sample. On Colab, first drop the file into the panel on the left.
face = ""  # @param {type:"string"}
# @markdown A recording, or a video with sound; empty takes the sample.
speech = ""  # @param {type:"string"}
# @markdown A result that is there already; empty makes one: a run of the whole chain.
result = ""  # @param {type:"string"}
# @markdown The folder of that result's run.
run_folder = ""  # @param {type:"string"}
# @markdown `viseme` is built in; the others fetch 436 MB, for research and other non-commercial use only.
generator = "viseme"  # @param ["viseme", "wav2lip", "wav2lip_gan"]
# @markdown The frame that you look at closely, counted from 0.
number = 71  # @param {type:"integer"}
# @markdown Tick it when the people seen and heard agreed; the sample needs no tick.
consent = False  # @param {type:"boolean"}

# %%
assert consent or not (face or speech or result), "Ask the people seen and heard whether they agree, then tick consent."
sample = lw.make_sample("sample")
if not result:
    result, run_folder = "made.mp4", "made_run"
    shutil.rmtree(run_folder, ignore_errors=True)  # of an earlier time: a run keeps to a folder of its own
    clip, recording = face or sample.face, speech or sample.speech
    recipe = lw.Recipe(face=clip, speech=recording, generator=generator, out=result, consent=True)
    lw.run(recipe, run_folder=run_folder)
assert run_folder, "Name the folder of that result's run, too: run_folder in the form."
plan = open_run(run_folder)
video = lw.probe(result)
show.play(result)

# %% [markdown]
# ## Measure everything at once
#
# The run's folder knows which frame of the clip each frame was made from, and the mask. Only the result is looked at
# anew. Expect a table, and below it what could not be measured, with the reason. In a terminal,
# `python -m lipwise evaluate made.mp4 --run made_run` prints the same.

# %%
evaluation = lw.evaluate(result, run=run_folder)
show_evaluate.table(evaluation)

# %% [markdown]
# **What to look at**
#
# - Inside the mask a *low* [PSNR]({glossary}#psnr) is no fault: new lips have to differ.
# - *source* is the clip's own score with its own sound: the mark to reach. The sample is silent and has none.
# - Limits for timing are a broadcast norm (ITU-R BT.1359); the others are rules of thumb.
# - Failure looks like this: *bad* anywhere, or good figures and a video that looks wrong.

# %%
# Check: nothing is left out in silence. What has no value has a reason.
assert set(evaluation.figures) | set(evaluation.missing) == set(lw.FIGURES)
assert all(evaluation.missing.values())

# %% [markdown]
# ## See what inside and outside mean
#
# *Inside* the [mask]({glossary}#mask) at least half of a pixel is new, *outside* nothing is; the border between them
# counts for neither. Guess first: outside nothing was touched, so is the difference there zero?

# %%
number = int(np.flatnonzero(plan.timeline.synth)[np.abs(np.flatnonzero(plan.timeline.synth) - number).argmin()])
show_evaluate.regions(plan, result, number)

# %%
show_evaluate.over_time(evaluation)

# %% [markdown]
# **What to look at**
#
# - Outside it is not zero: the video was encoded again. 40 dB is an error of about 2 of 255.
# - Inside, the curve jumps up where the new mouth stands as the old one did.
# - The [seam]({glossary}#seam) is the change of brightness across the mask's border, by the source's. Pasting blurs it
#   a little.
# - Failure looks like this: a seam well above 1, or an outline of the mask in the last picture.

# %%
# Check: the new mouth differs more from the clip than what was left alone.
assert evaluation["psnr_outside_db"] > evaluation["psnr_inside_db"] + 3

# %% [markdown]
# ## Watch both at once
#
# Numbers tell where to look; the eye decides. From left to right: clip, result, and their difference, six times as
# strong. Expect light at mouth, jaw and collar that comes and goes with the speech, none at the eyes. A bright line
# round the chin would be a seam.

# %%
player = show_evaluate.side_by_side(plan, result, "side_by_side.mp4")
# Check: in the difference, on the right, the half with the mouth is lighter than the half with the eyes.
frame = next(lw.read_frames("side_by_side.mp4", [number]))
upper, lower = np.array_split(frame[:, -frame.shape[1] // 3 :], 2)
assert lower.mean() > upper.mean(), f"the upper half differs more, by {upper.mean() - lower.mean():.1f}: look there"
player

# %% [markdown]
# ## Lay the mouth beside the speech
#
# A [mesh]({glossary}#mesh) on the result sees how far the mouth is open. A small network hears how far it should be.
# `r` is their [correlation]({glossary}#correlation), frame beside frame: 1 is the same shape, 0 is no relation. Expect
# both curves to come near 0 on *p* and *m*.

# %%
waveform = lw.load_audio(result)
# Check: computed by hand, where a face is seen, `r` is the number of the table.
seen = np.isfinite(evaluation.curves["gap"])
r = np.corrcoef(evaluation.curves["gap"][seen], evaluation.curves["heard_gap"][seen])[0, 1]
assert abs(r - evaluation["mouth_opening"]) < 0.001
show_evaluate.mouth(evaluation, waveform)

# %% [markdown]
# **What to look at**
#
# - Real people reach 0.1 to 0.5, `viseme` here 0.98. Does it speak better than people? No: **it is judged by the
#   network that it was made with.** Judge a generator by something that it has not seen.
# - Lips shut where the sound is silent, too.
# - Failure looks like this: an open mouth in a pause, or the same curve a few frames later.

# %% [markdown]
# ## Move the sound on purpose
#
# The [offset]({glossary}#audio-offset) is the shift at which lips and sound agree best. To trust it, give it something
# known. Guess first: the sound is made *later*. Is the number that comes out above or below 0?

# %%
result_track = lw.track_faces(result)
found = {}
for frames in (-8, -4, 0, 4, 8):
    late_s = frames / float(video.fps)
    moved = show_evaluate.delayed(waveform, late_s)
    found[late_s] = lw.estimate_offset(result_track.mesh_xy, lw.mel_spectrogram(moved), fps=video.fps)
    print(f"sound moved by {frames:+d} frames: {found[late_s]}")
show_evaluate.shifts(found)

# %% [markdown]
# **What to look at**
#
# - Below 0 the sound is late. Viewers notice early sound from 0.045 s on and late sound only from 0.125 s on: light is
#   quicker than sound, so they are used to that.
# - *Confidence* is how often an estimate like this was right within a frame. It needs one clear peak.
# - Failure looks like this: several peaks of one height, and a low confidence. Take a longer part.

# %%
# Check: each shift is found within one frame, counted from the result's own offset.
own = found[0.0].offset_s
misses = [abs(one.offset_s - own + late_s) * float(video.fps) for late_s, one in found.items()]
assert max(misses) <= 1, f"off by {max(misses):.1f} frames: is the confidence low? Take a longer result."

# %% [markdown]
# **Try it.** Guess first: how many frames may the sound be moved until half of the agreement is gone? Then move the
# slider. (A page without a kernel shows no slider; the figure above is its stand-in.)

# %%
show_evaluate.SoundShift(result_track.mesh_xy, waveform, fps=video.fps)

# %% [markdown]
# ## Fool the figures
#
# A stretch of the result, spoiled in four ways. Guess first: which of them gets the best PSNR? Expect a table, green
# for good, yellow for fair and red for bad, with no row that is red for every fault.

# %%
stretch = show_evaluate.Stretch(plan, result, count=32)
trials = {
    "the result": stretch.judge(),
    "clip untouched": stretch.judge(stretch.untouched),
    "0.28 s early": stretch.judge(late_s=-0.28),
    "lighter patch": stretch.judge(stretch.patch),
    "light flickers": stretch.judge(stretch.flicker),
}
show_evaluate.faults(trials)

# %% [markdown]
# **What to look at**
#
# - The untouched clip wins every figure about pictures, with a face that does not say a word. Only its mouth gives it
#   away.
# - Early sound leaves every pixel as it was: no picture figure can notice.
# - A patch speaks well; only the seam tells. *none* is what could not be measured: a mouth that never moves.
# - Failure looks like this: a report with one number. Ask for the others.

# %%
# Check: the best PSNR belongs to the trial that does not speak.
scores = {name: trial.evaluation["psnr_inside_db"] for name, trial in trials.items()}
assert max(scores, key=scores.get) == "clip untouched"

# %% [markdown]
# ## Ask a network that learned sync
#
# Papers report SyncNet's [LSE-D]({glossary}#lse-d) (lower is better) and LSE-C (higher). On the HDTF clips real video
# scores 7.42 and 8.01, Wav2Lip 6.69 and 8.94: **generated beats real**, and a constant offset does not show. So print
# the source's score and the AV offset beside them. In a new cell, `lw.fetch_weights("syncnet", accept_licence=True)`
# brings 55 MB, published without clear terms: for research only. Then run all cells again.

# %%
# Check: LSE-C is how far the result's curve dips below its median; where there is no curve, the reason is told.
distances = None if evaluation.sync is None else evaluation.sync.mean_distances
assert distances is not None or evaluation.missing["lse_c"]
assert distances is None or abs(np.median(distances) - distances.min() - evaluation["lse_c"]) < 0.001
show_evaluate.sync(evaluation)

# %% [markdown]
# **What to look at**
#
# - One curve for the result and one for the source: only the two together tell something.
# - Where a curve dips is the AV offset, above 0 when the sound is early; how deep it dips is LSE-C.
# - Failure looks like this: a curve without a dip, because no shift agrees; or a line that says why there is none.

# %% [markdown]
# ## Exercise
#
# `odd` is your result's sound, moved by some frames that nobody tells you. Measure it. Set `mend_s` to the seconds by
# which `odd` has to come *later* (below 0: earlier), so that it agrees with the lips again.

# %% tags=["exercise"]
# Write your code here.
odd = show_evaluate.secretly_moved(waveform, video.fps)
mend_s = None
# --- solution ---
mend_s = lw.estimate_offset(result_track.mesh_xy, lw.mel_spectrogram(odd), fps=video.fps).offset_s

# %%
# Check your answer.
assert mend_s is not None, "Not solved yet: set mend_s in the cell above."
assert abs(mend_s) < 2, "mend_s is in seconds, not in frames or milliseconds."
off = lw.estimate_offset(result_track.mesh_xy, lw.mel_spectrogram(odd), fps=video.fps)
assert abs(mend_s + off.offset_s) > 0.06, "The wrong way: twice as far off now. Above 0 the sound is early: delay it."
assert abs(mend_s) > 0.06, "That is nearly nothing: measure odd, not the waveform that it was made from."
mended = show_evaluate.delayed(odd, mend_s)
left = lw.estimate_offset(result_track.mesh_xy, lw.mel_spectrogram(mended), fps=video.fps)
assert abs(left.offset_s) < 0.06, f"Not yet: with your mend_s, {left}."
print(f"before: {off}\nafter:  {left}")

# %% [markdown]
# ## What you did
#
# 1. You measured inside and outside the mask. Why is a high PSNR inside no praise?
#    <details><summary>Answer</summary>New lips have to differ from the old ones. The clip that nobody touched has the
#    highest.</details>
# 2. You found a shift. What does +0.2 s mean, and why does the source's own offset belong beside it?
#    <details><summary>Answer</summary>The sound comes 0.2 s before its lips. Where the clip's own sound measures the
#    same, the clip or the measure is off, and not the generator.</details>
# 3. You fooled figures. Which two would you ask for first if a stranger sent you a result, and why is r = 0.98 no
#    proof?
#    <details><summary>Answer</summary>One for the mouth, such as r or the offset, and one for the picture, such as the
#    seam: each misses what the other sees. The built-in generator was made with the network that gives r.</details>

# %% [markdown]
# ## If something goes wrong
#
# | You see | Do this |
# |---|---|
# | `holds no whole run` | name the folder that the run kept, or make the result anew |
# | `The timeline is not that of` | take the folder of *this* result |
# | `The mouth does not move` | choose a part in which somebody speaks |
# | `No face is seen` | look at the result: a face should be there |
# | low confidence | a longer clip; noise and music hide speech |

# %% [markdown]
# ## Next steps
#
# - {badge:00_quickstart}
#   [00_quickstart](00_quickstart.ipynb): make another result and compare.
# - [02_clean_faces](02_clean_faces.ipynb) and [04_enhance](04_enhance.ipynb): mend what you found.
# - An offset in all your results? `lw.Recipe(..., lipsync={"audio_offset_s": 0.04})` makes the lips 0.04 s earlier;
#   in a terminal, `--audio-offset 0.04`.
# - `made_run` holds the geometry of a face: `lw.forget_run("made_run")` deletes it when you are done.
# - `python -m lipwise evaluate --help`; `evaluation.save("e.json")`, `evaluation.to_pandas()`. Words: the
#   [glossary]({glossary}).
