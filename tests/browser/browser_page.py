"""A browser's page on a notebook, driven as its reader would: menus, clicks and keys."""

import base64
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from browser_servers import Server

# The later ones keep the browser from asking its maker for anything.
FLAGS = ("--no-sandbox", "--disable-gpu", "--mute-audio", "--disable-quic", "--no-first-run")
FLAGS += ("--disable-background-networking", "--disable-component-update", "--disable-sync")
SIZE = {"width": 1280, "height": 900}
BADGE = '<svg xmlns="http://www.w3.org/2000/svg" width="117" height="20"><rect width="117" height="20"/></svg>'
MEASURES = Path(__file__).with_name("measures.js")
SAME, NEAR_PX = 4, 9  # levels of 0 to 255 by which two pictures may differ in a square of so many px: nobody sees it
ANSWER_S = 60  # within which a widget answers, on a machine that has other things to do


@dataclass
class Heard:
    """What a page reported while it was open."""

    errors: list[str] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)  # addresses beyond this machine that were asked for

    def listen(self, page: Any, server: Server, noise: dict[str, str]) -> None:
        """Collect from a page. The badges' picture, which lies elsewhere, is drawn here.

        Args:
            noise: part of a message that no notebook causes -> why it is not counted.
        """

        def say(kind: str, text: str, url: str = "") -> None:
            line = f"{text} ({url})" if url else text
            if kind == "error" and not any(known in line for known in noise):
                self.errors.append(line)

        def answer(route: Any) -> None:
            url = route.request.url
            if url.startswith((server.address, "data:", "blob:")):
                route.continue_()
            elif url.endswith("colab-badge.svg"):
                route.fulfill(body=BADGE, content_type="image/svg+xml")
            else:
                self.strangers.add(url)
                route.abort()

        page.on("console", lambda said: say(said.type, said.text, said.location.get("url", "")))
        page.on("pageerror", lambda error: say("error", str(error)))
        page.route("**/*", answer)


def why_no_driver() -> str:
    """Why the driver cannot run, which is a program of Node.js; nothing where it can."""
    from playwright._impl._driver import compute_driver_executable
    from playwright.sync_api import Error

    try:
        node = Path(compute_driver_executable()[0])
    except Error as error:
        return str(error)
    return "" if os.access(node, os.X_OK) else f"{node} is not there or cannot be run"


@contextmanager
def browser(chromium: Path) -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(chromium), args=FLAGS)
        try:
            yield opened
        finally:
            opened.close()


def decoded(content: bytes) -> np.ndarray:
    """A PNG or JPEG as (H, W, 3) or (H, W, 4), blue first."""
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def differ(one: bytes, other: bytes) -> bool:
    """Whether two pictures show something else."""
    first, second = decoded(one), decoded(other)
    return first.shape != second.shape or float(cv2.blur(cv2.absdiff(first, second), (NEAR_PX, NEAR_PX)).max()) > SAME


class Part:
    """An element of a page."""

    def __init__(self, page: Any, element: Any) -> None:
        self.page, self.element = page, element

    def all(self, selector: str) -> list["Part"]:
        """The visible elements in it, of a CSS selector."""
        return [Part(self.page, one) for one in self.element.query_selector_all(selector) if one.is_visible()]

    def one(self, selector: str) -> "Part":
        """The only visible element in it, of a CSS selector."""
        (found,) = self.all(selector)
        return found

    def button(self, words: str) -> "Part":
        """The button whose words begin so."""
        (found,) = [one for one in self.all("button") if one.words.startswith(words)]
        return found

    @property
    def words(self) -> str:
        return self.element.inner_text().strip()

    @property
    def has_focus(self) -> bool:
        return self.element.evaluate("one => one === document.activeElement")

    def click(self) -> None:
        self.element.scroll_into_view_if_needed()
        self.element.click()

    def content(self) -> bytes:
        """The file behind a picture; nothing where it could not be loaded."""
        return base64.b64decode(self.element.evaluate("measures.content"))

    def until(self, true: Callable[[], object], what: str | Callable[[], str], *, seconds: float | None = None) -> None:
        """Let the page go on until something is so.

        Raises:
            AssertionError: it was not so in time.
        """
        wait_until(self.page, true, seconds=seconds, what=what)

    def screenshot(self, path: Path) -> np.ndarray:
        """Its picture (H, W, 3), kept in a file too."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return decoded(self.element.screenshot(path=path, animations="disabled"))[..., :3]


def wait_until(
    page: Any, true: Callable[[], object], *, seconds: float | None = None, what: str | Callable[[], str]
) -> None:
    """Let a page go on until something is so.

    Args:
        what: has to be so, in words, or what gives them when it is not.

    Raises:
        AssertionError: it was not so in time.
    """
    seconds = ANSWER_S if seconds is None else seconds
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"not within {seconds} s: {what() if callable(what) else what}"
        page.wait_for_timeout(100)


class Slider(Part):
    """A slider of ipywidgets, and the box that it stands in."""

    @property
    def box(self) -> Part:
        """The nearest box round it that shows a picture, or else the nearest box."""
        closest = "one => one.closest('.widget-vbox:has(img)') ?? one.closest('.widget-vbox') ?? one.parentElement"
        return Part(self.page, self.element.evaluate_handle(closest).as_element())

    @property
    def value(self) -> str:
        return self.one(".widget-readout").words

    @property
    def handle(self) -> Part:
        return self.all(".noUi-handle, .ui-slider-handle")[0]

    @property
    def about(self) -> str:
        return f"the slider {self.words!r}"

    def shown(self) -> bytes | str:
        """What its box shows: its largest picture, or its words where there is none."""
        pictures = self.box.all("img")
        return max(pictures, key=Slider._area).content() if pictures else self.words_beside

    @property
    def words_beside(self) -> str:
        """The words of its box without its own, which change when nothing listens too."""
        return self.box.words.replace(self.words, "", 1)

    def changed(self, before: bytes | str) -> bool:
        """Whether its box shows something else by now."""
        now = self.shown()
        return differ(before, now) if isinstance(before, bytes) and isinstance(now, bytes) else before != now

    def drag(self, share: float) -> None:
        """Pull its handle to a share of its way, with the mouse."""
        handle, track = self.handle, self.one(".noUi-base, .ui-slider")
        handle.element.scroll_into_view_if_needed()
        begin, way = handle.element.bounding_box(), track.element.bounding_box()
        middle = begin["y"] + begin["height"] / 2
        self.page.mouse.move(begin["x"] + begin["width"] / 2, middle)
        self.page.mouse.down()
        self.page.mouse.move(way["x"] + share * way["width"], middle, steps=5)
        self.page.mouse.up()

    @staticmethod
    def _area(picture: Part) -> float:
        size = picture.element.bounding_box()
        return size["width"] * size["height"]
