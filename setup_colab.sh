#!/usr/bin/env bash
# Sets LipWise up: on Colab in its own runtime, elsewhere in the active virtual environment or in .venv beside this file.
# Installs only what is missing; torch, numpy, OpenCV and what else pyproject.toml calls protected are never replaced.
# Run it as often as you like. Written for bash 3.2 (macOS) and later.
[ -n "${BASH_VERSION:-}" ] || { echo "setup: run this with bash, not sh" >&2; exit 1; }
set -euo pipefail
unset CDPATH # it would make cd print, and go elsewhere

# Installed together where there is no torch yet.
TORCH=(torch==2.14.1 torchvision==0.29.1)

usage() {
    cat <<'TEXT'
usage: bash setup_colab.sh [options]
  --weights none|min|all  checkpoints to fetch besides the face mesh (default none; min: wav2lip_gan and gfpgan_1.4)
  --accept-licence        you have read the conditions of restricted weights and keep to them (needed for min and all;
                          LIPWISE_ACCEPT_LICENCE=yes says the same)
  --offline DIR           take packages and weights files from this folder, use no network
  --dev                   also what the tests and checks need
  --demo                  then make the sample video and say where it lies
  --test                  then run the tests (implies --dev)
  --python FILE           make the virtual environment with this Python (default: python3, or the newest of 3.11-3.13)
  --venv DIR              the virtual environment to use or make (default: the active one, else .venv)
Wav2Lip's weights are for research and other non-commercial use only.
TEXT
}

say() { printf 'setup: %s\n' "$@"; }

fail() {
    say "$@" >&2
    exit 1
}

need_value() {
    [ $# -ge 2 ] && [ -n "$2" ] || fail "$1 takes a value"
    case $2 in --*) fail "$1 takes a value, and $2 is an option" ;; esac
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
weights=none accepted='' offline='' dev='' then='' python='' venv=''
while [ $# -gt 0 ]; do
    case $1 in
        --weights) need_value "$@"; weights=$2; shift ;;
        --accept-licence) accepted=yes ;;
        --offline) need_value "$@"; offline=$2; shift ;;
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
# Whoever filled an offline folder has accepted.
if [ "$weights" != none ] && [ -z "$accepted$offline" ] && [ "${LIPWISE_ACCEPT_LICENCE:-}" != yes ]; then
    fail "--weights $weights brings Wav2Lip's weights, which are for research and other non-commercial use only" \
        "add --accept-licence if that is your use; nothing has been installed"
fi
if [ -n "$offline" ]; then
    [ -d "$offline" ] || fail "there is no folder $offline, which --offline names"
    offline=$(cd "$offline" && pwd)
    export LIPWISE_MIRROR=$offline
fi

is_supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

candidates=(python3 python3.13 python3.12 python3.11)
[ -z "$python" ] || candidates=("$python")

find_python() {
    local name
    for name in "${candidates[@]}"; do
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
    case $venv in /*) ;; *) venv=$PWD/$venv ;; esac
    env_python=$venv/bin/python
    # The folder of a system's own Python may have no bin/python.
    [ -x "$env_python" ] || [ ! -x "$venv/bin/python3" ] || env_python=$venv/bin/python3
    if [ ! -x "$env_python" ]; then
        if [ -e "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv")" ]; then
            fail "$venv holds other things than a virtual environment" "name a new or empty folder with --venv DIR"
        fi
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

case ${LIPWISE_HOME:-/} in [/~]*) ;; *) export LIPWISE_HOME=$PWD/$LIPWISE_HOME ;; esac
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
"$env_python" -m pip --version >/dev/null 2>&1 ||
    fail "$env_python has no pip" "run: $env_python -m ensurepip"
if [ -n "$offline" ]; then
    # As variables, so that the pip inside a build and the one that fetches weights keep to them, too; as an address,
    # because pip would part a path at its spaces.
    PIP_FIND_LINKS=$("$env_python" -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).as_uri())' "$offline")
    export PIP_NO_INDEX=1 PIP_FIND_LINKS
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'say "stopped; run it again, and it goes on from what is there" >&2; exit 130' INT

# What is missing and what must stay as it is: files in $scratch, see tools/setup_packages.py.
plan() {
    "$env_python" "$root/tools/setup_packages.py" plan "$scratch" --weights "$weights" \
        ${dev:+--dev} ${offline:+--offline "$offline"}
}

# Byte code comes with the first import, of what is imported: compiling all of it takes half of the time.
pip_install() { "$env_python" -m pip install --quiet --no-compile "$@"; }

fail_with_said() {
    tail -n 40 "$scratch/said" >&2
    fail "$1" "see the lines above"
}

on_one_line() { tr '\n' ' ' <"$1"; }

plan
cp "$scratch/installed" "$scratch/before"
"$env_python" -m pip check 2>/dev/null | sort >"$scratch/conflicts_before" || true
if [ -s "$scratch/lacking" ]; then
    fail "$offline lacks: $(on_one_line "$scratch/lacking")" \
        "nothing has been installed; docs/manual.md, Without a network, tells how to fill the folder"
fi
while IFS= read -r remark; do say "$remark"; done <"$scratch/remarks"

if [ -s "$scratch/missing" ]; then
    wanted=(--requirement "$scratch/missing")
    if grep -q '^torch[>=]' "$scratch/missing"; then
        # 2.2 was torch's last release for Macs with Intel processors.
        [ "$(uname -sm)" != "Darwin x86_64" ] ||
            fail "there is no torch for Macs with Intel processors that is new enough" "use Colab, Linux or a newer Mac"
        say "torch will be installed, too (gigabytes, so minutes; once)"
        # Offline it is whatever release the folder holds.
        [ -n "$offline" ] || wanted+=("${TORCH[@]}")
    fi
    say "installing $(on_one_line "$scratch/missing")"
    if ! pip_install --constraint "$scratch/constraints" "${wanted[@]}" 2>"$scratch/said"; then
        grep -qi conflict "$scratch/said" || fail_with_said "some packages could not be installed"
        say "that does not fit beside all that is there; trying again with only the protected packages held"
        pip_install --constraint "$scratch/protected" "${wanted[@]}" 2>"$scratch/said" ||
            fail_with_said "some packages could not be installed"
    fi
fi

# gfpgan, realesrgan and basicsr go in without their dependencies (a second torch, tensorboard, lmdb ...) and without
# build isolation (basicsr asks for torch to be built). What building basicsr needs lies beside the environment, not in
# it: setuptools, which environments of Python 3.12 and later lack, and a file that makes its setup.py run on 3.13.
install_engines() {
    # In a folder of ready wheels nothing is built, so that setuptools may be absent from it.
    pip_install --target "$scratch/build" 'setuptools>=77' || [ -n "$offline" ] || return
    PIP_USE_PEP517=1 PYTHONPATH=$root/tools/build_basicsr:$scratch/build \
        pip_install --no-deps --no-build-isolation --requirement "$scratch/engines"
}

if [ -s "$scratch/engines" ]; then
    say "installing $(on_one_line "$scratch/engines")"
    if ! install_engines 2>"$scratch/said"; then
        tail -n 20 "$scratch/said" >&2
        say "$(on_one_line "$scratch/engines")could not be installed (see above); spandrel loads the same weights files"
    fi
fi

if ! "$env_python" "$root/tools/setup_packages.py" current ${offline:+--offline "$offline"}; then
    pip_install --no-deps --editable "$root" 2>"$scratch/said" || fail_with_said "LipWise itself could not be installed"
fi

# What the installation did to packages that were there before.
harmed=''
"$env_python" "$root/tools/setup_packages.py" changed "$scratch/before" >"$scratch/changed" || harmed=yes
while IFS= read -r line; do say "replaced: $line"; done <"$scratch/changed"
[ -z "$harmed" ] || fail "pip changed a package that must not change (above)" "on Colab: restart with a fresh runtime"
# The engines' own lists are left unmet on purpose.
"$env_python" -m pip check 2>/dev/null | grep -v -E '^(basicsr|facexlib|gfpgan|realesrgan) ' | sort >"$scratch/conflicts" || true
comm -13 "$scratch/conflicts_before" "$scratch/conflicts" | while IFS= read -r line; do say "pip check: $line"; done

names=(face_mesh)
while IFS= read -r name; do names+=("$name"); done <"$scratch/yunet"
case $weights in
    min) names+=(wav2lip_gan gfpgan_1.4) ;;
    all) names=(--all) ;;
esac
unfetched=''
"$env_python" -m lipwise weights "${names[@]}" ${accepted:+--accept-licence} || unfetched=yes

"$env_python" -m lipwise doctor || fail "something that LipWise needs is missing, see the table" "use $env_python once it is mended"
[ -z "$unfetched" ] || fail "not every weights file could be fetched" "see the lines above the table"
say "ready; use $env_python"
cd "$root"
case $then in
    demo) exec "$env_python" -m lipwise demo ;;
    test) exec "$env_python" -m pytest -n auto --dist loadfile --no-loadscope-reorder ;;
esac
