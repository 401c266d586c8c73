#!/usr/bin/env bash
# Sets LipWise up: on Colab in its own runtime, elsewhere in the active virtual environment or in .venv beside this file.
# Installs only what is missing and replaces nothing that is there, torch least of all. Run it as often as you like.
set -euo pipefail

# Installed together where there is no torch yet.
TORCH=(torch==2.14.1 torchvision==0.29.1)

usage() {
    cat <<'TEXT'
usage: bash setup_colab.sh [options]
  --weights none|min|all  checkpoints to fetch besides the face mesh (default none; min: wav2lip_gan)
  --dev                   also what the tests and checks need
  --demo                  then make the sample video and say where it lies
  --test                  then run the tests (implies --dev)
  --python FILE           make the virtual environment with this Python (default: python3, or the newest of 3.11-3.13)
  --venv DIR              the virtual environment to use or make (default: the active one, else .venv)
Wav2Lip's weights are for research and other non-commercial use only.
TEXT
}

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

need_value() { [ $# -ge 2 ] || fail "$1 takes a value"; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
weights=none dev='' then='' python='' venv=''
while [ $# -gt 0 ]; do
    case $1 in
        --weights) need_value "$@"; weights=$2; shift ;;
        --dev) dev=yes ;;
        --demo) then=demo ;;
        --test) then=test dev=yes ;;
        --python) need_value "$@"; python=$2; shift ;;
        --venv) need_value "$@"; venv=$2; shift ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; fail "there is no option $1" ;;
    esac
    shift
done
case $weights in none | min | all) ;; *) fail "--weights takes none, min or all, not '$weights'" ;; esac

is_supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

find_python() {
    local name
    for name in ${python:-python3 python3.13 python3.12 python3.11}; do
        if command -v "$name" >/dev/null && is_supported "$name"; then
            command -v "$name"
            return
        fi
    done
    fail "no Python of 3.11 to 3.13 was found (${python:-python3})" "install one, or name it with --python FILE"
}

if [ -z "$venv" ] && [ -n "${COLAB_RELEASE_TAG:-}" ]; then
    env_python=$(find_python)
else
    venv=${venv:-${VIRTUAL_ENV:-${CONDA_PREFIX:-$root/.venv}}}
    env_python=$venv/bin/python
    if [ ! -x "$env_python" ]; then
        base=$(find_python)
        options=()
        # A torch of this machine's own is kept in sight.
        if "$base" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)'; then
            options=(--system-site-packages)
        fi
        "$base" -m venv "${options[@]+"${options[@]}"}" "$venv" ||
            fail "$base cannot make a virtual environment" "on Debian and Ubuntu: apt-get install python3-venv"
    fi
    is_supported "$env_python" || fail "$env_python is not Python 3.11, 3.12 or 3.13" "name another with --venv DIR or --python FILE"
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
"$env_python" -m pip --version >/dev/null 2>&1 ||
    fail "$env_python has no pip" "run: $env_python -m ensurepip"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What is missing, one requirement a line; and what is there, as constraints that keep pip from touching it.
list_missing() {
    "$env_python" - "$root/pyproject.toml" "${dev:+dev}" >"$scratch/missing" 3>"$scratch/keep" <<'PY'
import os
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distributions, version

from pip._vendor.packaging.requirements import Requirement

OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")


def is_there(requirement):
    for name in OPENCV if requirement.name in OPENCV else (requirement.name,):
        try:
            if requirement.specifier.contains(version(name), prereleases=True):
                return True
        except PackageNotFoundError:
            continue
    return False


with open(sys.argv[1], "rb") as file:
    project = tomllib.load(file)["project"]
wanted = project["dependencies"] + project["optional-dependencies"]["notebook"]
if sys.argv[2]:
    wanted += project["optional-dependencies"]["dev"]
for text in wanted:
    requirement = Requirement(text)
    if (requirement.marker is None or requirement.marker.evaluate()) and not is_there(requirement):
        print(f"{requirement.name}{requirement.specifier}")
with os.fdopen(3, "w") as keep:
    for found in distributions():
        if found.name and found.version:
            keep.write(f"{found.name}=={found.version}\n")
PY
}

list_missing
if grep -q '^torch[>=]' "$scratch/missing"; then
    echo "setup: installing ${TORCH[*]} (gigabytes, so minutes; once)"
    "$env_python" -m pip install --quiet "${TORCH[@]}" || fail "torch could not be installed" "see the lines above"
    list_missing
fi
if [ -s "$scratch/missing" ]; then
    echo "setup: installing $(tr '\n' ' ' <"$scratch/missing")"
    # Constraints without a public release (local builds) would not resolve; installed, they need no looking up.
    grep -v '+' "$scratch/keep" >"$scratch/constraints" || true
    "$env_python" -m pip install --quiet --constraint "$scratch/constraints" --requirement "$scratch/missing" ||
        fail "some packages could not be installed" "see the lines above"
fi
if ! (cd / && "$env_python" -c "
import pathlib, sys
from importlib.metadata import distribution
distribution('lipwise')
import lipwise
sys.exit(pathlib.Path(lipwise.__file__).parent.parent != pathlib.Path(sys.argv[1]))" "$root" 2>/dev/null); then
    "$env_python" -m pip install --quiet --no-deps --editable "$root" || fail "LipWise itself could not be installed"
fi

names=(face_mesh)
case $weights in
    min) names+=(wav2lip_gan) ;;
    all) names=(--all) ;;
esac
"$env_python" -m lipwise weights "${names[@]}" || fail "not every weights file could be fetched" "see the lines above"

echo "setup: ready; use $env_python"
cd "$root"
case $then in
    demo) exec "$env_python" -m lipwise demo ;;
    test) exec "$env_python" -m pytest ;;
esac
