"""The network that hears the mouth: its contract, its weights, and how well it does on real speakers."""

import runpy
import shutil
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lipwise.errors import CheckpointError
from lipwise.models import viseme_net
from lipwise.models.viseme_net import VisemeNet, load_viseme_net, predict_mouth, save_weights

ROOT = Path(__file__).resolve().parents[2]
OPEN, WIDE, ROUND, CLOSED = range(4)
# What benchmarks/viseme_audio.py gives for an earlier network of this kind on the six shared clips with sound.
EARLIER = {"opening": 0.317, "width": 0.357, "asked_gap": 0.324, "asked_width": 0.379}
MARGIN = 0.03


@pytest.fixture(scope="module")
def sounds(golden: Path) -> dict[str, np.ndarray]:
    """Mel windows (N, 80, 16) in the middle of single sounds, said by six synthetic voices."""
    with np.load(golden / "viseme_sounds.npz") as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return ROOT / "tools"


def speech_like(count: int) -> np.ndarray:
    return np.random.default_rng(5).uniform(-4, 3, (count, 80, 16)).astype(np.float32)


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65])
def test_one_mouth_for_each_window(count: int):
    mouth = predict_mouth(speech_like(count))
    assert mouth.shape == (count, 4)
    assert mouth.dtype == np.float32
    assert np.all((mouth >= 0) & (mouth <= 1))


@pytest.mark.parametrize("shape", [(80, 16), (3, 16, 80), (3, 80, 15)])
def test_other_shapes_are_refused(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"expected mel windows \(N, 80, 16\)"):
        predict_mouth(np.zeros(shape, np.float32))


def test_a_window_does_not_see_its_neighbours():
    windows = speech_like(150)
    whole = predict_mouth(windows)
    np.testing.assert_array_equal(whole, predict_mouth(windows))
    parts = np.concatenate([predict_mouth(windows[:17]), predict_mouth(windows[17:18]), predict_mouth(windows[18:])])
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-6)


def test_long_mel_and_windows_agree():
    mel = np.random.default_rng(6).uniform(-4, 3, (80, 50)).astype(np.float32)
    windows = np.stack([mel[:, i : i + 16] for i in range(35)])
    with torch.inference_mode():
        at_once = load_viseme_net()(torch.from_numpy(mel)[None])[0].T.numpy()
    np.testing.assert_allclose(predict_mouth(windows), at_once, atol=1e-5)


def test_silence_rests_the_mouth():
    mouth = predict_mouth(np.full((1, 80, 16), -4.0))[0]
    assert mouth[OPEN] < 0.02
    assert mouth[CLOSED] < 0.15, "a pause is not m, b or p"
    assert mouth[ROUND] < 0.25
    assert 0.3 < mouth[WIDE] < 0.6


def test_sounds_shape_the_mouth(sounds: dict[str, np.ndarray]):
    mouth = {name: predict_mouth(windows).mean(0) for name, windows in sounds.items()}
    assert mouth["ah"][OPEN] > mouth["mm"][OPEN] + 0.4
    assert mouth["ah"][OPEN] > mouth["ee"][OPEN] + 0.2
    assert mouth["mm"][CLOSED] > 0.6
    assert mouth["mm"][CLOSED] > mouth["ah"][CLOSED] + 0.5
    assert mouth["mm"][CLOSED] > mouth["nn"][CLOSED] + 0.3
    assert mouth["oo"][ROUND] > mouth["ee"][ROUND] + 0.4
    assert mouth["ee"][WIDE] > mouth["oo"][WIDE] + 0.2


def test_loudness_hardly_matters(sounds: dict[str, np.ndarray]):
    six_decibels = 0.48
    quieter = predict_mouth(np.maximum(sounds["ah"] - six_decibels, -4))
    assert np.abs(quieter - predict_mouth(sounds["ah"])).mean() < 0.06


def test_shipped_file_is_small_and_plain():
    assert viseme_net.WEIGHTS.stat().st_size <= 300_000
    with np.load(viseme_net.WEIGHTS, allow_pickle=False) as stored:
        assert {stored[name].dtype for name in stored.files} == {np.dtype(np.float16)}


def test_weights_survive_saving(tmp_path: Path):
    net = load_viseme_net()
    save_weights(net, tmp_path / "copy.npz")
    assert (tmp_path / "copy.npz").stat().st_size <= 300_000
    windows = speech_like(8)
    np.testing.assert_array_equal(
        predict_mouth(windows), predict_mouth(windows, net=load_viseme_net(tmp_path / "copy.npz"))
    )


def _wrong_files(folder: Path) -> dict[str, Path]:
    paths = {name: folder / f"{name}.npz" for name in ("missing", "text", "short", "other", "extra", "pickled")}
    paths["text"].write_text("<html>quota exceeded</html>")
    save_weights(VisemeNet(), paths["short"])
    whole = paths["short"].read_bytes()
    with np.load(paths["short"]) as stored:
        arrays = dict(stored)
    paths["short"].write_bytes(whole[: len(whole) // 2])
    np.savez(paths["other"], **{name: value[:1] for name, value in arrays.items()})
    extra: dict[str, Any] = {"extra": np.zeros(3), **arrays}
    np.savez(paths["extra"], **extra)
    pickled: dict[str, Any] = {name: np.array([{}], object) for name in arrays}
    np.savez(paths["pickled"], **pickled)
    return paths


@pytest.mark.parametrize("name", ["missing", "text", "short", "other", "extra", "pickled"])
def test_wrong_weights_are_named(tmp_path: Path, name: str):
    path = _wrong_files(tmp_path)[name]
    with pytest.raises(CheckpointError) as caught:
        load_viseme_net(path)
    assert str(path) in str(caught.value)
    assert "train_viseme.py" in caught.value.next_step


@pytest.mark.slow
def test_moves_with_real_speakers(shared: Path, golden: Path):
    """No worse than an earlier network, measured by the same script on the same clips."""
    benchmark = runpy.run_path(str(ROOT / "benchmarks" / "viseme_audio.py"))
    curves = benchmark["read_curves"](golden / "mediapipe_mouth.npz")
    scores = benchmark["score_clips"](benchmark["shipped"](), shared / "media", curves)
    if len(scores) < 6:
        pytest.skip("the six shared clips with sound are not there")
    mean = benchmark["means"](scores)
    for name, earlier in EARLIER.items():
        assert mean[name] >= earlier - MARGIN, name
    assert mean["beats_shifts"] >= 4
    assert abs(mean["lag_s"]) <= 0.04


needs_speech = pytest.mark.skipif(
    shutil.which("flite") is None or find_library("espeak-ng") is None, reason="espeak-ng and flite are not installed"
)


@needs_speech
def test_training_speech_is_the_same_each_time(tools: Path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from viseme_speech import synthesise\n"
        "import hashlib\n"
        "for u in synthesise(3, seed=9):\n"
        "    print(hashlib.sha256(u.waveform.tobytes()).hexdigest(), u.voice, u.segments)\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code, str(tools)], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0].count("\n") == 3
    assert runs[0] == runs[1]


def test_curves_close_the_lips_in_time(tools: Path):
    from viseme_mouth import Segment, mouth_curve  # pyright: ignore[reportMissingImports] -- tools/ is on the path

    said = [Segment(0.0, 0.5, ""), Segment(0.5, 0.7, "ɑ"), Segment(0.7, 0.8, "m"), Segment(0.8, 1.0, "u")]
    curve = mouth_curve(said, 80)
    at = {name: curve[round(80 * second)] for name, second in (("pause", 0.25), ("a", 0.6), ("m", 0.75), ("u", 0.9))}
    assert at["pause"][OPEN] < 0.05
    assert at["pause"][CLOSED] < 0.05
    assert at["a"][OPEN] > 0.6
    assert at["m"][CLOSED] > 0.9
    assert at["m"][OPEN] < 0.15
    assert at["u"][ROUND] > 0.7
    assert np.all((curve >= 0) & (curve <= 1))
