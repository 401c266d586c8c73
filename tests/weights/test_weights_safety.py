"""Nothing of a file is run, nothing is written outside the folder, nothing is fetched unproven."""

import ast
import os
import pickle
import re
from pathlib import Path

import pytest
import torch
from tls_server import whole

from lipwise.errors import WeightsError
from lipwise.stages.generators import load_generator
from lipwise.weights import fetch_weights, find_weights
from lipwise.weights_list import weights_entries

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for room in ("lipwise", "tools", "benchmarks") for path in (ROOT / room).rglob("*.py"))
SCRIPTS = [*SOURCES, *ROOT.glob("*.sh"), ROOT / ".ci" / "run", *(ROOT / "notebooks" / "src").glob("*.py")]

OUTSIDE = [
    "../net.bin",
    "/etc/net.bin",
    "a/../../net.bin",
    "..",
    ".",
    "",
    "a/b.bin",
    "..\\net.bin",
    "C:\\net.bin",
    ".net",
]


class Trap:
    """Makes a folder when it is unpickled by anything that obeys."""

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.filterwarnings("ignore:.*not the listed file")
@pytest.mark.parametrize("where", ["cache", "folder", "server"])
def test_a_malicious_pickle_is_never_opened(where, home, mirror, server, entry, own_list, tmp_path, monkeypatch):
    """It has the name and size of the listed file; only the hash gives it away, before torch sees the file."""
    trap = tmp_path / "sprung"
    bad = pickle.dumps({"state_dict": Trap(trap)}, protocol=2)
    good = bytes(len(bad))
    own_list(net=entry(good, file="net.pth", mirrors=[{"https": server.url("/net.pth")}]))
    server.site = {"/net.pth": whole(bad if where == "server" else b"")}
    if where != "server":
        ({"cache": home, "folder": mirror}[where] / "net.pth").write_bytes(bad)
    monkeypatch.setattr(torch, "load", lambda *args, **options: pytest.fail("torch opened it"))
    monkeypatch.setattr(pickle, "load", lambda *args, **options: pytest.fail("pickle opened it"))
    assert find_weights("net") is None
    with pytest.raises(WeightsError):
        fetch_weights("net")
    assert not trap.exists()
    pickle.loads(bad)
    assert trap.exists()  # the trap does work


def test_a_generator_is_loaded_from_a_compared_file_only(home, monkeypatch):
    listed = weights_entries()["wav2lip_gan"]
    home.mkdir()
    with (home / listed.file).open("wb") as file:
        file.truncate(listed.bytes)  # the right size, nothing but zeros
    monkeypatch.setattr(torch, "load", lambda *args, **options: pytest.fail("torch opened it"))
    with pytest.warns(UserWarning, match="not the listed file"), pytest.raises(WeightsError, match="accept"):
        load_generator("wav2lip_gan")


class Holder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.weight


@pytest.mark.filterwarnings("ignore")  # torch.jit is deprecated, the files are not
def test_torchscript_is_read_only_when_a_list_has_its_hash(tmp_path, entry, own_list):
    path = tmp_path / "own.pt"
    torch.jit.script(Holder()).save(str(path))
    with pytest.raises(WeightsError, match="no list of weights has its SHA-256"):
        load_generator(str(path))
    own_list(own=entry(path.read_bytes(), file="own.pt"))
    with pytest.raises(WeightsError, match="another network than Wav2Lip"):  # read, and found to be something else
        load_generator(str(path))


@pytest.mark.parametrize("file", [*OUTSIDE, "weights.yaml", "net.part", "net\n", "net bin"])
def test_a_file_name_cannot_leave_the_folder(file, entry):
    with pytest.raises(ValueError, match="must"):
        entry(file=file)


@pytest.mark.parametrize("path", [one for one in OUTSIDE if one not in {"a/b.bin", ".net"}])
@pytest.mark.parametrize("kind", [{"wheel": "nets==1.0", "member": ""}, {"hf": "somebody/nets", "path": ""}])
def test_a_path_inside_cannot_leave_it(path, kind, entry):
    with pytest.raises(ValueError, match="must"):
        entry(mirrors=[dict.fromkeys(kind, path) | {key: value for key, value in kind.items() if value}])


@pytest.mark.parametrize(
    "mirror",
    [
        {"folder": "/mnt/../etc"},
        {"folder": "nets"},
        {"folder": "~/../etc"},
        {"hf": "../nets", "path": "net.bin"},
        {"hf": "somebody/nets/../../other", "path": "net.bin"},
        {"hf": "somebody/nets", "path": "net.bin?download=1"},
        {"wheel": "--pre nets==1.0", "member": "a"},
        {"wheel": "-r==1", "member": "a"},
        {"wheel": "nets", "member": "a"},
        {"wheel": "nets @ https://example.org==1", "member": "a"},
        {"drive": "../../net"},
        {"drive": "https://drive.google.com/uc?id=abcdefghijklmnopqrst"},
        {"https": "http://example.org/net"},
        {"https": "HTTPS//example.org"},
        {"https": "file:///etc/passwd"},
        {"https": "https://user:word@example.org/net"},
        {"https": "https://example.org/net", "verify": False},
    ],
)
def test_a_mirror_cannot_smuggle_anything(mirror, entry):
    with pytest.raises(ValueError, match=r"must|Extra inputs"):
        entry(mirrors=[mirror])


def test_an_own_list_with_a_path_outside_is_named(home):
    home.mkdir()
    values = "bytes: 5, licence: MIT, purpose: x, engine: lipwise, source: 'https://example.org'"
    (home / "weights.yaml").write_text(f"net: {{file: ../../evil.pth, sha256: {'a' * 64}, {values}}}\n")
    with pytest.raises(WeightsError, match=r"line 1, entry net: file must be the bare name .* '\.\./\.\./evil\.pth'"):
        fetch_weights("face_mesh")


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_shell_and_no_insecure_switch(path):
    for call in calls(path):
        named = {keyword.arg for keyword in call.keywords}
        assert not named & {"shell", "verify"}, f"line {call.lineno}"
        name = ast.unparse(call.func)
        forbidden = r"os\.(system|popen)|subprocess\.get(status)?output|torch\.jit\.load|pickle\.loads?|joblib\.load"
        assert not re.fullmatch(forbidden, name), f"{name} in line {call.lineno}"
        if name == "torch.load":
            safe = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            assert safe.get("weights_only") == "True", f"line {call.lineno}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_certificates_are_always_verified(path):
    switches = r"--insecure|--no-check-certificate|--trusted-host|CERT_NONE|_create_unverified|curl [^\n]*-\w*k\b"
    assert not re.search(rf"{switches}|check_hostname *= *False", path.read_text(encoding="utf-8"))
