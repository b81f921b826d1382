"""Carrying out the outbox: each kind of effect goes to the one that has it."""

from datetime import datetime
from uuid import UUID

from accounts.letters import post
from accounts.models import OutboxMessage
from accounts.services.erasure import person_forget
from accounts.services.outbox import outbox_deliver
from bookings.notifications import mail
from bookings.notifications.audit import audit_mail
from bookings.notifications.papers import settlement_mail, statement_mail
from bookings.notifications.records import record_mail
from bookings.notifications.searches import matches_mail
from bookings.notifications.training import training_mail
from bookings.services.charges import charge_make
from bookings.services.utilisation import days_mark_dirty
from bookings.services.waiting import slot_offer
from instruments.notifications import harvest_mail


def effects_carry_out(
    *, now: datetime, lane: str = "", most: int = 200, seconds: float | None = None
) -> int:
    """Carry out what is due, of one lane if named; the number done."""
    return outbox_deliver(handler=_carry_out, now=now, lane=lane, most=most, seconds=seconds)


def _carry_out(row: OutboxMessage, now: datetime) -> str:
    payload = row.payload
    match row.kind.partition(".")[0]:
        case "mail":
            return mail(row, now)
        case "people":
            return post(row, now)
        case "harvest":
            return harvest_mail(row)
        case "person":
            is_new = person_forget(user_id=UUID(payload["user"]), now=now)
            return "done" if is_new else "skipped"
        case "charge":
            made = charge_make(reservation_id=UUID(payload["reservation"]), now=now)
            return "done" if made else "skipped"
        case "statement":
            return statement_mail(row, now)
        case "settlement":
            return settlement_mail(row, now)
        case "training":
            return training_mail(row, now)
        case "record":
            return record_mail(row, now)
        case "search":
            return matches_mail(row, now)
        case "slot":
            offer = slot_offer(instrument_id=UUID(payload["instrument"]), now=now)
            return "done" if offer else "skipped"
        case "audit":
            return audit_mail(row, now)
        case "hours":
            days_mark_dirty(
                instrument_id=UUID(payload["instrument"]),
                start=datetime.fromisoformat(payload["start"]),
                end=datetime.fromisoformat(payload["end"]),
            )
            return "done"
        case _:
            raise LookupError(row.kind)
