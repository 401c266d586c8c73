"""The mask over an aligned face."""

import cv2
import numpy as np
import pytest

import lipwise as lw
from lipwise.faces.align import align_matrix, five_points
from lipwise.landmarks import FACE_OVAL
from lipwise.stages.aligned import EYES_APART


@pytest.fixture(scope="module")
def mesh(golden) -> np.ndarray:
    return np.load(golden / "astronaut_mesh.npz")["mesh_xy"]


def mask_of(mesh: np.ndarray, to_aligned: np.ndarray | None = None, **settings) -> np.ndarray:
    to_aligned = align_matrix(five_points(mesh)) if to_aligned is None else to_aligned
    return lw.aligned_mask(mesh, to_aligned, lw.EnhanceSettings(**settings))


def test_a_mask_that_is_dilated_reaches_further(mesh):
    plain, dilated = (mask_of(mesh, dilate=dilate, region="mouth") > 0.5 for dilate in (0, 0.3))
    assert not (plain & ~dilated).any()
    grown = np.sqrt(dilated.sum() / np.pi) - np.sqrt(plain.sum() / np.pi)  # as if both were round
    assert grown == pytest.approx(0.3 * EYES_APART, rel=0.3)


def test_the_edge_is_soft_outside_the_face_and_not_inside_it(mesh):
    """The whole oval is taken, and what lies beyond fades away over about the feather's width."""
    to_aligned = align_matrix(five_points(mesh))
    mask = mask_of(mesh, dilate=0, feather=0.3)
    oval = (mesh @ to_aligned[:, :2].T + to_aligned[:, 2])[FACE_OVAL]
    inside = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.round(oval).astype(np.int32)), 1)
    assert mask[inside > 0].min() > 0.5
    away = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    ring = np.s_[64:448, 64:448]  # the border's own ramp plays no part here
    last = away[ring][mask[ring] > 0.05].max()
    assert 0.15 * EYES_APART < last < 0.6 * EYES_APART
    steepest = np.abs(np.gradient(mask)).max()
    assert steepest < 2.5 / (0.3 * EYES_APART)


@pytest.mark.parametrize("region", ["face", "lower_face", "mouth"])
def test_a_face_that_fills_its_crop_leaves_no_edge_at_the_border(mesh, region):
    turned = 4 * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    to_aligned = np.column_stack([turned, (256, 256) - turned @ mesh.mean(0)])  # it fills the crop, and is turned
    mask = mask_of(mesh, to_aligned, region=region, dilate=0.5)
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert not border.any()
    assert mask.max() > 0.9
