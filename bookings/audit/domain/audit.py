"""Rules that find what an auditor should look at, and the states of what they find.

Each rule is a function of plain values; it returns the numbers behind an exception, or None. A rule has a
version that changes when its condition or its parameters change, so that old exceptions keep saying by which
rule they were found. docs/audit.md explains the rules in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from bookings.hours.domain.norms import norm_share
from bookings.record.domain.money import format_amount

type Numbers = dict[str, str | int]


@dataclass(frozen=True)
class Rule:
    """A rule: its code, the version of its condition, and its parameters."""

    code: str
    version: int
    parameters: Mapping[str, int]


RULES = {
    rule.code: rule
    for rule in (
        Rule("made-after-use", 1, {"minutes": 5}),
        Rule("used-without-booking", 1, {"minutes": 30}),
        Rule("booked-never-used", 1, {"days": 3}),
        Rule("over-open-hours", 1, {"minutes": 15}),
        Rule("overrides", 1, {}),
        Rule("internal-rate-outsider", 1, {}),
        Rule("self-approval", 1, {}),
        Rule("voucher-near-cap", 1, {"percent": 95}),
        Rule("related-parties", 1, {}),
        Rule("manual-correction", 1, {}),
        Rule("other-than-card", 1, {}),
        Rule("stale-listing", 1, {"days": 365}),
        Rule("hours-far-from-norm", 1, {"least": 20, "most": 150, "days": 90}),
        Rule("books-not-trail", 1, {}),
    )
}
# How long after an event a rule may still change its result.
PATIENCE = timedelta(days=RULES["booked-never-used"].parameters["days"] + 1)
YEAR = 365
NEVER_HELD = frozenset({"cancelled", "rejected", "expired", "displaced", "no_show"})


@dataclass(frozen=True)
class BookingFacts:
    """The facts about a booking that the rules examine. The `*_at` are instants; `serves_both`: those people
    who booked or approved it and who both belong to the payer and have a say at the host."""

    id: UUID
    state: str
    start: datetime
    end: datetime
    requested_at: datetime
    ended_at: datetime | None
    price_group: str
    organisation_id: UUID
    host_id: UUID
    user_id: UUID
    made_by_id: UUID
    decided_by_id: UUID | None
    overrides: tuple[str, ...] = ()
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    belongs_to_host: bool = False
    serves_both: tuple[UUID, ...] = ()
    struck: str = ""  # why the host removed its no-show


def minutes_between(first: datetime, last: datetime) -> int:
    return int((last - first) / timedelta(minutes=1))


def made_after_use(facts: BookingFacts, now: datetime) -> Numbers | None:
    """Return the minutes by which a booking was made after its time, or its use, had begun; None if it was
    made in time."""
    began = min(facts.start, facts.checked_in_at or facts.start)
    late = minutes_between(began, facts.requested_at)
    if late <= RULES["made-after-use"].parameters["minutes"]:
        return None
    return {"minutes": late}


def used_without_booking(facts: BookingFacts, now: datetime) -> Numbers | None:
    """Return the minutes of use without a valid booking, or beyond what was booked, and the booking's state;
    None if there are none."""
    if facts.checked_in_at is None:
        return None
    last = facts.checked_out_at or facts.checked_in_at
    whole = minutes_between(facts.checked_in_at, last)
    if facts.state in NEVER_HELD:
        return {"minutes": whole, "state": facts.state}
    early = max(0, minutes_between(facts.checked_in_at, min(facts.start, last)))
    late = max(0, minutes_between(max(facts.end, facts.checked_in_at), last))
    if early + late <= RULES["used-without-booking"].parameters["minutes"]:
        return None
    return {"minutes": early + late, "state": facts.state}


def booked_never_used(facts: BookingFacts, now: datetime) -> Numbers | None:
    """Return the minutes and the state of a missed booking, or of a completed one whose use nobody has
    entered for days; None for others, and for one whose no-show the host has removed."""
    booked = minutes_between(facts.start, facts.end)
    if facts.state == "no_show":
        return {"minutes": booked, "state": "no_show"}
    patience = timedelta(days=RULES["booked-never-used"].parameters["days"])
    is_over = facts.state == "completed" and not facts.struck and facts.end + patience <= now
    if is_over and facts.checked_in_at is None:
        return {"minutes": booked, "state": "completed"}
    return None


def overrides(facts: BookingFacts, now: datetime) -> Numbers | None:
    """Return the numbers behind a booking for which a manager overrode rules; None for others."""
    return {"rules": ", ".join(sorted(facts.overrides))} if facts.overrides else None


def internal_rate_outsider(facts: BookingFacts, now: datetime) -> Numbers | None:
    """Return the numbers behind a booking at the host's internal price although another organisation pays or
    the person does not belong to the host; None for others."""
    if facts.price_group != "internal":
        return None
    if facts.organisation_id != facts.host_id:
        return {"why": "payer"}
    return None if facts.belongs_to_host else {"why": "person"}


def self_approval(facts: BookingFacts, now: datetime) -> Numbers | None:
    """Return the numbers behind a booking that was approved by the person who made it or whom it is for; None
    for others."""
    if facts.decided_by_id is None or facts.state == "rejected":
        return None
    return {"count": 1} if facts.decided_by_id in {facts.user_id, facts.made_by_id} else None


def related_parties(facts: BookingFacts, now: datetime) -> Numbers | None:
    """Return the numbers behind a booking between two organisations where somebody who booked or approved it
    has a say in both; None for others."""
    if facts.organisation_id == facts.host_id or not facts.serves_both:
        return None
    return {"people": len(facts.serves_both)}


BOOKING_RULES = {
    "made-after-use": made_after_use,
    "used-without-booking": used_without_booking,
    "booked-never-used": booked_never_used,
    "overrides": overrides,
    "internal-rate-outsider": internal_rate_outsider,
    "self-approval": self_approval,
    "related-parties": related_parties,
}


def over_open_hours(*, productive: int, open_minutes: int) -> Numbers | None:
    """Return by how many minutes an instrument was used for longer than it was open on a day, and both
    lengths; None if it was not."""
    over = productive - open_minutes
    if over <= RULES["over-open-hours"].parameters["minutes"]:
        return None
    return {"minutes": over, "open": open_minutes, "used": productive}


def voucher_near_cap(*, amount: Decimal, held: Decimal, redeemed: Decimal, currency: str) -> Numbers | None:
    """Return the numbers of a payer that has used nearly all of its grant; None for others."""
    if amount <= 0:
        return None
    percent = int((held + redeemed) * 100 / amount)
    if percent < RULES["voucher-near-cap"].parameters["percent"]:
        return None
    return {"percent": percent, "amount": format_amount(amount, currency), "currency": currency}


def manual_correction(*, before: Decimal, after: Decimal, currency: str) -> Numbers:
    """Return the amounts before and after, and the currency, of a charge that was corrected by hand."""
    amounts = (format_amount(amount, currency) for amount in (before, after))
    return {**dict(zip(("before", "after"), amounts, strict=True)), "currency": currency}


def usage_changed(was: Any) -> Numbers | None:
    """Return the times of use before somebody changed them (`was`: the two times); None if none had been
    recorded."""
    known = [moment for moment in was or [] if moment]
    return {"was": " – ".join(known)} if known else None


# The amounts of a charge that people read, the most important first.
CHARGED = ("total", "payable", "covered", "tax")


def other_than_card(differing: Sequence[tuple[str, str | None, str | None]], currency: str) -> Numbers | None:
    """Return in what a charge differs from the result of its rate card, by fields with their stored and their
    recomputed values: the names of the first fields and their number, each amount that differs as it was
    charged and as computed again (`total`, `total_again`), and the `difference` in money of the first of
    them. None if nothing differs."""
    if not differing:
        return None
    numbers: Numbers = {"fields": ", ".join(name for name, *_ in differing[:5]), "count": len(differing)}
    amounts = {name: (was, again) for name, was, again in differing if name in CHARGED and was and again}
    for name in CHARGED:
        if name in amounts:
            was, again = amounts[name]
            numbers |= {name: was, f"{name}_again": again}
            if "difference" not in numbers:
                difference = abs(Decimal(again) - Decimal(was))
                numbers |= {"difference": f"{difference:f}", "currency": currency}
    return numbers


def stale_listing(*, confirmed_at: datetime, now: datetime) -> Numbers | None:
    """Return for how many days nobody has changed or confirmed a published record; None if they are not too
    many."""
    days = (now - confirmed_at).days
    return {"days": days} if days >= RULES["stale-listing"].parameters["days"] else None


def hours_far_from_norm(*, effective: int, norm: int, days: int) -> Numbers | None:
    """Return the numbers of an instrument whose effective use on its `days` on offer is far from the norm for
    these days, both in minutes; None for others."""
    limits = RULES["hours-far-from-norm"].parameters
    share = norm_share(effective, norm)
    if days < limits["days"] or share is None:
        return None
    if limits["least"] <= int(share * 100) <= limits["most"]:
        return None
    tenths = int(share * 1000 + Fraction(1, 2))  # rounded as pages of hours print it
    percent = f"{tenths // 10}.{tenths % 10}"
    return {"percent": percent, "hours": effective // 60, "norm": norm // 60, "days": days}


def books_not_trail(fields: tuple[str, ...], *, is_gone: bool) -> Numbers:
    """Return the fields in which a row of the books differs from the trail, or which of the two lacks the
    row."""
    if fields:
        return {"fields": ", ".join(fields), "count": len(fields)}
    return {"only": "trail" if is_gone else "books"}


# What becomes of an exception. A confirmed one is a finding.
OPEN, REVIEW, EXPLAINED, CONFIRMED = "open", "review", "explained", "confirmed"
MOVES: Mapping[str, frozenset[str]] = {
    OPEN: frozenset({REVIEW, EXPLAINED, CONFIRMED}),
    REVIEW: frozenset({EXPLAINED, CONFIRMED}),
    EXPLAINED: frozenset({REVIEW}),
    CONFIRMED: frozenset(),
}
NEEDS_REASON = frozenset({EXPLAINED, CONFIRMED})


def may_become(state: str, new: str) -> bool:
    return new in MOVES[state]


# What becomes of a finding: the audited party answers, the auditor closes it.
FINDING_MOVES: Mapping[str, frozenset[str]] = {
    "open": frozenset({"replied", "closed"}),
    "replied": frozenset({"open", "closed"}),
    "closed": frozenset(),
}
SEVERITIES = ("low", "medium", "high", "critical")
# Until when the audited party has to answer, by severity.
DAYS_TO_ANSWER = {"low": 60, "medium": 30, "high": 14, "critical": 5}
REMIND_BEFORE = timedelta(days=7)
