"""Messages about the actions agreed on a finding: to their owners, and to the auditor."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, in_state, row_of, table
from accounts.letters.people import in_charge
from accounts.models import OutboxMessage, User
from accounts.selectors.users import members_among
from bookings.audit.models import AuditAction


def _owner(action: AuditAction) -> Iterable[User]:
    """Return the owner of an action; those in charge of the organisation, if the owner has left it."""
    organisation = action.finding.organisation_id
    return [action.owner] if members_among([action.owner_id], organisation) else in_charge(organisation)


def _auditor(action: AuditAction) -> Iterable[User]:
    return [action.finding.raised_by]


def _content(action: AuditAction, row: OutboxMessage, now: datetime) -> Content:
    words = {
        "title": action.finding.title,
        "organisation": action.finding.organisation,
        "owner": str(action.owner),
        "due": action.due_date,
    }
    link = reverse("bookings:finding", args=[action.finding_id]) + f"#action-{action.pk}"
    days = [action.due_date] if action.state == "agreed" else []
    return Content(action.pk, link, words, {"action": action}, days=days)


_rows = AuditAction.objects.select_related("owner", "finding__organisation", "finding__raised_by")
_action = partial(
    Kind,
    topic="audit-action",
    load=row_of(_rows, "action"),
    readers=_owner,
    content=_content,
    template="bookings/audit/mail/action",
)
KINDS = table(
    _action(
        "audit.action-named",
        _("An action for you: {title}"),
        _("You are the owner of an action of {organisation} about a finding. It is due by {due}."),
        is_still_true=in_state("agreed"),
    ),
    _action(
        "audit.action-due",
        _("Action soon due: {title}"),
        _("Please carry out this action of {organisation} by {due}, and say then that it is done."),
        is_still_true=in_state("agreed"),
    ),
    _action(
        "audit.action-overdue",
        _("Action overdue: {title}"),
        _("This action of {organisation} was due by {due}. Please say that it is done, or ask the auditor."),
        is_still_true=in_state("agreed"),
    ),
    _action(
        "audit.action-returned",
        _("Action sent back: {title}"),
        _("The auditor does not consider this action of {organisation} done. It is due by {due}."),
        is_still_true=in_state("agreed"),
    ),
    _action(
        "audit.action-withdrawn",
        _("Action withdrawn: {title}"),
        _("The auditor withdrew this action of {organisation}: nothing needs to be done."),
    ),
    _action(
        "audit.action-done",
        _("Action reported as done: {title}"),
        _("{organisation} says that this action is done. Verify it, or send it back."),
        topic="audit",
        readers=_auditor,
        is_still_true=in_state("done"),
    ),
    _action(
        "audit.action-late",
        _("Action of {organisation} overdue: {title}"),
        _("{owner} was to carry out this action by {due} and has not said that it is done."),
        topic="audit",
        readers=_auditor,
        is_still_true=in_state("agreed"),
    ),
)
