"""Enhancement of photos, one or a folder of them."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from enhance_doubles import Drawing, Inverting, face_change
from PIL import Image
from skimage.data import astronaut, coffee

import lipwise as lw
from lipwise.errors import MediaError
from lipwise.faces.detect import _ShrinkingDetector
from lipwise.media.picture import read_picture, write_picture

PHOTOS = {
    "colours": astronaut(),
    "grey": cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY),
    "alpha": np.dstack([astronaut(), np.tile(np.arange(512) // 2, (512, 1)).astype(np.uint8)]),
    "16 bits": astronaut().astype(np.uint16) * 257,
}


@pytest.mark.parametrize("kind", PHOTOS)
def test_a_photo_stays_of_its_kind(kind, tmp_path, face_mesh):
    picture = PHOTOS[kind]
    write_picture(tmp_path / "in.png", picture)
    report = lw.enhance(tmp_path / "in.png", tmp_path / "out.png", restore=Inverting(), upscale="lanczos")
    made = read_picture(tmp_path / "out.png")
    assert made.dtype == picture.dtype
    assert made.shape == (1024, 1024, *picture.shape[2:])
    assert (report.enhancement.restored, report.frames) == (1, 1)
    small = cv2.resize(made, (512, 512), interpolation=cv2.INTER_AREA).astype(int)
    unit = 257 if kind == "16 bits" else 1
    change = np.abs(small - picture) / unit
    assert change[100:150, 200:250].max() > 60
    assert change[300:].mean() < 3


def test_a_photo_that_lies_on_its_side_is_set_upright_and_restored(tmp_path, face_mesh):
    write_picture(tmp_path / "turned.png", np.ascontiguousarray(np.rot90(astronaut())))
    report = lw.enhance(tmp_path / "turned.png", tmp_path / "out.png", restore=Inverting())
    face, rest = face_change(read_picture(tmp_path / "out.png"), astronaut())
    assert face > 20
    assert rest == 0
    assert any("upright" in remark for remark in report.remarks)


@pytest.fixture
def looks(monkeypatch) -> list[int]:
    """Grows with each picture in which faces are looked for."""
    seen, detect = [], _ShrinkingDetector.detect

    def counted(detector, frame):
        seen.append(1)
        return detect(detector, frame)

    monkeypatch.setattr(_ShrinkingDetector, "detect", counted)
    return seen


@pytest.mark.parametrize("quarters", [0, 1])
def test_every_face_of_a_photo_is_restored(quarters, tmp_path, face_mesh, looks):
    two = np.hstack([astronaut()[:400, 60:400], astronaut()[:400, 60:400]])
    write_picture(tmp_path / "two.png", np.ascontiguousarray(np.rot90(two, quarters)))
    assert len(lw.track_people(tmp_path / "two.png")) == 2
    looks_for_all = len(looks)
    report = lw.enhance(tmp_path / "two.png", tmp_path / "out.png", restore=Inverting())
    assert len(looks) == 2 * looks_for_all  # however many are seen, they are looked for once
    assert report.enhancement.restored == 2
    change = np.abs(read_picture(tmp_path / "out.png").astype(int) - two).mean(-1)
    assert change[100:150, 140:190].mean() > 20
    assert change[100:150, 480:530].mean() > 20


@pytest.mark.parametrize("shape", [(1, 1, 3), (20, 20_000, 3)])
def test_photos_of_odd_shapes(shape, tmp_path, face_mesh):
    write_picture(tmp_path / "odd.png", np.full(shape, 90, np.uint8))
    report = lw.enhance(tmp_path / "odd.png", tmp_path / "out.png", restore=Inverting(), upscale="lanczos")
    assert (report.enhancement.restored, report.enhancement.without_face) == (0, 1)
    assert read_picture(tmp_path / "out.png").shape == (2 * shape[0], 2 * shape[1], 3)
    assert f"1 picture, {2 * shape[1]} x {2 * shape[0]}\n" in str(report)
    assert "nothing was restored, 0 left alone, 1 without a face" in str(report)


def test_a_folder_of_photos(tmp_path, face_mesh):
    write_picture(tmp_path / "in" / "a.png", astronaut())
    write_picture(tmp_path / "in" / "b c.jpg", coffee())
    (tmp_path / "in" / "notes.txt").write_text("not a photo")
    report = lw.enhance(tmp_path / "in", tmp_path / "out", restore=Inverting(), progress=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b c.jpg"]
    assert (report.frames, report.enhancement.restored, report.enhancement.without_face) == (2, 1, 1)
    assert report.sizes == {"a.png": (512, 512), "b c.jpg": (600, 400)}
    assert "2 pictures, 512 x 512 to 600 x 400" in str(report)
    assert "1 face restored, 0 left alone, 1 without a face" in str(report)
    assert report.size_wh is None
    assert not report.failed


def test_a_small_face_of_a_photo_is_left_alone(tmp_path, face_mesh):
    write_picture(tmp_path / "in.png", astronaut())
    settings = {"least_face_px": 400}
    report = lw.enhance(tmp_path / "in.png", tmp_path / "out.png", restore=Inverting(), settings=settings)
    assert (read_picture(tmp_path / "out.png") == astronaut()).all()
    assert (report.enhancement.restored, report.enhancement.left_alone) == (0, 1)


def test_a_turn_is_told_once(tmp_path, face_mesh):
    write_picture(tmp_path / "turned.png", np.ascontiguousarray(np.rot90(astronaut())))
    report = lw.enhance(tmp_path / "turned.png", tmp_path / "out.png", restore=Inverting())
    assert sum("upright" in remark for remark in report.remarks) == 1


def test_transparency_turns_with_its_photo(tmp_path, face_mesh):
    exif = Image.Exif()
    exif[0x0112] = 6  # a viewer turns it by 90 degrees, clockwise
    lying = np.ascontiguousarray(np.rot90(PHOTOS["alpha"][:400]))
    Image.fromarray(lying).save(tmp_path / "in.png", exif=exif)
    lw.enhance(tmp_path / "in.png", tmp_path / "out.png", restore=Inverting(), upscale="lanczos", scale=1)
    made = read_picture(tmp_path / "out.png")
    assert made.shape == (400, 512, 4)
    assert (made[..., 3] == PHOTOS["alpha"][:400, :, 3]).all()
    assert np.abs(made[100:150, 200:250, :3].astype(int) - astronaut()[100:150, 200:250]).mean() > 20


@pytest.fixture
def folder(tmp_path):
    """Two photos, and one that is broken, between them."""
    write_picture(tmp_path / "in" / "a.png", coffee()[:40, :60])
    (tmp_path / "in" / "m.png").write_bytes((tmp_path / "in" / "a.png").read_bytes()[:60])
    write_picture(tmp_path / "in" / "z.jpg", coffee()[:60, :40])
    return tmp_path / "in"


def test_one_broken_photo_of_a_folder_is_told_and_stops_nothing(folder, tmp_path):
    report = lw.enhance(folder, tmp_path / "out", upscale="lanczos", progress=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "z.jpg"]
    assert (report.frames, report.failed) == (2, ("m.png",))
    assert any("m.png was left out" in remark for remark in report.remarks)
    assert "1 left out: m.png" in str(report)


def test_a_folder_of_which_none_can_be_enhanced_is_an_error(folder, tmp_path):
    for name in ("a.png", "z.jpg"):
        (folder / name).write_bytes(b"no photo")
    with pytest.warns(lw.LipwiseWarning, match=r"a\.png was left out"), pytest.raises(MediaError, match=r"z\.jpg"):
        lw.enhance(folder, tmp_path / "out", upscale="lanczos", progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("ending", "most"), [("jpg", "65,500"), ("webp", "16,383")])
def test_what_a_format_cannot_hold_is_refused_before_it_is_made(ending, most, tmp_path):
    write_picture(tmp_path / "in.png", np.zeros((2, 9000, 3), np.uint8))
    upscaler = Drawing(scale=8)
    with pytest.raises(MediaError, match=f"(?s)72000 x 16 px.*{most} px"):
        lw.enhance(tmp_path / "in.png", tmp_path / f"out.{ending}", upscale=upscaler)
    assert not upscaler.frames


def test_the_baseline_needs_no_torch(tmp_path):
    write_picture(tmp_path / "in.png", coffee()[:40, :60])
    program = (
        "import sys, lipwise as lw; lw.enhance(*sys.argv[1:], upscale='lanczos'); assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "in.png"), str(tmp_path / "out.png")]
    subprocess.run(command, check=True)
    assert read_picture(tmp_path / "out.png").shape == (80, 120, 3)
