"""What a run did, in numbers a person can read and a program can compare."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lipwise.files import written_whole


@dataclass(frozen=True)
class RunReport:
    """The outcome of a run.

    Attributes:
        out: the result.
        frames: frames of the result.
        fps: frames a second of the result.
        size_wh: its size; H.264 makes odd sides even by repeating the last row or column.
        synthesised: frames with new lips.
        passed: frames shown untouched because no face was found in them.
        filled: synthesised frames whose face was interpolated between its neighbours.
        generator, note: what made the mouths, and how good that is.
        remarks: everything that was replaced, repaired or left out.
        seconds: stage -> seconds spent.
    """

    out: Path
    frames: int
    fps: float
    size_wh: tuple[int, int]
    synthesised: int
    passed: int
    filled: int
    generator: str
    note: str
    remarks: tuple[str, ...]
    seconds: dict[str, float]

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, whole or not at all."""
        values = asdict(self) | {"out": str(self.out)}
        with written_whole(Path(path)) as part:
            part.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")

    def __str__(self) -> str:
        total = sum(self.seconds.values())
        lines = [
            f"{self.out}",
            f"  {self.frames} frames, {self.size_wh[0]} x {self.size_wh[1]} at {self.fps:g} a second",
            f"  {self.synthesised} with new lips, {self.passed} without a face passed untouched",
            f"  {self.note}",
        ]
        lines += [f"  note: {remark}" for remark in self.remarks]
        spent = ", ".join(f"{stage} {value:.1f}" for stage, value in self.seconds.items())
        return "\n".join([*lines, f"  {total:.1f} s: {spent}"])
