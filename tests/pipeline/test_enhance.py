"""Enhancement of videos, in the chain and alone."""

import json
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from enhance_doubles import Drawing, Inverting, face_change
from skimage.data import astronaut, coffee

import lipwise as lw
from lipwise.__main__ import main
from lipwise.errors import WeightsError
from lipwise.faces.rotation import turn_frame
from lipwise.pipeline import enhance_video
from lipwise.stages import enhancers


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


@pytest.mark.parametrize("ending", [".mkv", ".mov", ".m4v"])
def test_every_ending_can_be_played(clip, tmp_path, ending):
    report = lw.enhance(clip, tmp_path / f"out{ending}", upscale="lanczos", height=200, progress=False)
    made, source = list(lw.read_frames(report.out)), list(lw.read_frames(clip))
    assert len(made) == len(source)
    assert np.abs(cv2.resize(source[0], (200, 200), interpolation=cv2.INTER_AREA).astype(int) - made[0]).mean() < 4
    assert sound_of(report.out) == sound_of(clip)


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


def test_a_video_that_lies_on_its_side_is_set_upright_and_restored(tmp_path, face_mesh):
    turned = [np.ascontiguousarray(np.rot90(astronaut()))] * 4
    clip = lw.write_video(tmp_path / "turned.mp4", turned, fps=Fraction(25), quality=5)
    report = lw.enhance(clip, tmp_path / "out.mp4", restore=Inverting(), progress=False)
    face, rest = face_change(next(lw.read_frames(report.out)), astronaut())
    assert face > 20
    assert rest < 4


def test_upscaling_alone_tells_how_much_the_face_flickers(clip, tmp_path):
    report = lw.enhance(clip, tmp_path / "out.mp4", upscale=Drawing(scale=1), progress=False)
    assert report.enhancement.flicker > 0.5
    assert (report.enhancement.restored, report.enhancement.without_face) == (0, 0)
    assert "the face flickers" in str(report)


def test_upscaling_alone_turns_nothing_and_measures_all_the_same(tmp_path, face_mesh, monkeypatch):
    tracks, whole = [], enhance_video.enhance_frames
    monkeypatch.setattr(
        enhance_video, "enhance_frames", lambda read, track, **more: tracks.append(track) or whole(read, track, **more)
    )
    rng = np.random.default_rng(0)
    noisy = [np.clip(astronaut() + rng.normal(0, 2, (512, 512, 3)), 0, 255).astype(np.uint8) for _ in range(3)]
    lying = [np.ascontiguousarray(np.rot90(frame)[:, :480]) for frame in noisy]
    clip = lw.write_video(tmp_path / "lying.mp4", lying, fps=Fraction(25), quality=5)
    report = lw.enhance(clip, tmp_path / "out.mp4", upscale=Drawing(scale=1), progress=False)
    assert lw.probe(report.out).size_wh == tracks[0].size_wh == (480, 512)
    straight = lw.write_video(tmp_path / "up.mp4", [frame[32:] for frame in noisy], fps=Fraction(25), quality=5)
    expected = lw.enhance(straight, tmp_path / "up2.mp4", upscale=Drawing(scale=1), progress=False)
    assert report.enhancement.flicker == pytest.approx(expected.enhancement.flicker, rel=0.15)
    assert not any("upright" in remark for remark in report.remarks)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_mesh_found_in_turned_frames_lies_as_they_did(degrees):
    lying = np.zeros((40, 60, 1), np.uint8)
    lying[7, 21] = 255
    upright = turn_frame(lying, degrees)
    y, x, _ = np.argwhere(upright)[0]
    nothing = np.zeros(1)
    track = lw.FaceTrack(
        boxes_xyxy=np.zeros((1, 4)),
        landmarks_xy=np.zeros((1, 5, 2)),
        score=nothing,
        origin=np.ones(1, np.uint8),
        shot=np.zeros(1, np.int32),
        people=np.ones(1, np.int32),
        size_wh=upright.shape[1::-1],
        mesh_xy=np.full((1, 468, 2), (x, y), np.float32),
        rotation=degrees,
    )
    found = enhance_video._as_it_lies(track)
    assert found.mesh_xy[0, 0].tolist() == [21, 7]
    assert (found.size_wh, found.rotation) == ((60, 40), 0)


def test_upscaling_alone_needs_no_face(tmp_path, face_mesh):
    rng = np.random.default_rng(0)
    cups = [np.clip(coffee()[:128, :200] + rng.normal(0, 2, (128, 200, 3)), 0, 255).astype(np.uint8) for _ in range(3)]
    clip = lw.write_video(tmp_path / "cup.mp4", cups, fps=Fraction(25))
    report = lw.enhance(clip, tmp_path / "out.mp4", upscale=Drawing(), progress=False)
    assert (report.frames, report.size_wh, report.enhancement.flicker) == (3, (400, 256), None)


def test_what_cannot_be_measured_is_told_and_upscaled(clip, tmp_path, monkeypatch):
    def missing(*_, **__):
        raise WeightsError("face_mesh cannot be had", cause="no network", next_step="try again")

    monkeypatch.setattr(enhance_video, "track_faces", missing)
    report = lw.enhance(clip, tmp_path / "out.mp4", upscale=Drawing(height=64), progress=False)
    assert (report.frames, report.enhancement.flicker) == (12, None)
    assert any("not measured: face_mesh cannot be had" in remark for remark in report.remarks)


@pytest.mark.parametrize("number", [0, 1])
def test_one_of_two_faces_is_chosen(tmp_path, face_mesh, number):
    two = np.hstack([astronaut()[:400, 60:400], astronaut()[:400, 60:400]])
    clip = lw.write_video(tmp_path / "two.mp4", [two] * 2, fps=Fraction(25), quality=5)
    lw.enhance(clip, tmp_path / "out.mp4", restore=Inverting(), choose=number, progress=False)
    change = np.abs(next(lw.read_frames(tmp_path / "out.mp4")).astype(int) - two).mean(-1)
    foreheads = [change[100:150, 140:190].mean(), change[100:150, 480:530].mean()]
    assert foreheads[number] > 20
    assert foreheads[1 - number] < 8, "hardly more than the encoder"


def test_a_better_quality_takes_more_bytes_and_a_choice_without_a_restorer_is_told(clip, tmp_path):
    sizes = {}
    for quality in ("draft", "best"):
        out = tmp_path / f"{quality}.mp4"
        report = lw.enhance(clip, out, upscale="lanczos", scale=0.5, quality=quality, choose=1, progress=False)
        sizes[quality] = out.stat().st_size
    assert sizes["best"] > 1.5 * sizes["draft"]
    assert report.remarks == ("choose plays no part: no face is restored",)


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


@pytest.mark.slow
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


def test_the_strength_of_denoising_reaches_the_upscaler(sample, clip, tmp_path, monkeypatch):
    asked = []

    def load(name, *, denoise, **_):
        asked.append((name, denoise))
        return Drawing(height=64)

    monkeypatch.setattr("lipwise.pipeline.enhancers.load_upscaler", load)
    name, out = "realesr_general_x4v3", str(tmp_path / "out.mp4")
    lw.enhance(clip, out, upscale=name, denoise=0.25, progress=False)
    main(["enhance", str(clip), "--out", out, "--upscale", name, "--denoise", "0.5"])
    given = ["--face", str(sample.face), "--speech", str(sample.speech), "--speech-end", "0.2", "--consent"]
    main(["run", *given, "--out", out, "--upscale", name, "--denoise", "0.75"])
    assert asked == [(name, 0.25), (name, 0.5), (name, 0.75)]
