"""Where gfpgan cannot be imported, spandrel's code runs the same weights, and the report says so."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from skimage.data import astronaut

import lipwise as lw
from lipwise.__main__ import main
from lipwise.media.picture import write_picture
from lipwise.models.engines import ENGINES

SAID = "gfpgan cannot be used"

spec = importlib.util.spec_from_file_location("formula", Path(__file__).parents[1] / "models" / "formula.py")
formula = importlib.util.module_from_spec(spec)
spec.loader.exec_module(formula)


@pytest.fixture(scope="module")
def gfpgan_file(golden, tmp_path_factory) -> Path:
    """Formula weights in the official layout, for the official file may not be shipped."""
    pytest.importorskip("spandrel")
    path = tmp_path_factory.mktemp("gfpgan") / "GFPGANv1.4.pth"
    torch.save({"params_ema": formula.formula_weights(golden / "gfpgan_state_dict.json")}, path)
    return path


@pytest.fixture
def block(monkeypatch):
    """Makes a package that cannot be imported, as in an environment where it is broken."""

    def now(package: str) -> None:
        for name in list(sys.modules):
            if name.split(".")[0] in ENGINES:
                monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, package, None)

    return now


def one_remark(remarks: tuple[str, ...]) -> str:
    (remark,) = [remark for remark in remarks if SAID in remark]
    return remark


@pytest.mark.parametrize("package", ["basicsr", pytest.param("gfpgan", marks=pytest.mark.slow)])
def test_the_report_of_enhance_says_that_spandrel_took_over(package, block, gfpgan_file, tmp_path, face_mesh, capsys):
    photo = write_picture(tmp_path / "in.png", astronaut()[:256, 96:352])
    block(package)
    main(["enhance", str(photo), "--out", str(tmp_path / "out.png"), "--restore", str(gfpgan_file)])
    shown = " ".join(capsys.readouterr().out.split())
    assert f"note: GFPGAN: {SAID} (" in shown
    assert "spandrel's code runs the same weights" in shown
    assert "1 face restored" in shown
    assert "by the code of spandrel" in shown


@pytest.mark.parametrize("engine", [None, pytest.param("gfpgan", marks=pytest.mark.slow)])
def test_the_report_of_a_run_says_that_spandrel_took_over(engine, block, gfpgan_file, sample, tmp_path):
    recipe = lw.Recipe(
        face=sample.face,
        speech=sample.speech,
        speech_end_s=0.04,
        out=tmp_path / "out.mp4",
        consent=True,
        restore=str(gfpgan_file),
        restore_engine=engine,
    )
    block("gfpgan")
    report = lw.run(recipe, progress=False, report_path=tmp_path / "report.json")
    assert report.enhancement.restored == report.frames == 1
    assert "spandrel's code" in one_remark(report.remarks)
    assert "by the code of spandrel" in report.enhancement.restorer
    assert f"note: {one_remark(report.remarks)}" in " ".join(str(report).split())
    assert SAID in (tmp_path / "report.json").read_text()


@pytest.mark.slow
def test_a_resumed_run_says_it_too(block, gfpgan_file, sample, tmp_path):
    recipe = lw.Recipe(
        face=sample.face, speech=sample.speech, speech_end_s=0.04, out=tmp_path / "out.mp4", consent=True,
        restore=str(gfpgan_file),
    )  # fmt: skip
    block("gfpgan")
    for _ in range(2):
        report = lw.run(recipe, progress=False, run_folder=tmp_path / "run", resume=True)
        assert one_remark(report.remarks)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("gfpgan") is None, reason="the engines are not installed")
def test_nothing_is_said_where_gfpgan_is_there(gfpgan_file, tmp_path, face_mesh):
    photo = write_picture(tmp_path / "in.png", astronaut()[:256, 96:352])
    report = lw.enhance(photo, tmp_path / "out.png", restore=str(gfpgan_file), progress=False)
    assert not [remark for remark in report.remarks if SAID in remark]
    assert "by the code of gfpgan" in report.enhancement.restorer
