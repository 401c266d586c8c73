"""A list of weights as YAML, read so that whatever is wrong with it is told with its line."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import yaml
from yaml.composer import ComposerError

DEEPEST = 20  # levels; a list has five, and thousands of them would run Python out of its stack
SHOWN = 40  # characters of a value in a message
# What yaml's own readers of numbers, dates and the like let through when a value is none.
_NO_VALUE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class ListError(Exception):
    """Why a list cannot be read, with the line."""


class Named(NamedTuple):
    """A name at the outermost level of a list, and what stands below it."""

    name: object
    written: str
    values: object
    line: int


def read_list(path: Path) -> list[Named]:
    """What a list holds.

    Raises:
        ListError: it is no text, no YAML, or holds no entries by name.
        OSError: it cannot be opened.
    """
    text = _text(path.read_bytes())
    try:
        loader = _StrictLoader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ListError("it holds no entries by name")
        values = loader.construct_document(node)
        keys = {loader.construct_object(key): key for key, _ in node.value}  # with what `<<` has brought
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ListError(f"line {line}: the character #x{error.character:04x}: {error.reason}") from error
    except yaml.YAMLError as error:
        raise ListError(_where(error)) from error
    if not isinstance(values, dict):  # such as !!set
        raise ListError("it holds no entries by name")
    return [Named(name, keys[name].value, below, keys[name].start_mark.line + 1) for name, below in values.items()]


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ListError(f"line {line}: {error}") from error


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is there twice, which YAML readers otherwise let the last one win; gives all faults a line."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > DEEPEST:
            mark = self.peek_event().start_mark
            raise ComposerError(problem="it is nested too deeply for a list", problem_mark=mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except _NO_VALUE as error:
            _refuse(node, f"{_shown(node)} is no {node.tag.rpartition(':')[2]} ({error})", error)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                _refuse(key, "a name has to be a word, no list and no mapping")
            if key.value in seen:
                _refuse(key, f"{key.value} is there twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _refuse(node: yaml.Node, said: str, error: Exception | None = None) -> NoReturn:
    raise yaml.constructor.ConstructorError(problem=said, problem_mark=node.start_mark) from error


def _shown(node: yaml.Node) -> str:
    text = node.value if isinstance(node.value, str) else "it"
    return repr(text) if len(text) <= SHOWN else repr(text[:SHOWN]) + "..."


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else str(problem)
