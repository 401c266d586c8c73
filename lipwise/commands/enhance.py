"""`lipwise enhance`: faces restored and pictures made larger."""

import sys
from pathlib import Path
from typing import Literal

import tyro

import lipwise
from lipwise.commands.choices import Wording, as_typed

WORDING = Wording(
    "enhance",
    {
        "fidelity": "--fidelity",
        "least_face_px": "--least-face",
        "denoise": "--denoise",
        "tile plays": "--tile plays",
        "overlap plays": "--tile-overlap plays",
        "region plays": "--restore-region plays",
        "engine plays": "--restore-engine plays",
        "device plays": "--device plays",
        "choose plays": "--choose plays",
        "quality plays": "--quality plays",
    },
)


def enhance(
    source: tyro.conf.Positional[Path],
    *,
    out: Path,
    restore: str | None = None,
    restore_region: Literal["face", "lower_face", "mouth"] = "face",
    fidelity: float = 0.0,
    least_face: int = 32,
    restore_engine: Literal["gfpgan", "spandrel"] | None = None,
    upscale: str | None = None,
    upscale_scale: float | None = None,
    upscale_height: int | None = None,
    denoise: float = 1.0,
    tile: int | None = None,
    tile_overlap: int | None = None,
    quality: Literal["draft", "good", "best"] = "good",
    choose: int | None = None,
    device: str | None = None,
    report: Path | None = None,
) -> None:
    """Restore faces and upscale a video, a photo, or a folder of photos; a video keeps its sound bit for bit.

    CodeFormer and parts of GFPGAN are for non-commercial use only. Faces need their owners' consent.

    Args:
        source: video, photo or folder of photos; folders in it are left out.
        out: the result: a video, a photo, or a folder, in which photos keep their names.
        restore: gfpgan_1.4, gfpgan_1.3, restoreformer, codeformer, or the path of a checkpoint.
        restore_region: what is taken from the restored face.
        fidelity: how much of the face stays as it was, 0 to 1.
        least_face: faces lower than this many pixels are left alone.
        restore_engine: whose code restores: gfpgan or spandrel.
        upscale: lanczos (no weights needed), realesrgan_x4plus ..., or the path of a checkpoint.
        upscale_scale: how many times larger; by default 2 times with lanczos, what the network gives with others.
        upscale_height: how many pixels high, instead.
        denoise: how much noise realesr_general_x4v3 removes, 0 to 1.
        tile: longest side in pixels of what a network upscales at once; a smaller one takes less memory.
        tile_overlap: how many pixels neighbouring tiles share; 0 shows the seams.
        quality: of a written video.
        choose: whose face is restored in a video, counted from the left, from 0; the largest steady one otherwise.
        device: cuda, cpu ...; the best there is otherwise.
        report: write the report to this JSON file.
    """
    with as_typed(WORDING):
        made = lipwise.enhance(
            source,
            out,
            restore=restore,
            engine=restore_engine,
            upscale=upscale,
            scale=upscale_scale,
            height=upscale_height,
            denoise=denoise,
            tile=tile,
            overlap=tile_overlap,
            settings={"region": restore_region, "fidelity": fidelity, "least_face_px": least_face},
            quality=quality,
            choose=choose,
            device=device,
            report_path=report,
        )
    sys.stdout.write(f"{WORDING.of(str(made))}\n")
