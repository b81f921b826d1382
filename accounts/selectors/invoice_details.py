"""Decide who may read and change the invoice details of an organisation."""

from uuid import UUID

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.models import Organisation
from accounts.selectors.memberships import place_of
from accounts.selectors.organisations import organisation_by_id


def may_set_invoice_details(actor: Actor, organisation: Organisation) -> bool:
    """Return whether the actor may read and change them: its finance, coordinators of its region and
    administrators may."""
    place = place_of(organisation)
    return actor.may("account", place) or actor.may("manage-organisations", place)


def organisation_to_invoice(actor: Actor, organisation_id: UUID) -> Organisation:
    """Return an organisation whose invoice details the actor may read and change. Raise `NotFound` if there
    is none, `NotPermitted` for anybody else, because the bank account and the tax number are not public."""
    organisation = organisation_by_id(organisation_id)
    if not may_set_invoice_details(actor, organisation):
        raise NotPermitted(capability="account")
    return organisation
