"""How long an act takes: alone, by many at once, by all for one thing."""

import multiprocessing
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection, connections

# Processes, not threads: those of one Python process take turns. Forked, so that they share what
# is loaded; with no open connection, which could not be shared.
FORK = multiprocessing.get_context("fork")


@dataclass
class Row:
    """One line of the table. Times in milliseconds; `statements` is None where it makes no
    sense; `wanted` is the budget, in words; `more` whatever else was seen."""

    work: str
    clients: int
    n: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    statements: int | None = None
    wanted: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def row_of(work: str, clients: int, taken: list[float], elapsed: float, **more: Any) -> Row:
    """A line from single times and the time of all, both in seconds."""
    quantiles = statistics.quantiles(taken, n=100) if len(taken) > 1 else taken * 99
    return Row(
        work=work,
        clients=clients,
        n=len(taken),
        per_second=round(len(taken) / elapsed, 1),
        p50_ms=round(quantiles[49] * 1000, 1),
        p95_ms=round(quantiles[94] * 1000, 1),
        p99_ms=round(quantiles[98] * 1000, 1),
        **more,
    )


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements of a block, without those that only frame transactions."""
    seen: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")):
            seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield seen


def repeated(
    work: str,
    act: Callable[[int], Any],
    *,
    seconds: float,
    clients: int = 1,
    signing_in: int = 0,
    wanted: str = "",
) -> Row:
    """`act(n)` by so many processes for a while; n never repeats. Of the statements of one act
    those of signing in are taken off."""
    act(0)  # fills what is kept in memory
    with counted() as seen:
        act(1)
    taken, elapsed, _ = by_processes(act, clients, seconds)
    return row_of(
        work, clients, taken, elapsed, statements=len(seen) - signing_in, wanted=wanted
    )  # fmt: skip


type Seen = tuple[list[float], float, Counter[Any]]


def _for_a_while(act: Callable[[int], Any], first: int, step: int, seconds: float, most: int) -> Seen:
    taken: list[float] = []
    outcomes: Counter[Any] = Counter()
    began = time.perf_counter()
    number = first
    while (started := time.perf_counter()) < began + seconds and len(taken) < most:
        outcomes[act(number)] += 1
        number += step
        taken.append(time.perf_counter() - started)
    return taken, time.perf_counter() - began, outcomes


def by_processes(act: Callable[[int], Any], clients: int, seconds: float, most: int = sys.maxsize) -> Seen:
    """`act(n)` by so many processes for a while, `most` times at most: how long each took, how
    long all took, and how often each outcome came. One client is this process itself."""
    if clients == 1:
        return _for_a_while(act, 2, 1, seconds, most)
    barrier, results = FORK.Barrier(clients), FORK.SimpleQueue()

    def client(place: int) -> None:
        try:
            act(place + 2)  # a connection of its own
            barrier.wait(60)
            results.put(
                _for_a_while(act, clients + place + 2, clients, seconds, most // clients)
            )  # fmt: skip
        except BaseException as error:
            barrier.abort()
            results.put(repr(error))
            raise
        finally:
            connections.close_all()

    answers = _run(client, clients, results)
    return (
        [t for taken, *_ in answers for t in taken],
        max(elapsed for _, elapsed, _ in answers),
        sum((outcomes for *_, outcomes in answers), Counter()),
    )


def raced(work: str, act: Callable[[int, int], str], *, clients: int, rounds: int, wanted: str = "") -> Row:
    """In every round all clients do `act(client, round)` at the same moment; it says what came
    of it. `more` counts the outcomes, the rounds that did not have exactly one `won`, and how many
    had two or more."""
    for place in range(2):  # one wins, one does not: fills what is kept in memory, which the
        act(place, rounds)  # forks share
    barrier, results = FORK.Barrier(clients), FORK.SimpleQueue()

    def client(place: int) -> None:
        seen: list[tuple[int, str, float]] = []
        try:
            act(place, rounds)  # a connection of its own
            for number in range(rounds):
                barrier.wait(60)
                started = time.perf_counter()
                try:
                    outcome = act(place, number)
                except Exception as error:  # what should not happen is counted too
                    outcome = f"{type(error).__name__}: {error}"[:120]
                seen.append((number, outcome, time.perf_counter() - started))
        finally:
            results.put(seen)
            connections.close_all()

    began = time.perf_counter()
    answers = [one for seen in _run(client, clients, results) for one in seen]
    elapsed = time.perf_counter() - began
    outcomes: dict[str, int] = {}
    winners = [0] * rounds
    for number, outcome, _ in answers:
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        winners[number] += outcome == "won"
    return row_of(
        work,
        clients,
        [taken for _, _, taken in answers],
        elapsed,
        wanted=wanted,
        more={
            "outcomes": outcomes,
            "rounds without one winner": sum(w != 1 for w in winners),
            "rounds double-booked": sum(w > 1 for w in winners),
        },
    )


def _run(client: Callable[[int], None], clients: int, results: Any) -> list[Any]:
    connections.close_all()
    processes = [FORK.Process(target=client, args=(place,)) for place in range(clients)]
    for process in processes:
        process.start()
    answers = [results.get() for _ in processes]
    for process in processes:
        process.join()
    for answer in answers:
        if isinstance(answer, str):
            raise RuntimeError(answer)
    return answers
