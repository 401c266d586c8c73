"""Figures about enhancing draw what was computed: steps, choices, spectra, seams, flicker."""

from dataclasses import replace
from io import BytesIO

import cv2
import matplotlib as mpl
import numpy as np
import pytest
from skimage.data import astronaut

mpl.use("agg")

import matplotlib.pyplot as plt

import lipwise as lw
from lipwise.errors import SettingsError
from lipwise.faces.align import align_matrix, five_points
from lipwise.notebook import show_enhance, show_enhance_detail, show_enhance_flicker, show_enhance_steps, stand_in
from lipwise.notebook.stand_in import Unsharp, UnsharpNetwork, best_restorer, unsharp
from lipwise.sample import sample_frames

COUNT = 4


@pytest.fixture(scope="module")
def clip(tmp_path_factory, face_mesh):
    frames = (
        cv2.resize(frame, (192, 192), interpolation=cv2.INTER_AREA)
        for _, frame in zip(range(COUNT), sample_frames(), strict=False)
    )
    return lw.probe(lw.write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames, fps=25, quality=10))


@pytest.fixture(scope="module")
def track(clip):
    return lw.track_faces(clip)


@pytest.fixture(scope="module")
def step(clip, track):
    shown = lw.ShownFrame(next(lw.read_frames(clip, [0])), 0, restore=True)
    (made,) = lw.enhance_steps(
        [shown], track, lw.align_track(track), restorer=Unsharp(), upscaler=lw.load_upscaler(scale=2)
    )
    return made


def drawn(figure):
    figure.savefig(BytesIO(), dpi=30)
    assert not plt.get_fignums()  # closed: a notebook shows it once


def titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


# --- what stands in for weights ---


def test_sharpening_keeps_the_mean_and_raises_the_contrast():
    face = cv2.resize(astronaut()[:200, 130:330], (512, 512))
    (made,) = Unsharp().restore(face[None])
    assert (made.shape, made.dtype) == (face.shape, np.uint8)
    assert abs(made.mean() - face.mean()) < 2
    assert made.std() > 1.02 * face.std()
    flat = np.full((1, 512, 512, 3), 77, np.uint8)
    assert (Unsharp().restore(flat) == 77).all()
    assert Unsharp().restore(flat[:0]).shape == (0, 512, 512, 3)


def test_the_stand_in_says_that_it_restores_nothing():
    assert "restores nothing" in Unsharp().note
    assert "stood in" in Unsharp().remarks()[0]


def test_the_best_restorer_is_the_first_whose_weights_are_kept(monkeypatch):
    monkeypatch.setattr(stand_in, "find_weights", lambda name: None)
    assert best_restorer().name == "unsharp"
    monkeypatch.setattr(stand_in, "find_weights", lambda name: name if name in ("gfpgan_1.3", "codeformer") else None)
    monkeypatch.setattr(stand_in, "load_restorer", lambda name, device: name)
    assert best_restorer() == "gfpgan_1.3"
    assert best_restorer("restoreformer") == "restoreformer"
    assert best_restorer("unsharp").name == "unsharp"


# --- steps and choices ---


def test_every_step_is_drawn_with_the_name_of_what_restored_it(step):
    figure = show_enhance.step(step, by="unsharp")
    assert [title[0] for title in titles(figure)] == list("123456789")
    assert "unsharp" in titles(figure)[2]
    pictures = [axes.images[0].get_array() for axes in figure.axes]
    assert pictures[1].shape == pictures[2].shape == (512, 512, 3)
    assert pictures[7].shape[0] > 1.9 * pictures[4].shape[0]  # the upscaled frame, from as near
    drawn(figure)


def test_a_frame_without_a_face_has_no_steps(step):
    bare = lw.EnhanceStep(step.frame, None, None, None, None, None, step.frame, step.frame)
    with pytest.raises(ValueError, match="restored face"):
        show_enhance.step(bare)
    with pytest.raises(ValueError, match="restored face"):
        show_enhance.pasted(bare, np.zeros((468, 2)), lw.EnhanceSettings())


def test_pasting_again_equals_enhancing_again(clip, track, step):
    settings = lw.EnhanceSettings(region="mouth", fidelity=0.4)
    shown = lw.ShownFrame(step.frame, 0, restore=True)
    (anew,) = lw.enhance_steps(
        [shown],
        track,
        lw.align_track(track),
        restorer=Unsharp(),
        upscaler=lw.load_upscaler(scale=2),
        settings=settings,
    )
    again = show_enhance.pasted(step, track.mesh_xy[0], settings)
    np.testing.assert_array_equal(again.result, anew.result)


def test_a_close_up_shows_the_face_at_every_size(step, track):
    small, large = (show_enhance.close_up(step, picture) for picture in (step.frame, step.result))
    np.testing.assert_allclose(np.array(large) / 2, small, atol=1.5)
    x0, y0, x1, y1 = small
    nose = five_points(track.mesh_xy[0])[2]
    assert x0 < nose[0] < x1
    assert y0 < nose[1] < y1


def test_choices_show_a_row_for_each_region_and_the_frame_itself_at_fidelity_1(step, track):
    figure = show_enhance.choices(step, track.mesh_xy[0])
    assert titles(figure) == ["taken: bright", "fidelity 0", "fidelity 0.5", "fidelity 1"]
    assert [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()] == list(show_enhance_steps.REGIONS)
    last = [figure.axes[4 * row + 3].images[0].get_array() for row in range(3)]
    np.testing.assert_array_equal(last[0], show_enhance.close_up(step, step.enlarged).of(step.enlarged))
    np.testing.assert_array_equal(last[0], last[2])
    first = [figure.axes[4 * row + 1].images[0].get_array() for row in range(3)]
    assert not np.array_equal(first[0], first[2])
    drawn(figure)


# --- before and after, flicker ---


def test_before_and_after_show_the_same_part_at_two_sizes(clip, track, tmp_path):
    large = (cv2.resize(frame, (384, 384)) for frame in lw.read_frames(clip))
    after = lw.probe(lw.write_video(tmp_path / "after.mp4", large, fps=clip.fps))
    figure = show_enhance.before_after(clip, after, track)
    assert len(figure.axes) == 2 * COUNT
    above, below = (figure.axes[row].images[0].get_array() for row in (0, COUNT))
    assert abs(below.shape[0] - 2 * above.shape[0]) <= 2
    shrunk = cv2.resize(below, above.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - above).mean() < 8
    drawn(figure)
    drawn(show_enhance.before_after(clip.part(0, 1), after.part(0, 1)))


def test_what_trembles_is_bright(clip, track):
    still = [next(lw.read_frames(clip, [0]))] * COUNT
    held = replace(track, mesh_xy=np.repeat(track.mesh_xy[:1], COUNT, 0))
    shaking = [cv2.add(frame, np.full_like(frame, 9 * (row % 2))) for row, frame in enumerate(still)]
    assert not show_enhance_flicker.changes(still, still, held).any()
    changes = show_enhance_flicker.changes(still, shaking, held)
    assert 7 < changes.max() < 10
    assert not changes[:40].any()  # outside the face nothing counts
    # 9 grey levels against none, and 0.1 on both sides (see lipwise.faces.flicker)
    assert abs(show_enhance_flicker.flicker_ratio(still, shaking, held) - 91) < 1
    assert show_enhance_flicker.flicker_ratio(shaking, shaking, held) == 1
    figure = show_enhance_flicker.flicker({"clip": still, "made": shaking}, held)
    assert titles(figure)[0] == "clip"
    assert titles(figure)[1].startswith("made\nflickers 9")
    drawn(figure)


def test_motion_is_no_flicker(clip, track):
    first = next(lw.read_frames(clip, [0]))
    held = replace(track, mesh_xy=np.repeat(track.mesh_xy[:1], COUNT, 0))
    moving = [np.roll(first, row, axis=1) for row in range(COUNT)]
    left = show_enhance_flicker.changes(moving, moving, held)
    unmoved = show_enhance_flicker.changes([first] * COUNT, moving, held)  # where no motion is seen, all is flicker
    assert left.mean() < 0.3 * unmoved.mean()


def test_a_clip_of_one_frame_does_not_tremble(clip, track):
    one = track.part(0, 1)
    frame = [next(lw.read_frames(clip, [0]))]
    assert not show_enhance_flicker.changes(frame, frame, one).any()
    assert show_enhance_flicker.flicker_ratio(frame, frame, one) is None
    drawn(show_enhance_flicker.flicker({"clip": frame, "made": frame}, one))


# --- spectra ---


def waves(cycles: int, side: int = 64) -> np.ndarray:
    x = np.arange(side)
    grey = 128 + 60 * np.sin(2 * np.pi * cycles * x / side)
    return np.repeat(np.tile(grey, (side, 1))[..., None], 3, -1).round().astype(np.uint8)


@pytest.mark.parametrize("cycles", [4, 13, 25])
@pytest.mark.parametrize("turned", [False, True])
def test_a_wave_stands_out_at_its_own_fineness_in_every_direction(cycles, turned):
    picture = waves(cycles).transpose(1, 0, 2) if turned else waves(cycles)
    power = show_enhance_detail.radial_power(picture)
    assert power.shape == (32,)
    assert power.argmax() == cycles
    beside = np.delete(power, [cycles - 1, cycles, cycles + 1])
    assert power[cycles] > 50 * beside.max()


def test_power_is_a_square_and_a_plain_picture_has_none():
    strong, weak = waves(9), ((waves(9).astype(int) - 128) // 2 + 128).astype(np.uint8)
    ratio = show_enhance_detail.radial_power(strong)[9] / show_enhance_detail.radial_power(weak)[9]
    assert abs(ratio - 4) < 0.3
    assert show_enhance_detail.radial_power(np.full((32, 32, 3), 9, np.uint8)).max() < 1e-9


@pytest.mark.parametrize("shape", [(10, 12, 3), (1, 1, 3)])
def test_only_squares_have_a_spectrum(shape):
    with pytest.raises(ValueError, match="square"):
        show_enhance_detail.radial_power(np.zeros(shape, np.uint8))


def test_few_pixels_hold_no_fine_detail_and_sharpening_does_not_bring_it_back():
    real = astronaut()[:192, 130:322]
    back = lw.load_upscaler(scale=2).upscale(cv2.resize(real, (96, 96), interpolation=cv2.INTER_AREA))
    share = show_enhance_detail.share_beyond
    assert share(real, real, 48) == 1
    assert share(back, real, 48) < 0.35
    assert share(back, real, 60) < share(unsharp(back, 1.5, 1.0), real, 60) < 0.3


def test_a_spectrum_is_drawn_for_each_picture():
    real = astronaut()[:64, 130:194]
    figure = show_enhance_detail.spectrum({"real": real, "flat": np.full_like(real, 3)}, small_px=32)
    assert len(figure.axes[0].lines) == 2
    assert titles(figure) == ["real\nfine detail: 100%", "flat\nfine detail: 0%"]
    drawn(figure)


def test_the_middle_is_square_and_no_larger_than_the_frame():
    frame = np.arange(5 * 8 * 3, dtype=np.uint8).reshape(5, 8, 3)
    np.testing.assert_array_equal(show_enhance_detail.middle(frame, 3), frame[1:4, 2:5])
    assert show_enhance_detail.middle(frame, 99).shape == (5, 5, 3)


# --- tiles ---


def test_seams_show_without_overlap_and_not_with_it():
    frame, lanczos = np.ascontiguousarray(astronaut()[:150, 130:290]), lw.load_upscaler()
    whole = show_enhance_detail.tiled(lanczos, frame, tile=192, overlap=0)
    assert whole.shape == (300, 320, 3)
    overlap = show_enhance_detail.most_overlap(lanczos, 64)
    assert overlap == 2 * UnsharpNetwork.reach
    cut = {str(px): show_enhance_detail.tiled(lanczos, frame, tile=64, overlap=px) for px in (0, overlap)}
    apart = [int(show_enhance_detail.difference(whole, picture).max()) for picture in cut.values()]
    assert apart[0] > 40
    assert apart[1] <= 1
    figure = show_enhance_detail.seams(whole, cut)
    assert [title.rpartition(": ")[2] for title in titles(figure) if "against" in title] == [
        f"at most {most} of 255" for most in apart
    ]
    drawn(figure)


def test_a_real_network_is_cut_into_tiles_of_the_same_size(shared_weights):
    path = shared_weights / "realesr-animevideov3.from_ncnn_fp16.pth"
    upscaler = lw.load_upscaler(str(path), scale=2, device="cpu")
    frame = np.ascontiguousarray(astronaut()[60:140, 180:260])
    whole = show_enhance_detail.tiled(upscaler, frame, tile=96, overlap=0)
    overlap = show_enhance_detail.most_overlap(upscaler, 64)
    assert overlap == 32  # half a tile: the network looks 18 px far
    cut = {px: show_enhance_detail.tiled(upscaler, frame, tile=64, overlap=px) for px in (0, overlap)}
    assert whole.shape == cut[0].shape == (320, 320, 3)  # the network's own scale
    seen = [show_enhance_detail.difference(whole, cut[px]).astype(float).mean() for px in cut]
    assert seen[1] < seen[0] / 4


def test_beyond_a_tile_all_is_black_to_the_filter():
    made = show_enhance_detail.tiled(lw.load_upscaler(), np.full((64, 64, 3), 100, np.uint8), tile=64, overlap=0)
    assert (made[40:90, 40:90] == 100).all()
    assert made[0, 64].min() > 130  # sharpened against black


def test_an_overlap_of_more_than_half_a_tile_is_refused():
    with pytest.raises(SettingsError):
        show_enhance_detail.tiled(lw.load_upscaler(), astronaut(), tile=64, overlap=40)


def test_pictures_beside_each_other(step):
    figure = show_enhance_detail.beside({"frame": step.frame, "result": step.result})
    assert titles(figure) == ["frame", "result"]
    drawn(figure)


def test_an_aligned_square_is_drawn_where_it_was_cut(step, track):
    matrix = align_matrix(five_points(track.mesh_xy[0]))
    line = show_enhance.step(step).axes[0].lines[0].get_xydata()
    corners = line @ matrix[:, :2].T + matrix[:, 2]
    expected = np.array([(0, 0), (512, 0), (512, 512), (0, 512), (0, 0)])
    np.testing.assert_allclose(corners, expected, atol=12)  # smoothed over time, hence not the same
