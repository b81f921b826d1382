"""What the platform keeps, held against what it has told people. Nothing here asks the code that
is under test: reservations are read by SQL of its own."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psycopg

from tests.ledger.journal import BOOKS, REFUSED, UNSURE, YES, Act, Slot, read
from tests.ledger.platform import Platform

RELEASED = ("cancelled", "expired")
# What may refuse these acts. Holds run out at once where a clock is an hour ahead.
EXPECTED = {"slot-taken", "too-many-holds", "hold-expired"}
RULES = ("books-not-trail", "other-than-card")  # of the audit, that must find nothing
COMMANDS = (
    ("seal_trail",), ("verify_trail",), ("check_statements",), ("replay_fees",),
    ("find_exceptions", "--full"),
)  # fmt: skip


class Stored(NamedTuple):
    """A reservation, and how many rows belong to it."""

    id: str
    instrument: str
    start: float
    end: float
    state: str
    who: str
    version: int
    quotes: int  # in force
    blocks: int  # rows that block its unit
    covers: int  # of those, the ones that cover all of it
    entries: int  # of the trail
    told: int  # messages that say what it has become
    is_set_aside: bool  # what vouchers cover is held on the grant

    @property
    def slot(self) -> Slot:
        return self.instrument, self.start, self.end


STORED = """
    WITH told AS MATERIALIZED (
        SELECT booking, split_part(m.key, ':', -1) AS version, count(*) AS times
        FROM accounts_outboxmessage m, jsonb_array_elements_text(coalesce(
            m.payload->'reservations', jsonb_build_array(m.payload->'reservation'))) booking
        WHERE m.kind LIKE 'mail.%' AND m.kind <> 'mail.reminder' GROUP BY 1, 2
    )
    SELECT r.id::text, r.instrument_id::text, extract(epoch FROM r.start_at)::float8,
        extract(epoch FROM r.end_at)::float8, r.state, split_part(u.email, '@', 1), r.version,
        (SELECT count(*) FROM bookings_quote q WHERE q.reservation_id = r.id AND q.is_current),
        (SELECT count(*) FROM bookings_occupancy o WHERE o.reservation_id = r.id),
        (SELECT count(*) FROM bookings_occupancy o WHERE o.reservation_id = r.id
            AND o.instrument_id = r.instrument_id AND o.span @> tstzrange(r.start_at, r.end_at)),
        (SELECT count(*) FROM accounts_trailentry t WHERE t.object_id = r.id),
        coalesce(told.times, 0),
        coalesce((SELECT q.total - q.payable FROM bookings_quote q
            WHERE q.reservation_id = r.id AND q.is_current), 0)
        = coalesce((SELECT sum(e.held) FROM bookings_earmark e
            WHERE e.reservation_id = r.id AND e.released_at IS NULL), 0)
    FROM bookings_reservation r JOIN accounts_user u ON u.id = r.user_id
    LEFT JOIN told ON told.booking = r.id::text AND told.version = r.version::text ORDER BY r.id
"""
# Not by the constraint that forbids it: by each pair.
OVERLAPS = """
    SELECT a.reservation_id::text, b.reservation_id::text FROM bookings_occupancy a
    JOIN bookings_occupancy b ON a.instrument_id = b.instrument_id AND a.unit = b.unit
        AND a.id < b.id AND lower(a.span) < upper(b.span) AND lower(b.span) < upper(a.span)
    UNION
    SELECT a.id::text, b.id::text FROM bookings_reservation a
    JOIN bookings_reservation b ON a.instrument_id = b.instrument_id AND a.unit = b.unit
        AND a.id < b.id AND a.start_at < b.end_at AND b.start_at < a.end_at
    WHERE a.state = 'confirmed' AND b.state = 'confirmed'
"""
BOOKS_ASTRAY = """
    SELECT 'entry ' || entry_id || ' does not sum to zero' FROM bookings_posting
        GROUP BY entry_id, currency HAVING sum(amount) <> 0
    UNION ALL
    SELECT 'charge ' || c.id || ' is not in the ledger' FROM bookings_charge c
        LEFT JOIN bookings_ledgerentry e ON e.charge_id = c.id WHERE c.total <> 0 AND e.id IS NULL
            AND c.state = 'final'
    UNION ALL
    SELECT 'reservation ' || reservation_id || ' is charged twice' FROM bookings_charge
        GROUP BY reservation_id HAVING count(*) > 1
    UNION ALL
    SELECT 'grant ' || g.id || ' holds another sum than its earmarks' FROM bookings_vouchergrant g
        WHERE g.held <> (SELECT coalesce(sum(e.held), 0) FROM bookings_earmark e
            WHERE e.grant_id = g.id AND e.released_at IS NULL)
"""
LETTERS = """
    SELECT payload->>'message', outcome FROM accounts_outboxmessage WHERE kind = 'letter.send'
"""
UNDELIVERED = """
    SELECT kind, outcome, last_error, count(*) FROM accounts_outboxmessage
    WHERE due_at < now() AND lane <> 'calls' AND (done_at IS NULL OR outcome = 'failed')
    GROUP BY 1, 2, 3
"""


@dataclass
class Report:
    """Lines for people; problems by kind."""

    lines: list[str] = field(default_factory=list)
    problems: dict[str, list[str]] = field(default_factory=dict)


def against_stored(acts: Sequence[Act], stored: Iterable[Stored]) -> dict[str, list[str]]:
    """Each *yes* is there unless cancelled or moved since, nothing is there that nobody was told
    of, and what is there is whole."""
    rows = {row.id: row for row in stored}
    problems = defaultdict(list)
    allowed: dict[str, list[tuple[tuple[str, ...], Slot]]] = {}
    told: Counter[str] = Counter()
    for act in acts:
        if act.kind in {"move", "cancel"}:
            state = ("confirmed",) if act.kind == "move" else ("cancelled",)
            if act.outcome == YES:
                allowed[act.of] = [(state, act.slots[0])]
            elif act.outcome == UNSURE:
                allowed[act.of].append((state, act.slots[0]))
        elif act.outcome == YES:
            state = ("held", *RELEASED) if act.kind == "hold" else ("confirmed",)
            allowed |= {pk: [(state, slot)] for pk, slot in zip(act.ids, act.slots, strict=True)}
            told.update(act.ids if act.kind in BOOKS else ())
        elif act.outcome == UNSURE and act.kind == "complete":
            allowed[act.of].append((("confirmed",), act.slots[0]))
    for pk, ways in allowed.items():
        row = rows.get(pk)
        if row is None or not any(row.state in states and row.slot == s for states, s in ways):
            problems["lost"].append(f"{pk}: {ways} was told, {row} is stored")
    problems["doubled"] += [f"{pk} is the answer to {n} keys" for pk, n in told.items() if n > 1]
    unsure = {(a.who, slot) for a in acts if a.outcome == UNSURE for slot in a.slots}
    for row in rows.values():
        if row.id not in allowed and (row.who, row.slot) not in unsure:
            problems["doubled"].append(f"{row} is stored, and nobody was told of it")
        if not is_whole(row):
            problems["half"].append(str(row))
    return {kind: texts for kind, texts in problems.items() if texts}


def is_whole(row: Stored) -> bool:
    """Whether a reservation has all that is written with it: a quote, what blocks its time, an
    entry of the trail for each version, money set aside, the word to its person."""
    is_blocking = row.state not in RELEASED
    return (
        (row.blocks, row.covers) == (is_blocking, is_blocking)
        and row.entries == row.version
        and row.quotes == row.told
        # What was cancelled may have been a hold.
        and row.quotes in ((0, 1) if row.state == "cancelled" else (row.state == "confirmed",))
        and row.is_set_aside
    )


def unjustified(acts: Sequence[Act]) -> list[str]:
    """Refusals for a taken slot that no *yes* or *unsure* of anybody overlapped meanwhile."""
    freed = {a.of: a.ended for a in acts if a.kind in {"cancel", "move"} and a.outcome == YES}
    taken: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    for act in acts:
        if act.kind == "cancel" or (act.outcome == REFUSED and UNSURE not in act.tries):
            continue
        for slot, pk in zip(act.slots, act.ids or [act.of] * len(act.slots), strict=True):
            until = freed.get(pk, float("inf"))
            # A booking that was moved more than once is given back some time after its own move.
            until = until if until > act.ended else float("inf")
            taken[slot[0]].append((slot[1], slot[2], act.began, until))
    return [
        f"act {act.number} of {act.who} was refused {act.slots}"
        for act in acts
        if act.outcome == REFUSED and act.code == "slot-taken"
        if not any(
            start < end_of and start_of < end and began < act.ended and act.began < until
            for place, start_of, end_of in act.slots
            for start, end, began, until in taken[place]
        )
    ]


def delivered(letters: Sequence[tuple[str, str]], accepted: Mapping[str, int], excused: int) -> list[str]:
    """Each letter that counts as sent reached the mail server, and no more came twice than yeses of
    the server were lost or killed with who heard them."""
    problems = [
        f"letter of message {message} counts as sent"
        for message, outcome in letters
        if outcome == "sent" and message not in accepted
    ]
    problems += [f"message {m} has {n} letters" for m, n in Counter(m for m, _ in letters).items()
                 if n > 1]  # fmt: skip
    known = {message for message, _ in letters}
    twice = sum(n - 1 for message, n in accepted.items() if message in known)
    if twice > excused:
        problems.append(f"{twice} letters came twice, {excused} may")
    return problems


def check(platform: Platform, path: Path, again: int = 0) -> Report:
    """Everything, when clients, worker and beat have stopped. `again`: letters that came twice for
    a reason known to the caller."""
    acts, faults = read(path)
    with psycopg.connect(platform.superuser) as link:
        stored = [Stored(*row) for row in link.execute(STORED)]
        overlaps = [" and ".join(map(str, row)) for row in link.execute(OVERLAPS)]
        astray = [row[0] for row in link.execute(BOOKS_ASTRAY)]
        letters = link.execute(LETTERS).fetchall()
        undelivered = [str(row) for row in link.execute(UNDELIVERED)]
        settings = [
            row[0]
            for row in link.execute(
                "SELECT name FROM pg_settings WHERE setting <> 'on'"
                " AND name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
            )
        ]
    accepted: Counter[str] = Counter()
    for name, times in platform.mail.accepted.items():
        accepted[name.partition("@")[0]] += times
    killed = sum("stopped" not in fault["fault"] for fault in faults)
    report = Report()
    report.problems = against_stored(acts, stored) | {
        "overlapping": overlaps,
        "refused without a reason": unjustified(acts),
        "refused in another way": [
            f"{a.kind} of act {a.number}: {a.statuses} {a.code}"
            for a in acts
            if a.outcome == REFUSED and a.code not in EXPECTED
        ],
        "a failure of ours": [f"{a.kind} of act {a.number}" for a in acts if 500 in a.statuses],
        "books astray": astray,
        "letters": delivered(letters, accepted, platform.mail.lost + 4 * killed + again),
        "not delivered": undelivered,
        "no booking afterwards": [f["fault"] for f in faults if f["outage"] is None],
        "not durable": settings,
        "commands": _commands(platform),
    }
    report.problems = {kind: texts for kind, texts in report.problems.items() if texts}
    twice = sum(accepted.values()) - len(accepted)
    report.lines = [
        *_lines(acts, faults),
        f"{len(letters)} letters, {twice} of them twice ({platform.mail.lost} yeses of the mail "
        f"server were lost); started again besides: {platform.started_again or 'nothing'}",
    ]
    for kind in ("lost", "doubled", "overlapping", "half"):
        report.lines.append(f"{kind}: {len(report.problems.get(kind, ()))}")
    for kind, texts in report.problems.items():
        report.lines += [f"WRONG, {kind}: {len(texts)}", *(f"    {text}" for text in texts[:8])]
    return report


def _commands(platform: Platform) -> list[str]:
    problems = []
    for words in COMMANDS:
        done = platform.manage(*words)
        if done.returncode or any(line.startswith(RULES) for line in done.stdout.splitlines()):
            problems.append(f"{words[0]}: {done.stdout[-500:]} {done.stderr[-500:]}")
    words = ["pg_amcheck", "--install-missing", "--heapallindexed", "ledger"]
    done = platform.program(*words)
    if done.returncode or done.stdout:
        problems.append(f"{words[0]}: {done.stdout[-500:]} {done.stderr[-500:]}")
    return problems


def _lines(acts: Sequence[Act], faults: Sequence[Mapping[str, Any]]) -> list[str]:
    outcomes = Counter(act.outcome for act in acts)
    codes = Counter(act.code for act in acts if act.outcome == REFUSED)
    kinds = Counter(act.kind for act in acts if act.outcome == YES)
    unsure = Counter(
        "carried out before" if act.was_kept
        else "carried out when asked again" if act.outcome == YES
        else "refused when asked again" if act.outcome == REFUSED
        else "never answered"
        for act in acts if UNSURE in act.tries
    )  # fmt: skip
    lines = [
        f"acknowledged {outcomes[YES]}: {_counted(kinds)}",
        f"refused {outcomes[REFUSED]}: {_counted(codes)}",
        f"unsure at first {unsure.total()}: {_counted(unsure)}",
        f"{'fault':48} times  seconds without a booking: median, longest",
    ]
    outages = defaultdict(list)
    for fault in faults:
        outages[fault["fault"]].append(fault["outage"] or float("inf"))
    for name, seconds in sorted(outages.items()):
        lines.append(f"{name:48} {len(seconds):5}  {median(seconds):.1f}, {max(seconds):.1f}")
    return lines


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items())) or "none"
