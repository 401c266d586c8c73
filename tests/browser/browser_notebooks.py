"""A notebook in JupyterLab and in the classic notebook: opened, run and read."""

import json
import math
import re
from pathlib import Path
from typing import Any, ClassVar

from browser_page import MEASURES, SIZE, Heard, Part, Slider, wait_until
from browser_servers import Server

OPEN_S, RUN_S = 90, 600
FIXED = "[disabled], .ui-slider-disabled, .ui-state-disabled"  # in a slider that is switched off
MOST_TABS = 40  # from a cell's head to a slider in its output


class NotebookPage(Part):
    """An open notebook."""

    # An address and CSS selectors.
    address, cell, code_cell, prompt, output, code_output, error, scrolled = "", "", "", "", "", "", "", ""
    noise: ClassVar[dict[str, str]] = {}

    def __init__(self, browser: Any, server: Server, path: Path) -> None:
        self.server, self.path, self.heard = server, path, Heard()
        page = browser.new_page(viewport=SIZE)
        self.heard.listen(page, server, self.noise)
        page.on("dialog", lambda asked: asked.accept())  # leave the page without saving
        page.add_init_script(path=MEASURES)
        page.goto(server.url(f"{self.address.format(path.stem)}/{path.relative_to(server.folder).as_posix()}"))
        page.wait_for_selector(self.code_cell, timeout=1000 * OPEN_S)
        super().__init__(page, page.query_selector("body"))
        self.wait_for_kernel()

    def close(self) -> None:
        """Close the page and end its kernel."""
        self.page.close()
        self.server.stop_kernels()

    def wait_for_kernel(self) -> None:
        raise NotImplementedError

    def choose_run_all(self) -> None:
        raise NotImplementedError

    def run_all(self) -> None:
        """Run every cell and wait until the last has run or one has failed."""
        self.choose_run_all()
        wait_until(self.page, self._begun, what="the first cell begins")
        wait_until(self.page, lambda: not self._waiting(), seconds=RUN_S, what=f"{self.path.name} ends")
        self.page.wait_for_timeout(1000)  # widgets and pictures are drawn after the kernel's last word

    def _prompts(self) -> list[str]:
        return self.page.eval_on_selector_all(self.prompt, "all => all.map(one => one.textContent)")

    def _begun(self) -> bool:
        return any(character in prompt for prompt in self._prompts() for character in "*123456789")

    def _waiting(self) -> bool:
        return any("*" in prompt for prompt in self._prompts())

    @property
    def never_run(self) -> int:
        """Code cells whose brackets are empty; a folded cell shows none."""
        return sum(bool(re.search(r"\[\s*\]", prompt)) for prompt in self._prompts())

    @property
    def errors(self) -> list[str]:
        """The tracebacks that stand on the page."""
        return [part.words for part in self.all(self.error)]

    @property
    def sliders(self) -> list[Slider]:
        """Those that can be moved."""
        parts = [part for part in self.all(".widget-slider") if not part.element.query_selector(FIXED)]
        return [Slider(part.page, part.element) for part in parts]

    @property
    def menus(self) -> list[Part]:
        """The menus of widgets."""
        return self.all(".widget-dropdown")

    @property
    def videos(self) -> list[Part]:
        return self.all(f"{self.output} video")

    @property
    def outputs(self) -> list[Part]:
        """The outputs of its code cells, those of a cell together."""
        return self.all(self.code_output)

    def box(self, button: str) -> Part:
        """The outermost box round the only button whose words begin so."""
        outermost = "one => [...document.querySelectorAll('.widget-vbox')].find(box => box.contains(one))"
        return Part(self.page, self.button(button).element.evaluate_handle(outermost).as_element())

    def measure(self, name: str, *given: object) -> list[Any]:
        """One of the measures of measures.js."""
        return self.page.evaluate(f"measures.{name}({', '.join(map(json.dumps, given))})")

    def scroll_to(self, screen: int) -> int:
        """Show one screen of the lesson, counted from 0; how many there are."""
        scroll = "(one, screen) => [one.scrollTo(0, screen * one.clientHeight), one.scrollHeight / one.clientHeight]"
        screens = self.page.eval_on_selector(self.scrolled, scroll, screen)[1]
        self.page.wait_for_timeout(100)  # it is drawn
        return math.ceil(screens)

    def tab_to(self, slider: Slider) -> int | None:
        """Press Tab from before a slider until the slider has the focus; how often, or None."""
        self.focus_before(slider)
        for count in range(1, MOST_TABS + 1):
            self.page.keyboard.press("Tab")
            if slider.handle.has_focus:
                return count
        return None

    def focus_before(self, slider: Slider) -> None:
        """Select the cell of a slider as a click beside its output does."""
        row = slider.element.evaluate_handle(f"one => one.closest({self.cell!r})").as_element()
        head = row.query_selector(self.prompt.split()[-1])
        slider.handle.element.evaluate("one => one.blur()")  # such a click takes the focus from no slider that has it
        head.scroll_into_view_if_needed()
        head.click()
        # Where the cell was selected before, the click moves no focus, and Tab would go on behind the slider.
        head.evaluate("one => ((one.tabIndex = -1), one.focus())")


class LabPage(NotebookPage):
    """A notebook in JupyterLab."""

    address = "lab/workspaces/{}/tree"  # in a workspace of its own, or those opened before come back
    cell, code_cell, prompt = ".jp-CodeCell", ".jp-NotebookPanel .jp-CodeCell", ".jp-CodeCell .jp-InputPrompt"
    output, code_output = ".jp-OutputArea-output", ".jp-CodeCell .jp-Cell-outputArea"
    scrolled = ".jp-WindowedPanel-outer"
    error = '.jp-OutputArea-output:has-text("Traceback (most recent call last)")'

    def wait_for_kernel(self) -> None:
        self.page.wait_for_selector("text=/\\| Idle$/", timeout=1000 * OPEN_S)

    def choose_run_all(self) -> None:
        self.menu("Run", "runmenu:run-all")

    def menu(self, title: str, command: str) -> None:
        """Choose from a menu by a command's name."""
        self.page.click(f'.lm-MenuBar-item:has-text("{title}")')
        self.page.click(f'.lm-Menu-item[data-command="{command}"]')

    def turn(self, theme: str) -> None:
        """Choose a theme, "Light" or "Dark", from the menu; it holds for all pages of the server."""
        self.page.click('.lm-MenuBar-item:has-text("Settings")')
        self.page.hover('.lm-Menu-item[data-type="submenu"]:has-text("Theme") >> nth=0')
        named = f'.lm-Menu-item[data-command="apputils:change-theme"]:has-text("JupyterLab {theme}")'
        self.page.click(f"{named} >> nth=0")
        self.page.wait_for_selector(f'body[data-jp-theme-name="JupyterLab {theme}"]', state="attached")
        self.page.wait_for_timeout(500)  # colours fade over

    def close(self) -> None:
        if self.page.query_selector('body[data-jp-theme-light="false"]'):
            self.turn("Light")
        super().close()


class ClassicPage(NotebookPage):
    """A notebook in the classic notebook of the versions 6."""

    address = "notebooks"
    cell, code_cell, prompt = "div.code_cell", "#notebook div.code_cell", "div.code_cell .input_prompt"
    output, code_output = "div.output_subarea", "div.code_cell div.output_wrapper"
    error, scrolled = "div.output_error", "#site"

    def wait_for_kernel(self) -> None:
        self.page.wait_for_function(
            "() => window.Jupyter?.notebook?.kernel?.is_connected() && !!document.querySelector('.kernel_idle_icon')",
            timeout=1000 * OPEN_S,
        )

    def tab_to(self, slider: Slider) -> int | None:
        """Tab away from a slider and back. From a cell's head it leads into editors that keep it."""
        slider.handle.click()
        self.page.keyboard.press("Tab")
        away = not slider.handle.has_focus
        self.page.keyboard.press("Shift+Tab")
        return 2 if away and slider.handle.has_focus else None

    def choose_run_all(self) -> None:
        self.page.click("#celllink")
        self.page.click("#run_all_cells a")
