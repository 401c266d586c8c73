"""Tables and figures about weights say what the files hold."""

import hashlib
import sys
import types
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch

mpl.use("agg")

import matplotlib.pyplot as plt
from safetensors.torch import save_file

from lipwise.errors import CheckpointError, SettingsError
from lipwise.notebook import show_weights, widgets
from lipwise.weights import fetch_weights
from lipwise.weights_list import weights_entries


def drawn(figure):
    file = BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return plt.imread(BytesIO(file.getvalue()))[..., :3]


# --- the table ---


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (232_589, "233 kB"), (1_242_398, "1.2 MB"), (2.6e9, "2.6 GB")],
)
def test_sizes_are_told_as_people_tell_them(size, words):
    assert show_weights.in_words(size) == words


@pytest.fixture
def home(tmp_path, monkeypatch, face_mesh):
    """A cache that is not there yet, and a mirror folder that holds the face mesh."""
    monkeypatch.setenv("LIPWISE_HOME", str(tmp_path / "new <home>"))
    monkeypatch.setenv("LIPWISE_MIRROR", str(face_mesh.parent))
    return tmp_path / "new <home>"


def test_an_empty_shelf_lists_everything_and_makes_no_folder(home):
    shelf = show_weights.shelf()
    assert shelf.kept == {}
    assert shelf.kept_bytes == 0
    assert shelf.all_bytes == sum(entry.bytes for entry in weights_entries().values())
    assert shelf.free_bytes > 0
    assert not home.exists()
    assert all(name in repr(shelf) for name in weights_entries())


def test_what_is_kept_is_told_on_a_page_and_in_a_terminal(home):
    fetch_weights("face_mesh")
    shelf = show_weights.shelf()
    assert shelf.kept == {"face_mesh": home / "face_landmark.tflite"}
    assert shelf.kept_bytes == 1_242_398
    page, text = shelf._repr_html_(), repr(shelf)
    assert page.count("kept</td>") == 1
    assert "1.2 MB of" in text
    assert "new &lt;home&gt;" in page
    assert "new <home>" in text


def test_a_damaged_file_is_not_counted_as_kept(home):
    (path,) = fetch_weights("face_mesh")
    path.write_bytes(bytes(path.stat().st_size))
    assert show_weights.shelf().kept == {}


# --- what a checkpoint is ---


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    """Four blocks: 6 + 2 + 24 + 1 numbers."""
    numbers = torch.arange(24.0)
    state = {"last.weight": numbers[:6].reshape(2, 3), "last.bias": numbers[:2], "a.filters": numbers.reshape(4, 2, 3)}
    torch.save(state | {"count": torch.tensor(3)}, tmp_path / "net.pth")
    return tmp_path / "net.pth"


def bars(figure):
    axes = figure.axes[0]
    return [label.get_text().split() for label in axes.get_yticklabels()], [bar.get_width() for bar in axes.patches]


def test_each_block_is_drawn_with_its_name_shape_and_count(checkpoint):
    figure = show_weights.layers(checkpoint)
    labels, widths = bars(figure)
    assert [label[0] for label in labels] == ["last.weight", "last.bias", "a.filters", "count"]
    assert labels[2][1:] == ["4", "x", "2", "x", "3"]
    assert labels[3][1:] == ["one", "number"]
    assert widths == [6, 2, 24, 1]
    assert f"33 numbers in 4 named blocks, {checkpoint.stat().st_size:,} bytes" in figure.get_suptitle()
    assert np.ptp(drawn(figure)) > 0.5
    assert plt.get_fignums() == []


def test_the_smallest_blocks_of_many_are_added_up(checkpoint):
    labels, widths = bars(show_weights.layers(checkpoint, most=2))
    assert [label[0] for label in labels] == ["last.weight", "a.filters", "2"]
    assert widths == [6, 24, 3]


def test_filters_are_drawn_as_pictures(checkpoint):
    axes = show_weights.layers(checkpoint).axes[1]
    picture = np.asarray(axes.images[0].get_array().filled(np.nan))
    assert "a.filters" in axes.get_title()
    assert np.array_equal(picture[:2, :3], np.arange(6).reshape(2, 3))
    assert np.array_equal(picture[:2, 4:7], np.arange(6, 12).reshape(2, 3))
    assert np.isnan(picture[2]).all()


def test_a_checkpoint_without_a_matrix_is_drawn_without_pictures(tmp_path):
    save_file({"bias": torch.zeros(3)}, tmp_path / "bias.safetensors")
    assert not show_weights.layers(tmp_path / "bias.safetensors").axes[1].images


def test_what_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "page.pth").write_text("<html>quota</html>")
    with pytest.raises(CheckpointError, match="web page"):
        show_weights.layers(tmp_path / "page.pth")


# --- what a hash tells ---


def test_the_squares_are_the_two_hashes_and_where_they_differ(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"weights")
    other.write_bytes(b"weightr")
    figure = show_weights.hashes(one, other)
    squares = [np.asarray(axes.images[0].get_array()).ravel() for axes in figure.axes]
    for path, square in zip((one, other), squares, strict=False):
        assert np.packbits(square).tobytes() == hashlib.sha256(path.read_bytes()).digest()
    assert np.array_equal(squares[2], squares[0] != squares[1])
    assert f"{squares[2].sum()} of 256" in figure.axes[2].get_title()
    assert figure.get_suptitle() == "1 of 56 bits of the file differ"  # s is 0x73, r is 0x72


def test_bits_are_counted_over_several_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(show_weights, "BLOCK", 4)
    (tmp_path / "one").write_bytes(bytes(10))
    (tmp_path / "other").write_bytes(b"\x01" + bytes(5) + b"\xff" + bytes(2) + b"\x80")
    assert show_weights._bits_that_differ(tmp_path / "one", tmp_path / "other") == 10


def test_files_of_two_sizes_are_told_apart_by_their_sizes(tmp_path):
    (tmp_path / "one").write_bytes(bytes(1000))
    (tmp_path / "other").write_bytes(bytes(999))
    assert show_weights.hashes(tmp_path / "one", tmp_path / "other").get_suptitle() == "1,000 bytes against 999"


# --- weights on Drive ---


@pytest.fixture
def drive(monkeypatch, tmp_path):
    """Colab's Drive; gives where the folder MyDrive is once it is mounted."""
    monkeypatch.setattr(widgets, "DRIVE", tmp_path / "drive")
    module = types.ModuleType("google.colab.drive")
    module.mount = lambda place: (Path(place) / "MyDrive").mkdir(parents=True)
    for name in ("google", "google.colab"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "google.colab.drive", module)
    monkeypatch.setenv("LIPWISE_HOME", "elsewhere")
    return tmp_path / "drive" / "MyDrive"


@pytest.mark.parametrize("folder", ["lipwise", "my weights", "courses/2026/weights"])
def test_a_drive_is_mounted_and_weights_are_kept_there(folder, drive, face_mesh, monkeypatch):
    monkeypatch.setenv("LIPWISE_MIRROR", str(face_mesh.parent))
    assert widgets.keep_weights_on_drive(folder) == drive / folder
    assert widgets.os.environ["LIPWISE_HOME"] == str(drive / folder)
    assert fetch_weights("face_mesh") == [drive / folder / face_mesh.name]


@pytest.mark.parametrize("folder", ["/content/weights", "../weights", "a/../../weights", "..", "a\\..\\..\\b", "", "."])
def test_a_folder_outside_the_drive_is_refused_before_it_is_mounted(folder, drive):
    with pytest.raises(SettingsError, match="folder of your Drive"):
        widgets.keep_weights_on_drive(folder)
    assert not drive.exists()
    assert widgets.os.environ["LIPWISE_HOME"] == "elsewhere"


def test_a_drive_that_is_not_there_after_all_is_told(drive, monkeypatch):
    monkeypatch.setattr(sys.modules["google.colab.drive"], "mount", lambda place: None)
    with pytest.raises(SettingsError, match=r"no .*MyDrive"):
        widgets.keep_weights_on_drive()
    assert not drive.exists()
    assert widgets.os.environ["LIPWISE_HOME"] == "elsewhere"


def test_a_file_where_the_folder_on_the_drive_belongs_is_told(drive):
    drive.mkdir(parents=True)
    sys.modules["google.colab.drive"].mount = lambda place: None
    (drive / "lipwise").write_text("in the way")
    with pytest.raises(SettingsError, match="cannot be made"):
        widgets.keep_weights_on_drive()
    assert widgets.os.environ["LIPWISE_HOME"] == "elsewhere"


def test_without_colab_the_way_without_it_is_named(monkeypatch):
    monkeypatch.setenv("LIPWISE_HOME", "elsewhere")
    with pytest.raises(SettingsError, match="LIPWISE_HOME"):
        widgets.keep_weights_on_drive()
    assert widgets.os.environ["LIPWISE_HOME"] == "elsewhere"
