"""Carrying out the outbox: each kind of effect goes to the one that has it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import translation

from accounts.letters import Letter, mail_of, mails_of
from accounts.letters import letters_of as letters_about_people
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
from bookings.audit.notifications.audit import audit_letters
from bookings.catalogue.services.searches import searches_follow
from bookings.charging.services.charges import charge_make
from bookings.hours.services.hours import days_mark_dirty
from bookings.messaging.notifications import letters_of, still_says
from bookings.messaging.notifications.records import record_letters
from bookings.messaging.notifications.searches import matches_letters
from bookings.messaging.notifications.training import training_letters
from bookings.messaging.notifications.webhooks import webhook_letters
from bookings.messaging.services.webhooks import events_tell, webhook_deliver
from bookings.plans.services.waiting import slot_offer
from bookings.settlement.adapters.papers import statement_pdf
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.notifications.papers import (
    agreement_letters,
    invoice_letter,
    settlement_letters,
    statement_letters,
)
from bookings.settlement.selectors.papers import load_statement_paper
from instruments.notifications import harvest_letters
from instruments.services.opening import holidays_follow
from instruments.services.search import register_refile


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
            made = charge_make(reservation_id=UUID(payload["reservation"]), now=now)
            return "done" if made else "skipped"
        case "slot":
            offer = slot_offer(instrument_id=UUID(payload["instrument"]), now=now)
            return "done" if offer else "skipped"
        case "hours":
            days_mark_dirty(
                instrument_id=UUID(payload["instrument"]),
                start=datetime.fromisoformat(payload["start"]),
                end=datetime.fromisoformat(payload["end"]),
            )
            return "done"
        case "register":
            return _register(payload, now)
        case "webhook":
            return webhook_deliver(row, now=now)
        case "instrument":
            return "done" if events_tell(row, now=now) else "skipped"
        case "invoice":
            return _invoice(row, now)
        case "people":
            # Whoever has an account finds it in the inbox, too; the others have only mail.
            strangers = mail_send(mails_of(row, now))
            told = _given(row, now)
            return told if strangers == "skipped" else strangers
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
    """The mail to a payer's invoice address, with the statement as PDF."""
    found = invoice_letter(row, now)
    if found is None:
        return "skipped"
    statement, letter = found
    number = statement_number(statement.host.code, statement.year, statement.number)
    reader = letter.person
    with translation.override(reader.language):
        mail = mail_of(
            letter.subject,
            letter.text,
            letter.html,
            to=reader.email,
            name=str(row.pk),
            topics=[letter.topic],
        )
    pdf = statement_pdf(load_statement_paper(statement), language=reader.language)
    mail.attach(f"{number}.pdf", pdf, "application/pdf")
    return mail_send([mail])


def _given(row: OutboxMessage, now: datetime) -> str:
    told = messages_give(_letters(row, now), row=row, now=now)
    events_tell(row, now=now)
    return told


def _letters(row: OutboxMessage, now: datetime) -> list[Letter]:
    """What a row has to say, to whom."""
    match row.kind.partition(".")[0]:
        case "mail":
            return letters_of(row, now)
        case "people":
            return letters_about_people(row, now)
        case "statement":
            return statement_letters(row, now)
        case "settlement":
            return settlement_letters(row)
        case "agreement":
            return agreement_letters(row, now)
        case "training":
            return training_letters(row, now)
        case "record":
            return record_letters(row, now)
        case "search":
            return matches_letters(row)
        case "harvest":
            return harvest_letters(row)
        case "hook":
            return webhook_letters(row)
        case "audit":
            return audit_letters(row)
        case _:
            raise LookupError(row.kind)


def _letter(row: OutboxMessage, now: datetime) -> str:
    """The mail of a message, unless what it says has passed while it was held back."""
    message = letter_message(row)
    if message is None or not still_says(message.kind, message.about, now):
        return "skipped"
    return letter_send(message, now=now)
