"""`lipwise doctor`: what is installed."""

import sys

import lipwise


def doctor() -> None:
    """Say what is installed and what is missing, with the next step; ends with status 1 if a run could not work."""
    found = lipwise.environment()
    sys.stdout.write(f"{found}\n")
    if found.lacks:
        raise SystemExit(1)
