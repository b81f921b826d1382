"""People who book, move and cancel over HTTP, and write down each intent and each answer."""

import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import requests

from tests.flows.installation import HOST
from tests.ledger.journal import INTENT, OUTCOME, REFUSED, UNSURE, YES, Journal, Slot

HOUR, DAY = 3600.0, 86400.0
WINDOW = 40  # slots, among which all clients choose at any time
TIMEOUT = 10.0
IMPATIENT = 0.04  # of requests: hung up before the answer comes
# Not an answer yet: the first request with the key is still at work, or it asks to come again.
NOT_YET = ("still-running", "too-many-requests")
KINDS = {"reserve": 40, "hold": 15, "move": 12, "cancel": 12, "several": 12, "series": 9}


class Slots:
    """Hours of all instruments, in a window that goes on as they are asked for."""

    def __init__(self, instruments: Sequence[str], first: float) -> None:
        self._instruments, self._first = instruments, first
        self._asked = count()

    def any(self, luck: random.Random) -> Slot:
        number = next(self._asked) // 2 + luck.randrange(WINDOW)  # each about twice
        row, place = divmod(number, len(self._instruments))
        start = self._first + row * HOUR
        return self._instruments[place], start, start + HOUR


class Client(threading.Thread):
    """One person. `addresses` may change meanwhile; each request goes to any of them."""

    numbers = count()

    def __init__(
        self, who: str, token: str, slots: Slots, addresses: list[str], journal: Journal, seed: int
    ) -> None:
        super().__init__(name=who)
        self._who, self._slots, self._addresses = who, slots, addresses
        self._journal, self._luck = journal, random.Random(f"{seed}:{who}")
        self._web = requests.Session()
        self._web.trust_env = False
        self._web.headers.update(
            {"Host": HOST, "X-Forwarded-Proto": "https", "Authorization": f"Bearer {token}"}
        )
        self._mine: dict[str, Slot] = {}
        self.asked_to_stop = threading.Event()
        self.asks_until = float("inf")  # when even an unsure act is not asked again

    def run(self) -> None:
        while not self.asked_to_stop.wait(self._luck.uniform(0.05, 0.25)):
            (kind,) = self._luck.choices(list(KINDS), list(KINDS.values()))
            getattr(self, f"_{kind}")()

    def _reserve(self) -> None:
        slot = self._slots.any(self._luck)
        self._book("reserve", "reservations/", _booking(slot), [slot])

    def _hold(self) -> None:
        slot = self._slots.any(self._luck)
        instrument, start, end = slot
        body = {"instrument": instrument, "start": _text(start), "end": _text(end)}
        answer = self._act("hold", "holds/", body, [slot])
        if answer:
            body = _booking(slot) | {"hold": answer["id"]}
            self._book("complete", "reservations/", body, [slot], of=answer["id"])

    def _several(self) -> None:
        slots = list({self._slots.any(self._luck) for _ in range(self._luck.randint(2, 4))})
        self._book("several", "reservations/", {"bookings": [_booking(s) for s in slots]}, slots)

    def _series(self) -> None:
        instrument, start, end = first = self._slots.any(self._luck)
        slots = [first, (instrument, start + DAY, end + DAY)]
        body = _booking(first) | {"rule": "FREQ=DAILY;COUNT=2"}
        self._book("series", "series/", body, slots)

    def _move(self) -> None:
        if not self._mine:
            return
        pk = self._luck.choice(list(self._mine))
        instrument = self._mine[pk][0]
        _, start, end = self._slots.any(self._luck)
        body = {"start": _text(start), "end": _text(end)}
        slot = (instrument, start, end)
        if self._act("move", f"reservations/{pk}/move/", body, [slot], of=pk):
            self._mine[pk] = slot

    def _cancel(self) -> None:
        if not self._mine:
            return
        pk = self._luck.choice(list(self._mine))
        if self._act("cancel", f"reservations/{pk}/cancel/", {}, [self._mine[pk]], of=pk):
            del self._mine[pk]

    def _book(self, kind: str, path: str, body: Any, slots: list[Slot], of: str = "") -> None:
        if answer := self._act(kind, path, body, slots, of):
            self._mine |= dict(zip(_ids(answer), slots, strict=True))

    def _act(self, kind: str, path: str, body: Any, slots: list[Slot], of: str = "") -> Any:
        """The body of a yes, else None. What is unsure is asked again with the same key."""
        number = next(self.numbers)
        key = str(UUID(int=self._luck.getrandbits(128)))
        about = {"act": number, "kind": kind}
        while True:
            began = self._journal.write(
                INTENT, **about, who=self._who, key=key, path=path, body=body, slots=slots, of=of
            )
            status, answer, was_kept = self._sent(path, body, key)
            code = _code(answer) if status >= 300 else ""
            outcome = YES if 200 <= status < 300 else REFUSED
            if not 200 <= status < 500 or code in NOT_YET:
                outcome = UNSURE
            ids = _ids(answer) if outcome == YES else []
            self._journal.write(
                OUTCOME, **about, began=began, outcome=outcome, status=status, code=code, ids=ids,
                was_kept=was_kept,
            )  # fmt: skip
            if outcome != UNSURE:
                return answer if outcome == YES else None
            if time.time() > self.asks_until:
                return None
            time.sleep(self._luck.uniform(0.1, 0.6))

    def _sent(self, path: str, body: Any, key: str) -> tuple[int, Any, bool]:
        """Status (0: no answer), body, and whether it is the answer of an earlier try."""
        address = self._luck.choice(self._addresses)
        is_impatient = self._luck.random() < IMPATIENT
        timeout = self._luck.uniform(0.01, 0.15) if is_impatient else TIMEOUT
        try:
            answer = self._web.post(
                f"{address}/api/v1/{path}", json=body, timeout=timeout,
                headers={"Idempotency-Key": key},
            )  # fmt: skip
            return answer.status_code, answer.json(), "Idempotency-Replayed" in answer.headers
        except (requests.RequestException, ValueError):
            return 0, {}, False


def _booking(slot: Slot) -> dict[str, Any]:
    instrument, start, end = slot
    return {
        "instrument": instrument,
        "start": _text(start),
        "end": _text(end),
        "service_mode": "self",
        "purpose": {"code": "research", "text": ""},
    }


def _code(answer: Any) -> str:
    """Of a problem: the rules that refuse, or its own code."""
    rules = {refusal["code"] for refusal in answer.get("refusals", ())}
    return "+".join(sorted(rules)) or str(answer.get("code", ""))


def _ids(answer: Any) -> list[str]:
    """Of the reservations that an answer names, in its order."""
    return [row["id"] for row in answer.get("reservations", [answer])]


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


@contextmanager
def booking(addresses: list[str], world: Mapping[str, Any], journal: Journal, seed: int) -> Iterator[Journal]:
    """Within, everybody of the world books; behind it all have stopped, and asked again for what
    was unsure, for a minute at most."""
    slots = Slots(world["instruments"], (time.time() // HOUR + 3) * HOUR)
    clients = [
        Client(name, token, slots, addresses, journal, seed) for name, token in world["tokens"].items()
    ]
    for client in clients:
        client.start()
    try:
        yield journal
    finally:
        for client in clients:
            client.asked_to_stop.set()
            client.asks_until = time.time() + 60
        for client in clients:
            client.join()
