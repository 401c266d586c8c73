"""What the tests of a lesson and those of the small notebooks do with a page alike."""

import re
from pathlib import Path

import numpy as np
from browser_notebooks import NotebookPage
from browser_page import Part, Slider, decoded

from lipwise.media.probe import probe
from lipwise.notebook.show import PREVIEW_S

STEADY = 0.1  # s by which a player's length may be off: an encoder's delay
TALL_PX = 1800  # of a window in which the longest output has room
STRIP_PX = 40  # a lower picture is a coloured strip, which may be stretched
LEAST_PX = 100  # width of a picture in which something can be seen
OTHERWISE = {"generator": "stand-in", "region": "mouth"}  # menu -> a choice under which each slider beside it counts
LEAST_SPREAD = 1.5  # standard deviation in levels of 0 to 255; below it a picture is empty


def move_with_the_mouse(slider: Slider) -> None:
    """Pull a slider along; what its box shows changes with it."""
    for share in (0.7, 0.2):
        value, shown = slider.value, slider.shown()
        slider.drag(share)
        slider.until(lambda was=value: slider.value != was, f"{slider.about} moves")
        slider.until(lambda was=shown: slider.changed(was), f"what {slider.about} shows changes")


def move_with_keys(notebook: NotebookPage, slider: Slider) -> None:
    """Reach a slider by Tab and move it by an arrow key; what its box shows changes with it."""
    value, before = slider.value, (slider.shown(), slider.words_beside)
    assert notebook.tab_to(slider) is not None, f"Tab does not lead to {slider.about}"
    notebook.page.keyboard.press("ArrowRight")
    slider.until(lambda: slider.value != value, f"{slider.about} moves by an arrow key")
    slider.until(lambda: (slider.shown(), slider.words_beside) != before, f"what {slider.about} shows changes")


def keep_and_drop(reviewer: Part) -> None:
    """Drop or keep a frame of a reviewer, take it back, go to a bad frame and keep that."""

    def count() -> int:
        return int(re.search(r"(\d+) of \d+ frames remain", reviewer.words)[1])

    def toggle_and_undo() -> None:
        before = count()
        (toggle,) = [one for one in reviewer.all("button") if one.words.endswith("this frame")]
        change = -1 if toggle.words.startswith("Drop") else 1
        toggle.click()
        reviewer.until(lambda: count() == before + change, f"the count goes from {before} to {before + change}")
        assert re.search(r"= \w+\.(drop|keep)\(", reviewer.words), "the line of code does not say what was decided"
        reviewer.button("Undo").click()
        reviewer.until(lambda: count() == before, f"the count goes back to {before}")

    toggle_and_undo()
    way = "Next bad" if reviewer.button("Next bad").element.is_enabled() else "Previous bad"
    reviewer.button(way).click()
    reviewer.until(lambda: "not used" in reviewer.words, "a bad frame is shown")
    toggle_and_undo()


def play(video: Part) -> None:
    """Play a video by a click; it is as long as its file, moves on and shows something."""

    def has(what: str) -> float:
        return video.element.evaluate(f"one => one.{what}")

    video.element.scroll_into_view_if_needed()
    video.until(lambda: has("readyState") >= 2, "the video can be played")
    caption = video.element.evaluate("one => one.closest('figure').querySelector('figcaption').textContent")
    preview = re.search(r"a preview of the first ([\d.]+) s", caption)
    expected = float(preview[1]) if preview else probe(Path(caption.split(": ")[0])).duration_s
    if "here a preview" in caption:
        expected = min(expected, PREVIEW_S)
    assert abs(has("duration") - expected) < STEADY, f"{caption}: {has('duration')} s on the page, {expected} s in it"
    size = video.element.bounding_box()
    video.element.click(position={"x": size["width"] / 2, "y": size["height"] / 8})  # above its buttons
    video.until(lambda: has("currentTime") > 0.1 or has("ended"), f"{caption}: it plays")
    video.element.evaluate("one => one.pause()")
    assert has("getVideoPlaybackQuality().totalVideoFrames") > 0, f"{caption}: no frame was decoded"
    assert decoded(video.element.screenshot())[..., :3].std() > LEAST_SPREAD, f"{caption}: an empty picture"


def look_at_pictures(notebook: NotebookPage) -> list[str]:
    """What is wrong with the pictures in the outputs: broken, empty, tiny, stretched or transparent."""
    parts = [picture for output in notebook.outputs for picture in output.all("img")]
    return [fault for part, size in zip(parts, notebook.measure("pictures"), strict=True) for fault in _of(part, size)]


def _of(part: Part, size: dict) -> list[str]:
    content = part.content()
    if not content:
        return [f"{size['where']} is broken"]
    picture = decoded(content)
    stretch = size["width"] / size["height"] * size["own_height"] / size["own_width"]
    faults = {
        "is empty": picture[..., :3].std() < LEAST_SPREAD,
        "is too small": size["width"] < LEAST_PX,
        f"is stretched by {stretch:.2f}": abs(stretch - 1) > 0.02 and size["height"] > STRIP_PX,
        "is transparent": picture.shape[2] == 4 and np.mean(picture[..., 3] < 255) > 0.01,
    }
    return [f"{size['where']} {fault}" for fault, is_so in faults.items() if is_so]


def open_answer(answer: Part) -> None:
    """A question's answer cannot be seen before its line is clicked, and can be seen after."""

    def height() -> float:
        return answer.element.bounding_box()["height"]

    line = answer.one("summary").element.bounding_box()["height"]
    assert height() < 1.5 * line
    answer.one("summary").click()
    answer.until(lambda: height() > 1.5 * line, "the answer shows")


def choose_otherwise(choice: Part) -> None:
    """Take another of a menu's choices; what stands round the menu changes with it."""
    menu = choice.one("select")
    around = Slider(choice.page, choice.element)
    before = around.shown()
    menu.element.select_option(label=OTHERWISE[choice.one("label, .widget-label").words])
    choice.until(lambda: around.changed(before), f"the menu {choice.words!r} changes what is shown")


def press_all_before_and_after(box: Part) -> None:
    """The buttons that show all of one picture, with the mouse and with the keys."""
    for words, key in (("All before", None), ("All after", "Enter"), ("All before", "Space")):
        slider = Slider(box.page, box.all(".widget-slider")[-1].element)
        before, button = slider.shown(), box.button(words)
        if key is None:
            button.click()
        else:
            button.element.focus()
            button.page.keyboard.press(key)
        slider.until(lambda was=before, one=slider: one.changed(was), f"{words!r} changes the picture")
