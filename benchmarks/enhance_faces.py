"""A face restored by LipWise against `gfpgan.GFPGANer.enhance` on the same frame, side by side on one core.

    python benchmarks/enhance_faces.py [--weights GFPGANv1.4.pth] [--rounds 3] [--width 1280]

GFPGANer looks for faces with RetinaFace and cuts them out with ParseNet, both run on every frame; LipWise knows where
the face is from its own track and pastes through the mesh. Both find the same face here: the two networks of GFPGANer
run in full with random weights, and the detector's answer, which would be thousands of boxes, is replaced by the true
one. LipWise's own track is made once for a whole clip, for lip-sync too, and is not counted (about 0.05 s a frame).

Without a checkpoint the weights come from a formula in the official layout: the speed is the same, the picture is not.
The claim, for a processor with AVX2 and no AVX-512: at least 4 times as fast, at most 2 grey steps from the network in
fp32.
"""

import argparse
import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import torch
from skimage.data import astronaut

from lipwise.faces.align import five_points
from lipwise.faces.track import DETECTED, FaceTrack
from lipwise.models.engines import import_engine
from lipwise.models.restorers import NetworkRestorer, load_restorer
from lipwise.stages.aligned import align_track
from lipwise.stages.enhance import EnhanceStep, ShownFrame, enhance_steps

ROOT = Path(__file__).resolve().parent.parent
SPEED, GREY_STEPS = 4.0, 2.0
FACE_SHARE = 0.4  # of the frame's height


def formula_file(folder: Path) -> Path:
    """The tests' stand-in for a checkpoint, in the official layout."""
    spec = importlib.util.spec_from_file_location("formula", ROOT / "tests" / "models" / "formula.py")
    formula = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(formula)
    path = folder / "GFPGANv1.4.pth"
    torch.save({"params_ema": formula.formula_weights(ROOT / "tests" / "golden" / "gfpgan_state_dict.json")}, path)
    return path


def frame_and_mesh(width: int) -> tuple[np.ndarray, np.ndarray]:
    """A 16:9 frame with a real face, and its mesh."""
    height = width * 9 // 16
    mesh = np.load(ROOT / "tests" / "golden" / "astronaut_mesh.npz")["mesh_xy"]
    scale = FACE_SHARE * height / float(np.ptp(mesh[:, 1]))
    shift = np.array([width / 2, height / 2]) - scale * (mesh.min(0) + mesh.max(0)) / 2
    place = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    frame = cv2.warpAffine(astronaut(), place, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return frame, (mesh * scale + shift).astype(np.float32)


def track_of(mesh: np.ndarray, frame: np.ndarray) -> FaceTrack:
    """What `track_faces` would have found."""
    return FaceTrack(
        boxes_xyxy=np.r_[mesh.min(0), mesh.max(0)][None].astype(np.float32),
        landmarks_xy=five_points(mesh)[None].astype(np.float32),
        score=np.ones(1, np.float32),
        origin=np.full(1, DETECTED, np.uint8),
        shot=np.zeros(1, np.int32),
        people=np.ones(1, np.int32),
        size_wh=(frame.shape[1], frame.shape[0]),
        mesh_xy=mesh[None],
    )


def reference(path: Path, folder: Path, mesh: np.ndarray) -> object:
    """GFPGANer, its detector and parser with random weights, the detector's answer fixed after it has been computed."""
    import_engine("gfpgan")
    from facexlib.detection import retinaface
    from facexlib.parsing.parsenet import ParseNet
    from facexlib.utils import face_restoration_helper as helper
    from gfpgan import utils

    detector = retinaface.RetinaFace(network_name="resnet50", half=False, device="cpu").eval()
    parser = ParseNet(in_size=512, out_size=512, parsing_ch=19).eval()
    box = np.r_[mesh.min(0), mesh.max(0), 0.99, five_points(mesh).ravel()][None]

    def detect(picture: np.ndarray, *_: object, **__: object) -> np.ndarray:
        transformed, detector.resize = detector.transform(picture, True)
        with torch.no_grad():
            detector(transformed)  # backbone and heads; sorting its boxes is left out, in the reference's favour
        return box

    detector.detect_faces = detect
    helper.init_detection_model = lambda *_, **__: detector
    helper.init_parsing_model = lambda *_, **__: parser
    loaded = torch.load
    utils.torch = SimpleNamespace(**{**vars(torch), "load": lambda name: loaded(name, weights_only=True)})
    return utils.GFPGANer(str(path), upscale=1, device=torch.device("cpu"))


def ours(restorer: NetworkRestorer, frame: np.ndarray, mesh: np.ndarray) -> Callable[[], EnhanceStep]:
    """From the frame to the frame with its restored face."""
    track = track_of(mesh, frame)
    aligned = align_track(track)
    return lambda: next(enhance_steps([ShownFrame(frame, 0, True)], track, aligned, restorer=restorer))


def seconds_of(rounds: int, **calls: Callable[[], object]) -> dict[str, float]:
    """Median seconds of each call on the processor, the calls taking turns; a first round warms up.

    Processor time and not the clock's, so that a busy machine does not count.
    """
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            start = time.process_time()
            call()
            spent[name].append(time.process_time() - start)
    return {name: statistics.median(times[1:]) for name, times in spent.items()}


def parts_of(gfpganer: object, restorer: NetworkRestorer, step: EnhanceStep, frame: np.ndarray) -> dict[str, Callable]:
    """The pieces of both, one by one."""
    helper = gfpganer.face_helper
    face = torch.from_numpy(step.aligned.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None].contiguous()

    @torch.no_grad()
    def network() -> torch.Tensor:
        return gfpganer.gfpgan(face, return_rgb=False, randomize_noise=False)[0]

    @torch.no_grad()
    def parser() -> object:
        return helper.face_parse(face)

    return {
        "their detector": lambda: helper.face_det.detect_faces(frame[..., ::-1]),
        "their parser": parser,
        "their network": network,
        "our network": lambda: restorer.restore(step.aligned[None]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="GFPGANv1.3.pth or GFPGANv1.4.pth; without one, a formula's")
    parser.add_argument("--width", type=int, default=1280, help="of the frame, 16:9")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    frame, mesh = frame_and_mesh(arguments.width)
    with tempfile.TemporaryDirectory() as name:
        path = arguments.weights or formula_file(Path(name))
        gfpganer = reference(path, Path(name), mesh)
        restorer = load_restorer(path, engine="gfpgan", device="cpu")
    enhance = ours(restorer, frame, mesh)
    step = enhance()
    bgr = np.ascontiguousarray(frame[..., ::-1])
    parts = parts_of(gfpganer, restorer, step, frame)
    output = parts["their network"]()
    plain = ((output.clamp(-1, 1) + 1) * 127.5).round()[0].permute(1, 2, 0).numpy()
    apart = np.abs(plain - step.restored)
    print(f"{frame.shape[1]} x {frame.shape[0]} px, torch {torch.__version__}, one thread, {restorer.runner.dtype}")
    print(f"grey steps apart: largest {apart.max():.2f}, mean {apart.mean():.3f}")
    for part, spent in seconds_of(1, **parts).items():
        print(f"  {part}: {spent:.2f} s")
    spent = seconds_of(arguments.rounds, theirs=lambda: gfpganer.enhance(bgr), ours=enhance)
    print(f"GFPGANer.enhance: {spent['theirs']:.2f} s a frame; LipWise: {spent['ours']:.2f} s")
    ratio = spent["theirs"] / spent["ours"]
    met = ratio >= SPEED and apart.max() <= GREY_STEPS
    print(
        f"{ratio:.2f} times as fast; claim ({SPEED:g} times, {GREY_STEPS:g} grey steps): {'met' if met else 'NOT met'}"
    )


if __name__ == "__main__":
    main()
