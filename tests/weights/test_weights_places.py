"""Where weights are kept and looked for, when a variable or a name makes no sense."""

import subprocess
import sys

import pytest
from tls_server import whole

from lipwise.errors import WeightsError
from lipwise.weights import fetch_weights, find_weights
from lipwise.weights_list import named_path, weights_entries, weights_folder

NAMED = ("LIPWISE_HOME", "LIPWISE_WEIGHTS", "LIPWISE_MIRROR")


@pytest.mark.parametrize("variable", NAMED)
@pytest.mark.parametrize(
    ("value", "said"),
    [("~nobody-of-this-name/w", "no user|home directory"), ("/" + "a" * 300, "too long"), ("/a" * 3000, "too long")],
)
def test_a_path_that_cannot_be_is_told_with_its_variable(variable, value, said, home, from_mirrors, monkeypatch):
    from_mirrors()
    monkeypatch.setenv(variable, value)
    with pytest.raises(WeightsError, match=rf"{variable}.*{value[:60]}") as caught:
        fetch_weights("net") if variable != "LIPWISE_WEIGHTS" else weights_entries()
    assert any(words in caught.value.cause for words in said.split("|"))
    assert variable in caught.value.next_step


@pytest.mark.parametrize("variable", NAMED)
def test_a_variable_names_a_path_or_nothing(variable, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for value, path in {"": None, "~/nets": tmp_path / "nets", str(tmp_path): tmp_path}.items():
        monkeypatch.setenv(variable, value)
        assert named_path(variable) == path


def test_a_command_says_it_in_three_lines(home, monkeypatch):
    monkeypatch.setenv("LIPWISE_HOME", "~nobody-of-this-name/w")
    command = [sys.executable, "-m", "lipwise", "weights", "face_mesh"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "LIPWISE_HOME" in done.stderr


def test_a_file_as_home_is_told(tmp_path, from_mirrors, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    from_mirrors("https://127.0.0.1:9/net.bin")
    monkeypatch.setenv("LIPWISE_HOME", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="is a file, not a folder"):
        fetch_weights("net")


def test_a_folder_under_the_files_name_is_told_before_the_download(server, content, from_mirrors, home):
    (home / "net.bin").mkdir(parents=True)
    server.site = {"/net.bin": whole(content)}
    from_mirrors(server.url("/net.bin"))
    with pytest.raises(WeightsError, match=r"net\.bin is a folder") as caught:
        fetch_weights("net")
    assert "move it away" in caught.value.next_step
    assert server.asked == []


@pytest.mark.parametrize("name", [5, None, ["wav2lip", "face_mesh"], b"wav2lip"])
@pytest.mark.parametrize("ask", [fetch_weights, find_weights])
def test_a_name_that_is_no_text_is_told(name, ask, home):
    with pytest.raises(WeightsError, match="name of weights") as caught:
        ask(name)
    assert type(name).__name__ in caught.value.cause
    assert 'fetch_weights("wav2lip", "face_mesh")' in caught.value.next_step


@pytest.mark.parametrize("file", ["Weights.YAML", "net.PART", "net.Lock", "n" * 201, "文" * 70])
def test_a_file_name_that_some_disk_takes_for_another_is_refused(file, entry):
    with pytest.raises(ValueError, match="must"):
        entry(file=file)


def test_a_file_name_as_long_as_may_be_is_kept(server, content, from_mirrors):
    server.site = {"/net.bin": whole(content)}
    from_mirrors(server.url("/net.bin"), file="n" * 200)
    assert fetch_weights("net")[0].read_bytes() == content
    assert weights_folder().is_dir()
