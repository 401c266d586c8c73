"""What enhancing a video and enhancing photos have in common."""

from dataclasses import dataclass

from lipwise.pipeline.stopwatch import Stopwatch
from lipwise.stages.aligned import EnhanceSettings
from lipwise.stages.enhancers import Enhancers


@dataclass(frozen=True, eq=False)
class EnhanceJob:
    """How pictures are enhanced, whatever they are pictures of.

    Attributes:
        enhancers: what restores faces and what upscales.
        settings: of restoring.
        detector: see `lipwise.stages.clean.track_faces`.
        watch: adds up where the time goes.
        progress: show bars.
    """

    enhancers: Enhancers
    settings: EnhanceSettings
    detector: str
    watch: Stopwatch
    progress: bool
