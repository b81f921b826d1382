"""Carrying out the outbox: each kind of effect goes to the one that has it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.letters import people, sign_in
from accounts.letters.kinds import by_outbox_kind, letters_of
from accounts.letters.mails import mail_of
from accounts.models import OutboxMessage
from accounts.services.erasure import person_forget
from accounts.services.messages import (
    digest_send,
    letter_message,
    letter_send,
    mail_send,
    messages_give,
)
from accounts.services.outbox import outbox_deliver
from bookings.audit.notifications import audit
from bookings.availability.notifications import kept_hours
from bookings.board.notifications import alarms, enquiries
from bookings.browsing.services.searches import searches_follow
from bookings.charging.services.charges import charge_make
from bookings.conversation import notifications as conversations
from bookings.hours.services.hours import days_mark_dirty
from bookings.messaging.notifications import (
    collecting,
    counters,
    needs,
    records,
    reservations,
    results,
    searches,
    training,
    webhooks,
)
from bookings.messaging.notifications.reservations import still_says
from bookings.messaging.services.webhooks import events_tell, webhook_deliver
from bookings.needs.notifications import batches
from bookings.planning.notifications import plans
from bookings.plans.services.waiting import slot_offer
from bookings.results.adapters.stores import file_drop
from bookings.results.services.handoffs import hand_off_expect
from bookings.reviews.notifications import reviews
from bookings.samples.notifications import samples
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.notifications import papers
from bookings.settlement.notifications.papers import invoice_letter
from bookings.settlement.services.papers import statement_file
from bookings.usage.notifications import faults
from bookings.usage.services.counters import counters_check
from instruments import notifications as harvests
from instruments.services.opening import holidays_follow
from instruments.services.search import register_refile

# Everything that is said to people.
KINDS = by_outbox_kind(
    *(
        area.KINDS
        for area in (
            people, sign_in, harvests, reservations, records, training, searches, needs,
            webhooks, papers, audit, samples, results, collecting, conversations, faults,
            counters, kept_hours, reviews, plans, alarms, enquiries, batches,
        )
    )
)  # fmt: skip


def effects_carry_out(
    *, now: datetime, lane: str = "", most: int = 200, seconds: float | None = None
) -> int:
    """Carry out what is due, of one lane if named; the number done."""
    return outbox_deliver(handler=_carry_out, now=now, lane=lane, most=most, seconds=seconds)


def _carry_out(row: OutboxMessage, now: datetime) -> str:
    payload = row.payload
    match row.kind.partition(".")[0]:
        case "letter":
            return _letter(row, now)
        case "digest":
            return digest_send(row, now=now)
        case "person":
            is_new = person_forget(user_id=UUID(payload["user"]), now=now)
            return "done" if is_new else "skipped"
        case "charge":
            ended = UUID(payload["reservation"])
            charge = charge_make(reservation_id=ended, now=now)
            expected = hand_off_expect(reservation_id=ended, now=now)
            return "done" if charge or expected else "skipped"
        case "resultfile":
            file_drop(payload["storage"], payload["upload_id"])
            return "done"
        case "slot":
            offer = slot_offer(instrument_id=UUID(payload["instrument"]), now=now)
            return "done" if offer else "skipped"
        case "hours":
            days_mark_dirty(
                instrument_id=UUID(payload["instrument"]),
                start=datetime.fromisoformat(payload["start"]),
                end=datetime.fromisoformat(payload["end"]),
            )
            counters_check(instrument_id=UUID(payload["instrument"]), now=now)
            return "done"
        case "counters":
            told = counters_check(instrument_id=UUID(payload["instrument"]), now=now)
            return "done" if told else "skipped"
        case "register":
            return _register(payload, now)
        case "webhook":
            return webhook_deliver(row, now=now)
        case "instrument":
            return "done" if events_tell(row, now=now) else "skipped"
        case "invoice":
            return _invoice(row, now)
        case _:
            return _given(row, now)


def _register(payload: Mapping[str, Any], now: datetime) -> str:
    """What keeps names, codes and holidays of an organisation or a region follows its change."""
    old, new = payload["code"]
    if "organisation" in payload:
        register_refile(organisation_id=UUID(payload["organisation"]))
        searches_follow(facet="host", old=old, new=new)
        return "done"
    region_id, changed = UUID(payload["region"]), payload["changed"]
    if {"code", "parent"} & set(changed):
        register_refile(region_id=region_id)
        searches_follow(facet="region", old=old, new=new)
    if "holiday_calendar" in changed:
        holidays_follow(region_id=region_id, now=now)
    return "done"


def _invoice(row: OutboxMessage, now: datetime) -> str:
    """Send the mail to a payer's invoice address, with the statement as PDF."""
    invoice = invoice_letter(row, now)
    if invoice is None:
        return "skipped"
    statement, letter = invoice
    number = statement_number(statement.host.code, statement.year, statement.number)
    reader = letter.person
    mail = mail_of(letter, reader, str(row.pk))
    pdf = statement_file(statement, language=reader.language)
    mail.attach(f"{number}.pdf", pdf, "application/pdf")
    return mail_send([mail])


def _given(row: OutboxMessage, now: datetime) -> str:
    """Tell people and webhooks. Whoever has an account finds it in the inbox, too; strangers have
    only mail, which leaves at once."""
    letters = letters_of(row, now, KINDS)
    mails = [mail_of(one, one.person, str(row.pk)) for one in letters if one.is_to_stranger]
    mailed = mail_send(mails)
    given = messages_give([one for one in letters if not one.is_to_stranger], row=row, now=now)
    events_tell(row, now=now)
    return given if mailed == "skipped" else mailed


def _letter(row: OutboxMessage, now: datetime) -> str:
    """Send the mail of a message, unless what it says has passed while it was held back."""
    message = letter_message(row)
    if message is None or not still_says(message.kind, message.about, now):
        return "skipped"
    return letter_send(message, now=now)
