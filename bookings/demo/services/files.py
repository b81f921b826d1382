"""Load the demonstration's YAML files from bookings/demo/services/data, and provide random numbers that are
the same every time."""

import random
from pathlib import Path
from typing import Any

from bookings.world import read

FOLDER = Path(__file__).parent / "data"
SEED = "instrument commons"


def load(name: str) -> Any:
    """Return the contents of a file, which is read only once."""
    return read(FOLDER / f"{name}.yaml")


def chance(*about: str) -> random.Random:
    """Return a separate random source for each subject, so that a draw for one does not change the others."""
    return random.Random(":".join([SEED, *about]))  # noqa: S311 - a demonstration, no secrets


def written(texts: dict[str, list[str]], language: str, luck: random.Random) -> str:
    """Return one of several texts at random, in the person's language."""
    return luck.choice(texts["zh" if language == "zh-hans" else "en"])
