"""Recipe: everything a run depends on, in one frozen, validated model that is also a YAML file."""

import os
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from lipwise.errors import ConsentError, SettingsError
from lipwise.faces.track import TrackSettings
from lipwise.files import written_whole
from lipwise.settings import Settings
from lipwise.stages.aligned import EnhanceSettings
from lipwise.stages.enhancers import LARGEST_HEIGHT, LARGEST_SCALE
from lipwise.stages.generators import BUILT_IN
from lipwise.stages.lipsync import LipsyncSettings
from lipwise.stages.policies import LIPSYNC_CLEAN, CleanSettings

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# As `lipwise.faces.choose.Choice`; a click comes out as a plain tuple, which YAML can hold.
Person = int | tuple[float, float] | tuple[float, float, int]
Quality = Literal["draft", "good", "best"]
# x264's constant quantiser for each; 18 and below is hard to tell from the source.
QUANTISER: dict[Quality, int] = {"draft": 28, "good": 20, "best": 14}


class Recipe(Settings):
    """What to make, from what, and how. Nests each stage's own settings.

    Attributes:
        face: a clip or a photo with a face in it.
        speech: a recording, or a video whose sound is used.
        out: the result; .mp4, .mov or .mkv.
        consent: True says that the people seen and heard agreed, or that nobody has to be asked.
        generator: "viseme" (built in, preview quality), "wav2lip", "wav2lip_gan" or the path of a checkpoint.
        start_s, end_s: the part of the clip to use; None is its end.
        speech_start_s, speech_end_s: the part of the recording to use.
        keep_background: how loud the clip's own sound stays under the speech, 0 to 1.
        quality: of the written picture.
        still_fps: frames a second made from a photo.
        detector: "auto", "libfacedetection" or "yunet".
        choose: which person speaks: None is the largest steady face, a number counts from left to right,
            (x, y) is a point in the upright picture, (x, y, frame) or a `Click` a point in one frame, counted from the
            start of the part of the clip that is used; {shot: choice} chooses for single shots.
        device: "cuda", "cpu" ...; None chooses the best there is.
        clean: which frames of the clip are used and what happens to the others; by default only frames in which
            nobody is seen pass untouched.
        restore: what restores faces: "gfpgan_1.4" ... or the path of a checkpoint; None restores none.
        restore_engine: "gfpgan" or "spandrel"; None takes what weights.yaml says.
        upscale: what makes the picture larger: "lanczos", "realesrgan_x4plus" ... or the path of a checkpoint; None
            keeps the clip's size.
        upscale_scale, upscale_height: how many times larger, or how many pixels high; with neither, what the upscaler
            gives.
        upscale_denoise: how much noise "realesr_general_x4v3" removes, 0 to 1; for no other upscaler.
        segment_s: length of the pieces that are rendered and kept one by one, rounded to whole keyframe intervals.
    """

    face: Path
    speech: Path
    out: Path = Path("result.mp4")
    consent: bool = False
    generator: str = BUILT_IN
    start_s: Seconds = 0.0
    end_s: Seconds | None = None
    speech_start_s: Seconds = 0.0
    speech_end_s: Seconds | None = None
    keep_background: Annotated[float, Field(ge=0, le=1)] = 0.0
    quality: Quality = "good"
    still_fps: Annotated[int, Field(ge=1, le=120)] = 25
    detector: Literal["auto", "libfacedetection", "yunet"] = "auto"
    choose: Person | dict[int, Person] | None = None
    device: str | None = None
    segment_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10.0
    track: TrackSettings = TrackSettings()
    clean: CleanSettings = LIPSYNC_CLEAN
    lipsync: LipsyncSettings = LipsyncSettings()
    restore: str | None = None
    restore_engine: Literal["gfpgan", "spandrel"] | None = None
    upscale: str | None = None
    upscale_scale: Annotated[float, Field(gt=0, le=LARGEST_SCALE, allow_inf_nan=False)] | None = None
    upscale_height: Annotated[int, Field(ge=1, le=LARGEST_HEIGHT)] | None = None
    upscale_denoise: Annotated[float, Field(ge=0, le=1)] = 1.0
    enhance: EnhanceSettings = EnhanceSettings()

    def to_yaml(self, path: str | Path) -> None:
        """Write the recipe to a file that `from_yaml` reads, whole or not at all.

        Raises:
            DiskFullError: no space is left. MediaError: it cannot be written for another reason.
        """
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)
        with written_whole(Path(path)) as part:
            part.write_text(text, encoding="utf-8")

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Recipe":
        """Read a recipe.

        Raises:
            SettingsError: the file is missing, is not YAML, or holds a setting that is not usable.
        """
        try:
            values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"Cannot read the recipe {path}", cause=str(error), next_step="write one with Recipe(...).to_yaml(path)"
            ) from error
        if not isinstance(values, dict):
            raise SettingsError(
                f"The recipe {path} holds no settings",
                cause=f"expected names with values, got {type(values).__name__}",
                next_step="write one with Recipe(...).to_yaml(path)",
            )
        return cls(**values)

    def check_consent(self) -> None:
        """Raises ConsentError unless the recipe or LIPWISE_CONSENT=yes says that consent was given."""
        if self.consent or os.environ.get("LIPWISE_CONSENT", "").strip().lower() == "yes":
            return
        raise ConsentError(
            "Nobody has said that the people seen and heard agreed",
            cause="a made-up video of a real person needs that person's consent, and so does a voice",
            next_step="with their consent, pass consent=True (command line: --consent; in a notebook: tick consent in "
            "the form) or set LIPWISE_CONSENT=yes",
        )
