"""What the demonstration is made of: YAML files in bookings/demo/services/data, and chance that is
the same every time."""

import random
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "data"
SEED = "instrument commons"


@cache
def load(name: str) -> Any:
    """The content of a file, read once."""
    return yaml.load((FOLDER / f"{name}.yaml").read_bytes(), yaml.CSafeLoader)


def chance(*about: str) -> random.Random:
    """A source of chance of its own for each matter: one more draw here changes nothing there."""
    return random.Random(":".join([SEED, *about]))  # noqa: S311 - a demonstration, no secrets


def written(texts: dict[str, list[str]], language: str, luck: random.Random) -> str:
    """One of the texts, in a person's language."""
    return luck.choice(texts["zh" if language == "zh-hans" else "en"])
