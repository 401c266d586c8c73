"""The command line: `python -m lipwise run ...` `enhance ...`, `demo`, `weights`, `doctor`."""

import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import tyro

import lipwise
from lipwise.errors import LicenceError, LipwiseError, SettingsError, WeightsError


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
    choose: int | None = None,
    choose_at: tuple[float, float] | None = None,
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
    device: str | None = None,
    report: Path | None = None,
    keep_run: Path | None = None,
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
        choose: which person speaks, counted from the left, from 0; the largest steady face otherwise.
        choose_at: which person speaks: X Y of a point on the face, in pixels.
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
        device: cuda, cpu ...; the best there is otherwise.
        report: write the run's report to this JSON file.
        keep_run: keep plan and segments in this folder.
    """
    if choose is not None and choose_at is not None:
        raise SettingsError(
            "--choose and --choose-at were both given",
            cause="each names the person who speaks",
            next_step="leave one of them out",
        )
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
        choose=choose if choose_at is None else choose_at,
        device=device,
        restore=restore,
        restore_engine=restore_engine,
        upscale=upscale,
        upscale_scale=upscale_scale,
        upscale_height=upscale_height,
        enhance={"region": restore_region, "fidelity": fidelity},
        lipsync={"region": region, "audio_offset_s": audio_offset, "gate_silence": not move_in_silence},
    )
    sys.stdout.write(f"{lipwise.run(recipe, run_folder=keep_run, report_path=report)}\n")


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
    quality: Literal["draft", "good", "best"] = "good",
    choose: int | None = None,
    device: str | None = None,
    report: Path | None = None,
) -> None:
    """Restore faces and upscale a video, a photo, or a folder of photos; a video keeps its sound bit for bit.

    CodeFormer and parts of GFPGAN are for non-commercial use only. Faces need their owners' consent.

    Args:
        source: video, photo or folder of photos.
        out: the result: a video, a photo, or a folder.
        restore: gfpgan_1.4, gfpgan_1.3, restoreformer, codeformer, or the path of a checkpoint.
        restore_region: what is taken from the restored face.
        fidelity: how much of the face stays as it was, 0 to 1.
        least_face: faces lower than this many pixels are left alone.
        restore_engine: whose code restores: gfpgan or spandrel.
        upscale: lanczos (no weights needed), realesrgan_x4plus ..., or the path of a checkpoint.
        upscale_scale: how many times larger.
        upscale_height: how many pixels high, instead.
        quality: of a written video.
        choose: whose face is restored in a video, counted from the left, from 0; the largest steady one otherwise.
        device: cuda, cpu ...; the best there is otherwise.
        report: write the report to this JSON file.
    """
    made = lipwise.enhance(
        source,
        out,
        restore=restore,
        engine=restore_engine,
        upscale=upscale,
        scale=upscale_scale,
        height=upscale_height,
        settings={"region": restore_region, "fidelity": fidelity, "least_face_px": least_face},
        quality=quality,
        choose=choose,
        device=device,
    )
    if report is not None:
        made.save(report)
    sys.stdout.write(f"{made}\n")


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


def weights(
    names: tyro.conf.Positional[tuple[str, ...]] = (),
    *,
    all: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    accept_licence: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
) -> None:
    """Fetch weights files, verified, and say where they lie; without a name, list them.

    Wav2Lip's weights are for research and other non-commercial use. A file with such a condition is downloaded only
    after you have accepted it, here at the prompt, with --accept-licence, or with LIPWISE_ACCEPT_LICENCE=yes.

    Args:
        names: entries of weights.yaml or of your own list, such as face_mesh or wav2lip_gan.
        all: fetch every entry; one that cannot be had does not keep the others back.
        accept_licence: say that you have read the conditions of these files and keep to them.
    """
    entries = lipwise.weights_entries()
    if not names and not all:
        width = max(map(len, entries))
        for name, entry in entries.items():
            about = f"{entry.purpose}; {entry.licence}"
            sys.stdout.write(f"{name:{width}s} {entry.bytes / 1e6:6.1f} MB  {about}\n")
    errors = []
    for name in entries if all else names:
        try:
            sys.stdout.write(f"{name}: {_fetched(name, accept_licence=accept_licence)}\n")
        except WeightsError as error:
            sys.stderr.write(f"error: {error}\n")
            errors.append(error)
    if errors:
        raise SystemExit(2)


def _fetched(name: str, *, accept_licence: bool) -> Path:
    """A weights file; on a terminal its condition may be accepted there and then."""
    try:
        return lipwise.fetch_weights(name, accept_licence=accept_licence)[0]
    except LicenceError as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        sys.stderr.write(f"{error.what}:\n  {error.cause}\nDo you accept it? Type yes: ")
        if sys.stdin.readline().strip().lower() != "yes":
            raise LicenceError(error.what, cause="nobody typed yes", next_step=error.next_step) from None
    return lipwise.fetch_weights(name, accept_licence=True)[0]


def doctor() -> None:
    """Say what is installed and what is missing, with the next step; ends with status 1 if a run could not work."""
    found = lipwise.environment()
    sys.stdout.write(f"{found}\n")
    if found.lacks:
        raise SystemExit(1)


COMMANDS = {"run": run, "enhance": enhance, "demo": demo, "weights": weights, "doctor": doctor}


def main(arguments: list[str] | None = None) -> None:
    """Run a command; an error the user can mend is shown in three lines and ends with status 2."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that a killed run cleans up, too
    try:
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="lipwise", args=arguments)
    except LipwiseError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(2) from None
    except OSError as error:  # what the system refuses and nothing above foresaw
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
