"""A built notebook as the linter's rules see it: its texts, headings, links and badges."""

import ast
import json
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FIELD = re.compile(r'# @param (\[.+\]|\{type:"(?:string|number|integer|boolean)"\})$')


@dataclass(frozen=True)
class Lesson:
    """A notebook as it stands in its folder, and the project's place on GitHub, such as OWNER/lipwise."""

    path: Path
    book: dict[str, Any]
    place: str

    @cached_property
    def code(self) -> list[str]:
        return [text_of(cell) for cell in self.book["cells"] if cell["cell_type"] == "code"]

    @cached_property
    def prose(self) -> list[str]:
        return [text_of(cell) for cell in self.book["cells"] if cell["cell_type"] == "markdown"]

    @cached_property
    def headings(self) -> list[str]:
        return re.findall(r"^#+ .+$", "\n\n".join(self.prose), re.MULTILINE)

    @cached_property
    def steps(self) -> dict[str, list[str]]:
        """Second-level headings -> the code below each, up to the next one."""
        steps: dict[str, list[str]] = {}
        for cell in self.book["cells"]:
            if cell["cell_type"] == "markdown":
                steps |= {heading: [] for heading in re.findall(r"^## .+$", text_of(cell), re.MULTILINE)}
            elif steps:
                steps[list(steps)[-1]].append(text_of(cell))
        return steps

    @cached_property
    def links(self) -> list[str]:
        return re.findall(r"\]\(([^)\s]+)\)", "\n\n".join(self.prose))

    @property
    def root(self) -> Path:
        return self.path.parent.parent

    def badge_of(self, stem: str) -> str:
        address = f"https://colab.research.google.com/github/{self.place}/blob/main/notebooks/{stem}.ipynb"
        return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address})"

    def section(self, start: str) -> str:
        """The text that begins so, or nothing."""
        return next((text for text in self.prose if text.startswith(start)), "")


def text_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def count_words(text: str) -> int:
    text = re.sub(r"\]\([^)]*\)", "]", text)  # neither addresses
    text = re.sub(r"<[^>]+>", " ", text)  # nor tags are words
    return len(re.findall(r"\w[\w'.-]*", text))


def fault_of_field(line: str) -> str | None:
    """What keeps a line from being a field: a name, a plain value, and how Colab asks for it."""
    try:
        (node,) = ast.parse(line).body
        value = ast.literal_eval(node.value) if isinstance(node, ast.Assign) else None
    except (SyntaxError, ValueError):
        return "not one assignment of a plain value"
    asked = FIELD.search(line)
    if value is None or asked is None:
        return "not one assignment with a @param that Colab knows"
    if asked[1].startswith("[") and value not in ast.literal_eval(asked[1]):
        return "the value is none of its choices"
    return None


def anchors(page: Path) -> set[str]:
    """The places of a Markdown page that a link can name: its headings, and `<a name="…">`."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a name="([^"]+)">', text))


def place() -> str:
    """Where the project lives on GitHub, such as OWNER/lipwise."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].removeprefix("https://github.com/")


def read(path: Path) -> Lesson:
    return Lesson(path.resolve(), json.loads(path.read_text(encoding="utf-8")), place())
