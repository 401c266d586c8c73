"""The dense points of a face: MediaPipe's 468-point face mesh (Apache-2.0), run by OpenCV.

The network looks at an upright square crop. The five landmarks of the detector give a first crop, and the mesh found
in it gives better ones. Along a clip the last frame's mesh, moved as the five landmarks moved, saves the first look.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from lipwise.errors import WeightsError
from lipwise.faces.repeats import RepeatedFrames
from lipwise.faces.smooth import smooth_gaussian
from lipwise.landmarks import MESH_POINTS, eye_centres, eye_distance

INPUT_PX = 192
# First crop, in distances from eyes to mouth: its side, and how far its centre lies below the eyes.
FIRST_SIDE, FIRST_DROP = 3.6, 0.42
# Later crops: side over the larger extent of the mesh. MediaPipe's graph takes 1.5. The mean of looks at two sizes
# flutters 15 % less than one look, and its mouth gap agrees better with MediaPipe's (mean r 0.941 against 0.932).
LOOK_MARGINS = (1.5, 1.6)
# Gaussian over neighbouring frames, in frames. More than half a frame cuts the peaks of quick speech at 25 fps.
SMOOTH_FRAMES = 0.45
# Below this the network says that the crop holds no face (MediaPipe's own limit).
MIN_PRESENCE = 0.5
# Eyes and mouth corners of a mesh that strays from the detector's by more than this, in eye distances, is lost.
LOST_DISTANCE = 0.5
# A face that changes its size by more than this ratio or turns by more than this angle in one frame is found anew.
JUMP_RATIO, JUMP_RAD = 1.25, 0.3

_MESH_CORNERS = np.array([61, 291])  # outer mouth corners, as the detectors mark them


class Crop(NamedTuple):
    """An upright square on the face: centre and side in frame pixels, angle of the eye line in radians."""

    centre_xy: np.ndarray
    side: float
    angle: float

    def to_frame(self) -> np.ndarray:
        """(2, 3) affine map from the network's input pixels to frame pixels."""
        scale = self.side / INPUT_PX
        cos, sin = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        turn = np.array([[cos, -sin], [sin, cos]])
        return np.column_stack([turn, self.centre_xy - turn @ np.full(2, (INPUT_PX - 1) / 2)])


def crop_of_landmarks(landmarks_xy: np.ndarray) -> Crop:
    """First crop from right eye, left eye, nose, right and left mouth corner (5, 2)."""
    right_eye, left_eye, _, right_mouth, left_mouth = np.asarray(landmarks_xy, np.float64)
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    down = mouth - eyes
    # Three views of the same direction, so that a face in profile, whose eyes lie close together, stays upright.
    along = (left_eye - right_eye) + (left_mouth - right_mouth) + np.array([down[1], -down[0]])
    unit = max(float(np.linalg.norm(down)), 0.9 * float(np.linalg.norm(left_eye - right_eye)), 1.0)
    upright = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-6)
    return Crop(eyes + FIRST_DROP * unit * upright, FIRST_SIDE * unit, float(np.arctan2(along[1], along[0])))


def crop_of_mesh(mesh_xy: np.ndarray, margin: float) -> Crop:
    """Crop round a mesh (468, 2), upright by its eyes."""
    right_eye, left_eye = eye_centres(mesh_xy)
    angle = float(np.arctan2(*(left_eye - right_eye)[::-1]))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    upright = mesh_xy @ turn
    low, high = upright.min(axis=0), upright.max(axis=0)
    return Crop(turn @ ((low + high) / 2), max(float((high - low).max()) * margin, 1.0), angle)


class FaceMesh:
    """The face mesh network.

    Args:
        model_path: `face_landmark.tflite`, 468 points.
        margins: sizes of the looks that are averaged; one number halves the time.

    Raises:
        WeightsError: the file is missing, or is not the network it should be.
    """

    def __init__(self, model_path: Path, *, margins: tuple[float, ...] = LOOK_MARGINS) -> None:
        self.margins = margins
        self._net, self._outputs = _load_network(Path(model_path))

    def points(self, frame: np.ndarray, landmarks_xy: np.ndarray) -> np.ndarray:
        """Mesh of one face.

        Args:
            frame: (H, W, 3) uint8 RGB.
            landmarks_xy: (5, 2), see `lipwise.faces.detect.Faces`.

        Returns:
            (468, 2) float32 in frame pixels.
        """
        first, _ = self.look(frame, crop_of_landmarks(landmarks_xy))
        return self.refine(frame, first)[0].astype(np.float32)

    def refine(self, frame: np.ndarray, mesh_xy: np.ndarray) -> tuple[np.ndarray, float]:
        """Look again where a mesh (468, 2) was found: a better mesh, and the presence of a face there, 0-1."""
        looks, presence = [], 1.0
        for margin in self.margins:
            mesh_xy, seen = self.look(frame, crop_of_mesh(mesh_xy, margin))
            looks.append(mesh_xy)
            presence = min(presence, seen)
        return np.mean(looks, axis=0), presence

    def look(self, frame: np.ndarray, crop: Crop) -> tuple[np.ndarray, float]:
        """One pass of the network over one crop: mesh (468, 2) float64 in frame pixels, and presence 0-1."""
        to_frame = crop.to_frame()
        picture = cv2.warpAffine(
            frame,
            to_frame,
            (INPUT_PX, INPUT_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        self._net.setInput(cv2.dnn.blobFromImage(picture, 1 / 255))  # (1, 3, 192, 192) RGB 0-1
        outputs = [np.asarray(output).ravel() for output in self._net.forward(self._outputs)]
        points = next(output for output in outputs if output.size == 3 * MESH_POINTS).reshape(MESH_POINTS, 3)
        logit = next((float(output[0]) for output in outputs if output.size == 1), np.inf)
        return points[:, :2] @ to_frame[:, :2].T + to_frame[:, 2], float(1 / (1 + np.exp(-np.clip(logit, -50, 50))))


def mesh_points(
    frames: Iterable[np.ndarray],
    landmarks_xy: np.ndarray,
    mesh: FaceMesh,
    *,
    shot: np.ndarray,
    smooth_frames: float = SMOOTH_FRAMES,
    min_presence: float = MIN_PRESENCE,
) -> np.ndarray:
    """Mesh of the tracked face in every frame, lightly smoothed inside each shot.

    Args:
        frames: T RGB frames, (H, W, 3) uint8.
        landmarks_xy: (T, 5, 2), NaN rows where there is no face.
        shot: (T,) int, number of the shot that a frame belongs to.
        smooth_frames: sigma of the centred Gaussian, in frames; 0 does not smooth.
        min_presence: below this the network's own doubt makes a row NaN, though the track has a face there.

    Returns:
        (T, 468, 2) float32 in frame pixels, NaN rows where there is no face.

    Raises:
        ValueError: shapes that do not belong together, or fewer frames than landmarks.
    """
    count = len(landmarks_xy)
    if landmarks_xy.shape != (count, 5, 2) or len(shot) != count:
        raise ValueError(f"expected (T, 5, 2) and (T,), got {landmarks_xy.shape} and {np.shape(shot)}")
    points = np.full((count, MESH_POINTS, 2), np.nan, np.float32)
    follower = _Follower(mesh, min_presence)
    seen = 0
    for row, number, frame in zip(landmarks_xy, shot, frames, strict=False):  # the frames last: none is read in vain
        points[seen] = follower.next(frame, row, int(number))
        seen += 1
    if seen < count:
        raise ValueError(f"expected {count} frames, got {seen}")
    if smooth_frames > 0:
        smooth_gaussian(points.reshape(count, -1), np.asarray(shot), sigma=smooth_frames)
    return points


class _Follower:
    """Goes along the frames of a clip and starts each mesh from the last one where it can."""

    def __init__(self, mesh: FaceMesh, min_presence: float) -> None:
        self._mesh, self._min_presence = mesh, min_presence
        self._repeats = RepeatedFrames()
        self._last: tuple[np.ndarray, np.ndarray, int] | None = None  # mesh, five landmarks, shot

    def next(self, frame: np.ndarray, landmarks_xy: np.ndarray, shot: int) -> np.ndarray | float:
        """(468, 2), or NaN where there is no face."""
        repeated = self._repeats.is_repeat(frame)
        last = self._last if self._last is not None and self._last[2] == shot else None
        self._last = None
        if np.isnan(landmarks_xy).any():
            return np.nan
        landmarks_xy = np.asarray(landmarks_xy, np.float64)
        if repeated and last is not None:
            points = last[0]
        else:
            points, presence = self._find(frame, landmarks_xy, last)
            if presence < self._min_presence:
                return np.nan
        self._last = points, landmarks_xy, shot
        return points

    def _find(
        self, frame: np.ndarray, landmarks_xy: np.ndarray, last: tuple[np.ndarray, np.ndarray, int] | None
    ) -> tuple[np.ndarray, float]:
        if last is not None and not _jumped(last[1], landmarks_xy):
            points, presence = self._mesh.refine(frame, last[0] + (landmarks_xy - last[1]).mean(axis=0))
            if presence >= self._min_presence and _distance(points, landmarks_xy) <= LOST_DISTANCE:
                return points, presence
        first, _ = self._mesh.look(frame, crop_of_landmarks(landmarks_xy))
        return self._mesh.refine(frame, first)


def _jumped(last_landmarks_xy: np.ndarray, landmarks_xy: np.ndarray) -> bool:
    before, now = crop_of_landmarks(last_landmarks_xy), crop_of_landmarks(landmarks_xy)
    turned = abs(np.angle(np.exp(1j * (now.angle - before.angle))))
    return not 1 / JUMP_RATIO < now.side / before.side < JUMP_RATIO or bool(turned > JUMP_RAD)


def _distance(mesh_xy: np.ndarray, landmarks_xy: np.ndarray) -> float:
    """Mean distance of eyes and mouth corners in the mesh and in the five landmarks, in eye distances of the mesh."""
    right_eye, left_eye = eye_centres(mesh_xy)
    own = np.stack([right_eye, left_eye, *mesh_xy[_MESH_CORNERS]])
    apart = np.linalg.norm(own - landmarks_xy[[0, 1, 3, 4]], axis=1).mean()
    return float(apart / max(float(eye_distance(mesh_xy)), 1.0))


def _load_network(path: Path) -> tuple[cv2.dnn.Net, list[str]]:
    next_step = "fetch the weights named face_mesh again"
    if not path.is_file():
        raise WeightsError(f"No face mesh at {path}", cause="there is no such file", next_step=next_step)
    # OpenCV 5's new engine leaves out the network's second answer, the presence of a face; its classic one keeps it,
    # and is only obeyed when the file is read by its name.
    engine = [cv2.dnn.ENGINE_CLASSIC] if hasattr(cv2.dnn, "ENGINE_CLASSIC") else []
    try:
        net = cv2.dnn.readNetFromTFLite(str(path), *engine)
        names = list(net.getUnconnectedOutLayersNames())
        net.setInput(np.zeros((1, 3, INPUT_PX, INPUT_PX), np.float32))
        sizes = sorted(np.asarray(output).size for output in net.forward(names))
    except cv2.error as error:
        raise WeightsError(f"OpenCV cannot read {path}", cause=str(error).strip(), next_step=next_step) from error
    if 3 * MESH_POINTS not in sizes:
        raise WeightsError(
            f"{path} is not the 468-point face mesh",
            cause=f"its answers have {', '.join(map(str, sizes))} numbers, not {3 * MESH_POINTS}",
            next_step=next_step,
        )
    return net, names
