"""The reviewer shows every frame, jumps between bad runs, and decides by the report's pure methods."""

from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest

from lipwise.errors import SettingsError
from lipwise.faces.track import DETECTED, NONE, FaceTrack
from lipwise.media.probe import probe
from lipwise.media.write import write_video
from lipwise.notebook import review
from lipwise.notebook.reviewer import FrameReviewer
from lipwise.stages.measures import FrameMeasures
from lipwise.stages.reason_strip import BY_HAND, COLOURS, GOOD
from lipwise.stages.usability import UsabilityReport

COUNT = 20
ABSENT, TURNED = slice(5, 8), slice(12, 13)


def report_of(count: int = COUNT) -> UsabilityReport:
    """Nobody in the frames 5 to 7, a turned head in 12."""
    kinds = {"faces": np.int32, "origin": np.uint8, "shot": np.int32, "elsewhere": bool}
    columns = {entry.name: np.zeros(count, kinds.get(entry.name, np.float32)) for entry in fields(FrameMeasures)}
    good = {"eyes_px": 60, "sharpness": 1, "bright": 200, "mouth_margin": 1, "origin": DETECTED}
    for name, value in good.items():
        columns[name][:] = value
    columns["origin"][ABSENT] = NONE
    columns["yaw_deg"][TURNED] = 60
    columns["yaw_deg"][6:7] = 60  # a second reason
    return UsabilityReport.of(FrameMeasures(**columns), fps=Fraction(25))


def track_of(rotation: int = 0) -> FaceTrack:
    boxes = np.tile(np.float32([30, 20, 60, 60]), (COUNT, 1))
    origin = np.full(COUNT, DETECTED, np.uint8)
    boxes[ABSENT], origin[ABSENT] = np.nan, NONE
    return FaceTrack(
        boxes,
        np.full((COUNT, 5, 2), 40, np.float32),
        np.ones(COUNT, np.float32),
        origin,
        np.zeros(COUNT, np.int32),
        np.ones(1, np.int32),
        (64, 96) if rotation else (96, 64),
        rotation=rotation,
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Frame n is a grey of 10 n."""
    greys = (np.full((64, 96, 3), 10 * number, np.uint8) for number in range(COUNT))
    return probe(write_video(tmp_path_factory.mktemp("greys") / "clip.mp4", greys, fps=Fraction(25), quality=5))


@pytest.fixture
def shown(clip):
    return FrameReviewer(clip, report_of(), track=track_of())


# --- what it does without a browser ---


def test_bad_runs_are_found_before_and_after_a_frame():
    report = report_of()
    after = [review.next_bad(report, frame) for frame in (0, 4, 5, 7, 12, 19)]
    assert after == [5, 5, 12, 12, None, None]
    before = [review.previous_bad(report, frame) for frame in (0, 5, 6, 12, 13, 19)]
    assert before == [None, None, 5, 5, 12, 12]


def test_a_clip_without_bad_frames_has_nowhere_to_jump():
    report = report_of().keep("5-7, 12")
    assert review.next_bad(report, 0) is review.previous_bad(report, 19) is None


@pytest.mark.parametrize(("frame", "run"), [(0, (0, 5)), (6, (5, 8)), (12, (12, 13)), (19, (13, 20))])
def test_the_run_round_a_frame(frame, run):
    found = review.run_at(report_of(), frame)
    assert (found.start, found.stop) == run


def test_a_toggle_drops_what_is_used_and_keeps_what_is_not():
    report = report_of()
    assert review.toggled(report, 0, at=0).code == '.drop("0")'
    assert review.toggled(report, slice(5, 8), at=5).code == '.keep("5-7")'
    assert report.edits == ()


def test_the_strip_shows_reasons_decisions_and_the_cursor():
    strip = review.strip(report_of().drop("15").keep("12"), 2)
    assert strip.shape == (26, 1000, 3)
    at = {number: tuple(strip[13, 50 * number + 25].tolist()) for number in (0, 6, 12, 15)}
    assert at == {0: GOOD, 6: COLOURS["turned"], 12: GOOD, 15: BY_HAND}
    assert tuple(strip[3, 325].tolist()) == COLOURS["no_face"]  # the first of two reasons, above the second
    assert (strip[13, 124:126] == 255).all()


def test_a_marked_frame_has_its_reason_as_a_border_and_the_box_where_it_is():
    frame = np.full((720, 960, 3), 128, np.uint8)
    boxes = np.tile(np.float32([300, 200, 600, 600]), (COUNT, 1))
    track = track_of()
    object.__setattr__(track, "boxes_xyxy", boxes)
    marked = review.marked(frame, track, report_of(), 12)
    assert marked.shape == (360 + 12, 480 + 12, 3)
    assert tuple(marked[2, 2].tolist()) == COLOURS["turned"]
    assert tuple(marked[6 + 150, 6 + 150].tolist()) == COLOURS["turned"]  # the box's left side
    assert (marked[6 + 150, 6 + 225] == 128).all()  # and its inside
    assert (review.marked(frame, None, report_of(), 12)[6 + 150, 6 + 150] == 128).all()


# --- the widget ---


def test_it_begins_with_the_first_frame_and_nothing_decided(shown):
    assert (shown.slider.value, shown.slider.max) == (0, COUNT - 1)
    assert bytes(shown.picture.value).startswith(b"\xff\xd8")
    assert bytes(shown.strip.value).startswith(b"\x89PNG")
    assert shown.picture.layout.align_self == "flex-start"  # else stretched to the page, the buttons far below
    assert shown.code() == ""
    assert "<b>16</b> of 20 frames remain, 0.64 s" in shown.count.value
    assert (shown.previous.disabled, shown.next.disabled, shown.undo.disabled) == (True, False, True)


def test_scrubbing_shows_another_frame_and_why(shown):
    before = bytes(shown.picture.value)
    shown.slider.value = 12
    assert bytes(shown.picture.value) != before
    assert "<b>not used</b> (turned)" in shown.about.value
    assert shown.toggle.description == "Keep this frame"


def test_next_and_previous_jump_to_the_first_frames_of_bad_runs(shown):
    places = []
    for button in (shown.next, shown.next, shown.next, shown.previous, shown.previous):
        button.click()
        places.append(shown.slider.value)
    assert places == [5, 12, 12, 5, 5]


def test_buttons_decide_and_say_the_equal_code(shown):
    shown.next.click()
    shown.toggle_run.click()
    shown.slider.value = 0
    shown.toggle.click()
    assert shown.code() == 'report = report.keep("5-7").drop("0")'
    assert "<b>18</b> of 20" in shown.count.value
    again = eval(shown.code().removeprefix("report = "), {"report": shown.given})  # what a reader would paste
    assert np.array_equal(again.usable, shown.report.usable)
    assert shown.given.edits == ()


def test_undo_takes_back_one_decision_and_never_the_given_ones(clip):
    shown = FrameReviewer(clip, report_of().drop("3"))
    shown.toggle.click()
    assert shown.code() == 'report = report.drop("0")'
    assert not shown.undo.disabled
    for _ in range(3):
        shown.undo.click()
    assert shown.report.code == '.drop("3")'
    assert shown.undo.disabled


def test_ranges_are_kept_and_dropped_as_written(shown):
    shown.ranges.value = "0-1, 19"
    shown.drop_ranges.click()
    assert shown.report.code == '.drop("0-1, 19")'
    assert shown.ranges.value == ""
    shown.ranges.value = "19"
    shown.keep_ranges.click()
    assert shown.report.usable[19]


@pytest.mark.parametrize("text", ["7-3", "20", "<b>", "-4"])
def test_ranges_that_are_none_are_told_and_change_nothing(shown, text):
    shown.ranges.value = text
    shown.drop_ranges.click()
    assert shown.report is shown.given
    assert "next:" in shown.message.value
    assert "<b>" not in shown.message.value
    assert shown.ranges.value == text  # to be corrected
    shown.slider.value = 3
    assert shown.message.value == ""


def test_a_decision_that_changes_nothing_takes_no_step_of_undo(shown):
    for _ in range(2):
        shown.ranges.value = "0-1"
        shown.drop_ranges.click()
    assert shown.report.code == '.drop("0-1")'
    assert "Nothing changed" in shown.message.value
    shown.ranges.value = " "
    shown.keep_ranges.click()
    assert shown.report.code == '.drop("0-1")'
    shown.undo.click()
    assert shown.report.code == ""
    assert shown.message.value == ""


@pytest.mark.parametrize(("frame", "button"), [(6, "toggle_run"), (12, "toggle_run"), (6, "toggle"), (0, "toggle")])
def test_a_double_click_leaves_all_as_it_was(shown, frame, button):
    shown.slider.value = frame
    before = getattr(shown, button).description
    getattr(shown, button).click()
    assert len(shown.report.edits) == 1
    assert getattr(shown, button).description.startswith("Take back ")
    getattr(shown, button).click()
    assert np.array_equal(shown.report.usable, shown.given.usable)
    assert shown.report.edits == ()
    assert getattr(shown, button).description == before


def test_a_button_stays_on_its_run_until_anything_else_is_done(shown):
    shown.slider.value = 6
    shown.toggle_run.click()
    assert shown.toggle_run.description == "Take back 5-7"
    assert shown.toggle.description == "Drop this frame"
    shown.toggle.click()  # another decision
    assert shown.toggle_run.description == "Keep frame 6"
    shown.slider.value = 5
    assert (shown.toggle.description, shown.toggle_run.description) == ("Drop this frame", "Drop 0-5")
    assert shown.report.code == '.keep("5-7").drop("6")'


def test_a_report_of_another_length_is_refused(clip):
    with pytest.raises(SettingsError, match="19 frames, the clip has 20"):
        FrameReviewer(clip, report_of(19))


def test_a_clip_that_lies_on_its_side_is_shown_upright(clip):
    lying = FrameReviewer(clip, report_of(), track=track_of(rotation=90))
    assert lying.frame(3).shape == (96, 64, 3)


def test_one_frame_can_be_reviewed(clip):
    shown = FrameReviewer(clip.part(0, 1), report_of(1))
    shown.toggle.click()
    assert shown.report.count == 0
    assert (shown.previous.disabled, shown.next.disabled) == (True, True)


def test_without_a_kernel_it_says_what_stands_in(shown):
    assert "contact_sheet" in repr(shown)
