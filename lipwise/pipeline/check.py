"""What can be refused of a run before any work is done."""

from lipwise.errors import MediaError, SettingsError
from lipwise.faces.choose import check_choice
from lipwise.files import no_empty_folders
from lipwise.media.container import not_there
from lipwise.media.output import check_destination
from lipwise.pipeline.enhancers import check_enhancers
from lipwise.recipe import Recipe
from lipwise.stages.generators import check_generator_name


def check_recipe(recipe: Recipe) -> None:
    """Refuse what can be refused before any work is done.

    Raises:
        ConsentError: nobody said that consent was given.
        MediaError: an input is missing or the result cannot be written.
        SettingsError: the result would overwrite an input, or there is no such generator.
    """
    _check_files(recipe)
    spans = ((recipe.face, recipe.start_s, recipe.end_s), (recipe.speech, recipe.speech_start_s, recipe.speech_end_s))
    for path, start_s, end_s in spans:
        if end_s is not None and end_s <= start_s:
            raise SettingsError(
                f"The part of {path} from {start_s:g} s to {end_s:g} s is empty",
                cause="it ends before it begins",
                next_step="choose a start before the end",
            )
    recipe.check_consent()
    check_choice(recipe.choose)
    if recipe.choose is not None and recipe.clean.track_file is not None:
        raise SettingsError(
            "choose and clean.track_file were both given",
            cause="a track says already who speaks, and no face is looked for",
            next_step="leave one of them out; or save the track of the person chosen",
        )
    check_generator_name(recipe.generator)
    check_enhancers(
        restore=recipe.restore,
        upscale=recipe.upscale,
        scale=recipe.upscale_scale,
        height=recipe.upscale_height,
        denoise=recipe.upscale_denoise,
    )
    with no_empty_folders(recipe.out, keep=False):
        check_destination(recipe.out)


def _check_files(recipe: Recipe) -> None:
    """Refuse files that are not there, and a result that would overwrite one."""
    for role, path in (("face", recipe.face), ("speech", recipe.speech), ("track", recipe.clean.track_file)):
        if path is None:
            continue
        if not path.exists():
            raise not_there(path, f"The {role} file {path} is not there")
        if path.is_dir():
            raise MediaError(
                f"The {role} file {path} cannot be read", cause="it is a folder", next_step="name a file inside it"
            )
        if path.resolve() == recipe.out.resolve():
            raise SettingsError(
                f"The result {recipe.out} would overwrite the {role}",
                cause="both are the same file",
                next_step="choose another name for the result",
            )
