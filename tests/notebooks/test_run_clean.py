"""What the cleaning lesson shows, writes and accepts as an answer."""

import re
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

import lipwise as lw
from lipwise.media.probe import probe
from lipwise.notebook import mean_check


def source_of(stem: str) -> Path:
    return Path(__file__).resolve().parents[2] / "notebooks" / "src" / f"{stem}.py"


@pytest.fixture(scope="module")
def lesson(ran):
    return ran("02_clean_faces")


def test_the_lesson_writes_the_sample_and_the_clean_clip_only(lesson):
    written = sorted(path.relative_to(lesson.folder).as_posix() for path in lesson.folder.rglob("*") if path.is_file())
    assert written == ["clean.mp4", "sample/hard_face.mp4"]


def test_the_lesson_shows_each_picture_once(lesson):
    assert len(lesson.pictures) == 6  # faces, sheet, curves, policies, tries, smoothing


def test_the_report_names_every_kind_of_trouble(lesson):
    for reason in ("no face", "too small", "turned", "blurred", "too dark", "cut off", "scene cut"):
        assert re.search(rf"^  {reason}: \d", lesson.printed, re.MULTILINE), reason


def test_the_policy_fail_names_the_ranges(lesson):
    assert re.search(r"Frames \d+-\d+, .* of hard_face\.mp4 cannot be used", lesson.printed)
    assert "next:" in lesson.printed


def test_the_clean_clip_is_shorter_and_keeps_its_sound(lesson):
    before, after = probe(lesson.folder / "sample" / "hard_face.mp4"), probe(lesson.folder / "clean.mp4")
    assert after.has_audio
    assert 0.4 * before.frame_count < after.frame_count < 0.7 * before.frame_count
    assert f"{after.frame_count} of {before.frame_count} frames can be used" in lesson.printed


def test_before_and_after_stand_beside_each_other(lesson):
    alone, beside = [page for page in lesson.of_type("text/html") if "<video" in page]
    assert (alone.count("<video"), beside.count("<video")) == (1, 2)
    assert len(alone) + len(beside) < 4_000_000


def test_no_gpu_is_asked_for(lesson):
    assert "accelerator" not in lesson.book.metadata
    assert "gpuType" not in lesson.book.metadata.colab


def check_of(builder, step: str) -> str:
    """The first cell with a check below a step's heading."""
    cells = [cell.source for cell in builder.build(source_of("02_clean_faces")).cells]
    first = next(number for number, text in enumerate(cells) if text.startswith(f"## {step}"))
    return next(text for text in cells[first:] if text.startswith("# Check:"))


def written(path: Path, tone: np.ndarray | None) -> Path:
    """A clip of 100 frames, 4 seconds, with sound of any length, which `write_video` would cut to fit."""
    with av.open(str(path), "w") as file:
        picture = file.add_stream("h264", rate=25)
        picture.width, picture.height, picture.pix_fmt = 96, 64, "yuv420p"
        sound = file.add_stream("aac", rate=48_000) if tone is not None else None
        for number in range(100):
            file.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((64, 96, 3), number, np.uint8))))
        file.mux(picture.encode())
        if sound is not None and tone is not None:
            samples = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
            samples.sample_rate = 48_000
            file.mux(sound.encode(samples))
            file.mux(sound.encode())
    return path


@pytest.mark.parametrize(("pace", "drifts"), [(1, False), (0.97, True), (1.03, True), (None, True)])
def test_the_check_of_the_clean_clip_hears_sound_that_drifts(builder, tmp_path, pace, drifts):
    """Sound that is played too slowly or too fast, or lost, against a picture of 4 seconds."""
    tone = np.sin(np.arange(int(4 * 48_000 * (pace or 1))) / 20).astype(np.float32)
    path = written(tmp_path / "out.mp4", None if pace is None else tone)
    cleaned = SimpleNamespace(video=probe(path), timeline=range(100), track=range(100))
    names = {"lw": lw, "cleaned": cleaned, "sound": "cut", "waveform": tone}
    check = check_of(builder, "Write the clean clip")
    if drifts:
        with pytest.raises(AssertionError, match="drift apart" if pace else "sound is gone"):
            exec(check, names)
    else:
        exec(check, names)


def test_each_step_has_a_figure_then_what_to_look_at_then_a_check(builder):
    cells = builder.build(source_of("02_clean_faces")).cells
    looks = [number for number, cell in enumerate(cells) if cell.source.startswith("**What to look at**")]
    assert len(looks) == 6
    for number in looks:
        assert cells[number - 1].cell_type == "code"
        assert not cells[number - 1].source.startswith("# Check")
        assert cells[number + 1].source.startswith("# Check: ")


# What the cells before the exercise leave behind: a face that sways, trembling a little.
SEEN = """
import numpy as np
from lipwise.notebook import show_smoothing
place = 200 + 60 * np.sin(np.arange(90) / 9) + np.random.default_rng(0).normal(0, 1, 90)
"""
PADDED = "return np.convolve(np.pad(values, {width}, mode='{mode}'), np.ones(count) / count, 'valid')"
WRONG = {
    "the last ones": (
        "return np.array([values[max(0, i - count + 1) : i + 1].mean() for i in range(len(values))])",
        "1 frame late",
    ),
    "the next ones": (
        "return np.array([values[i : i + count].mean() for i in range(len(values))])",
        "1 frame early",
    ),
    "no ends": ('return np.convolve(values, np.ones(count) / count, "valid")', "9 values went in and 7 came out"),
    "ends of zero": ('return np.convolve(values, np.ones(count) / count, "same")', "ends are not: zeros"),
    "padded by 2 always": (PADDED.format(width=2, mode="edge"), "9 values went in and 11 came out for count=3"),
    "count ignored": ("count = 5; " + PADDED.format(width=2, mode="edge"), "mean of 5 values, and count=3"),
    "fewer at the ends": (
        "h = count // 2; return np.array([values[max(0, i - h) : i + h + 1].mean() for i in range(len(values))])",
        "ends are not: the mean is of fewer values",
    ),
    "wrapped": (PADDED.format(width="count // 2", mode="wrap"), "ends are not: the values of the other end"),
    "reflected": (PADDED.format(width="count // 2", mode="reflect"), "ends are not: .* mirrored"),
    "the median": (
        "return np.median(np.lib.stride_tricks.sliding_window_view("
        "np.pad(values, count // 2, mode='edge'), count), axis=1)",
        "the median",
    ),
    "nothing done": ("return values", "came back as they were"),
}


def judged(builder, answer: str, before: str) -> None:
    """Run the exercise's check on an answer; the lesson's own kernel runs it in test_run_every."""
    cells = builder.build(source_of("02_clean_faces")).cells
    check = next(cell.source for cell in cells if cell.source.startswith("# Check your answer"))
    names = {"mean_check": mean_check}
    exec(f"{before}\n{answer}\n{check}", names)


@pytest.mark.parametrize(("answer", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_why(builder, answer, said):
    with pytest.raises(AssertionError, match=said):
        judged(builder, f"def centred_mean(values, count):\n    {answer}", SEEN)


@pytest.mark.parametrize("count", [1, 3, 90])
def test_the_right_answer_passes_on_a_clip_of_any_length(builder, count):
    answer = f"def centred_mean(values, count):\n    {PADDED.format(width='count // 2', mode='edge')}"
    judged(builder, answer, f"{SEEN}place = place[:{count}]")


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_clip_of_few_frames_is_told_that_nothing_can_be_measured(builder, capsys, count):
    part = SimpleNamespace(part=lambda *_: SimpleNamespace(jitter=float("nan")))
    names = {"place": np.zeros(count), "raw": part, "track": part, "run": slice(0, count)}
    exec(check_of(builder, "Put the box where the face is"), names)
    assert f"{count} frame(s) in a row" in capsys.readouterr().out
