"""`lipwise evaluate`: how well a result went."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

import lipwise
from lipwise.commands.choices import Wording, as_typed
from lipwise.errors import SettingsError

WORDING = Wording(
    "evaluate",
    {
        "run_folder (command line: --keep-run)": "--keep-run",
        "give the source instead": "give --source instead",
    },
)


def evaluate(
    result: tyro.conf.Positional[Path],
    *,
    run: Path | None = None,
    source: Path | None = None,
    track: Path | None = None,
    speech: Path | None = None,
    generator: str = "viseme",
    region: Literal["mouth", "lower_face", "face", "rectangle"] = "lower_face",
    no_sync: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    detector: Literal["auto", "libfacedetection", "yunet"] = "auto",
    report: Path | None = None,
    no_cache: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
) -> None:
    """Measure how well a result went, beside the clip it was made from.

    Args:
        result: the video to look at.
        run: the folder that `run --keep-run` kept: it knows the source and what was done to it.
        source: instead of a run, the clip or photo it was made from.
        track: the source's track, as `clean --track` wrote it: no face is looked for in it.
        speech: what the lips should say; the result's own sound otherwise.
        generator: with --source, what made the mouths: it decides which pixels count as touched.
        region: with --source, what was replaced.
        no_sync: leave SyncNet out although its weights are there.
        detector: what finds faces where no track is known.
        report: write the figures to this JSON file.
        no_cache: do not keep what was found for the next call; it is the geometry of a face.
    """
    with as_typed(WORDING):
        _check_report(report, [result, *filter(None, (run, source, track, speech))])
        pasted = None if run is not None else lipwise.PastedRegion(generator, lipwise.LipsyncSettings(region=region))
        made = lipwise.evaluate(
            result,
            run=run,
            source=source,
            track=None if track is None else lipwise.FaceTrack.load(track),
            speech=speech,
            pasted=pasted,
            sync=None if no_sync else "auto",
            detector=detector,
            cache=not no_cache,
            progress=True,
        )
        if report is not None:
            made.save(report)
    sys.stdout.write(f"{made}\n")


def _check_report(report: Path | None, inputs: list[Path]) -> None:
    """Refuse a report that cannot be written, or that would overwrite an input, before any work is done."""
    if report is None:
        return
    taken = report.resolve() in {path.resolve() for path in inputs}
    if taken or report.is_dir() or not report.absolute().parent.is_dir():
        raise SettingsError(
            f"The report cannot be written to {report}",
            cause="another file of this call is there" if taken else "it is a folder, or its folder is missing",
            next_step="name another file, in a folder that is there",
        )
