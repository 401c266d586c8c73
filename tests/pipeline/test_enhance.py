"""Enhancement in the chain and alone: video, photo, folder, command line."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from skimage.data import astronaut, coffee

import lipwise as lw
from lipwise.__main__ import main
from lipwise.errors import FaceError, LipwiseError, MediaError, SettingsError
from lipwise.media.picture import read_picture, write_picture
from lipwise.stages import enhancers


class Inverting:
    """Turns bright to dark, which nobody overlooks."""

    name, engine, note = "inverting", "test", "Nothing to keep."
    needs_weights = False

    def restore(self, faces):
        return 255 - faces

    def remarks(self):
        return ["it inverts"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory, face_mesh) -> lw.Sample:
    return lw.make_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def clip(sample, tmp_path_factory):
    """Twelve frames with sound."""
    tone = 0.3 * np.sin(np.arange(24_000) / 20).astype(np.float32)
    frames = list(lw.read_frames(sample.face, range(12)))
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return lw.write_video(path, frames, fps=Fraction(25), sound=[np.stack([tone, tone], 1)])


def sound_of(path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio) if packet.size]


def test_a_video_is_restored_and_upscaled_and_keeps_its_sound(clip, tmp_path):
    report = lw.enhance(clip, tmp_path / "out.mp4", restore=Inverting(), upscale="lanczos", scale=1.5, progress=False)
    made = lw.probe(report.out)
    assert (made.size_wh, made.frame_count, made.fps) == ((768, 768), 12, 25)
    assert sound_of(report.out) == sound_of(clip)
    assert report.enhancement.restored == 12
    assert "inverting" in report.enhancement.restorer
    assert report.enhancement.flicker is not None
    assert "it inverts" in report.remarks
    assert "12 faces restored" in str(report)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    first, source = next(lw.read_frames(report.out)), next(lw.read_frames(clip))
    assert np.abs(cv2.resize(first, (512, 512)).astype(int) - source)[100:150, 200:250].mean() > 20
    assert np.abs(cv2.resize(first, (512, 512)).astype(int) - source)[400:].mean() < 4


def test_two_runs_write_the_same_bytes(clip, tmp_path):
    for name in "ab":
        lw.enhance(clip, tmp_path / f"{name}.mp4", upscale="lanczos", height=200, progress=False)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert lw.probe(tmp_path / "a.mp4").size_wh == (200, 200)


def test_a_video_without_a_face_is_upscaled_and_counted(tmp_path, face_mesh):
    clip = lw.write_video(tmp_path / "cup.mp4", [coffee()[:200, :300]] * 3, fps=Fraction(25))
    report = lw.enhance(clip, tmp_path / "out.mp4", restore=Inverting(), upscale="lanczos", progress=False)
    assert (report.enhancement.restored, report.enhancement.without_face) == (0, 3)
    assert lw.probe(report.out).size_wh == (600, 400)


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


def face_change(made: np.ndarray, source: np.ndarray) -> tuple[float, float]:
    """How much the forehead and the lower part of the portrait changed."""
    change = np.abs(made.astype(int) - source)
    return change[100:150, 200:250].mean(), change[400:].mean()


def test_a_photo_that_lies_on_its_side_is_set_upright_and_restored(tmp_path, face_mesh):
    write_picture(tmp_path / "turned.png", np.ascontiguousarray(np.rot90(astronaut())))
    report = lw.enhance(tmp_path / "turned.png", tmp_path / "out.png", restore=Inverting())
    face, rest = face_change(read_picture(tmp_path / "out.png"), astronaut())
    assert face > 20
    assert rest == 0
    assert any("upright" in remark for remark in report.remarks)


def test_a_video_that_lies_on_its_side_is_set_upright_and_restored(tmp_path, face_mesh):
    turned = [np.ascontiguousarray(np.rot90(astronaut()))] * 4
    clip = lw.write_video(tmp_path / "turned.mp4", turned, fps=Fraction(25), quality=5)
    report = lw.enhance(clip, tmp_path / "out.mp4", restore=Inverting(), progress=False)
    face, rest = face_change(next(lw.read_frames(report.out)), astronaut())
    assert face > 20
    assert rest < 4


def test_every_face_of_a_photo_is_restored(tmp_path, face_mesh):
    two = np.hstack([astronaut()[:400, 60:400], astronaut()[:400, 60:400]])
    write_picture(tmp_path / "two.png", two)
    report = lw.enhance(tmp_path / "two.png", tmp_path / "out.png", restore=Inverting())
    assert report.enhancement.restored == 2
    change = np.abs(read_picture(tmp_path / "out.png").astype(int) - two).mean(-1)
    assert change[100:150, 140:190].mean() > 20
    assert change[100:150, 480:530].mean() > 20


@pytest.mark.parametrize("shape", [(1, 1, 3), (20, 4000, 3)])
def test_photos_of_odd_shapes(shape, tmp_path, face_mesh):
    write_picture(tmp_path / "odd.png", np.full(shape, 90, np.uint8))
    report = lw.enhance(tmp_path / "odd.png", tmp_path / "out.png", restore=Inverting(), upscale="lanczos")
    assert (report.enhancement.restored, report.enhancement.without_face) == (0, 1)
    assert read_picture(tmp_path / "out.png").shape == (2 * shape[0], 2 * shape[1], 3)


def test_a_folder_of_photos(tmp_path, face_mesh):
    write_picture(tmp_path / "in" / "a.png", astronaut())
    write_picture(tmp_path / "in" / "b c.jpg", coffee())
    (tmp_path / "in" / "notes.txt").write_text("not a photo")
    report = lw.enhance(tmp_path / "in", tmp_path / "out", restore=Inverting(), progress=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b c.jpg"]
    assert (report.frames, report.enhancement.restored, report.enhancement.without_face) == (2, 1, 1)


def test_the_chain_restores_and_upscales(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(enhancers, "RESTORERS", ("inverting",))
    monkeypatch.setattr("lipwise.pipeline.enhancers.load_restorer", lambda *_, **__: Inverting())
    recipe = lw.Recipe(
        face=sample.face,
        speech=sample.speech,
        speech_end_s=0.4,
        out=tmp_path / "out.mp4",
        consent=True,
        restore="inverting",
        upscale="lanczos",
        upscale_height=256,
        enhance={"region": "lower_face"},
    )
    recipe.to_yaml(tmp_path / "recipe.yaml")
    assert lw.Recipe.from_yaml(tmp_path / "recipe.yaml") == recipe
    report = lw.run(recipe, progress=False, report_path=tmp_path / "report.json")
    assert lw.probe(report.out).size_wh == report.size_wh == (256, 256)
    assert report.enhancement.restored == report.frames
    assert "it inverts" in report.remarks
    assert "lanczos" in str(report)
    assert json.loads((tmp_path / "report.json").read_text())["enhancement"]["restored"] == report.frames
    assert "enhance" in report.seconds


def test_enhanced_segments_joined_equal_the_whole(sample, tmp_path, face_mesh):
    from lipwise.pipeline.chain import render_all
    from lipwise.pipeline.join import join_plan
    from lipwise.pipeline.plan import make_plan
    from lipwise.pipeline.stopwatch import Stopwatch

    made = []
    for seconds in (2.0, 10.0):
        recipe = lw.Recipe(
            face=sample.face, speech=sample.speech, speech_end_s=2.2, consent=True, segment_s=seconds, end_s=0.3
        )
        folder = tmp_path / f"{seconds}"
        generator = lw.load_generator()
        plan = make_plan(recipe, folder, generator=generator, watch=Stopwatch(), progress=False)
        loaded = lw.Enhancers(Inverting(), None)
        render_all(plan, generator=generator, enhancers=loaded, watch=Stopwatch(), progress=False)
        made.append((len(plan.segments), list(lw.read_frames(join_plan(plan, folder / "out.mp4")))))
    assert [count for count, _ in made] == [2, 1]
    apart = [np.abs(one.astype(int) - other).mean() for one, other in zip(made[0][1], made[1][1], strict=True)]
    assert max(apart[:50]) == 0
    assert max(apart) < 1, "hardly more than the encoder makes of the last grey step"


def test_the_command_line(clip, tmp_path, capsys):
    out, report = tmp_path / "out.mp4", tmp_path / "report.json"
    main(
        [
            "enhance",
            str(clip),
            "--out",
            str(out),
            "--upscale",
            "lanczos",
            "--upscale-scale",
            "0.5",
            "--report",
            str(report),
        ]
    )
    assert lw.probe(out).size_wh == (256, 256)
    assert "upscaled: lanczos" in capsys.readouterr().out
    assert json.loads(report.read_text())["frames"] == 12


BAD = {
    "nothing to do": ({}, SettingsError, "nothing to do"),
    "unknown restorer": ({"restore": "gfpgan_1.5"}, SettingsError, r"(?s)no restorer 'gfpgan_1.5'.*gfpgan_1.4"),
    "unknown upscaler": ({"upscale": "realesrgan_x3"}, SettingsError, "no upscaler"),
    "scale 0": ({"upscale": "lanczos", "scale": 0}, SettingsError, "A size of 0"),
    "scale and height": ({"upscale": "lanczos", "scale": 2, "height": 9}, SettingsError, "cannot be kept"),
    "a size alone": ({"restore": Inverting(), "scale": 2}, SettingsError, "nothing was named to upscale with"),
    "fidelity": ({"restore": Inverting(), "settings": {"fidelity": 2}}, SettingsError, "'fidelity' is not usable"),
    "choice": ({"restore": Inverting(), "choose": 7}, FaceError, "7"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_and_nothing_left(case, clip, tmp_path):
    arguments, error, words = BAD[case]
    with pytest.raises(error, match=words):
        lw.enhance(clip, tmp_path / "new" / "out.mp4", **arguments, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_are_refused(clip, tmp_path):
    (tmp_path / "empty").mkdir()
    cases = {
        (tmp_path / "none.mp4", tmp_path / "out.mp4"): (MediaError, "is not there"),
        (clip, clip): (SettingsError, "overwrite"),
        (clip, tmp_path / "out.png"): (MediaError, "cannot be written as a video"),
        (tmp_path / "empty", tmp_path / "out"): (MediaError, "holds no photo"),
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
    ],
)
def test_a_recipe_is_refused_before_any_work(sample, tmp_path, settings):
    recipe = lw.Recipe(face=sample.face, speech=sample.speech, out=tmp_path / "o.mp4", consent=True, **settings)
    with pytest.raises(LipwiseError):
        lw.run(recipe, progress=False)
    assert list(tmp_path.iterdir()) == []
