"""Mark a class's exercises: what each notebook that was handed in says to the lesson's own check.

    python tools/mark_exercises.py FOLDER [--out marks.csv]

FOLDER holds notebooks at any depth; a file belongs to the lesson whose name is part of its own, such as
`ada/02_clean_faces.ipynb` or `Copy_of_02_clean_faces (1).ipynb`. Only the exercise's cell is taken from it: all other
cells, the check too, are those of the lesson here, so a changed check changes nothing. Each notebook gets a kernel of
its own in an empty folder and the time that the lesson takes.

This runs what learners wrote, with your rights: do so in a machine or container that may be thrown away.
"""

import argparse
import csv
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).resolve().parent.parent
CELL_S = 600  # longest time of one cell

spec = importlib.util.spec_from_file_location("build_notebooks", ROOT / "tools" / "build_notebooks.py")
assert spec is not None
assert spec.loader is not None
builder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(builder)


@dataclass(frozen=True)
class Mark:
    """What came of one notebook: solved, unsolved, or broken, and what was said."""

    file: Path
    lesson: str
    mark: str
    said: str


def is_exercise(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type == "code" and "exercise" in cell.metadata.get("tags", ())


def find_answer(handed_in: nbformat.NotebookNode) -> str | None:
    """The learner's cell: by its tag, or by its first line where an editor lost the tags."""
    tagged = [cell.source for cell in handed_in.cells if is_exercise(cell)]
    begun = [cell.source for cell in handed_in.cells if cell.source.startswith("# Write your code here.")]
    return next(iter(tagged or begun), None)


def mark(file: Path, source: Path) -> Mark:
    """Mark one notebook by its lesson's source."""

    def marked(kind: str, said: object = "") -> Mark:
        return Mark(file, source.stem, kind, " ".join(str(said).split()))

    try:
        answer = find_answer(nbformat.read(file, as_version=4))
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as error:
        return marked("broken", f"cannot be read as a notebook: {error}")
    if answer is None:
        return marked("broken", "has no exercise cell")
    lesson = builder.build(source)
    number = next(number for number, cell in enumerate(lesson.cells) if is_exercise(cell))
    lesson.cells[number].source = answer
    lesson.cells = lesson.cells[: number + 2]  # up to the exercise's check
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(lesson, timeout=CELL_S, resources={"metadata": {"path": folder}})
        try:
            client.execute(stderr=subprocess.DEVNULL)  # what kernels say as they start would stand among the marks
        except nbclient.exceptions.CellTimeoutError:
            return marked("unsolved", f"a cell took longer than {CELL_S} s")
        except nbclient.exceptions.DeadKernelError:
            return marked("broken", "the kernel ended while it ran")
        except nbclient.exceptions.CellExecutionError as error:
            before = [cell for cell in lesson.cells[:number] if _failed(cell)]
            said = f"{error.ename}: {error.evalue}"
            return marked("broken", f"the lesson itself fails here, {said}") if before else marked("unsolved", said)
    return marked("solved")


def _failed(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", ()))


def mark_all(folder: Path, sources: list[Path]) -> Iterator[Mark]:
    """Mark every notebook of a folder whose name holds a lesson's."""
    for file in sorted(folder.rglob("*.ipynb")):
        source = next((source for source in sources if source.stem in file.name), None)
        if source is not None and ".ipynb_checkpoints" not in file.parts:
            yield mark(file, source)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, help="also write a table, as CSV")
    asked = parser.parse_args()
    marks = []
    for one in mark_all(asked.folder, builder.sources()):
        marks.append(one)
        sys.stdout.write(f"{one.mark:8s}  {one.file.relative_to(asked.folder)}  {one.said}\n")
        sys.stdout.flush()
    if not marks:
        names = ", ".join(source.stem for source in builder.sources())
        sys.exit(f"{asked.folder} holds no notebook of a lesson; their names hold one of {names}")
    if asked.out:
        with asked.out.open("w", newline="", encoding="utf-8") as table:
            writer = csv.writer(table)
            writer.writerow(["file", "lesson", "mark", "said"])
            writer.writerows([one.file.relative_to(asked.folder), one.lesson, one.mark, one.said] for one in marks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
