"""Cutting and pasting back without a trace, on a real face."""

import cv2
import numpy as np
import pytest

from lipwise.faces.blend import match_colour, paste, region_mask, seam_energy
from lipwise.faces.crop import Box, clip_box, cut, face_box, mouth_box, points_in_crop
from lipwise.landmarks import CHIN, INNER_LOWER_LIP, eye_distance

SOFT_REGIONS = ("mouth", "lower_face", "face")


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    from skimage.data import astronaut

    return astronaut()


@pytest.fixture(scope="module")
def mesh(golden) -> np.ndarray:
    return np.load(golden / "astronaut_mesh.npz")["mesh_xy"]


def size_of(picture: np.ndarray) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def like_a_small_network(crop: np.ndarray, brighter: int = 9) -> np.ndarray:
    """What a 96-pixel generator gives back when it changes nothing: softer, and in slightly other colours."""
    small = cv2.resize(crop, (96, 96), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(small, crop.shape[1::-1], interpolation=cv2.INTER_CUBIC).astype(int)
    return np.clip(soft * 1.06 + (brighter, brighter // 2, -brighter), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("region", SOFT_REGIONS)
def test_a_mask_is_soft_and_never_touches_its_own_border(mesh, portrait, region):
    box = mouth_box(mesh, size_of(portrait))
    mask = region_mask(points_in_crop(mesh, box), box.size_wh, region)
    assert mask.max() == 1
    assert mask.min() == 0
    assert not np.r_[mask[0], mask[-1], mask[:, 0], mask[:, -1]].any()
    assert np.abs(np.diff(mask, axis=0)).max() < 0.35


def straight_share(inside: np.ndarray) -> float:
    """The longest straight side of a mask, as a share of that side of the box round it."""
    inside = inside[inside.any(1)][:, inside.any(0)]
    sides = (inside[:, 0], inside[:, -1], inside[-1])
    return max(float(side.mean()) for side in sides)


@pytest.mark.parametrize("region", SOFT_REGIONS)
@pytest.mark.parametrize("tighter", [0, 6])
def test_a_mask_keeps_a_faces_outline_in_a_tight_crop(mesh, portrait, region, tighter):
    """The detector's box leaves no room for the reach; its straight sides must not show in the mask."""
    box = face_box(np.array([178 + tighter, 68, 270 - tighter, 190.0]), mesh, size_of(portrait), pads=(0, 10, 0, 0))
    mask = region_mask(points_in_crop(mesh, box), box.size_wh, region)
    assert not np.r_[mask[0], mask[-1], mask[:, 0], mask[:, -1]].any()
    assert [straight_share(mask > level) < 0.4 for level in (0.02, 0.5, 0.98)] == [True] * 3
    x, y = np.round(points_in_crop(mesh, box)[INNER_LOWER_LIP].T).astype(int)
    assert (mask[y, x] == 1).all()


def test_a_mask_reaches_as_far_as_the_crop_moves_pixels(mesh, portrait):
    box = mouth_box(mesh, size_of(portrait))
    points = points_in_crop(mesh, box)
    near, far = (region_mask(points, box.size_wh, moves_beyond=beyond) for beyond in (0.0, 0.55))
    assert (far >= near - 0.1).all()
    below = np.round(points[CHIN] + (0, 0.6 * eye_distance(points))).astype(int)
    assert near[below[1], below[0]] == 0
    assert far[below[1], below[0]] == 1


@pytest.mark.parametrize("region", SOFT_REGIONS)
def test_the_mouth_is_inside_every_region(mesh, portrait, region):
    mask = region_mask(mesh, size_of(portrait), region)
    x, y = np.round(mesh[INNER_LOWER_LIP].T).astype(int)
    assert (mask[y, x] == 1).all()


def test_regions_grow_from_mouth_to_face(mesh, portrait):
    areas = [region_mask(mesh, size_of(portrait), region).sum() for region in SOFT_REGIONS]
    assert areas == sorted(areas)


def test_pasting_what_was_cut_changes_nothing(mesh, portrait):
    box = mouth_box(mesh, size_of(portrait))
    mask = region_mask(points_in_crop(mesh, box), box.size_wh)
    assert (paste(portrait, cut(portrait, box), mask, box) == portrait).all()


def test_outside_the_mask_every_bit_stays(mesh, portrait):
    box = mouth_box(mesh, size_of(portrait))
    mask = region_mask(points_in_crop(mesh, box), box.size_wh)
    before = portrait.copy()
    result = paste(portrait, np.zeros((*mask.shape, 3), np.uint8), mask, box)
    outside = np.ones(portrait.shape[:2], bool)
    box.of(outside)[mask > 0] = False
    assert (result[outside] == portrait[outside]).all()
    assert (result != portrait).any()
    assert (portrait == before).all()


def test_a_generated_crop_leaves_no_seam_and_a_rectangle_does(mesh, portrait):
    box = face_box(np.array([178, 68, 270, 190.0]), mesh, size_of(portrait), pads=(0, 10, 0, 0))
    new = like_a_small_network(cut(portrait, box))
    points = points_in_crop(mesh, box)
    old = box.of(portrait)
    for region in SOFT_REGIONS:
        mask = region_mask(points, box.size_wh, region)
        result = paste(portrait, match_colour(new, old, mask), mask, box)
        assert seam_energy(box.of(result), old, mask) <= 1.1
    hard = np.zeros(portrait.shape[:2], np.float32)
    box.of(hard)[:] = 1
    raw = paste(portrait, new, np.ones(old.shape[:2], np.float32), box)
    assert seam_energy(raw, portrait, hard) > 1.1


def test_seam_energy_of_an_unchanged_picture_is_one(mesh, portrait):
    assert seam_energy(portrait, portrait, region_mask(mesh, size_of(portrait))) == 1


def test_colours_are_matched_on_the_ring(mesh, portrait):
    mask = region_mask(mesh, size_of(portrait), "lower_face")
    shifted = np.clip(portrait.astype(int) + (12, -7, 5), 0, 255).astype(np.uint8)
    face = mask > 0.5
    before = np.abs(shifted[face].astype(float) - portrait[face]).mean()
    after = np.abs(match_colour(shifted, portrait, mask)[face] - portrait[face]).mean()
    assert after < before / 4


def test_colour_matching_without_a_ring_changes_nothing(portrait):
    mask = np.ones(portrait.shape[:2], np.float32)
    assert (match_colour(portrait, portrait // 2, mask) == portrait).all()


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ((-5, -5, 4, 3), (0, 0, 4, 3)),
        ((2.4, 2.6, 7.1, 7.9), (2, 2, 8, 8)),
        ((90, 40, 200, 200), (90, 40, 100, 50)),
        ((500, 500, 600, 600), (99, 49, 100, 50)),
    ],
)
def test_boxes_stay_inside_the_frame(corners, expected):
    assert clip_box(corners, (100, 50)) == expected


def test_the_chin_is_inside_the_face_box(mesh, portrait):
    short = np.array([178, 68, 270, 150.0])
    box = face_box(short, mesh, size_of(portrait), pads=(0, 10, 0, 0))
    assert box.y1 >= mesh[CHIN, 1] + 10


def test_points_follow_their_crop(mesh, portrait):
    box = Box(160, 60, 290, 210)
    points = points_in_crop(mesh, box, 96)
    back = points * np.array(box.size_wh) / 96 + box[:2]
    assert np.abs(back - mesh).max() < 1e-3
    assert eye_distance(points_in_crop(mesh, box)) == pytest.approx(eye_distance(mesh), abs=1e-3)


def test_crop_and_mask_of_different_size_are_refused(portrait):
    with pytest.raises(ValueError, match="expected crop and mask of size"):
        paste(portrait, np.zeros((10, 10, 3), np.uint8), np.zeros((9, 10), np.float32), Box(0, 0, 10, 10))
