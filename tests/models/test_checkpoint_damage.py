"""Checkpoints with wrong or missing bytes: whatever a reader makes of them, the user gets a CheckpointError."""

import random
import re
from contextlib import suppress

import pytest
from safetensors.torch import save_file

from lipwise.errors import CheckpointError
from lipwise.files import sha256_of
from lipwise.models import checkpoint
from lipwise.models.checkpoint import read_state_dict


def read_known(path):
    """Read a file as one whose hash a list of weights has, so that nothing but the reader stands in its way."""
    return read_state_dict(path, known_sha256={sha256_of(path)})


def cut_out(content: bytes, start: int, count: int) -> bytes:
    return content[:start] + content[start + count :]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["zip", "old", "torchscript", "safetensors"])
def test_whatever_byte_is_damaged_it_is_said_in_words(form, trained, weights, save_as, save_script, tmp_path):
    """Every error that torch, zipfile and pickle have for it, the bare AssertionError of some among them."""
    path, generator = tmp_path / "a.pth", random.Random(7)
    save_script(trained, path) if form == "torchscript" else None
    save_file(weights, path) if form == "safetensors" else None
    save_as[form]({"state_dict": weights, "epoch": 3}, path) if form in save_as else None
    good = path.read_bytes()
    for _ in range(150):
        bad = bytearray(good)
        place = generator.randrange(min(len(bad), 700) if generator.random() < 0.5 else len(bad))
        bad[place] = generator.randrange(256)
        if generator.random() < 0.4:
            bad = cut_out(bad, generator.randrange(len(bad)), generator.randrange(1, 9))
        path.write_bytes(bad)
        with suppress(CheckpointError):  # most changes do no harm that a reader could see
            read_known(path)


def test_an_old_file_that_names_unknown_bytes_is_damaged(weights, save_as, tmp_path):
    save_as["old"](weights, tmp_path / "a.pth")
    good = (tmp_path / "a.pth").read_bytes()
    key = re.search(rb"X.{4}(\d{6,})", good, re.DOTALL)[1]
    (tmp_path / "a.pth").write_bytes(good[: good.rindex(key)] + bytes(len(key)) + good[good.rindex(key) + len(key) :])
    with pytest.raises(CheckpointError, match=r"cut off or damaged .*: storage key"):
        read_state_dict(tmp_path / "a.pth")


def test_an_archive_that_points_before_itself_is_damaged(trained, save_script, tmp_path):
    save_script(trained, tmp_path / "a.pt")
    content = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(cut_out(content, content.index(b"PK\x03\x04", 4) - 60, 6))  # inside the first file
    with pytest.raises(CheckpointError, match=r"cut off or damaged .*Invalid argument"):
        read_known(tmp_path / "a.pt")


def test_a_reader_that_only_asserts_is_named(weights, save_as, tmp_path, monkeypatch):
    def asserts(*_, **__):
        raise AssertionError

    save_as["zip"](weights, tmp_path / "a.pth")
    monkeypatch.setattr(checkpoint.torch, "load", asserts)
    with pytest.raises(CheckpointError, match=r"cut off or damaged .* bytes.*: AssertionError"):
        read_state_dict(tmp_path / "a.pth")


def test_a_web_page_behind_a_byte_order_mark_is_told(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"\xef\xbb\xbf<!-- saved --><!DOCTYPE html><html>")
    with pytest.raises(CheckpointError, match="it is a web page"):
        read_state_dict(tmp_path / "a.pth")
