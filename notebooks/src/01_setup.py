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
# # Set up once, trust every file
#
# ![The hash of a file as a square of bits; one bit of the file flipped, half of them differ](images/setup.png)
#
# One script prepares the machine. Every file of [weights]({glossary}#weights) is verified before anything opens it.
#
# **Time:** five minutes, plus two for set-up the first time. **Runtime:** any; a GPU is not needed.

# %% [markdown]
# **You will**
#
# 1. set the machine up and read the table that says what is there,
# 2. fetch weights, knowing their size, licence and place,
# 3. look inside a checkpoint, damage one bit of it, and see it refused.
#
# **Consent.** What you set up here changes faces: use faces and voices only of people who agreed. Wav2Lip's weights
# are for research and other non-commercial use only. Colab's rules do not allow deepfakes.

# %% cellView="form" jupyter={"source_hidden": true}
# @title Set up
# {set_up}

# %%
import os
import subprocess
from pathlib import Path

import lipwise as lw
from lipwise.notebook import show_weights, warn, widgets
from lipwise.notebook.weights_picker import WeightsPicker

warn.plainly()
lw.environment()

# %% [markdown]
# **What to look at**
#
# - Each row is *ok*, *warn* or *missing*, and *next* says what to do where it is not *ok*. The line above sums it up.
# - No GPU is fine: everything runs on a CPU too, only slower. So is a missing engine: another one stands in.
# - Failure looks like this: *Not ready*, and *missing* beside torch, cv2, PyAV or librosa. Then nothing below runs.

# %% [markdown]
# ## Choose
#
# To run everything as it is, change nothing. Each field's line says what it does.

# %%
# @title Your choices
# @markdown Run the set-up script once more, as this lesson explains; a minute at most.
run_script = True  # @param {type:"boolean"}
# @markdown On Colab: keep weights on your Google Drive, where you find them next time; it takes your space.
keep_on_drive = False  # @param {type:"boolean"}
# @markdown The folder of your Drive in which they are kept.
drive_folder = "lipwise"  # @param {type:"string"}
# @markdown A `.pth` or `.safetensors` file to look into; empty takes the network that comes with LipWise.
checkpoint = ""  # @param {type:"string"}

# %% [markdown]
# ## Run the script twice
#
# `setup_colab.sh` installs what is missing and nothing else: on Colab it never touches torch, numpy or OpenCV. A second
# run finds nothing to do: expect a minute at most, no line that says *installing*, the table from above as text, and
# *ready*.

# %%
again = None
if run_script and not set_up:
    raise RuntimeError("Only a clone of the repository has the script; untick run_script above, or work in a clone.")
if run_script:
    again = subprocess.run(set_up, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(again.stdout)

# %%
# Check: the script ended well, and installed nothing.
assert again is None or again.returncode == 0, "the last lines above say what is not right"
assert again is None or "installing" not in again.stdout, "a second run should find nothing to do: see above"

# %% [markdown]
# **What to look at**
#
# - No line says *installing*: everything was there, so nothing was replaced.
# - The last line: *ready*, and after it what deserves a look.
# - Failure looks like this: three lines that say what happened, why, and what to do next. Nothing was changed then.

# %% [markdown]
# ## Decide where weights live
#
# *Weights* are the numbers that training gave a network, in files of up to 0.4 GB. They lie in `LIPWISE_HOME`, or in
# your cache folder when that is not set.
#
# On Colab each notebook has a machine of its own, a [runtime]({glossary}#runtime), which forgets everything. With
# `keep_on_drive` the page asks for leave to use your Drive. In other notebooks add, after the imports,
# `from lipwise.notebook import widgets; widgets.keep_weights_on_drive()`: the files are there then.

# %%
if keep_on_drive:
    widgets.keep_weights_on_drive(drive_folder)
print(lw.weights_folder())
# Check: LIPWISE_HOME counts where it is set, and that is a folder of your Drive if you asked for one.
home = os.environ.get("LIPWISE_HOME")
assert not home or lw.weights_folder() == Path(home).expanduser()
assert not keep_on_drive or "MyDrive" in lw.weights_folder().parts

# %% [markdown]
# ## Fetch a file
#
# The face [mesh]({glossary}#mesh) finds lips and jaw; every run needs it. `fetch_weights` looks in your folder, then in
# a classroom's folder (`LIPWISE_MIRROR`), then at each [mirror]({glossary}#mirror) on the network, and gives back a
# path whose [SHA-256]({glossary}#sha-256) was compared. Expect *kept* in its row.

# %%
(mesh,) = lw.fetch_weights("face_mesh")
show_weights.shelf()

# %% [markdown]
# **What to look at**
#
# - Bold rows are on your disk. The last line adds up what they take and what is left.
# - `gfpgan_1.4` and `restoreformer` do one job under two [licences]({glossary}#licence): choose by what you may do,
#   too.
# - Failure looks like this: a dash where you fetched a file yesterday. The machine is a new one, or `LIPWISE_HOME`
#   names another folder.

# %%
# Check: the file is where the library looks for it, and nothing that every run needs is missing now.
assert lw.find_weights("face_mesh") == mesh
assert not lw.environment().lacks, lw.environment().verdict

# %% [markdown]
# **Try it.** Guess first: which of these files may a company use in a film that it sells? Then tick one of each kind:
# a condition appears for those with strings attached, and the button waits until you acknowledge it. Fetch one that
# you want, or none. (A page without a kernel shows no picker; the table above is its stand-in.)

# %%
WeightsPicker()

# %% [markdown]
# ## Look inside a checkpoint
#
# A [checkpoint]({glossary}#checkpoint) is a list of names, each with a block of numbers. Here the network that comes
# with LipWise is written as a [safetensors]({glossary}#safetensors) file: first the names, then the numbers, no code.
# Expect three blocks that hold nearly everything.

# %%
from safetensors.torch import save_file

from lipwise.models.viseme_net import load_viseme_net

folder = Path("checkpoints")
folder.mkdir(exist_ok=True)
good = folder / "viseme.safetensors"
save_file(load_viseme_net().state_dict(), good)
show_weights.layers(checkpoint or good)

# %% [markdown]
# **What to look at**
#
# - `steps.0.weight` holds half of all numbers: 64 filters, each over 280 values at 3 moments.
# - The pictures are the first layer's filters, blue below 0 and red above. Training drew them; nobody did by hand.
# - Failure looks like this: names of another network, or one block of another shape. The loader then says which
#   names it missed.

# %%
# Check: four bytes a number, and a little for the names.
numbers = sum(part.numel() for part in load_viseme_net().state_dict().values())
assert 4 * numbers < good.stat().st_size < 4 * numbers + 2000

# %% [markdown]
# ## Flip one bit
#
# A bad disk or a broken download can turn a single bit. Here one bit of the file's last number is flipped. Expect a
# file of the same size that loads without a complaint, one absurd number in it, and the hash of quite another file.

# %%
from lipwise.models.checkpoint import read_state_dict

content = bytearray(good.read_bytes())
content[-1] ^= 0b0100_0000
damaged = folder / "damaged.safetensors"
damaged.write_bytes(content)
for path in (good, damaged):
    print(f"{path}: {read_state_dict(path)['steps.6.weight'].flatten()[-1]:.4g}")
show_weights.hashes(good, damaged)

# %% [markdown]
# **What to look at**
#
# - Orange marks the bits of the hash that changed: about half of 256, as if each had been decided by a coin.
# - No change of a file is too small for its hash, and nobody knows how to make a second file with the same one.
# - Failure looks like this: nothing at all. Without a hash, a damaged checkpoint only makes odd mouths.

# %% [markdown]
# Now offer the damaged copy as if it were the good one. A list of your own (`LIPWISE_WEIGHTS`) adds entries to those
# of LipWise: here one with the *good* file's size and hash, and a mirror that holds the damaged file. Expect an error
# that names what was tried, what came back, and what to do.

# %%
import hashlib

import yaml

(folder / "mirror").mkdir(exist_ok=True)
(folder / "mirror" / good.name).write_bytes(damaged.read_bytes())
about = {"file": good.name, "bytes": len(content), "sha256": hashlib.sha256(good.read_bytes()).hexdigest()}
about |= {"licence": "Apache-2.0", "purpose": "this lesson", "engine": "lipwise"}
about |= {"source": REPOSITORY, "mirrors": [{"folder": str((folder / "mirror").absolute())}]}
(folder / "own.yaml").write_text(yaml.safe_dump({"lesson": about}))
os.environ["LIPWISE_WEIGHTS"] = str((folder / "own.yaml").absolute())

# %%
try:
    lw.fetch_weights("lesson")
except lw.WeightsError as error:
    print(error)

# %%
# Check: the damaged file never got the name under which the library would open it.
assert lw.find_weights("lesson") is None

# %% [markdown]
# ## Exercise
#
# Verify files yourself. Write `is_right(path, entry)`: *True* when the file is the one that the entry describes.
# `hashlib.sha256(path.read_bytes()).hexdigest()` gives the hash of a file; `entry.bytes` and `entry.sha256` say what
# is expected.


# %% tags=["exercise"]
# Write your code here.
def is_right(path, entry):
    return None


# --- solution ---
def is_right(path, entry):  # noqa: F811  # takes the place of the starting point
    return hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256


# %%
# Check your answer.
entries = lw.weights_entries()
answers = [is_right(mesh, entries["face_mesh"]), is_right(good, entries["lesson"])]
assert None not in answers, "Not solved yet: let is_right return True or False."
assert answers == [True, True], f"These two files are right, and you say {answers}."
assert not is_right(good, entries["face_mesh"]), "That is the other entry's file."
copy = folder / "mirror" / good.name  # the damaged content under the good file's name
assert not is_right(copy, entries["lesson"]), "The damaged copy passed: name and size are right, its content is not."

# %% [markdown]
# ## What you did
#
# 1. You set the machine up. Which row would you look at first when a notebook stops at an import?
#    <details><summary>Answer</summary>That of the package which the error names; <i>next</i> beside it says what to
#    do.</details>
# 2. You fetched weights. Which file may you not use in a film that you sell, and where is that said?
#    <details><summary>Answer</summary>Wav2Lip's, CodeFormer and parts of GFPGAN, for example: the column
#    <i>licence</i> says so, and you are asked before they are fetched.</details>
# 3. You flipped a bit. Why is the size not enough, and why is the hash compared *before* the file is opened?
#    <details><summary>Answer</summary>A flipped bit leaves the size as it was. And a legacy checkpoint can run code
#    while it is opened: afterwards is too late.</details>

# %% [markdown]
# ## If something goes wrong
#
# | You see | Do this |
# |---|---|
# | `cannot be had` | read what each mirror gave, then `next:` |
# | `a web page`, `quota` | the host's daily limit: wait a day |
# | `answered 403`, `404` | a dead link: fetch by hand from the page it names |
# | `There is no room` | make room, or `LIPWISE_HOME` on a larger disk |
# | `is there a network?` | set `LIPWISE_MIRROR` to a folder that a colleague filled |
# | Drive refused | run the cell again, or untick |

# %% [markdown]
# ## Next steps
#
# - {badge:02_clean_faces}
#   [02_clean_faces](02_clean_faces.ipynb): know every frame of a clip, and keep the good ones.
# - With `wav2lip_gan` fetched, set `generator` to it in [00_quickstart](00_quickstart.ipynb) and compare the mouths.
# - Words: the [glossary]({glossary}).
# - In a terminal: `python -m lipwise doctor` and `python -m lipwise weights`.
