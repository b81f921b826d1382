"""What needs mean: measurands and techniques, read once and kept until they change.

Where the encoder is installed (adapters/embedding) a job makes the vectors of the vocabulary and
keeps them in the cache; each process fetches them, and reads the encoder into memory, beside its
requests. Until both are there, and wherever that fails, words alone count.
"""

import logging
import time
from decimal import Decimal
from functools import lru_cache
from threading import Lock, Thread
from uuid import uuid4

from django.core.cache import cache
from django.db.models import QuerySet

from accounts.replica import on_primary
from accounts.selectors.rows import visible
from instruments.adapters import embedding
from instruments.domain import capabilities, needs
from instruments.domain.capabilities import Parameters
from instruments.domain.needs import LONGEST_NEED, NeedTerm, Vocabulary, descriptions, vocabulary
from instruments.models import Measurand, Parameter
from instruments.selectors.techniques import load_terms

VERSION = "needs.vocabulary"  # in the cache: another value whenever the vocabulary changes
# Also there: the vectors of the vocabulary, and the digest of that which they are of.
_VECTORS, _VECTORS_OF = "needs.vectors", "needs.vectors.of"
_AGAIN = 10.0  # seconds until a process looks again for what was not there

logger = logging.getLogger(__name__)


def measurands() -> QuerySet[Measurand]:
    """All, by name."""
    return Measurand.objects.order_by("name", "code")


def measurand_by_code(code: str) -> Measurand:
    """One; `NotFound` if there is none."""
    return visible(measurands(), code=code.replace("\0", ""))


def load_measurands() -> list[needs.Measurand]:
    """All as the rules take them, by code."""
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
    """What a need in somebody's own words may mean, the likeliest first. Three statements after
    the vocabulary has changed, then none."""
    known = load_vocabulary()
    return known.terms_of(text, alike=_held.alike(known, text[:LONGEST_NEED]))


def load_parameters() -> Parameters:
    """All, by code. One statement after the vocabulary has changed, then none."""
    return _parameters(cache.get(VERSION, ""))


@lru_cache(maxsize=1)
@on_primary()  # services read what is kept
def _parameters(version: str) -> Parameters:
    return read_parameters()


def read_parameters() -> Parameters:
    """All as they stand in the database, by code."""
    return Parameters(
        (
            row.code,
            capabilities.Parameter(
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
    """Measurands and techniques as they are now."""
    return _vocabulary(cache.get(VERSION, ""))


def vocabulary_changed() -> None:
    """Let every process read the vocabulary anew."""
    cache.set(VERSION, uuid4().hex, None)


def embed_vocabulary() -> bool:
    """Make the vectors of the vocabulary where the encoder is installed and they are not there yet:
    some seconds. Whether it did."""
    if not embedding.is_installed():
        return False
    known = load_vocabulary()
    if not known.measurands or cache.get(_VECTORS_OF) == known.digest:
        return False
    texts = [text for row in known.measurands for text in descriptions(row)]
    vectors = embedding.encoded(embedding.load_encoder(), texts)
    cache.set(_VECTORS, (known.digest, vectors), None)
    cache.set(_VECTORS_OF, known.digest, None)
    return True


class Held:
    """The meanings of the vocabulary as this process holds them."""

    def __init__(self) -> None:
        self.digest = ""
        self.meanings: embedding.Meanings | None = None
        self._lock = Lock()
        self._looked_at = -_AGAIN

    def alike(self, known: Vocabulary, text: str) -> list[str]:
        """The codes of measurands that mean about the same as a text; none until their meanings
        are here, which are fetched meanwhile."""
        held = self.meanings
        if held is None or self.digest != known.digest:
            self._begin(known)
            return []
        try:
            return held.alike(text)
        except Exception:  # whatever the encoder cannot take: words alone count
            logger.exception("needs.encoder-failed")
            return []

    def _begin(self, known: Vocabulary) -> None:
        """Fetch them in a thread, unless that was tried just now."""
        now = time.monotonic()
        if now - self._looked_at < _AGAIN or not self._lock.acquire(blocking=False):
            return
        self._looked_at = now
        if embedding.is_installed():
            Thread(target=self._fetch_and_release, args=(known,), daemon=True).start()
        else:
            self._lock.release()

    def _fetch_and_release(self, known: Vocabulary) -> None:
        try:
            self.fetch(known)
        except Exception:  # a package that is half installed, a cache that is away
            logger.exception("needs.meanings-not-loaded")
        finally:
            self._lock.release()

    def fetch(self, known: Vocabulary) -> None:
        """Fetch the vectors of a vocabulary, if they were made, and the encoder with them."""
        digest, vectors = cache.get(_VECTORS) or ("", b"")
        if digest != known.digest:
            return
        encoder = self.meanings.encoder if self.meanings else embedding.load_encoder()
        codes = [row.code for row in known.measurands]
        self.meanings = embedding.meanings(encoder, codes, vectors)
        self.digest = digest


_held = Held()


@lru_cache(maxsize=1)
@on_primary()
def _vocabulary(version: str) -> Vocabulary:
    return vocabulary(load_measurands(), load_terms())
