"""Notebook servers of the browser tests, on 127.0.0.1 with a token, and the folder that they serve."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from browser_environments import Environment

ROOT = Path(__file__).resolve().parents[2]
START_S = 90
# Nobody is asked for news while a page is under test, and a cell that is scrolled away stays in the page.
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}


@dataclass(frozen=True)
class Server:
    """A running server: its address, its token and the folder that it serves."""

    address: str
    token: str
    folder: Path

    def url(self, page: str) -> str:
        """The address of one of its pages, such as lab/tree/one.ipynb."""
        return f"{self.address}/{page}?token={self.token}"

    def stop_kernels(self) -> None:
        """End all kernels, which hold on to memory."""
        with urllib.request.urlopen(self.url("api/kernels"), timeout=START_S) as answer:
            running = json.load(answer)
        for kernel in running:
            asked = urllib.request.Request(self.url(f"api/kernels/{kernel['id']}"), method="DELETE")
            urllib.request.urlopen(asked, timeout=START_S).close()


@contextmanager
def lab_server(environment: Environment, folder: Path, *, kernels: dict[str, dict[str, str]]) -> Iterator[Server]:
    """JupyterLab whose kernels are the Python that runs the tests.

    Args:
        environment: holds JupyterLab.
        folder: is served; settings and kernels are written beside it.
        kernels: name -> further environment variables of each kernel.
    """
    home = folder.with_name(f"{folder.name}_home")
    for name, variables in kernels.items():
        _write_kernel(home, name, Path(sys.executable), variables)
    (home / "settings").mkdir(parents=True)
    (home / "settings" / "overrides.json").write_text(json.dumps(LAB_SETTINGS), encoding="utf-8")
    options = [f"--LabApp.app_settings_dir={home / 'settings'}", "--LabApp.extension_manager=readonly"]
    with _serve(environment, ["jupyterlab", *options], folder, home) as server:
        yield server


@contextmanager
def classic_server(environment: Environment, folder: Path, *, kernels: dict[str, dict[str, str]]) -> Iterator[Server]:
    """The classic notebook; its kernels are the environment's own Python."""
    home = folder.with_name(f"{folder.name}_home")
    for name, variables in kernels.items():
        _write_kernel(home, name, environment.python, variables)
    with _serve(environment, ["notebook"], folder, home) as server:
        yield server


def _write_kernel(home: Path, name: str, python: Path, variables: dict[str, str]) -> None:
    place = home / "kernels" / "kernels" / name
    place.mkdir(parents=True)
    spec = {
        "argv": [os.fspath(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": name,
        "language": "python",
        "env": {"PYTHONPATH": os.fspath(ROOT), **variables},
    }
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


@contextmanager
def _serve(environment: Environment, command: list[str], folder: Path, home: Path) -> Iterator[Server]:
    """Start a server, wait until it answers, and stop it with its kernels."""
    port, token = _free_port(), secrets.token_hex(16)
    app = "NotebookApp" if command[0] == "notebook" else "ServerApp"
    options = ["--ip=127.0.0.1", f"--port={port}", "--no-browser", f"--{app}.port_retries=0"]
    options += [f"--{app}.root_dir={folder}"] if app == "ServerApp" else [f"--{app}.notebook_dir={folder}"]
    options += [f"--{app}.token={token}", "--allow-root"]
    variables = _variables(home)
    log = home / "log"
    with log.open("wb") as lines:
        running = subprocess.Popen(
            [environment.python, "-m", *command, *options], cwd=folder, env=variables, stdout=lines, stderr=lines
        )
    server = Server(f"http://127.0.0.1:{port}", token, folder)
    try:
        _wait(server, running, log)
        yield server
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()


def _variables(home: Path) -> dict[str, str]:
    """The environment of a server: nothing of the user's own settings of Jupyter is read or written."""
    names = ("PYTHONPATH", "PYTHONHOME", "JUPYTER_TOKEN", "MPLBACKEND")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "share", "JUPYTER_RUNTIME_DIR": "runtime"}
    places |= {"IPYTHONDIR": "ipython", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "JUPYTER_PATH": "kernels"}
    return kept | {name: os.fspath(home / place) for name, place in places.items()}


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def _wait(server: Server, running: subprocess.Popen, log: Path) -> None:
    """Until the server answers.

    Raises:
        RuntimeError: it ended, or did not answer in time; with the end of its log.
    """
    until = time.monotonic() + START_S
    while time.monotonic() < until and running.poll() is None:
        try:
            with urllib.request.urlopen(server.url("api"), timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"the notebook server did not come up:\n{log.read_text(errors='replace')[-3000:]}")
