"""What somebody searches for, and the tokens by which it is found.

Latin words and digits are tokens as they are, in lower case and without accents; runs of
Chinese characters become their two-character pairs, so that any part of a name finds it.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

_HAN = "㐀-䶿一-鿿豈-﫿"
_RUNS = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+", re.UNICODE)
_IS_HAN = re.compile(rf"[{_HAN}]")
MAX_TOKENS = 2000


@dataclass(frozen=True)
class Criteria:
    """A parsed search request; None or empty: not asked for."""

    text: str = ""
    technique: str = ""
    region: str = ""
    host: str = ""
    facility: UUID | None = None
    service_mode: str = ""
    free_from: datetime | None = None
    free_until: datetime | None = None
    minutes: int | None = None
    max_price: Decimal | None = None

    @property
    def wants_time(self) -> bool:
        return self.free_from is not None


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def tokens(*texts: str) -> list[str]:
    """The tokens a record is filed under, sorted, each once."""
    found: set[str] = set()
    for text in texts:
        for run in _RUNS.findall(_plain(text)):
            if _IS_HAN.match(run):
                found.update(run[i : i + 2] for i in range(max(1, len(run) - 1)))
                found.update(run)
            else:
                found.add(run[:40])
    return sorted(found)[:MAX_TOKENS]


def query_tokens(text: str) -> list[str]:
    """The tokens a record must have to be found by `text`."""
    found: list[str] = []
    for run in _RUNS.findall(_plain(text)):
        if _IS_HAN.match(run) and len(run) > 1:
            found += [run[i : i + 2] for i in range(len(run) - 1)]
        else:
            found.append(run[:40])
    return list(dict.fromkeys(found))[:20]
