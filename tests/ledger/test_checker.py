"""The checker finds what it is there for: each kind of wrong, planted alone."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from bookings.models import Occupancy, Quote, Reservation
from tests.conftest import Cast
from tests.factories.cast import reserve
from tests.ledger import checker
from tests.ledger.journal import INTENT, OUTCOME, REFUSED, UNSURE, YES, Act, Journal, Slot, read

SLOT: Slot = ("tem", 0.0, 3600.0)
LATER: Slot = ("tem", 3600.0, 7200.0)


def act(number: int, kind: str, *tries: str, slot: Slot = SLOT, **values: Any) -> Act:
    """One that took a second, ten seconds after the one before it."""
    ids = ["r1"] if tries[-1] == YES and kind != "cancel" else []
    times = {"began": number * 10.0, "ended": number * 10.0 + 1}
    if tries[-1] == UNSURE:
        times["ended"] = float("inf")
    return Act(number, kind, "wang", [slot], tries=[*tries], **{"ids": ids} | times | values)


def stored(pk: str = "r1", slot: Slot = SLOT, state: str = "confirmed", **values: Any) -> checker.Stored:
    blocks = int(state not in {"cancelled", "expired"})
    row = checker.Stored(pk, *slot, state, "wang", 1, 1, blocks, blocks, 1, 1, True)
    return row._replace(**values)


RESERVED = act(1, "reserve", YES)
MOVED = act(2, "move", YES, slot=LATER, of="r1")
CANCELLED = act(2, "cancel", YES, of="r1")


@pytest.mark.parametrize(
    ("acts", "rows"),
    [
        ([RESERVED], [stored()]),
        ([RESERVED, MOVED], [stored(slot=LATER)]),
        ([RESERVED, CANCELLED], [stored(state="cancelled")]),
        ([RESERVED, act(2, "cancel", UNSURE, of="r1")], [stored(state="cancelled")]),
        ([RESERVED, act(2, "cancel", UNSURE, of="r1")], [stored()]),
        ([act(1, "reserve", UNSURE)], [stored()]),
        ([act(1, "reserve", UNSURE)], []),
        ([act(1, "reserve", UNSURE, REFUSED, code="slot-taken")], []),
        ([act(1, "hold", YES)], [stored(state="held", quotes=0, told=0)]),
        ([act(1, "hold", YES)], [stored(state="cancelled", quotes=0, told=0)]),
        ([act(1, "hold", YES), act(2, "complete", YES, of="r1")], [stored()]),
    ],
)
def test_what_is_as_it_was_told_passes(acts: list[Act], rows: list[checker.Stored]) -> None:
    assert checker.against_stored(acts, rows) == {}


@pytest.mark.parametrize(
    ("kind", "acts", "rows"),
    [
        ("lost", [RESERVED], []),
        ("lost", [RESERVED], [stored(state="cancelled")]),
        ("lost", [RESERVED], [stored(slot=LATER)]),
        ("lost", [RESERVED, MOVED], [stored()]),
        ("lost", [RESERVED, CANCELLED], [stored()]),
        ("doubled", [RESERVED], [stored(), stored("r2", LATER)]),
        ("doubled", [act(1, "reserve", UNSURE, YES)], [stored(), stored("r2")]),
        ("doubled", [act(1, "reserve", UNSURE, REFUSED, code="slot-taken")], [stored()]),
        ("doubled", [RESERVED, act(2, "reserve", YES)], [stored()]),  # one answer to two keys
        ("half", [act(1, "reserve", UNSURE)], [stored(quotes=0)]),
        ("half", [RESERVED], [stored(blocks=0, covers=0)]),
        ("half", [RESERVED], [stored(entries=0)]),
        ("half", [RESERVED], [stored(told=0)]),
        ("half", [RESERVED], [stored(told=2)]),
        ("half", [RESERVED], [stored(is_set_aside=False)]),
        ("half", [RESERVED, CANCELLED], [stored(state="cancelled", blocks=1, covers=1)]),
        ("half", [RESERVED, CANCELLED], [stored(state="cancelled", quotes=0)]),
        ("half", [RESERVED, CANCELLED], [stored(state="cancelled", told=2)]),
    ],
)
def test_what_is_not_is_named(kind: str, acts: list[Act], rows: list[checker.Stored]) -> None:
    assert set(checker.against_stored(acts, rows)) == {kind}


TAKEN = act(3, "reserve", REFUSED, code="slot-taken")


@pytest.mark.parametrize(
    ("is_justified", "acts"),
    [
        (True, [RESERVED, TAKEN]),
        (True, [act(1, "reserve", UNSURE), TAKEN]),
        (True, [TAKEN, act(4, "reserve", YES, began=30.5)]),  # at the same moment
        (True, [RESERVED, replace(CANCELLED, ended=30.5), TAKEN]),
        (True, [act(1, "reserve", YES, slot=LATER), act(2, "move", YES, of="r1"), TAKEN]),
        (False, [TAKEN]),
        (False, [act(1, "reserve", REFUSED, code="slot-taken", slot=LATER), TAKEN]),
        (False, [act(1, "reserve", YES, slot=LATER), TAKEN]),
        (False, [act(1, "reserve", YES, slot=("sem", 0.0, 3600.0)), TAKEN]),
        (False, [RESERVED, CANCELLED, TAKEN]),
        (False, [RESERVED, MOVED, TAKEN]),
        (False, [TAKEN, act(4, "reserve", YES)]),  # afterwards
    ],
)
def test_who_is_refused_a_slot_was_beaten_to_it(is_justified: bool, acts: list[Act]) -> None:
    refused = [text for text in checker.unjustified(acts) if text.startswith("act 3 ")]
    assert (refused == []) is is_justified


def test_letters_come_once_but_for_what_smtp_cannot_rule_out() -> None:
    letters = [("m1", "sent"), ("m2", "sent")]
    assert checker.delivered(letters, {"m1": 1, "m2": 2}, 1) == []
    assert checker.delivered(letters, {"m1": 1, "m2": 2}, 0) == ["1 letters came twice, 0 may"]
    assert checker.delivered(letters, {"m1": 1}, 0) == ["letter of message m2 counts as sent"]
    assert checker.delivered([*letters, ("m1", "sent")], {"m1": 1, "m2": 1}, 0) == [
        "message m1 has 2 letters"
    ]


def rows_of(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_what_is_stored_of_a_booking_is_read_whole(cast: Cast) -> None:
    row = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    (found,) = (checker.Stored(*values) for values in rows_of(checker.STORED))
    start = row.start_at.timestamp()
    assert (found.id, found.state, found.who) == (str(row.pk), "confirmed", "wang")
    assert found.slot == (str(row.instrument_id), start, start + 3600)
    assert checker.is_whole(found)
    Quote.objects.all().delete()
    (found,) = (checker.Stored(*values) for values in rows_of(checker.STORED))
    assert not checker.is_whole(found)


def test_two_bookings_of_one_time_are_found_without_the_constraint(cast: Cast) -> None:
    first = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    second = reserve(cast, "2026-03-06 11:00", "2026-03-06 12:00")
    assert rows_of(checker.OVERLAPS) == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE bookings_occupancy DROP CONSTRAINT occupancy_no_overlap")
    block = Occupancy.objects.get(reservation=first)
    span = (block.span.lower, block.span.upper + timedelta(minutes=1))
    Occupancy.objects.filter(pk=block.pk).update(span=span)
    both = {str(first.pk), str(second.pk)}
    assert [{*pair} for pair in rows_of(checker.OVERLAPS)] == [both]
    Occupancy.objects.all().delete()  # and by the reservations themselves
    Reservation.objects.filter(pk=second.pk).update(start_at=first.start_at)
    assert [{*pair} for pair in rows_of(checker.OVERLAPS)] == [both]


def test_the_books_of_bookings_agree(cast: Cast) -> None:
    reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    assert rows_of(checker.BOOKS_ASTRAY) == []


def test_a_journal_reads_as_it_was_written_also_when_it_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    about = {"act": 1, "kind": "reserve"}
    meant = about | {"who": "wang", "slots": [SLOT], "of": ""}
    began = journal.write(INTENT, **meant)
    answer = {"status": 201, "code": "", "ids": ["r1"], "was_kept": True}
    journal.write(OUTCOME, **about, began=began, outcome=UNSURE, **answer | {"ids": []})
    again = journal.write(INTENT, **meant)
    journal.write(OUTCOME, **about, began=again, outcome=YES, **answer)
    journal.write(INTENT, **meant | {"act": 2})
    (first, second), faults = read(path)
    assert (first.tries, first.began) == ([UNSURE, YES], began)
    assert (first.ids, first.was_kept) == (["r1"], True)
    assert (second.outcome, second.ended, faults) == (UNSURE, float("inf"), [])
    assert journal.booked_after(began, 0) is not None
    assert journal.booked_after(again, 0) is None
