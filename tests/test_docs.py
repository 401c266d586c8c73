"""What README, CONTRIBUTING, NOTICE and docs say: their links lead somewhere, and their commands exist."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from functools import cache, wraps
from pathlib import Path

import pytest

import lipwise as lw
from lipwise import __main__ as command_line
from lipwise.__main__ import HOMES

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/*.md"))
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks" / "src").glob("*.py"))
ISSUES = "../../issues"  # beside the repository's files on GitHub, not among them
LONGEST_README = 1_200  # words: it is no manual

spec = importlib.util.spec_from_file_location("lesson", ROOT / "tools" / "lesson.py")
assert spec is not None
assert spec.loader is not None
lesson = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lesson)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


def commands(page: Path) -> list[str]:
    """Lines of a page's shell examples, continued lines in one, comments left off."""
    blocks = re.findall(r"^```bash\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split(" #")[0].strip() for line in lines if line.strip()]


def python_examples(page: Path) -> list[str]:
    """A page's Python examples."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def typed(page: Path) -> list[list[str]]:
    """What a page has a reader type after `python -m lipwise`, in its examples and in its sentences, word by word."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = commands(page) + [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    return [shlex.split(line.split("-m lipwise ")[1]) for line in lines if "-m lipwise " in line]


def dead_links(page: Path, text: str) -> list[str]:
    dead = []
    text = re.sub(r"`[^`\n]*`", "", text)  # an example of a link is none
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = link.partition("#")
        if link.startswith("https://") or link == ISSUES:
            continue
        file = page.parent / name if name else page
        if not file.exists() or (anchor and anchor not in lesson.anchors(file)):
            dead.append(link)
    return dead


@each_page
def test_every_link_leads_somewhere(page):
    assert dead_links(page, page.read_text(encoding="utf-8")) == []


def test_a_dead_link_is_found():
    text = "[a](docs/glossary.md#mask) [b](docs/glossary.md#no-such-word) [c](nowhere.md) [d](#start) [e](#finish)"
    assert dead_links(ROOT / "README.md", text) == ["docs/glossary.md#no-such-word", "nowhere.md", "#finish"]


@cache
def help_of(name: str) -> str:
    said = subprocess.run([sys.executable, "-m", "lipwise", name, "--help"], capture_output=True, text=True, check=True)
    return said.stdout


@each_page
def test_every_command_and_option_of_lipwise_exists(page):
    asked = [line.split("-m lipwise ")[1].split() for line in commands(page) if "-m lipwise " in line]
    for name, *rest in asked:
        assert name in HOMES, name
        options = {word for word in rest if word.startswith("--")} - {"--help"}
        assert [option for option in sorted(options) if not re.search(rf"{option}(?![\w-])", help_of(name))] == [], name


@pytest.fixture
def parse(monkeypatch):
    """Parses what is typed as the command line does, and calls nothing."""

    def idle(name: str):
        return wraps(command(name))(lambda *_, **__: None)

    command = command_line.command
    monkeypatch.setattr(command_line, "command", idle)
    return command_line.dispatch


@each_page
def test_every_command_of_a_page_is_understood(page, parse, capsys):
    for words in typed(page):
        if words[0] == "COMMAND":  # stands for any of them
            continue
        try:
            parse(words)
        except SystemExit as left:
            if left.code:
                pytest.fail(f"{shlex.join(words)}: {capsys.readouterr()}")


def test_readme_and_manual_show_every_command():
    shown = {words[0] for page in ("README.md", "docs/manual.md") for words in typed(ROOT / page)}
    assert set(HOMES) - shown == {"demo"}  # which the set-up runs


@pytest.mark.parametrize(
    "words", ["run --face", "run --fase clip.mp4", "clean", "enhance a --out b --scale 2", "weigh"]
)
def test_what_is_not_understood_is_found(words, parse, capsys):
    with pytest.raises(SystemExit) as left:
        parse(words.split())
    assert left.value.code == 2


@pytest.mark.parametrize("page", ["README.md", "docs/manual.md"])
def test_every_option_and_weight_in_a_sentence_exists(page):
    """Options also stand alone, as in "then add `--generator wav2lip_gan`"."""
    offered = " ".join(help_of(name) for name in HOMES if name != "doctor")
    offered += (ROOT / "setup_colab.sh").read_text(encoding="utf-8")
    text = (ROOT / page).read_text(encoding="utf-8")
    options = set(re.findall(r"`(--[a-z][\w.-]*)", text))
    assert [option for option in sorted(options) if not re.search(rf"{option}(?![\w-])", offered)] == []
    named = {word for words in typed(ROOT / page) if words[0] == "weights" for word in words[1:]} - {"NAME"}
    assert named <= set(lw.weights_entries())


@pytest.fixture(scope="module")
def folder_of_a_reader(tmp_path_factory, face_mesh) -> Path:
    """The files that the examples name, out of the sample."""
    folder = tmp_path_factory.mktemp("reader")
    sample = lw.make_sample(folder / "sample")
    sample.face.rename(folder / "clip.mp4")
    lw.save_wav(folder / "speech.wav", lw.load_audio(sample.speech), sample_rate=16_000)
    return folder


def run_by_a_reader(folder: Path, *arguments: str) -> str:
    """What Python writes there; the folder holds no lipwise of its own."""
    path = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=os.environ | path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_python_example_of_readme_runs(folder_of_a_reader):
    (example,) = python_examples(ROOT / "README.md")
    said = run_by_a_reader(folder_of_a_reader, "-c", example)
    made = lw.probe(folder_of_a_reader / "result.mp4")
    assert made.has_audio
    assert f"{made.frame_count} with new lips, 0 without a face" in said


@pytest.mark.slow
def test_the_commands_of_readme_run(folder_of_a_reader):
    lines = [shlex.split(line.split("-m ")[1]) for line in commands(ROOT / "README.md") if "-m lipwise" in line]
    said = {words[1]: run_by_a_reader(folder_of_a_reader, "-m", *words) for words in lines}
    assert list(said) == ["run", "clean", "enhance", "evaluate", "weights"]
    assert lw.probe(folder_of_a_reader / "large.mp4").size_wh[1] == 1080
    assert lw.probe(folder_of_a_reader / "clean.mp4").frame_count == 100
    assert "PSNR" in said["evaluate"]
    assert "wav2lip_gan" in said["weights"]


@pytest.mark.slow
def test_the_python_examples_of_the_manual_run(folder_of_a_reader):
    """They are about a clip, and about a run that was kept."""
    clip, speech = folder_of_a_reader / "clip.mp4", folder_of_a_reader / "speech.wav"
    recipe = lw.Recipe(face=clip, speech=speech, out=folder_of_a_reader / "result.mp4", consent=True)
    lw.run(recipe, run_folder=folder_of_a_reader / "run", progress=False)
    for example in python_examples(ROOT / "docs" / "manual.md"):
        assert run_by_a_reader(folder_of_a_reader, "-c", example)


@each_page
def test_every_program_that_a_page_names_is_there(page):
    named = re.findall(r"\b((?:tools|benchmarks|tests)/[\w/]+\.py)\b", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).is_file()] == []


@each_page
def test_no_page_names_a_registry_or_a_line_too_long_to_read(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"\bpypi\b|python-?hosted|\bnpm-?js\b|\bdeb(?:ian)?\.(?:org|net)", text, re.IGNORECASE)
    prose = [line for line in text.splitlines() if not line.startswith(("|", "!", "[!")) and "https://" not in line]
    assert [line for line in prose if len(line) > 120] == []


def test_readme_is_short_and_lists_every_notebook():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert lesson.count_words(readme) < LONGEST_README
    for stem in NOTEBOOKS:
        (row,) = [line for line in readme.splitlines() if line.startswith(f"| [{stem}](notebooks/{stem}.ipynb)")]
        assert f"/blob/main/notebooks/{stem}.ipynb)" in row
        assert all(cell.strip() for cell in row.strip("|").split("|"))
        assert row.count("|") == 5  # name, what you learn, time, runtime


def test_teachers_are_told_of_every_notebook():
    teaching = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    assert [stem for stem in NOTEBOOKS if f"| {stem} |" not in teaching] == []


def test_a_word_of_the_glossary_has_one_place():
    places = re.findall(r'<a name="([^"]+)">', (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"))
    assert len(places) == len(set(places)) > 50


def test_the_python_example_of_readme_names_what_is_there():
    """It is run below, in the slow leg; here its names are looked up."""
    (example,) = python_examples(ROOT / "README.md")
    assert len(example.splitlines()) == 6
    assert set(re.findall(r"\blw\.(\w+)", example)) <= set(lw.__all__)
    compile(example, "README.md", "exec")


def test_notice_names_every_file_that_is_fetched():
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    kinds = {"RealESRGAN_": "RealESRGAN_*.pth", "realesr-": "realesr-*.pth", "REALESRGAN_": "REALESRGAN_*.bin"}
    files = [entry.file for entry in lw.weights_entries().values()]
    named = [next((kind for start, kind in kinds.items() if file.startswith(start)), file) for file in files]
    assert [file for file in named if file not in notice] == []


def test_notice_names_every_package_that_is_needed():
    notice = re.sub(r"\W+", "", (ROOT / "NOTICE").read_text(encoding="utf-8").lower())
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = re.findall(r'^ {4}"([\w.-]+)', project.split("dev = [")[0], re.MULTILINE)
    other_names = {"av": "pyav", "opencv-python-headless": "opencv", "torch": "pytorch"}
    plain = [re.sub(r"\W+", "", other_names.get(name, name).lower()) for name in needed]
    assert len(plain) > 20
    assert [name for name in plain if name not in notice] == []
