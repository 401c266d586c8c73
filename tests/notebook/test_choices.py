"""What each choice of the quickstart costs, what "auto" is, and what of it is shown."""

import json
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import pytest

import lipwise as lw
from lipwise.media.write import write_video
from lipwise.notebook import choices
from lipwise.notebook.choices import BEST, MOUTHS, OFFERED, RESTORE, UPSCALE, Choice, Choices
from lipwise.notebook.one_frame import look_round
from lipwise.recipe import Recipe
from lipwise.sample import SPEECH, sample_frames


@pytest.fixture
def recipe(tmp_path, face_mesh) -> Recipe:
    """For thirty frames of the sample at half size."""
    small = (cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA) for frame in islice(sample_frames(), 30))
    clip = write_video(tmp_path / "clip.mp4", small, fps=25)
    return Recipe(face=clip, speech=SPEECH, out=tmp_path / "made.mp4", consent=True)


def offered(*, kept: dict[str, float]) -> Choices:
    fields = {name: field for field, names in BEST.items() for name in names if name != "none"}
    rows = [Choice(field, name, "", "", 10**6, name in kept, kept.get(name)) for name, field in fields.items()]
    rows += [Choice(field, "none", "", "", 0, kept=True, seconds=0) for field in (RESTORE, UPSCALE)]
    return Choices(tuple(rows), 100, (512, 512))


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ({"viseme": 1}, ("viseme", None, None)),
        ({"viseme": 1, "wav2lip": 9}, ("wav2lip", None, None)),
        ({"viseme": 1, "wav2lip": 9, "wav2lip_gan": 9000}, ("wav2lip_gan", None, None)),
        ({"viseme": 1, "gfpgan_1.4": 100, "realesrgan_x2plus": 119}, ("viseme", "gfpgan_1.4", "realesrgan_x2plus")),
        ({"viseme": 1, "gfpgan_1.4": 121, "realesrgan_x4plus": 121}, ("viseme", None, None)),
    ],
)
def test_auto_is_the_best_that_is_here_and_in_time(kept, expected):
    made = offered(kept=kept).take(minutes=2)
    assert tuple(made.taken(field) for field in (MOUTHS, RESTORE, UPSCALE)) == expected


def test_what_is_named_is_taken_and_its_download_told(tmp_path):
    made = offered(kept={"viseme": 3}).take(generator="wav2lip_gan", restore="none", upscale=str(tmp_path / "mine.pth"))
    assert (made.taken(MOUTHS), made.taken(UPSCALE), made.to_fetch) == (
        "wav2lip_gan",
        str(tmp_path / "mine.pth"),
        10**6,
    )
    assert "to fetch: 1.0 MB" in repr(made)
    assert "fetch 1.0 MB" in made._repr_html_()
    assert made.settings(scale=3)["upscale_scale"] == 3
    assert "upscale_scale" not in offered(kept={"viseme": 3}).take().settings(scale=3)


def test_the_table_holds_what_can_be_used_and_a_line_names_the_rest():
    made = offered(kept={"viseme": 3, "realesr_general_x4v3": 2}).take(restore="gfpgan_1.4", upscale="none")
    shown = [(row.field, row.name) for row in made.table]
    assert shown == [
        (MOUTHS, "viseme"),
        (RESTORE, "gfpgan_1.4"),
        (RESTORE, "none"),
        (UPSCALE, "realesr_general_x4v3"),
        (UPSCALE, "none"),
    ]
    page, text = made._repr_html_(), repr(made)
    assert page.count("<tr") == 1 + len(shown)
    assert page.count("font-weight:bold") == len(("generator", "restore", "upscale"))
    assert "To fetch, with sizes and licences: wav2lip_gan, wav2lip, " in page
    assert "generator wav2lip, 1.0 MB: " in page
    assert "generator wav2lip, 1.0 MB: " in text
    assert "restore gfpgan_1.4, 1.0 MB" not in page  # it is in the table
    assert "<details>" not in replace(made, rows=made.table)._repr_html_()


def test_the_form_offers_what_is_tried_and_shown():
    form = (Path(__file__).parents[2] / "notebooks" / "src" / "00_quickstart.py").read_text(encoding="utf-8")
    for field, names in OFFERED.items():
        (asked,) = re.findall(rf'^{field} = ".+?"  # @param (\[.+\])$', form, re.MULTILINE)
        assert set(json.loads(asked)) == {"auto", *names}


def test_only_what_the_form_offers_or_auto_may_take_is_tried(recipe, monkeypatch):
    kept = ("wav2lip_sd_gan", "realesrgan_x4plus", "realesr_animevideov3")
    monkeypatch.setattr(choices, "find_weights", lambda name: Path(name) if name in kept else None)
    monkeypatch.setattr(choices, "_seconds", lambda one, *_: 0.01)
    made = choices.measure_choices(look_round(recipe, 3))
    here = {row.name for row in made.rows if row.kept}
    assert here == {"viseme", "none", "lanczos", "wav2lip_sd_gan", "realesrgan_x4plus"}
    assert all((row.seconds is not None) == row.kept for row in made.rows)
    assert {row.name for row in made.others} == {name for names in OFFERED.values() for name in names} - here


def test_what_only_an_expert_names_is_known_by_its_list_entry():
    (taken,) = [row for row in offered(kept={"viseme": 3}).take(upscale="realesrgan_x4plus_anime_6b").rows
                if row.taken and row.field == UPSCALE]  # fmt: skip
    entry = lw.weights_entries()[taken.name]
    assert (taken.purpose, taken.licence, taken.bytes) == (entry.purpose, entry.licence, entry.bytes)
