# ---
# jupyter:
#   colab:
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
# # Know every frame, keep the good ones
#
# ![Six frames, boxes on the faces: one good; the others turned, blurred, dark, empty, tiny](images/clean_faces.png)
#
# Lips can be made only where a face can be seen. See why a frame is bad, decide, and cut picture and sound together.
#
# **Time:** ten minutes, plus a few for set-up the first time. **Runtime:** any; a GPU is of no use here.

# %% [markdown]
# **You will**
#
# 1. see for every frame why it can or cannot be used,
# 2. decide by policy and by hand, and write a clean clip whose sound fits,
# 3. break a face detector on purpose, and measure how smoothing makes a box late.
#
# **Consent.** Use faces and voices only of people who agreed. Lip-sync comes later: Wav2Lip's weights are for research
# and other non-commercial use only, and Colab's rules do not allow deepfakes.

# %% cellView="form" jupyter={"source_hidden": true}
# @title Set up
# {set_up}

# %%
import cv2
import numpy as np
from IPython.display import display
from PIL import Image

import lipwise as lw
from lipwise.notebook import mean_check, show, show_clean, show_policies, show_smoothing, warn
from lipwise.notebook.person_picker import PersonPicker
from lipwise.notebook.reviewer import FrameReviewer
from lipwise.sample import make_hard_sample, turn_head

warn.plainly()
lw.environment()

# %% [markdown]
# *Ready* above the table is all you need of it; otherwise look for *missing*, and read *next* beside it.
#
# ## Choose a clip
#
# The sample is a NASA portrait (public domain) and a synthetic voice, with six kinds of trouble put in.
#
# Below the player stands everybody who is seen: click on one to follow them; otherwise the largest face is. The
# sample's one person counts twice: far away, size and place cannot tell that it is she.

# %%
# @title Your choices
# @markdown A clip; empty takes the sample. On Colab, first drop the file into the panel on the left.
face = ""  # @param {type:"string"}
# @markdown The clean clip that is written.
out = "clean.mp4"  # @param {type:"string"}
# @markdown Frames that cannot be used are left out, held over, shown untouched, or refuse the clip.
policy = "drop"  # @param ["drop", "hold", "pass", "fail"]
# @markdown The clip's own sound: cut where the picture is, kept whole, or left out.
sound = "cut"  # @param ["cut", "whole", "none"]
# @markdown Tick it when the people in it agreed; the sample needs no tick.
consent = False  # @param {type:"boolean"}

# %%
assert consent or not face, "Nobody has said that the people in this clip agreed: ask them, then tick consent."
video = lw.probe(face or make_hard_sample("sample").face)
picker = PersonPicker(video)
display(show.play(video.path), picker)

# %% [markdown]
# ## Look at every frame
#
# `examine` reads the clip once. A [detector]({glossary}#detector) finds a [box]({glossary}#box) and five
# [landmarks]({glossary}#landmarks) in each frame; the same pass measures size, turn, sharpness and light. Expect one
# good frame, and one for each kind of trouble that lasts.

# %%
track, report = lw.examine(video, choose=picker.choice, cache=False, progress=True)
show_clean.faces(video, track, report)

# %% [markdown]
# **What to look at**
#
# - The points sit on eyes, nose and corners of the mouth; green means that nothing speaks against the frame.
# - A high score says *here is a face*, not *here is a clear mouth*: the blurred face scores well.
# - A note may name a shot: after a cut, only size and place tell who it is.
# - Failure looks like this: a box on a cup or a cat, or none on a plain face.

# %%
# Check: somebody is seen, every frame has its row, and the five points lie in the boxes.
assert track.has_face.any(), "nobody is seen: the figure above says what to try"
assert len(report) == len(track) == video.frame_count
points, boxes = track.landmarks_xy[track.has_face], track.boxes_xyxy[track.has_face, None]
inside = ((points > boxes[..., :2]) & (points < boxes[..., 2:])).all(axis=2)
print(f"{inside.mean():.1%} of the points lie in their box")
assert inside.mean() > 0.95, "points beside the face: look at the figure again"

# %% [markdown]
# ## Read the timeline
#
# A [reason]({glossary}#reason) is a colour here, two reasons are two colours one above the other, and each run of
# frames gets a thumbnail. Expect bad runs of very different length: some are a second, one is the blink of an eye.
#
# The next figure shows what was measured, with the sound below. A dashed line is a [threshold]({glossary}#threshold):
# expect each bad run where a curve crosses it. Darkness is another matter and has no curve here.

# %%
print(report)
Image.fromarray(lw.contact_sheet(video, report, track=track))

# %%
waveform = lw.load_audio(video.path) if video.has_audio else None
show_clean.curves(report, waveform)

# %% [markdown]
# **What to look at**
#
# - *Blurred* counts against the clip's own sharpness, and against the face's own contrast: the noise of a dark face
#   passes for sharp. One measure is never enough.
# - *Scene cut* is a mark and no fault: the frame is used, but nothing is smoothed across it.
# - Failure looks like this: a strip without green, or a curve that trembles about its line, so that frames change sides
#   all the time. Move the threshold.

# %%
# Check: frames without a fault are used, all others not; a stricter threshold takes frames away and gives none back.
faulty = np.any([report.has(name) for name in lw.FAULTS], axis=0)
assert (report.usable == ~faulty).all()
strict = report.with_settings(lw.UsabilitySettings(max_yaw_deg=10))
print("turned by more than 28 degrees:", report.ranges("turned") or "none")
print("turned by more than 10 degrees:", strict.ranges("turned") or "none")
assert not (strict.usable & ~report.usable).any()

# %% [markdown]
# **Try it.** Guess first: how many of the turned frames would you use yourself? Jump there with *Next bad*, move the
# slider, keep or drop, take it back. The line below the buttons is the same in code. (A page without a kernel shows no
# reviewer; the sheet above is its stand-in.)

# %%
reviewer = FrameReviewer(video, report, track=track)
reviewer

# %% [markdown]
# ## Decide by a policy
#
# A [policy]({glossary}#policy) says what becomes of the other frames. `drop` leaves them out, `hold` shows the last
# good one for a while, `pass` shows them untouched; `bridge_frames` uses short bad runs after all. What you decided by
# hand comes first. Expect strips of three lengths.

# %%
mine = reviewer.report
settings = {name: lw.CleanSettings(policy=name) for name in ("drop", "hold", "pass")}
settings["drop, bridging 5"] = lw.CleanSettings(policy="drop", bridge_frames=5)
timelines = {name: lw.apply_policy(mine, chosen) for name, chosen in settings.items()}
show_policies.policies(timelines, mine)

# %% [markdown]
# **What to look at**
#
# - `drop` is shorter than the clip, so it is cut; the others keep its length.
# - A hold stays inside its shot: after a cut there is nothing to hold, and the frame passes.
# - Failure looks like this: `drop` full of white lines. Each is a jump; bridge short runs or choose another clip.

# %%
# Check: only drop shortens the clip; the fourth policy, fail, is for programs that must not decide alone.
assert len(timelines["drop"]) == mine.count <= len(timelines["pass"]) == len(timelines["hold"]) == len(mine)
try:
    lw.apply_policy(mine, lw.CleanSettings(policy="fail"), clip=video.path.name)
except lw.FaceError as error:
    print(error)

# %% [markdown]
# ## Write the clean clip
#
# The sound is cut where the picture is cut, with a [cross-fade]({glossary}#cross-fade) of 10 ms against clicks. The
# face's place goes along as `cleaned.track`: the next stage looks for no face again. Expect the same voice, with words
# missing.

# %%
timeline = lw.apply_policy(mine, lw.CleanSettings(policy=policy), clip=video.path.name)
cleaned = lw.write_clean(video, timeline, out, track=track, sound=sound)
show_clean.players(before=video.path, after=cleaned.video.path)

# %% [markdown]
# **What to look at**
#
# - Every frame on the right shows a face that you could lip-sync.
# - The cuts fall anywhere in a word. For speech that stays whole, give the clip new speech: that is what lip-sync does.
# - Failure looks like this: a voice that drifts away from the picture, later and later.

# %%
# Check: no frame of the tail is lost, and sound and picture are equally long, to a frame.
written = cleaned.video
assert written.frame_count == len(cleaned.timeline) == len(cleaned.track)
assert written.has_audio == (sound != "none" and waveform is not None), "the sound is gone"
if written.has_audio:
    heard_s = len(lw.load_audio(written.path)) / 16_000
    print(f"picture {written.duration_s:.3f} s, sound {heard_s:.3f} s")
    assert abs(heard_s - written.duration_s) <= 1 / written.fps, "sound and picture drift apart"

# %% [markdown]
# ## Break the detector
#
# The network was trained on faces of 10 to 300 pixels that look at the camera, mostly in focus. Guess a score for each
# picture. Then change **one** number, such as the 16, guess again, and run the cell again: where does it give up?

# %%
detector = lw.load_detector(yunet_path=lw.find_weights("yunet_2023mar"))
good, turned = turn_head(0)[20:230, 120:330], turn_head(45)[20:230, 120:330]
pictures = {"as it is": good, "turned by 45": turned, "upside down": np.ascontiguousarray(good[::-1])}
pictures["blurred by 4"] = cv2.GaussianBlur(good, (0, 0), 4)
pictures["blurred by 16"] = cv2.GaussianBlur(good, (0, 0), 16)
pictures["a tenth of the size"] = cv2.resize(good, None, fx=0.1, fy=0.1, interpolation=cv2.INTER_AREA)
found = {name: detector.detect(picture) for name, picture in pictures.items()}
show_clean.tries(pictures, found)

# %% [markdown]
# **What to look at**
#
# - Blur takes little off the score: what a mouth needs and what a detector needs are two things.
# - A green box on a picture that you call hopeless is why frames are judged by more than the detector's word.
# - Failure looks like this: *no face*; or, worse, a fair score over points that lie wrong. Upside down, the corners of
#   the mouth may be found on the forehead.

# %%
# Check: the plain face is found for sure, its eyes above its mouth, and no spoilt picture does better.
score = {name: max(faces.score, default=0.0) for name, faces in found.items()}
print(", ".join(f"{name}: {value:.2f}" for name, value in score.items()))
points = found["as it is"].landmarks_xy[0]
assert points[:2, 1].max() < points[2, 1] < points[3:, 1].min(), "eyes, nose and mouth are out of order"
assert 0.8 < score["as it is"] > max(score.values()) - 0.03, "a spoilt picture does better"

# %% [markdown]
# ## Put the box where the face is
#
# A detector's box trembles, so it is smoothed. A mean of the *last* five frames comes late, one of the *next* five runs
# ahead of the face. A [centred]({glossary}#centred-smoothing) filter sees both sides. Expect three lines, two frames
# apart from each other.

# %%
unsmoothed = lw.TrackSettings(smooth_s=0)
raw = lw.examine(video, choose=picker.choice, settings=unsmoothed, cache=False).track
run = show_smoothing.longest_run(track)
place, ours = show_smoothing.middle_x(raw, run), show_smoothing.middle_x(track, run)
late = np.array([place[max(0, i - 4) : i + 1].mean() for i in range(len(place))])
early = np.array([place[i : i + 5].mean() for i in range(len(place))])
lines = {"mean of the last 5": late, "mean of the next 5": early, "LipWise": ours}
show_smoothing.compare(place, lines, first=run.start)

# %% [markdown]
# **What to look at**
#
# - Where the face moves, the dashed line comes after the dots and the dotted one before them, by two frames: the mean
#   of five is as old as its middle.
# - Where the face is still, all agree.
# - Failure looks like this: a mouth that is pasted beside the mouth as soon as the head turns.

# %%
# Check: smoothing takes trembling off, and does not put the box late.
before, after = (one.part(run.start, run.stop).jitter for one in (raw, track))
if len(place) < 5:
    print(f"A face in {len(place)} frame(s) in a row: too few to tremble or to come late. Take a longer clip.")
else:
    print(f"trembling: {before:.4f} box sizes a frame squared before, {after:.4f} after")
    assert after <= before, "the smoothed box trembles more"
    assert abs(show_smoothing.lag_frames(ours, place)) < 0.5, "the smoothed box comes late"

# %% [markdown]
# ## Exercise
#
# Write `centred_mean(values, count)`: for each frame the mean of `count` values (an odd number) with the frame in their
# middle; at the ends, repeat the first and the last value. `np.pad(values, 2, mode="edge")` repeats them twice.


# %% tags=["exercise"]
# Write your code here.
def centred_mean(values, count):
    return None


# --- solution ---
def centred_mean(values, count):  # noqa: F811  # takes the place of the starting point
    padded = np.pad(values, count // 2, mode="edge")
    return np.convolve(padded, np.ones(count) / count, mode="valid")


# %%
# Check your answer with two counts, ends included.
uneven = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5])
for count in (3, 7):
    fault = mean_check.fault_of_mean(centred_mean(uneven.copy(), count), uneven, count)
    assert fault is None, fault
lag = show_smoothing.lag_frames(np.asarray(centred_mean(place, 5)), place)
print(f"Right, ends included. On this clip {abs(lag):.2f} frames from where it belongs: in time.")

# %% [markdown]
# ## What you did
#
# 1. You saw why frames fall out. Which reason is measured against the clip itself, and what follows for a soft clip?
#    <details><summary>Answer</summary><i>Blurred</i>. Its frames are compared with each other only, so that none stands
#    out; a warning tells you that the clip is soft.</details>
# 2. You decided. When would you rather hold than drop, and what happens to the sound?
#    <details><summary>Answer</summary>When the clip has to stay as long as it is, as beside music. Then the sound stays
#    whole, too; <i>drop</i> cuts it where the picture is cut.</details>
# 3. You broke a detector and a smoother. Why is a mean of the next five frames no better than one of the last five?
#    <details><summary>Answer</summary>It is as wrong the other way: two frames early instead of two late. Only a mean
#    with its frame in the middle is in time.</details>

# %% [markdown]
# ## If something goes wrong
#
# | You see | Do this |
# |---|---|
# | `No face was found` | a larger face; light; `examine(..., detector="yunet")` |
# | `may be somebody else's` | click on the person below the player, run on |
# | `Not one of the ... frame(s)` | `examine(..., thresholds=lw.UsabilitySettings(max_yaw_deg=40))` |
# | `is a photo` | use it as it is: nothing is to be cleaned |
# | `would overwrite` | another name in `out` |
# | `Set REPOSITORY` | put your copy's address into *Set up* |

# %% [markdown]
# ## Next steps
#
# - {badge:03_lipsync}
#   [03_lipsync](03_lipsync.ipynb): see how sound becomes lips. Set `face` to `clean.mp4` there (on Colab, download it
#   here and drop it into the file panel there: each notebook has a machine of its own).
# - [01_setup](01_setup.ipynb): what is installed, and which weights there are.
# - Words: the [glossary]({glossary}).
# - In a terminal: `python -m lipwise clean --help` does the same, with a report and a sheet as files.
