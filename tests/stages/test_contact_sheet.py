"""The strip shows every reason, the legend what is drawn, and the sheet any letters and no foreign report."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from lipwise.errors import SettingsError
from lipwise.faces.face_track import NONE
from lipwise.media.probe import probe
from lipwise.media.write import write_video
from lipwise.stages import contact_sheet as sheets
from lipwise.stages.lettering import drawable, font
from lipwise.stages.reason_strip import BY_HAND, COLOUR_OF, COLOURS, GOOD, draw_strip, kinds_of, marks_of
from lipwise.stages.usability import UsabilityReport

COUNT = 40


@pytest.fixture
def report() -> UsabilityReport:
    """Blurred in 10-19 and cut off as well in 15-17; nobody in 30; a new shot from 25 on, several people from 35 on."""
    from rows import good_rows

    rows = good_rows(COUNT)
    rows.sharpness[10:20], rows.mouth_margin[15:18], rows.origin[30] = 0.01, -0.5, NONE
    rows.shot[25:], rows.faces[35:] = 1, 2
    return UsabilityReport.of(rows, fps=Fraction(25))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    frames = (np.full((64, 96, 3), 6 * number, np.uint8) for number in range(COUNT))
    return probe(write_video(tmp_path_factory.mktemp("grün") / "Übung.mp4", frames, fps=Fraction(25)))


def colours_in(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in np.unique(picture.reshape(-1, 3), axis=0).tolist()}


def test_a_frame_with_two_reasons_shows_both(report):
    strip = draw_strip(kinds_of(report), (COUNT, 10))
    assert {tuple(colour) for colour in strip[:, 12].tolist()} == {COLOURS["blurred"]}
    assert strip[:5, 16].tolist() == 5 * [list(COLOURS["blurred"])]
    assert strip[5:, 16].tolist() == 5 * [list(COLOURS["cut_off"])]
    assert strip[:, 30].tolist() == 10 * [list(COLOURS["no_face"])]
    assert strip[:, 36].tolist() == 10 * [list(GOOD)]


def test_a_decision_hides_the_reasons_and_they_leave_the_legend(report):
    decided = report.drop("15-17").keep("30")
    assert list(kinds_of(decided)) == ["can be used", "dropped by hand", "blurred"]
    strip = draw_strip(kinds_of(decided), (COUNT, 10))
    assert tuple(strip[5, 16].tolist()) == BY_HAND
    assert tuple(strip[5, 30].tolist()) == GOOD


@pytest.mark.parametrize("width", [7, 40, 41, 1000])
def test_no_single_frame_is_lost_in_a_long_clip(report, width):
    assert colours_in(draw_strip(kinds_of(report), (width, 12))) == {COLOUR_OF[name] for name in kinds_of(report)}
    mask = np.zeros(5000, bool)
    mask[3171] = True
    strip = draw_strip({"can be used": ~mask, "no face": mask}, (width, 12))
    assert COLOURS["no_face"] in colours_in(strip)


def test_every_colour_of_the_legend_is_drawn(report, clip):
    sheet = sheets.contact_sheet(clip, report)
    strip = sheet[sheets.TITLE_PX + sheets.MARGIN : sheets.LEGEND_TOP - sheets.TEXT_PX - sheets.MARGIN]
    named = {COLOUR_OF[name] for name in kinds_of(report) | marks_of(report)}
    assert named == {colour for colour in COLOUR_OF.values() if colour in colours_in(strip)}
    assert named <= colours_in(sheet[sheets.LEGEND_TOP : sheets.LEGEND_TOP + 2 * sheets.LEGEND_PX])
    assert list(marks_of(report)) == ["several", "scene cut"]


def test_a_report_of_another_length_is_refused(report, clip):
    short = UsabilityReport.of(
        replace(report.measures, **{name: column[:30] for name, column in vars(report.measures).items()}),
        fps=report.fps,
    )
    with pytest.raises(SettingsError, match="30 frames, the clip has 40"):
        sheets.contact_sheet(clip, short)


# --- letters ---


def ink(text: str, letters) -> np.ndarray:
    picture = Image.new("L", (300, 40))
    ImageDraw.Draw(picture).text((2, 2), text, fill=255, font=letters)
    return np.asarray(picture)


def test_letters_that_a_font_lacks_are_put_plainly():
    plain = ImageFont.load_default(20)
    box = ink("\uffff", plain)
    assert drawable("Übung é", plain) == "Ubung e"
    assert drawable("日本.mp4", plain) == "??.mp4"
    assert not np.array_equal(ink(drawable("Ü", plain), plain), box)
    assert np.array_equal(ink("Ü", plain), box)  # the reason for all this


def test_umlauts_are_drawn_where_matplotlib_s_font_is_there():
    pytest.importorskip("matplotlib")
    text = "Übung äöüß é Żółć Привет"
    assert drawable(text, font(20)) == text
    assert drawable("U\u0308", font(20)) == "Ü"  # as macOS writes file names


def test_without_matplotlib_pillow_s_own_font_is_taken(monkeypatch):
    font.cache_clear()
    monkeypatch.setattr("lipwise.stages.lettering.find_spec", lambda _: None)
    assert font(20).getname() == ImageFont.load_default(20).getname()
    font.cache_clear()
