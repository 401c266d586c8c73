"""`lipwise evaluate`: how well a result went."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

import lipwise
from lipwise.commands.choices import Wording, as_typed
from lipwise.pipeline.evaluate import open_run
from lipwise.pipeline.run_folder import files_in
from lipwise.pipeline.run_inputs import files_of
from lipwise.pipeline.side_file import check_side_file

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
        if report is not None:
            check_side_file(report, _files(run, result, source, track, speech))
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


def _files(run: Path | None, *given: Path | None) -> list[Path]:
    """Every file that is read: those given, and those of a run."""
    own = [] if run is None else [*files_of(open_run(run).recipe).values(), *files_in(run)]
    return [*filter(None, given), *own]
