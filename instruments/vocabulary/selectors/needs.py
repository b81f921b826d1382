"""Read measurands and techniques for understanding needs, and cache them until they change.

If the encoder is installed (adapters/embedding), a job makes the vectors of the vocabulary and keeps them in
the cache. A web process loads the encoder before it serves (`meanings_load`), any other process on first use;
each looks every second whether there are new vectors, so that all processes answer alike. After a change of
the vocabulary the vectors made before it count until the job has made new ones; before the first ones are
made, and whenever loading fails, only words count.
"""

import logging
import time
from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache
from threading import Lock
from uuid import uuid4

from django.core.cache import cache
from django.db.models import QuerySet

from accounts.replica import on_primary
from accounts.selectors.rows import visible
from instruments.vocabulary.adapters import embedding
from instruments.vocabulary.domain import needs, parameters
from instruments.vocabulary.domain.needs import (
    LONGEST_NEED,
    NeedTerm,
    Understood,
    Vocabulary,
    descriptions,
    vocabulary,
)
from instruments.vocabulary.domain.parameters import Parameters
from instruments.vocabulary.models import Measurand, Parameter
from instruments.vocabulary.selectors.techniques import load_terms

VERSION = "needs.vocabulary"  # in the cache: another value after each change to the vocabulary
# Also in the cache: the vectors of a vocabulary with its digest and codes, and the digest alone.
_VECTORS, _VECTORS_OF = "needs.vectors.coded", "needs.vectors.coded.of"
_AGAIN = 1.0  # seconds until a process looks again for new vectors
_AGAIN_AFTER_FAILURE = 60.0

logger = logging.getLogger(__name__)


def measurands() -> QuerySet[Measurand]:
    """Return all measurands, by name."""
    return Measurand.objects.order_by("name", "code")


def measurand_by_code(code: str) -> Measurand:
    """Return a measurand; `NotFound` if there is none."""
    return visible(measurands(), code=code.replace("\0", ""))


def load_measurands() -> list[needs.Measurand]:
    """Return all measurands as values of the domain, by code."""
    return [
        needs.Measurand(
            row.code,
            row.name,
            row.name_zh,
            row.unit,
            tuple(row.samples),
            tuple(row.techniques),
            tuple(row.lines),
            tuple(row.lines_zh),
            tuple(row.synonyms),
            tuple(row.synonyms_zh),
            row.source,
        )
        for row in Measurand.objects.order_by("code")
    ]


def load_need_terms(text: str) -> list[NeedTerm]:
    """Return the possible meanings of a need in somebody's own words, the likeliest first. It takes three
    statements after the vocabulary has changed, then none."""
    known = load_vocabulary()
    return known.terms_of(text, alike=_held.alike(known, text[:LONGEST_NEED]))


def load_understood(text: str, without: Collection[str] = ()) -> Understood:
    """Return what a search text asks for, as `Understood`, leaving out the terms with the codes `without`. It
    takes three statements after the vocabulary has changed, then none."""
    known = load_vocabulary()
    return known.understood(text, likeness=_held.likeness(known, text[:LONGEST_NEED]), without=without)


def load_parameters() -> Parameters:
    """Return all parameters. One statement after the vocabulary has changed, then none."""
    return _parameters(cache.get(VERSION, ""))


@lru_cache(maxsize=1)
@on_primary()  # services read cached values too
def _parameters(version: str) -> Parameters:
    return read_parameters()


def read_parameters() -> Parameters:
    """Return all parameters from the database, bypassing the cache."""
    return Parameters(
        (
            row.code,
            parameters.Parameter(
                row.code,
                row.name,
                row.name_zh,
                row.unit,
                row.direction,
                {unit: (Decimal(a), Decimal(b)) for unit, (a, b) in row.units.items()},
                tuple(row.synonyms),
                tuple(row.synonyms_zh),
                tuple(row.techniques),
                tuple(row.bare_units),
                row.source,
            ),
        )
        for row in Parameter.objects.order_by("code")
    )


def load_vocabulary() -> Vocabulary:
    """Return the present measurands and techniques, indexed; from the cache unless they have changed."""
    return _vocabulary(cache.get(VERSION, ""))


def vocabulary_changed() -> None:
    """Make every process read the vocabulary again."""
    cache.set(VERSION, uuid4().hex, None)


def embed_vocabulary() -> bool:
    """Make and cache the vectors of the vocabulary, which takes some seconds, if the encoder is installed and
    they are missing; return whether it made them."""
    if not embedding.is_installed():
        return False
    known = load_vocabulary()
    if not known.measurands or cache.get(_VECTORS_OF) == known.digest:
        return False
    texts = [text for row in known.measurands for text in descriptions(row)]
    vectors = embedding.encoded(embedding.load_encoder(), texts)
    cache.set(_VECTORS, (known.digest, [row.code for row in known.measurands], vectors), None)
    cache.set(_VECTORS_OF, known.digest, None)
    return True


def meanings_load() -> None:
    """Load the encoder if it is installed, and the vectors of the vocabulary if they were made, so that the
    first search does not wait for them."""
    _held.load(load_vocabulary())


class Held:
    """The vectors of the vocabulary's meanings that this process has loaded."""

    def __init__(self) -> None:
        self.digest = ""
        self.meanings: embedding.Meanings | None = None
        self.encoder: embedding.Encoder | None = None
        self._lock = Lock()
        self._looks_at = 0.0  # on the monotonic clock: when it looks next for vectors

    def alike(self, known: Vocabulary, text: str) -> list[str]:
        """Return the codes of measurands with a meaning similar to a text; none without meanings."""
        held = self._ready(known)
        try:
            return held.alike(text) if held else []
        except Exception:  # whatever the encoder cannot take: words alone count
            logger.exception("needs.encoder-failed")
            return []

    def likeness(self, known: Vocabulary, text: str) -> dict[str, float] | None:
        """Return how similar in meaning to a text the closest measurands are, by code; None without
        meanings."""
        held = self._ready(known)
        try:
            return held.likeness(text) if held else None
        except Exception:
            logger.exception("needs.encoder-failed")
            return None

    def load(self, known: Vocabulary) -> None:
        """Load the encoder, if it is installed, and the vectors, if any were made."""
        if self.encoder is None and embedding.is_installed():
            self.encoder = embedding.load_encoder()
        self.fetch(known)

    def fetch(self, known: Vocabulary) -> None:
        """Load the vectors that were made last, and the encoder with them. Those of another vocabulary than
        `known` count until its own are made."""
        if known.digest == self.digest or cache.get(_VECTORS_OF, "") in ("", self.digest):
            return
        digest, codes, vectors = cache.get(_VECTORS) or ("", [], b"")
        if digest in ("", self.digest):
            return
        self.encoder = self.encoder or embedding.load_encoder()
        self.meanings = embedding.meanings(self.encoder, codes, vectors)
        self.digest = digest

    def _ready(self, known: Vocabulary) -> embedding.Meanings | None:
        if self.meanings is None or self.digest != known.digest:
            self._begin(known)
        return self.meanings

    def _begin(self, known: Vocabulary) -> None:
        """Look for the vectors of a vocabulary, unless that was done just now. Whoever else asks meanwhile
        waits, and gets the same answer."""
        if time.monotonic() < self._looks_at:
            return
        with self._lock:
            if time.monotonic() < self._looks_at:
                return
            again = _AGAIN
            try:
                if embedding.is_installed():
                    self.fetch(known)
            except Exception:  # a package that is half installed, a cache that is unreachable
                logger.exception("needs.meanings-not-loaded")
                again = _AGAIN_AFTER_FAILURE
            self._looks_at = time.monotonic() + again


_held = Held()


@lru_cache(maxsize=1)
@on_primary()
def _vocabulary(version: str) -> Vocabulary:
    return vocabulary(load_measurands(), load_terms())
