"""Set the details of an organisation that statements print."""

from collections.abc import Mapping
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.invoice_details import masked, parse_invoice_details
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.notifications import Effect, enqueue
from accounts.selectors.invoice_details import may_set_invoice_details
from accounts.selectors.rows import visible


@transaction.atomic
def invoice_details_set(by: By, *, organisation_id: UUID, details: Mapping[str, str]) -> Organisation:
    """Set the given ones of `legal_name`, `address`, `tax_number`, `bank_account` and `invoice_email`; the
    others stay. The organisation's finance, coordinators of its region and administrators may do this. A
    changed bank account is reported to the organisation's other finance people and managers, because that is
    how money is stolen.

    Raise `Invalid` with the codes of `parse_invoice_details` and `not-a-mail-address`. Setting the same
    values again changes nothing.
    """
    row = visible(
        Organisation.objects.select_for_update(of=("self",), no_key=True).select_related("region"),
        pk=organisation_id,
    )
    if not may_set_invoice_details(by.actor, row):
        raise NotPermitted(capability="account")
    by.require_version(row.version)
    parsed = parse_invoice_details(details)
    if email := parsed.get("invoice_email"):
        try:
            validate_email(email)
        except ValidationError:
            raise invalid("invoice_email", "not-a-mail-address") from None
    after = {name: value for name, value in parsed.items() if value != getattr(row, name)}
    if not after:
        return row
    before = {name: getattr(row, name) for name in after}
    fields = [*after, "version"]
    for name, value in after.items():
        setattr(row, name, value)
    row.version += 1
    if "bank_account" in after:
        row.bank_account_changed_at = by.now
        fields.append("bank_account_changed_at")
    row.save(update_fields=fields)
    trail.record(by, "organisation.invoice-details", row, before=before, after=after)
    if "bank_account" in after:
        payload = {
            "organisation": str(row.pk),
            "user": str(by.actor.person),
            "before": masked(before["bank_account"]),
            "after": masked(row.bank_account),
        }
        key = f"people.bank-account.{row.pk}.{row.version}"
        enqueue([Effect("people.bank-account", key, payload)], now=by.now)
    return row
