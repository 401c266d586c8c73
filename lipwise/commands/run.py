"""`lipwise run` and `lipwise demo`: the whole chain."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import tyro

import lipwise
from lipwise.commands.choices import ChooseAt, Wording, as_typed, one_choice
from lipwise.pipeline.run_folder import is_run
from lipwise.stages.policies import LIPSYNC_CLEAN

FILES = {"face": "--face", "speech": "--speech", "clean.track_file": "--track"}
OPTIONS = {name: f"--{name}" for name in ("generator", "quality", "detector", "choose", "restore", "upscale")} | {
    "restore_engine": "--restore-engine",
    "lipsync.region": "--region",
    "enhance.region": "--restore-region",
}
# In what a run that is to go on differs from what it was begun with, so far as there is an option.
TOLD = {f"{name} is another file": f"{option} is another file" for name, option in (FILES | OPTIONS).items()}
TOLD |= {f"{name} was": f"{option} was" for name, option in OPTIONS.items()}
TOLD |= {
    "track.least_confidence": "--least-confidence",
    "lipsync.gate_silence was True and is False": "--move-in-silence was not given and is now",
    "lipsync.gate_silence was False and is True": "--move-in-silence was given and is not now",
}
WORDING = Wording(
    "run",
    TOLD
    | {
        "clean.track_file": "--track",
        "track_file": "--track",
        "start_s": "--start",
        "end_s": "--end",
        "speech_start_s": "--speech-start",
        "speech_end_s": "--speech-end",
        "keep_background": "--keep-background",
        "lipsync.audio_offset_s": "--audio-offset",
        "audio_offset_s": "--audio-offset",
        "enhance.fidelity": "--fidelity",
        "'fidelity'": "'--fidelity'",
        "enhance.region plays": "--restore-region plays",
        "restore_engine plays": "--restore-engine plays",
        "upscale_scale": "--upscale-scale",
        "upscale_height": "--upscale-height",
        "upscale_denoise": "--denoise",
        "denoise": "--denoise",
        "run_folder": "--keep-run",
        "resume=True": "--resume",
        "delete it with lipwise.forget_run(folder)": "delete it",
        "try the other detector": "try the other --detector",
    },
)


def run(
    *,
    face: Path,
    speech: Path,
    out: Path = Path("result.mp4"),
    consent: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    generator: str = "viseme",
    start: float = 0.0,
    end: float | None = None,
    speech_start: float = 0.0,
    speech_end: float | None = None,
    keep_background: float = 0.0,
    quality: Literal["draft", "good", "best"] = "good",
    detector: Literal["auto", "libfacedetection", "yunet"] = "auto",
    choose: int | None = None,
    choose_at: ChooseAt | None = None,
    least_confidence: float = 0.0,
    region: Literal["mouth", "lower_face", "face", "rectangle"] = "lower_face",
    audio_offset: float = 0.0,
    move_in_silence: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    restore: str | None = None,
    restore_region: Literal["face", "lower_face", "mouth"] = "face",
    fidelity: float = 0.0,
    restore_engine: Literal["gfpgan", "spandrel"] | None = None,
    upscale: str | None = None,
    upscale_scale: float | None = None,
    upscale_height: int | None = None,
    denoise: float = 1.0,
    device: str | None = None,
    track: Path | None = None,
    report: Path | None = None,
    keep_run: Path | None = None,
    resume: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
) -> None:
    """Make the person in a clip or photo say what a recording says.

    Faces and voices need their owners' consent. Wav2Lip's weights are for research and other non-commercial use.

    Args:
        face: clip or photo with a face.
        speech: recording, or a video whose sound is used.
        out: the result: .mp4, .mov or .mkv.
        consent: say that the people seen and heard agreed.
        generator: viseme (built in, preview quality), wav2lip, wav2lip_gan, wav2lip_sd_gan, or the
            path of a Wav2Lip checkpoint.
        start: use the clip from this second on.
        end: use the clip up to this second.
        speech_start: use the recording from this second on.
        speech_end: use the recording up to this second.
        keep_background: how loud the clip's own sound stays under the speech, 0 to 1.
        quality: of the written picture.
        detector: what finds faces.
        choose: which person speaks, counted from the left, from 0; the largest steady face otherwise.
        choose_at: which person speaks: X Y of a point on the face in pixels of the upright picture, or X Y FRAME for
            where the face is in that frame of the used part.
        least_confidence: leave shots alone in which the face is less surely the same person, 0 to 1.
        region: what is replaced; rectangle shows why the others exist.
        audio_offset: seconds by which the lips move earlier.
        move_in_silence: leave the silence gate off.
        restore: restore faces with gfpgan_1.4, gfpgan_1.3, restoreformer, codeformer (non-commercial use only), or the
            path of a checkpoint.
        restore_region: what is taken from the restored face.
        fidelity: how much of the face stays as it was, 0 to 1.
        restore_engine: whose code restores: gfpgan or spandrel.
        upscale: upscale with lanczos (no weights needed), realesrgan_x4plus ..., or the path of a checkpoint.
        upscale_scale: how many times larger.
        upscale_height: how many pixels high, instead.
        denoise: how much noise realesr_general_x4v3 removes, 0 to 1.
        device: cuda, cpu ...; the best there is otherwise.
        track: this very file's own track, as `clean --track` wrote it: no face is looked for, and frames that passed
            untouched when the clip was cleaned pass again.
        report: write the run's report to this JSON file.
        keep_run: keep plan and segments in this folder.
        resume: go on with the run in the folder that --keep-run names, where one was broken off.
    """
    with as_typed(WORDING):
        recipe = lipwise.Recipe(
            face=face,
            speech=speech,
            out=out,
            consent=consent,
            generator=generator,
            start_s=start,
            end_s=end,
            speech_start_s=speech_start,
            speech_end_s=speech_end,
            keep_background=keep_background,
            quality=quality,
            detector=detector,
            choose=one_choice(choose, choose_at, track=track),
            track={"least_confidence": least_confidence},
            device=device,
            restore=restore,
            restore_engine=restore_engine,
            upscale=upscale,
            upscale_scale=upscale_scale,
            upscale_height=upscale_height,
            upscale_denoise=denoise,
            enhance={"region": restore_region, "fidelity": fidelity},
            clean=LIPSYNC_CLEAN.model_copy(update={"track_file": track}),
            lipsync={"region": region, "audio_offset_s": audio_offset, "gate_silence": not move_in_silence},
        )
        try:
            said = str(lipwise.run(recipe, run_folder=keep_run, resume=resume, report_path=report))
        except KeyboardInterrupt:
            if keep_run is not None and is_run(keep_run):
                sys.stderr.write(f"what is made stays in {keep_run}; the same command with --resume goes on\n")
            raise
    sys.stdout.write(f"{WORDING.of(said)}\n")


def demo(*, out: Path = Path("lipwise_demo.mp4"), generator: str = "viseme", report: Path | None = None) -> None:
    """Run the whole chain on the shipped sample: a public-domain portrait and synthetic speech.

    Nobody has to be asked for consent to it. Wav2Lip's weights are for research and other non-commercial use.

    Args:
        out: the result.
        generator: viseme (built in, preview quality), wav2lip, wav2lip_gan, wav2lip_sd_gan, or the
            path of a Wav2Lip checkpoint.
        report: write the run's report to this JSON file.
    """
    with tempfile.TemporaryDirectory() as folder:
        sample = lipwise.make_sample(folder)
        recipe = lipwise.Recipe(face=sample.face, speech=sample.speech, out=out, generator=generator, consent=True)
        sys.stdout.write(f"{lipwise.run(recipe, report_path=report)}\n")
