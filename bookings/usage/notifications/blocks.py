"""Messages to those whom a host blocks from booking."""

from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import MANAGER
from accounts.letters.kinds import Content, Kind, row_of, table
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import holders_of
from instruments.policy.selectors.blocks import WITH
from instruments.register.models import HostBlock


def _readers(block: HostBlock) -> list[User]:
    """Return the person, or the managers of the organisation."""
    if block.user is not None:
        return [block.user]
    return list(holders_of(MANAGER, block.organisation_id))


def _content(block: HostBlock, row: OutboxMessage, now: datetime) -> Content:
    words = {"host": block.host, "whom": block.whom, "until": block.last_day, "contact": block.contact}
    is_made = row.kind == "block.made"
    context = {"reason": block.reason if is_made else block.lift_reason}
    days = [block.last_day] if is_made else []
    return Content(block.pk, reverse("bookings:mine"), words, context, days=days)


_kind = partial(
    Kind,
    topic="account",
    load=row_of(HostBlock.objects.select_related(*WITH), "block"),
    readers=_readers,
    content=_content,
    template="accounts/mail/letter",
)
KINDS = table(
    _kind(
        "block.made",
        _("Blocked from booking: {host}"),
        _(
            "{host} does not accept new bookings of {whom} until {until}. Bookings that are made already "
            "stay unless the host cancels them. To object, write to {contact}."
        ),
    ),
    _kind("block.lifted", _("Block lifted: {host}"), _("{host} again accepts bookings of {whom}.")),
)
