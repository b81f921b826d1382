"""Messages about a person's place in organisations: invitations, requests, memberships, roles."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import ADMINISTRATOR, CAPABILITIES, FINANCE, MANAGER, NO_SECOND, SECOND_ROLE
from accounts.letters.kinds import Content, Kind, in_state, row_of, table
from accounts.letters.mails import Stranger
from accounts.letters.words import BANK_LABELS, named
from accounts.models import (
    AccessRequest,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationMove,
    OrganisationRequest,
    OutboxMessage,
    Region,
    RoleGrant,
    User,
)
from accounts.selectors import memberships
from accounts.selectors.installation import installation
from accounts.selectors.joining import invitation_token, invitations, inviter_organisation, join_requests
from accounts.selectors.organisations import organisation_requests
from accounts.selectors.users import user_by_email

Need = tuple[User, Organisation | Region]
Asked = tuple[User, Organisation | None]
Change = tuple[Organisation, User]
ROLE_NAMES: dict[Any, Any] = dict(RoleGrant._meta.get_field("role").choices or [])


def content_of(
    place: Organisation | OrganisationRequest | Region,
    person: User,
    link: str = "",
    *,
    words: Any = (),
    **context: Any,
) -> Content:
    """Return the content of a message about a person at a place."""
    named = {"organisation": place, "person": str(person), "email": person.email, "site": installation()}
    return Content(place.pk, link, named | dict(words), context)


def _members(organisation: Organisation) -> str:
    return reverse("accounts:members", args=[organisation.pk])


# Invitations


def _open_invitation(row: OutboxMessage, now: datetime) -> Invitation | None:
    """Return the invitation of an outbox row, if it can still be accepted."""
    is_open = invitations().filter(accepted_at=None, withdrawn_at=None, expires_at__gt=now)
    invitation = is_open.filter(pk=UUID(row.payload["invitation"])).first()
    # A token made with a secret that is no more cannot be made again.
    if invitation and invitation_token(invitation.pk, bytes(invitation.digest)):
        return invitation
    return None


def _invited(invitation: Invitation) -> list[User | Stranger]:
    if known := user_by_email(invitation.email):
        return [known]
    # Whoever has no account reads the usual language of an installation that has one.
    usual, sender = installation(), invitation.invited_by
    language = usual.languages[0] if usual.version else sender.language
    return [Stranger(invitation.email, language, sender.time_zone)]


def _of_invitation(invitation: Invitation, row: OutboxMessage, now: datetime) -> Content:
    token = invitation_token(invitation.pk, bytes(invitation.digest))
    return content_of(
        invitation.organisation,
        invitation.invited_by,
        reverse("accounts:invitation", kwargs={"token": token}),
        until=invitation.expires_at,
        sender=invitation.invited_by,
        sender_organisation=inviter_organisation(invitation),
        roles=invitation.roles,
    )


# Requests to join, and for an organisation that is missing


def _who_enters(request: OrganisationRequest) -> list[User]:
    """Return who may enter the organisation: the coordinators of the region, or the administrators if it has
    none."""
    coordinators = list(memberships.coordinators_of(request.region.lineage).exclude(pk=request.user_id))
    return coordinators or list(memberships.holders_of(ADMINISTRATOR, None))


def _of_join_request(request: JoinRequest, row: OutboxMessage, now: datetime) -> Content:
    link = _members(request.organisation)
    return content_of(request.organisation, request.user, link, text=request.text)


def _missing(request: OrganisationRequest, row: OutboxMessage, now: datetime) -> Content:
    link = reverse("bookings:organisation-request", args=[request.pk])
    return content_of(request, request.user, link, text=request.text)


def _of_answer(request: Any, row: OutboxMessage, now: datetime) -> Content:
    """Return the content of the answer to a request to join or to enter an organisation."""
    link = reverse("accounts:organisations")
    return content_of(request.organisation or request, request.user, link, reason=request.reason)


def _was_there(request: OrganisationRequest, row: OutboxMessage, now: datetime) -> bool:
    """Return whether the answer names an organisation that has yet to accept the person who asked."""
    is_answered = request.state in {"approved", "rejected"}
    organisation = request.organisation
    return is_answered and bool(organisation and not memberships.is_member(request.user, organisation))


# A second person


def _needed(row: OutboxMessage, now: datetime) -> Need | None:
    """Return the person who needs a second person for an act, and the place; None once there is one."""
    asker = User.objects.filter(pk=UUID(row.payload["user"]), is_active=True).first()
    organisation = Organisation.objects.filter(pk=row.payload["organisation"]).first()
    region = Region.objects.filter(pk=row.payload["region"]).first()
    place = organisation or region
    capability = next(key for key, code in NO_SECOND.items() if code == row.payload["code"])
    if asker is None or place is None:
        return None
    is_alone = memberships.no_second(capability, besides=[asker.pk], organisation=organisation, region=region)
    return (asker, place) if is_alone else None


def _who_appoints(need: Need) -> list[User]:
    """Return the people who may grant the role of a missing second person, except the one who asks."""
    asker, place = need
    people = list(memberships.holders_of(ADMINISTRATOR, None))
    if isinstance(place, Organisation):
        people += memberships.holders_of(MANAGER, place.pk)
    return [person for person in people if person != asker]


def _of_need(need: Need, row: OutboxMessage, now: datetime) -> Content:
    asker, place = need
    link = _members(place) if isinstance(place, Organisation) else reverse("accounts:roles")
    role = ROLE_NAMES[SECOND_ROLE[row.payload["code"]]]
    return content_of(place, asker, link, words={"role": role})


# A role, after a refusal


def _refused(row: OutboxMessage, now: datetime) -> Asked | None:
    """Return the person who asks for a role, and the organisation that is to give it; None if one of them is
    gone or the request was answered."""
    asker = User.objects.filter(pk=UUID(row.payload["user"]), is_active=True).first()
    request = row.payload.get("request")  # rows written by the previous release have none
    if request and not AccessRequest.objects.filter(pk=UUID(request), state="requested").exists():
        return None
    place, wanted = None, row.payload["organisation"]
    if wanted:
        place = Organisation.objects.filter(pk=UUID(wanted), closed_at=None).first()
    return (asker, place) if asker and bool(place) == bool(wanted) else None


def _who_gives(asked: Asked) -> list[User]:
    """Return the managers of the organisation that is asked for a role, except the one who asks, or else the
    administrators."""
    asker, place = asked
    managers = memberships.holders_of(MANAGER, place.pk) if place else ()
    others = [person for person in managers if person != asker]
    return others or [person for person in memberships.holders_of(ADMINISTRATOR, None) if person != asker]


def _of_access(asked: Asked, row: OutboxMessage, now: datetime) -> Content:
    asker, place = asked
    words = {"organisation": place or installation(), "person": str(asker), "email": asker.email}
    link = reverse("bookings:home") + "#access"
    capability, path = row.payload["capability"], row.payload["path"]
    context = {
        "refused_page": settings.SITE_URL + path if path else "",
        "access_roles": sorted(CAPABILITIES.get(capability, ())),
    }
    return Content(asker.pk, link, words, context)


def _of_declined(request: AccessRequest, row: OutboxMessage, now: datetime) -> Content:
    words = {"organisation": request.organisation or installation()}
    context = {"reason": request.reason, "refused_page": settings.SITE_URL + request.path}
    if not request.path:
        del context["refused_page"]
    return Content(request.pk, reverse("accounts:organisations"), words, context)


# Memberships that have ended, organisations that have changed


def _ended(membership: Membership, row: OutboxMessage, now: datetime) -> Content:
    has_left = row.kind == "people.left"
    link = _members(membership.organisation) if has_left else ""
    reason = row.payload["reason"]
    more = {} if has_left else _end_of(row, membership.ended_at)
    if not has_left:
        more |= _whom_to_ask(membership.organisation, membership.user)
    return content_of(membership.organisation, membership.user, link, reason=reason, **more)


def _end_of(row: OutboxMessage, moment: datetime | None) -> dict[str, Any]:
    """Return who ended a membership or a role, when, and the roles that ended. Rows written by the previous
    release lack the person and the roles."""
    who = User.objects.filter(pk=row.payload.get("by")).first() if row.payload.get("by") else None
    roles = row.payload.get("roles", [])
    return {"ended_by": who, "ended_at": moment, "roles_ended": roles, "limits": []}


def _whom_to_ask(place: object, reader: User) -> dict[str, Any]:
    """Return whom a person may ask about a role that ended: the managers of an open organisation, by name
    for a member of it, or else the administrators."""
    if not isinstance(place, Organisation) or place.closed_at is not None:
        return {}
    managers = memberships.holders_of(MANAGER, place.pk).exclude(pk=reader.pk)
    if not memberships.has_manager(place.pk):
        return {}
    is_member = memberships.is_member(reader, place)
    return {"ask_at": place, "ask_people": [str(person) for person in managers] if is_member else []}


def _let_go(membership: Membership, row: OutboxMessage, now: datetime) -> Content:
    """Return the content for a member whose organisation was closed, or merged into another that they now
    belong to."""
    organisation = membership.organisation
    return content_of(
        organisation,
        membership.user,
        reverse("accounts:organisations"),
        words={"into": organisation.merged_into},
        **_end_of(row, membership.ended_at),
        **_whom_to_ask(organisation.merged_into, membership.user),
    )


def _of_grant(grant: RoleGrant, row: OutboxMessage, now: datetime) -> Content:
    """Return the content about a role that somebody else gave or revoked."""
    place = grant.organisation or grant.region or installation()
    limits = _limits(grant, row)
    words = {"organisation": place, "role": _role_words(grant.role, limits), "site": installation()}
    link = reverse("accounts:organisations")
    if row.kind == "people.role-given":
        told = _end_of(row, grant.granted_at)
        context = {"role_given": grant.role, "given_by": told["ended_by"], "limits": limits}
        return Content(grant.pk, link, words, context)
    context = _end_of(row, grant.revoked_at) | {"roles_ended": [grant.role], "limits": limits}
    context |= {"reason": row.payload["reason"]} | _whom_to_ask(place, grant.user)
    return Content(grant.pk, link, words, context)


def _role_words(role: str, limits: list[memberships.Limit]) -> Any:
    """Return a role's name, with what it is limited to, in the language in which the text is written."""
    name = ROLE_NAMES[role]
    if not limits:
        return name
    return lazy(lambda: f"{name} ({gettext(', ').join(map(named, limits))})", str)()


def _limits(grant: RoleGrant, row: OutboxMessage) -> list[memberships.Limit]:
    """Return what the role, and others given with it, are limited to; nothing for a role without a limit."""
    given = _given(grant, row) if grant.is_scoped else []
    if row.kind == "people.role-given":  # without those that were revoked since
        given = [one for one in given if one.revoked_at is None]
    return [one.limit for one in memberships.with_limits(given) if one.limit is not None]


def _given(grant: RoleGrant, row: OutboxMessage) -> list[RoleGrant]:
    """Return the role that a message is about, and others given with it."""
    also = [UUID(pk) for pk in row.payload.get("also", [])]
    return [grant, *(RoleGrant.objects.filter(pk__in=also).order_by("pk") if also else ())]


def in_charge(organisation_id: UUID) -> list[User]:
    """Return the managers and the finance people of an organisation; a person with both roles is listed
    twice."""
    return [person for role in (MANAGER, FINANCE) for person in memberships.holders_of(role, organisation_id)]


def _of_move(move: OrganisationMove, row: OutboxMessage, now: datetime) -> Content:
    words = {"region": move.region, "from_region": move.from_region, "day": move.starts_on}
    return replace(content_of(move.organisation, move.decided_by, words=words), days=[move.starts_on])


def _of_merger(gone: Organisation, row: OutboxMessage, now: datetime) -> Content:
    person = User.objects.get(pk=UUID(row.payload["by"]))
    return content_of(gone, person, words={"into": gone.merged_into})


def _bank_account(row: OutboxMessage, now: datetime) -> Change:
    organisation = Organisation.objects.get(pk=UUID(row.payload["organisation"]))
    return organisation, User.objects.get(pk=UUID(row.payload["user"]))


def _who_knows(changed: Change) -> list[User]:
    """Return the people in charge of an organisation, except whoever made the change."""
    organisation, changer = changed
    return [person for person in in_charge(organisation.pk) if person != changer]


def _of_bank_account(changed: Change, row: OutboxMessage, now: datetime) -> Content:
    organisation, person = changed
    # The release before told of one account, without its kind.
    told = row.payload.get("changes") or [["bank_account", row.payload["before"], row.payload["after"]]]
    return content_of(
        organisation,
        person,
        reverse("accounts:invoice-details", args=[organisation.pk]),
        account_changes=[(BANK_LABELS[name], before, after) for name, before, after in told],
        changed_at=row.created_at,
    )


_kind = partial(Kind, template="accounts/mail/letter")
_of_join = partial(_kind, load=row_of(join_requests(), "request"))
_of_missing = partial(_kind, load=row_of(organisation_requests(), "request"))
_answer = {"readers": lambda request: [request.user], "content": _of_answer}
_approved, _rejected = in_state("approved"), in_state("rejected")
_of_membership = partial(
    _kind,
    load=row_of(Membership.objects.select_related("organisation__merged_into", "user"), "membership"),
    content=_ended,
)
_of_role = partial(
    _kind,
    load=row_of(RoleGrant.objects.select_related("organisation", "region", "user"), "grant"),
    readers=lambda grant: [grant.user],
    content=_of_grant,
)
_MOVES = OrganisationMove.objects.select_related("organisation", "from_region", "region", "decided_by")
KINDS = table(
    _kind(
        "people.invitation",
        _("Invitation: {organisation}"),
        _("{person} invites you to join {organisation} on {site}."),
        load=_open_invitation,
        readers=_invited,
        content=_of_invitation,
    ),
    _of_join(
        "people.asked",
        _("A request to join: {person}"),
        _("{person} ({email}) has asked to become a member of {organisation}."),
        "request",
        readers=lambda request: memberships.managers_or_administrators(request.organisation_id),
        content=_of_join_request,
        is_still_true=in_state("requested"),
    ),
    _of_join(
        "people.approved",
        _("You are a member: {organisation}"),
        _("Your request was accepted: you belong to {organisation} now."),
        is_still_true=_approved,
        on="people.answered",
        **_answer,
    ),
    _of_join(
        "people.rejected",
        _("Not accepted: {organisation}"),
        _("{organisation} did not accept your request to become a member."),
        is_still_true=_rejected,
        on="people.answered",
        **_answer,
    ),
    _kind(
        "people.moves",
        _("{organisation}: move to {region}"),
        _(
            "From {day} on, {organisation} belongs to {region}, no longer to {from_region}."
            " Bookings that begin from that day on are priced accordingly; bookings already made"
            " keep their price."
        ),
        "change",
        load=row_of(_MOVES.filter(withdrawn_at=None), "move"),
        readers=lambda move: in_charge(move.organisation_id),
        content=_of_move,
    ),
    _kind(
        "people.merged",
        _("{organisation} is now part of {into}"),
        _(
            "{organisation} was merged into {into}. Members and their roles, instruments, upcoming"
            " bookings and remaining money now belong to {into}. What had begun or was over stays"
            " with {organisation}, and {into} accounts for it."
        ),
        "change",
        load=row_of(Organisation.objects.select_related("merged_into"), "organisation"),
        readers=lambda gone: in_charge(gone.pk),
        content=_of_merger,
    ),
    _kind(
        "people.second",
        _("Second approver needed: {organisation}"),
        _(
            "{person} ({email}) needs a second approver at {organisation}, and nobody else there "
            "can be one. Please give another member the role {role}."
        ),
        "request",
        load=_needed,
        readers=_who_appoints,
        content=_of_need,
    ),
    _kind(
        "people.access-asked",
        _("Role requested: {person}"),
        _("{person} ({email}) has asked for a role at {organisation}. Give one only if their work needs it."),
        "request",
        load=_refused,
        readers=_who_gives,
        content=_of_access,
    ),
    _kind(
        "people.access-declined",
        _("Role not given: {organisation}"),
        _("Your request for a role at {organisation} was declined."),
        load=row_of(AccessRequest.objects.select_related("organisation", "user"), "request"),
        readers=lambda request: [request.user],
        content=_of_declined,
        is_still_true=in_state("rejected"),
    ),
    _of_missing(
        "people.organisation-asked",
        _("A missing organisation: {organisation}"),
        _("{person} ({email}) does not find {organisation} here and asks you to enter it."),
        "request",
        readers=_who_enters,
        content=_missing,
        is_still_true=in_state("requested"),
    ),
    _of_missing(
        "people.organisation-named",
        _("Already on the platform: {organisation}"),
        _(
            "{organisation} is on the platform already. Its managers have been asked to accept you"
            " as a member."
        ),
        is_still_true=_was_there,
        on="people.organisation-answered",
        **_answer,
    ),
    _of_missing(
        "people.organisation-approved",
        _("You are a member: {organisation}"),
        _("{organisation} is on the platform now, and you belong to it as a researcher."),
        is_still_true=_approved,
        on="people.organisation-answered",
        **_answer,
    ),
    _of_missing(
        "people.organisation-rejected",
        _("Not entered: {organisation}"),
        _("Your request to enter {organisation} was declined."),
        is_still_true=_rejected,
        on="people.organisation-answered",
        **_answer,
    ),
    _of_membership(
        "people.left",
        _("{person} has left"),
        _("{person} ({email}) has left {organisation}. Their roles there have ended."),
        readers=lambda membership: memberships.managers_or_administrators(membership.organisation_id),
    ),
    _of_membership(
        "people.ended",
        _("Your membership has ended: {organisation}"),
        _("You are no longer a member of {organisation}. Your roles there have ended."),
        readers=lambda membership: [membership.user],
    ),
    _of_membership(
        "people.organisation-closed",
        _("{organisation} was closed on the platform"),
        _("{organisation} was closed, so you are no longer a member. Your roles there have ended."),
        content=_let_go,
        readers=lambda membership: [membership.user],
        is_still_true=lambda membership, row, now: membership.organisation.merged_into is None,
        on="people.let-go",
    ),
    _of_membership(
        "people.member-merged",
        _("{organisation} is now part of {into}"),
        _(
            "{organisation} was merged into {into}, where you are a member now. Roles you had"
            " continue there unless they are named below."
        ),
        content=_let_go,
        readers=lambda membership: [membership.user],
        on="people.let-go",
    ),
    _of_role(
        "people.role-given",
        _("You have a new role: {role}, {organisation}"),
        _("You were given the role {role} at {organisation}."),
        is_still_true=lambda grant, row, now: any(one.revoked_at is None for one in _given(grant, row)),
    ),
    _of_role(
        "people.role-ended",
        _("Your role has ended: {role}, {organisation}"),
        _(
            "Your role {role} at {organisation} has ended. Pages and tokens that need it no longer"
            " open for you; what you did with it stays in the records."
        ),
        is_still_true=lambda grant, row, now: grant.revoked_at is not None,
    ),
    _kind(
        "people.bank-account",
        _("Bank account changed: {organisation}"),
        _(
            "{person} ({email}) changed the bank account for payments to {organisation}. If this "
            "was not agreed, change it back at once and tell your payers."
        ),
        load=_bank_account,
        readers=_who_knows,
        content=_of_bank_account,
    ),
    _kind(
        "people.closed",
        _("Your account is closed"),
        _(
            "Your account is closed, as you requested. Your name and addresses will be removed "
            "from the platform within minutes; this is the last mail you receive from it."
        ),
        load=row_of(User.objects.all(), "user"),
        readers=lambda user: [Stranger(user.email, user.language, user.time_zone)],
        content=lambda user, row, now: Content(user.pk),
    ),
)
