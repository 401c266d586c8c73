"""What enhancement refuses, when, and in which words."""

import numpy as np
import pytest
from enhance_doubles import Drawing, Inverting

import lipwise as lw
from lipwise.__main__ import main
from lipwise.errors import FaceError, LipwiseError, MediaError, SettingsError, WeightsError
from lipwise.media.picture import write_picture
from lipwise.models.lanczos import Lanczos
from lipwise.pipeline import enhance

BAD = {
    "nothing to do": ({}, SettingsError, "nothing to do"),
    "unknown restorer": ({"restore": "gfpgan_1.5"}, SettingsError, r"(?s)no restorer 'gfpgan_1.5'.*gfpgan_1.4"),
    "unknown upscaler": ({"upscale": "realesrgan_x3"}, SettingsError, "no upscaler"),
    "scale 0": ({"upscale": "lanczos", "scale": 0}, SettingsError, "A scale of 0"),
    "scale and height": ({"upscale": "lanczos", "scale": 2, "height": 9}, SettingsError, "cannot be kept"),
    "a size alone": ({"restore": Inverting(), "scale": 2}, SettingsError, "nothing was named to upscale with"),
    "fidelity": ({"restore": Inverting(), "settings": {"fidelity": 2}}, SettingsError, "'fidelity' is not usable"),
    "choice": ({"restore": Inverting(), "choose": 7}, FaceError, "7"),
    "scale 1000": ({"upscale": "lanczos", "scale": 1000}, SettingsError, "(?s)A scale of 1000.*at most 16"),
    "no scale": ({"upscale": "lanczos", "scale": float("nan")}, SettingsError, "A scale of nan"),
    "a scale in letters": ({"upscale": "lanczos", "scale": "2"}, SettingsError, "(?s)A scale of '2'.*not a number"),
    "nan of fidelity": (
        {"restore": Inverting(), "settings": {"fidelity": float("nan")}},
        SettingsError,
        "not a number",
    ),
    "tile": ({"upscale": Lanczos(), "tile": 64}, SettingsError, "tile beside an upscaler that is loaded"),
    "height 1000000": ({"upscale": "lanczos", "height": 10**6}, SettingsError, "(?s)A height.*at most 16,384"),
    "too wide": ({"upscale": Lanczos(scale=40)}, MediaError, "(?s)20480 x 20480 px.*16,384"),
    "too much in all": ({"upscale": "lanczos", "height": 16_384}, MediaError, "(?s)16384 x 16384 px.*16254 x 16254 px"),
    "ready": ({"upscale": Lanczos(), "scale": 2, "denoise": 0.5}, SettingsError, "(?s)scale and denoise.*ready-made"),
    "denoise": ({"upscale": "lanczos", "denoise": 0.5}, SettingsError, "denoise 0.5 for lanczos"),
    "denoise 2": ({"upscale": "realesr_general_x4v3", "denoise": 2}, SettingsError, "denoise 2 is not usable"),
    "quality": ({"upscale": "lanczos", "quality": "super"}, SettingsError, "(?s)no quality 'super'.*draft, good, best"),
    "no quality": ({"upscale": "lanczos", "quality": ["good"]}, SettingsError, "no quality"),
    "detector": ({"upscale": "lanczos", "detector": "s3fd"}, SettingsError, "no face detector named 's3fd'"),
    "a detector to measure with": ({"upscale": Drawing(scale=2), "detector": "s3fd"}, SettingsError, "named 's3fd'"),
    "settings in letters": ({"upscale": "lanczos", "settings": "face"}, SettingsError, "'face' is no EnhanceSettings"),
    "near names": ({"upscale": "realesr_gan"}, SettingsError, "realesr_general_x4v3"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_and_nothing_left(case, clip, tmp_path):
    arguments, error, words = BAD[case]
    with pytest.raises(error, match=words):
        lw.enhance(clip, tmp_path / "new" / "out.mp4", **arguments, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_are_refused(clip, tmp_path):
    (tmp_path / "empty").mkdir()
    write_picture(tmp_path / "one" / "a.png", np.zeros((9, 9, 3), np.uint8))
    cases = {
        (tmp_path / "none.mp4", tmp_path / "out.mp4"): (MediaError, "is not there"),
        (clip, clip): (SettingsError, "overwrite"),
        (clip, tmp_path / "out.png"): (MediaError, "cannot be written as a video"),
        (tmp_path / "empty", tmp_path / "out"): (MediaError, "holds no photo"),
        (tmp_path / "one", tmp_path / "o" / "file.jpg"): (
            MediaError,
            r"(?s)file\.jpg cannot hold photos.*a single file",
        ),
    }
    for (source, out), (error, words) in cases.items():
        with pytest.raises(error, match=words):
            lw.enhance(source, out, upscale="lanczos", progress=False)


@pytest.mark.parametrize(
    "settings",
    [
        {"restore": "nobody"},
        {"upscale": "nothing"},
        {"upscale_scale": 2},
        {"upscale": "lanczos", "upscale_height": 9, "upscale_scale": 2.0},
        {"upscale": "lanczos", "upscale_denoise": 0.5},
    ],
)
def test_a_recipe_is_refused_before_any_work(sample, tmp_path, settings):
    recipe = lw.Recipe(face=sample.face, speech=sample.speech, out=tmp_path / "o.mp4", consent=True, **settings)
    with pytest.raises(LipwiseError):
        lw.run(recipe, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_destination_is_refused_before_anything_is_loaded(clip, tmp_path, monkeypatch):
    def load(**_):
        raise AssertionError("loaded")

    monkeypatch.setattr(enhance, "load_enhancers", load)
    for name in ("out.png", "out"):
        with pytest.raises(MediaError, match="cannot be written as a video"):
            lw.enhance(clip, tmp_path / name, upscale="realesrgan_x4plus", progress=False)


TYPED = {
    "nothing to do": ([], "--restore gfpgan_1.4 or --upscale lanczos"),
    "fidelity": (["--restore", "gfpgan_1.4", "--fidelity", "2"], "'--fidelity' is not usable: 2"),
    "its help": (["--restore", "gfpgan_1.4", "--fidelity", "2"], "python -m lipwise enhance --help"),
    "denoise": (["--upscale", "lanczos", "--denoise", "0.5"], "--denoise 0.5 for lanczos"),
    "the other kind": (["--upscale", "gfpgan_1.4"], "name it as --restore gfpgan_1.4"),
    "no number": (["--restore", "gfpgan_1.4", "--fidelity", "nan"], "it is not a number"),
    "a name": (["--upscale", "lanczo"], "choose one of lanczos, "),
}


@pytest.mark.parametrize("case", TYPED)
def test_the_command_line_speaks_of_its_own_options(case, clip, tmp_path, capsys):
    options, said = TYPED[case]
    with pytest.raises(SystemExit):
        main(["enhance", str(clip), "--out", str(tmp_path / "out.mp4"), *options])
    assert said in capsys.readouterr().err


def test_the_command_that_fetches_weights_is_offered_first(clip, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LIPWISE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LIPWISE_ACCEPT_LICENCE", raising=False)
    with pytest.raises(SystemExit):
        main(["enhance", str(clip), "--out", str(tmp_path / "out.mp4"), "--restore", "gfpgan_1.4"])
    said = capsys.readouterr().err
    assert "next: run python -m lipwise weights gfpgan_1.4, which shows the condition" in said
    assert "fetch_weights(" not in said


def test_the_command_that_fetches_weights_is_offered_without_a_network(clip, tmp_path, capsys, monkeypatch):
    def none(name):
        raise WeightsError(f"{name} (a.pth) cannot be had", cause="no network", next_step="get it by hand")

    monkeypatch.setattr("lipwise.stages.enhancers.fetch_weights", none)
    with pytest.raises(SystemExit):
        main(["enhance", str(clip), "--out", str(tmp_path / "out.mp4"), "--upscale", "realesrgan_x2plus"])
    said = capsys.readouterr().err
    assert "next: run python -m lipwise weights realesrgan_x2plus where there is a network" in said
    assert "or get it by hand" in said
