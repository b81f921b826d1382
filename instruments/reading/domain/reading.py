"""Read typed values out of a JSON object and collect every problem.

A reader never raises for bad input: it notes a `FieldProblem` and returns a placeholder, so that one pass
reports every problem. The caller must discard the values if there is a problem.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

from accounts.domain.errors import FieldProblem, unknown_fields

LARGEST = 10**9
MOST_ITEMS = 50

# ASCII digits only: Decimal() itself would take "NaN", "1e9", "1_000" and Arabic digits.
DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.([0-9]{1,40}))?")
DATE = re.compile(r"(?:19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}")
WALL_CLOCK = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")

MIDNIGHT = 24 * 60


class Reader:
    """A reader of one JSON object at `path`; nested readers share its list of problems.

    Keys outside `known` are refused with `unknown_code`. A value of null counts as missing.
    """

    def __init__(
        self,
        data: Mapping[str, object],
        known: Collection[str],
        *,
        path: str = "",
        problems: list[FieldProblem] | None = None,
        unknown_code: str = "unknown-field",
    ) -> None:
        self.data = data
        self.path = path
        self.problems: list[FieldProblem] = [] if problems is None else problems
        if unknown_code == "unknown-field":
            self.problems += unknown_fields(data, known, path)
            return
        for key in data:
            if key not in known:
                self.refuse(key, unknown_code)

    def refuse(self, key: str, code: str, **numbers: str | int) -> None:
        """Note a problem at `path.key`."""
        field = f"{self.path}.{key}" if self.path else key
        self.problems.append(FieldProblem(field, code, numbers))

    def decimal(self, key: str, default: str | None = None, *, decimals: int, most: int = LARGEST) -> Decimal:
        """Read a number from 0 to `most`, given as a decimal string or an integer; its digits are kept.

        A JSON fraction is refused, because it has already been converted to binary.
        """
        raw = self.data.get(key, default)
        if raw is None:
            self.refuse(key, "required")
            return Decimal(0)
        if isinstance(raw, int) and not isinstance(raw, bool):
            raw = str(max(-1, min(raw, LARGEST + 1)))  # int -> str fails beyond 4300 digits
        match = DECIMAL.fullmatch(raw) if isinstance(raw, str) else None
        if match is None:
            self.refuse(key, "not-a-decimal")
            return Decimal(0)
        value = Decimal(match[0])
        if value < 0:
            self.refuse(key, "too-small", least=0)
        elif value > most:
            self.refuse(key, "too-large", most=most)
        elif len((match[1] or "").rstrip("0")) > decimals:
            self.refuse(key, "too-many-decimals", decimals=decimals)
        return value.copy_abs()  # "-0" is 0

    def integer(self, key: str, default: int | None = None, *, least: int, most: int) -> int:
        """Read a JSON integer from `least` to `most`."""
        raw = self.data.get(key, default)
        if raw is None:
            self.refuse(key, "required")
        elif isinstance(raw, bool) or not isinstance(raw, int):
            self.refuse(key, "not-an-integer")
        elif raw < least:
            self.refuse(key, "too-small", least=least)
        elif raw > most:
            self.refuse(key, "too-large", most=most)
        else:
            return raw
        return least

    def boolean(self, key: str, default: bool) -> bool:
        raw = self.data.get(key, default)
        if not isinstance(raw, bool):
            self.refuse(key, "not-a-boolean")
            return default
        return raw

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        raw = self.data.get(key, default)
        if raw is None:
            self.refuse(key, "required")
        elif not isinstance(raw, str) or raw not in allowed:
            self.refuse(key, "unknown-value", allowed=", ".join(allowed))
        else:
            return raw
        return ""

    def code(self, key: str, reserved: Collection[str] = ()) -> str:
        """Read a code: letters, digits, `.`, `_`, `-`, at most 50 characters."""
        raw = self.data.get(key)
        if raw is None:
            self.refuse(key, "required")
        elif not isinstance(raw, str) or not CODE.fullmatch(raw):
            self.refuse(key, "not-a-code")
        elif raw in reserved:
            self.refuse(key, "reserved-code")
        else:
            return raw
        return ""

    def text(self, key: str, most: int) -> str:
        """Read an optional text of one line; a missing one is empty."""
        raw = self.data.get(key, "")
        if not isinstance(raw, str) or not raw.isprintable():
            self.refuse(key, "not-a-text")
        elif len(raw) > most:
            self.refuse(key, "too-long", most=most)
        else:
            return raw.strip()
        return ""

    def day(self, key: str) -> date:
        """Read a required date, `YYYY-MM-DD`, of the years 1900 to 2999."""
        raw = self.data.get(key)
        if raw is None:
            self.refuse(key, "required")
            return date.min
        try:
            # fromisoformat alone would also take 20260101 and 2026-W01-1.
            if isinstance(raw, str) and DATE.fullmatch(raw):
                return date.fromisoformat(raw)
        except ValueError:
            pass
        self.refuse(key, "not-a-date")
        return date.min

    def wall_clock(self, key: str, *, latest: int) -> int:
        """Read `HH:MM` as minutes after midnight, at most `latest` (1439 or, for `24:00`, 1440)."""
        raw = self.data.get(key)
        if raw is None:
            self.refuse(key, "required")
            return 0
        match = WALL_CLOCK.fullmatch(raw) if isinstance(raw, str) else None
        minutes = int(match[1]) * 60 + int(match[2]) if match else MIDNIGHT + 1
        if minutes > latest:
            self.refuse(key, "not-a-time")
        return minutes

    def values(self, key: str) -> list[object]:
        """Read a list of at most 50 values; a missing one is empty."""
        raw = self.data.get(key, [])
        if not isinstance(raw, (list, tuple)):
            self.refuse(key, "not-a-list")
            return []
        if len(raw) > MOST_ITEMS:
            self.refuse(key, "too-many", most=MOST_ITEMS)
            return []
        return list(raw)

    def items(self, key: str, known: Collection[str]) -> list["Reader"]:
        """Return a reader for each object of the list at `key`; other items become problems."""
        readers = []
        for index, item in enumerate(self.values(key)):
            if isinstance(item, Mapping):
                path = f"{self.path}.{key}[{index}]" if self.path else f"{key}[{index}]"
                readers.append(Reader(item, known, path=path, problems=self.problems))
            else:
                self.refuse(f"{key}[{index}]", "not-an-object")
        return readers
