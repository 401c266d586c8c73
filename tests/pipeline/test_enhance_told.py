"""What enhancement says of settings that play no part, of what it keeps and drops, and of a full disk."""

import json
from fractions import Fraction

import av
import numpy as np
import pytest
from enhance_doubles import Drawing, Inverting
from PIL import Image
from skimage.data import coffee

import lipwise as lw
from lipwise.__main__ import main
from lipwise.errors import DiskFullError, MediaError, SettingsError
from lipwise.media import picture as pictures
from lipwise.media.picture import write_picture
from lipwise.models.lanczos import Lanczos
from lipwise.pipeline import enhancers

IDLE = {
    "fidelity": ({"settings": {"fidelity": 0.3}}, "fidelity plays no part: no face is restored"),
    "region": ({"settings": {"region": "mouth"}}, "region plays no part: no face is restored"),
    "engine": ({"engine": "spandrel"}, "engine plays no part: no restorer is loaded here"),
    "choose": ({"choose": 1}, "choose plays no part: all faces of a photo are restored"),
    "quality": ({"quality": "best"}, "quality plays no part: it is about written videos"),
    "detector": ({"detector": "yunet"}, "detector plays no part: no face is looked for"),
    "device": ({"device": "meta"}, "device plays no part: no network is loaded here"),
    "the processor": ({"device": "cpu"}, None),
    "nothing": ({"settings": {"steady": 0.5}}, None),
}


@pytest.fixture
def photo(tmp_path):
    return write_picture(tmp_path / "in.png", coffee()[:40, :61])


@pytest.mark.parametrize("case", IDLE)
def test_settings_that_play_no_part_are_told(case, photo, tmp_path):
    arguments, said = IDLE[case]
    report = lw.enhance(photo, tmp_path / "out.png", upscale="lanczos", **arguments)
    assert report.remarks == (() if said is None else (said,))


def test_a_detector_plays_no_part_where_a_network_enlarges_photos_but_measures_flicker_in_videos(photo, clip, tmp_path):
    how = {"upscale": Drawing(scale=2), "detector": "libfacedetection", "progress": False}
    told = [lw.enhance(path, tmp_path / f"out{path.suffix}", **how).remarks for path in (photo, clip)]
    assert [any("detector plays no part" in remark for remark in remarks) for remarks in told] == [True, False]


@pytest.mark.parametrize("device", ["quux", "cuda:99"])
def test_a_device_that_is_not_there_is_refused_also_where_it_plays_no_part(device, photo, tmp_path):
    with pytest.raises(SettingsError, match=f"no device '{device}'"):
        lw.enhance(photo, tmp_path / "out.png", upscale="lanczos", device=device)
    assert not (tmp_path / "out.png").exists()


def test_the_command_line_tells_of_its_own_options(photo, tmp_path, capsys):
    options = ["--upscale", "lanczos", "--fidelity", "0.3", "--choose", "1", "--restore-region", "mouth"]
    main(["enhance", str(photo), "--out", str(tmp_path / "out.png"), *options])
    said = capsys.readouterr().out
    for option in ("--fidelity", "--choose", "--restore-region"):
        assert f"note: {option} plays no part" in said


def test_tiles_are_asked_for_on_the_command_line(photo, tmp_path, capsys, monkeypatch):
    asked = {}
    monkeypatch.setattr(enhancers, "load_upscaler", lambda _, **given: asked.update(given) or Lanczos())
    out = ["--out", str(tmp_path / "out.png"), "--tile", "64", "--tile-overlap", "8"]
    main(["enhance", str(photo), *out, "--upscale", "realesrgan_x4plus"])
    assert (asked["tile"], asked["overlap"]) == (64, 8)
    monkeypatch.undo()
    main(["enhance", str(photo), *out, "--upscale", "lanczos"])
    said = capsys.readouterr().out
    assert "--tile plays no part in lanczos" in said
    assert "--tile-overlap plays no part in lanczos" in said


def test_the_report_of_a_folder_has_no_size_that_is_only_the_last_photos(tmp_path):
    for number, shape in enumerate([(20, 30, 3), (20, 30, 3), (9, 30, 3)]):
        write_picture(tmp_path / "in" / f"{number}.png", np.zeros(shape, np.uint8))
    report = lw.enhance(tmp_path / "in", tmp_path / "out", upscale="lanczos", progress=False)
    report.save(tmp_path / "report.json")
    saved = json.loads((tmp_path / "report.json").read_text())
    assert saved["size_wh"] is None
    assert saved["sizes"]["2.png"] == [60, 18]
    (tmp_path / "in" / "2.png").unlink()
    report = lw.enhance(tmp_path / "in", tmp_path / "out", upscale="lanczos", progress=False)
    assert report.size_wh == (60, 40)
    assert "2 pictures, 60 x 40\n" in str(report)


def test_an_odd_height_is_told(clip, tmp_path):
    report = lw.enhance(clip, tmp_path / "out.mp4", upscale="lanczos", height=301, progress=False)
    assert report.size_wh == (302, 302)
    assert "301 x 301 px become 302 x 302 px" in report.remarks[0]
    assert "the last column and the last row" in report.remarks[0]
    even = lw.enhance(clip, tmp_path / "even.mp4", upscale="lanczos", height=302, progress=False)
    assert not even.remarks


def test_ten_bits_that_become_eight_are_told(tmp_path):
    with av.open(str(tmp_path / "deep.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24").reformat(
                format="yuv420p10le"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    report = lw.enhance(tmp_path / "deep.mkv", tmp_path / "out.mp4", upscale="lanczos", progress=False)
    assert "its 10 bits a channel become 8" in report.remarks


def test_what_a_photo_says_of_itself_is_kept(tmp_path):
    exif = Image.Exif()
    exif[0x8298], exif[0x0112] = "a photographer", 6
    Image.fromarray(coffee()[:40, :60]).save(tmp_path / "in.jpg", exif=exif, dpi=(300, 300))
    lw.enhance(tmp_path / "in.jpg", tmp_path / "out.jpg", upscale="lanczos", scale=3)
    with Image.open(tmp_path / "out.jpg") as made:
        assert (made.size, made.info["dpi"]) == ((120, 180), (300, 300))
        assert dict(made.getexif()) == {0x8298: "a photographer", 0x0112: 1}


@pytest.fixture
def folder(tmp_path):
    for name in "abcd":
        write_picture(tmp_path / "in" / f"{name}.png", coffee()[:40, :60])
    return tmp_path / "in"


def failing(monkeypatch, number: int):
    """Writing fails with that error number from the second photo on; gives the list of those that were tried."""
    tried, whole = [], pictures.written_whole

    def written_whole(path):
        tried.append(path.name)
        if len(tried) > 1:
            raise OSError(number, "the system says no")
        return whole(path)

    monkeypatch.setattr(pictures, "written_whole", written_whole)
    return tried


def test_a_full_disk_stops_a_folder_of_photos(folder, tmp_path, monkeypatch):
    tried = failing(monkeypatch, 28)
    with pytest.raises(DiskFullError, match=r"(?s)b\.png cannot be written.*disk is full.*1 of 4 photos were written"):
        lw.enhance(folder, tmp_path / "out", upscale="lanczos", progress=False)
    assert tried == ["a.png", "b.png"]


def test_a_place_that_cannot_be_written_is_not_the_photos_fault(folder, tmp_path, monkeypatch):
    failing(monkeypatch, 13)
    report = lw.enhance(folder, tmp_path / "out", upscale="lanczos", progress=False)
    assert report.failed == ("b.png", "c.png", "d.png")
    assert len(report.remarks) == 3
    for remark in report.remarks:
        assert "was enhanced but not written" in remark
        assert "left out" not in remark


def test_a_file_that_is_no_photo_is_told_as_in_a_folder(tmp_path):
    (tmp_path / "text.jpg").write_text("no photo, but a text\n" * 9)
    with pytest.raises(MediaError, match=r"(?s)text\.jpg cannot be read as a photo.*first bytes.*JPEG or PNG"):
        lw.enhance(tmp_path / "text.jpg", tmp_path / "out.jpg", upscale="lanczos")


def test_a_gif_counts_as_a_video(tmp_path):
    frames = [Image.fromarray(np.full((20, 30), value, np.uint8)) for value in (0, 90, 200)]
    frames[0].save(tmp_path / "anim.gif", save_all=True, append_images=frames[1:], duration=40)
    with pytest.raises(MediaError, match=r"(?s)anim\.gif moves \(\d+ frames\).*GIF.*counts as a video.*\.mp4"):
        lw.enhance(tmp_path / "anim.gif", tmp_path / "o.png", upscale="lanczos")


def test_an_array_is_no_source(tmp_path):
    with pytest.raises(SettingsError, match=r"(?s)source is of type ndarray.*load_upscaler"):
        lw.enhance(coffee(), tmp_path / "o.png", upscale="lanczos")


def test_settings_are_told_beside_a_restorer_that_is_loaded(photo, tmp_path, face_mesh):
    report = lw.enhance(photo, tmp_path / "out.png", restore=Inverting(), engine="gfpgan")
    assert "engine plays no part: no restorer is loaded here" in report.remarks
