"""Another server, asked by the same clients for the same rows: `make bench ARGS="--peer FILE"`.

FILE describes it in JSON; docs/speed.md has an example. `rows` says how it is asked for each row of
our table that it can do, with `$names` as in `http`: `$instrument`, `$start` and `$end` (also
`$start_date`, `$start_unix`), `$key`, and whatever `people` name besides, such as a session. Where
it stands, who its people are and that its instruments are free from a moment on is the matter of
whoever prepared it.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from bookings.record.domain.periods import Period
from tests.benchmarks import acts, http
from tests.benchmarks.driver import Ask, Server
from tests.benchmarks.serving import seconds_below

NEEDED = {"base", "free_from", "instruments", "people", "rows"}
BESIDES = {"busiest", "processes"}
STEP = 3 * acts.HOUR
DISTANCE = http.MOST + 1_000  # so many slots lie between those of two rows
RESERVE = http.ROWS[0][0]


class Peer(http.World):
    """What stands at `base`. Its slots are an hour each, three hours apart, of `instruments` in
    turn, from `free_from` on."""

    def __init__(self, description: dict[str, Any], now: datetime) -> None:
        names = set(description)
        if NEEDED - names or names - NEEDED - BESIDES:
            raise ValueError(f"needed: {sorted(NEEDED)}; besides: {sorted(BESIDES)}")
        rows = {name for name, *_ in http.ROWS}
        if others := sorted(set(description["rows"]) - rows):
            raise ValueError(f"{others} are no rows of the table: {sorted(rows)}")
        self.now = now
        self.asks = {name: Ask(**ask) for name, ask in description["rows"].items()}
        if RESERVE in self.asks:
            self.reserve = self.asks[RESERVE]
        self.people: list[dict[str, str]] = description["people"]
        self.instruments: list[str] = description["instruments"]
        self.busiest: list[str] = description.get("busiest") or self.instruments
        if not self.people or not self.instruments:
            raise ValueError("it has neither people nor instruments")
        self.processes: dict[str, int] = description.get("processes", {})
        self.first, self.past = datetime.fromisoformat(description["free_from"]), 0
        self._base = description["base"]
        self.server()

    def server(self) -> Server:
        return Server.at(self._base)

    def settle(self) -> int:
        """What it does after it has answered is not known here."""
        return 0

    def cpu_seconds(self) -> dict[str, float]:
        """By the names that the description gives to its processes, with all below them."""
        return {name: seconds_below(pid) for name, pid in self.processes.items()}

    def person(self, number: int) -> dict[str, str]:
        return {"key": uuid4().hex} | self.people[number % len(self.people)]

    def free(self, number: int) -> dict[str, str]:
        turn, place = divmod(self.past + number, len(self.instruments))
        start = self.first + turn * STEP
        period = http.said(Period(start, start + acts.HOUR))
        return self.person(number) | period | {"instrument": self.instruments[place]}

    def skip_booked(self) -> None:
        self.past += DISTANCE

    def fullest(self, week: Period) -> list[str]:
        return self.busiest


def described(path: Path, now: datetime) -> Peer:
    """The server that a file describes; ends with what is wrong with it."""
    try:
        return Peer(json.loads(path.read_text(encoding="utf-8")), now)
    except (OSError, ValueError, TypeError) as error:
        raise SystemExit(f"{path}: {error}") from None
