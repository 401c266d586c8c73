"""What the frames of a run depend on, and in what two runs differ."""

import json
from pathlib import Path
from typing import Any

from lipwise import __version__
from lipwise.files import sha256_of
from lipwise.recipe import Recipe

# Settings on which no frame depends. Files are told by their content: after a lost session they may lie elsewhere.
FREE = ("face", "speech", "out", "consent", "device", "clean.cache", "clean.track_file")


def inputs_of(recipe: Recipe) -> dict[str, Any]:
    """What the frames of a run depend on: settings by name, files by their content, and the version of LipWise."""
    values = _flat(json.loads(json.dumps(recipe.model_dump(mode="json"))))
    inputs = {name: value for name, value in values.items() if name not in FREE}
    inputs |= {name: f"sha256:{sha256_of(path)}" for name, path in files_of(recipe).items()}
    return inputs | {"LipWise": __version__}


def files_of(recipe: Recipe) -> dict[str, Path]:
    """The files that a run reads, each by the name of its setting: clip, recording, and those of track and networks."""
    named = {name: getattr(recipe, name) for name in ("generator", "restore", "upscale")}
    checkpoints = {name: Path(value) for name, value in named.items() if value and Path(value).is_file()}
    track = {"clean.track_file": recipe.clean.track_file} if recipe.clean.track_file else {}
    return {"face": recipe.face, "speech": recipe.speech, **track, **checkpoints}


def changes_of(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """In words, in what the inputs of two runs differ; empty where they are the same."""
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return [_change(name, before.get(name), now.get(name)) for name in changed]


def _change(name: str, before: object, now: object) -> str:
    if any(str(value).startswith("sha256:") for value in (before, now)):
        return f"{name} is another file, or its content has changed"
    return f"{name} was {before!r} and is {now!r}"


def _flat(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings by their full names: clean.policy."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}": value}
    return flat
