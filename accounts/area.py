"""The manifest of *accounts*: people, organisations, regions and their roles."""

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from accounts.areas import (
    EMPTIED,
    FOR_PLACES,
    FOR_PLATFORM,
    KEPT,
    LATER,
    Area,
    Merges,
    Personal,
    Record,
    Told,
)
from accounts.domain.jobs import LETTERS, SIGN_IN
from accounts.domain.messages import Topic
from accounts.domain.roles import ADMINISTRATOR, COORDINATOR, MANAGER, Actor
from accounts.menu import ADMINISTRATION, FACILITY, Below, MenuEntry, Waits, has
from accounts.messages import ACTS, REFUSALS
from accounts.models import (
    AccessRequest,
    AddressChange,
    Announcement,
    ApiToken,
    FactorReset,
    Invitation,
    JobFailure,
    JoinRequest,
    Maintenance,
    Membership,
    Message,
    MessageSettings,
    Organisation,
    OrganisationRequest,
    OutboxMessage,
    Region,
    RoleGrant,
    SavedView,
    TrailEntry,
    User,
    Viewing,
)
from accounts.selectors.access import access_requests_to_decide
from accounts.selectors.administration import resets_to_confirm
from accounts.selectors.erasure import addresses_of
from accounts.selectors.joining import requests_to_decide_on
from accounts.selectors.memberships import people_of
from accounts.selectors.names import DOT, joined, person


def _leads_people(actor: Actor) -> bool:
    return has("auditor", "administrator")(actor) and not actor.has("manager")


AREA = Area(
    "accounts",
    refusals=REFUSALS,
    menu=(
        MenuEntry(
            "accounts:people", pgettext_lazy("organisation", "People"), "users", FACILITY, 80, has("manager"),
        ),
        MenuEntry(
            "accounts:people", pgettext_lazy("organisation", "People"), "users",
            ADMINISTRATION, 10, _leads_people,
        ),
        MenuEntry("accounts:roles", _("Roles"), "lock", ADMINISTRATION, 30, has("administrator")),
        MenuEntry(
            "accounts:providers", _("External sign-in"), "link", ADMINISTRATION, 40, has("administrator"),
        ),
        MenuEntry(
            "accounts:installation", _("Platform settings"), "adjustments-horizontal", ADMINISTRATION, 50,
            has("administrator"),
        ),
    ),
    below=(
        Below(
            "accounts:people",
            "members invite invitation-withdraw joining role-give role-take scopes",
        ),
    ),
    waits=(
        Waits(
            "joining", 110, "accounts:people",
            ngettext_lazy("person who asks to join", "people who ask to join"),
            _("They cannot book before you decide."),
            has("manager", "administrator"), lambda actor, now: requests_to_decide_on(actor),
            entry="accounts:people", group="state",
        ),
        Waits(
            "access", 115, "bookings:home",
            ngettext_lazy("request for a role", "requests for a role"),
            _("A page was refused to them: give the role, or say why not."),
            has("manager", "administrator"), lambda actor, now: access_requests_to_decide(actor),
            query="#access", entry="bookings:home", group="state",
        ),
        Waits(
            "factor-resets", 35, "bookings:operations-people",
            ngettext_lazy("reset of a second factor to confirm", "resets of a second factor to confirm"),
            _("Another administrator has asked for it: confirm it within a day, or decline."),
            has("administrator"), lambda actor, now: resets_to_confirm(actor, now),
            query="?state=reset", entry="bookings:operations-people", group="state", until="expires_at",
        ),
        Waits(
            "conflicts", 220, "accounts:roles",
            ngettext_lazy("person with conflicting duties", "people with conflicting duties"),
            _("Nobody may audit what they also run: remove one of the roles."), has("administrator"),
        ),
    ),
    records=(
        Record(User, person(), kind=_("person")),
        Record(Region, "name", "name_zh"),
        Record(Organisation, "name", "name_zh"),
        Record(
            Membership,
            joined(person("user__"), DOT, "organisation__name"),
            joined(person("user__"), DOT, "organisation__name_zh"),
        ),
        Record(RoleGrant, person("user__"), kind=_("role"), acts="role"),
        Record(
            JoinRequest,
            joined(person("user__"), DOT, "organisation__name"),
            joined(person("user__"), DOT, "organisation__name_zh"),
        ),
        Record(AccessRequest, person("user__")),
        Record(OrganisationRequest, "name", "name_zh"),
        Record(Announcement, "text", "text_zh"),
        Record(Maintenance, "reason", "reason_zh"),
        Record(Invitation, "organisation__name", "organisation__name_zh"),
        Record(ApiToken, "label", kind=_("token"), acts="token"),
        Record(MessageSettings, person("user__"), kind=_("message settings"), acts="messages"),
        Record(OutboxMessage, "kind", kind=_("pending action"), acts="effect"),
        Record(JobFailure, "job", kind=_("failed job"), acts="job"),
    ),
    acts=ACTS,
    act_groups={"provider": _("sign-in provider")},
    topics=(
        Topic(
            "request", _("Requests to approve"),
            _("something needs your decision: bookings, members, records"), 20,
            roles=frozenset({MANAGER, COORDINATOR, ADMINISTRATOR}),
        ),
        Topic(
            "change", _("Changes and cancellations"),
            _("another time, or cancelled"), 60, stays_in_inbox=True,
        ),
        # Reports who may act on whose behalf: a matter of security.
        Topic(
            "account", _("My account and memberships"),
            _("invitations, memberships, roles, your account"), 160, is_required=True,
        ),
    ),
    personal=(
        Personal("addresses", EmailAddress, {"user": LATER}, "email verified primary", order="pk"),
        Personal(
            "sign_ins_by_others", SocialAccount, {"user": LATER},
            "provider uid extra_data date_joined last_login",
            order="pk",
        ),
        Personal(
            "second_factors", Authenticator, {"user": LATER},
            "type created_at last_used_at",
            order="pk",
        ),
        Personal(
            "devices", UserSession, {"user": LATER},
            "ip user_agent created_at last_seen_at",
            order="pk",
        ),
        Personal(
            "tokens", ApiToken, {"user": LATER},
            "id label scopes created_at expires_at revoked_at last_used_at",
        ),
        Personal(
            "programs", Token, {"user": LATER},
            "program=client__name type scopes created_at expires_at",
            order="pk",
        ),
        Personal(
            "inbox", Message, {"user": LATER},
            "id kind subject text link created_at read_at mailed_at",
            order="created_at id",
        ),
        Personal(
            "message_settings", MessageSettings, {"user": LATER},
            "choices quiet_from quiet_until",
            order="pk",
        ),
        Personal(
            "memberships", Membership, {"user": KEPT},
            "id started_at ended_at organisation=organisation__code",
            order="started_at",
        ),
        Personal(
            "roles", RoleGrant, {"user": KEPT},
            "id role granted_at revoked_at organisation=organisation__code region=region__code "
            "facility=facility_id instrument=instrument_id",
            order="granted_at",
        ),
        Personal(
            "requests_to_join", JoinRequest, {"user": EMPTIED},
            "id text by_mail state created_at decided_at reason organisation=organisation__code",
        ),
        Personal(
            "requests_for_roles", AccessRequest, {"user": EMPTIED},
            "id capability path role state created_at decided_at reason organisation=organisation__code",
        ),
        Personal(
            "requests_for_organisations", OrganisationRequest, {"user": EMPTIED},
            "id name name_zh text state created_at decided_at reason region=region__code "
            "organisation=organisation__code",
        ),
        Personal(
            "invitations", Invitation, {"accepted_by": KEPT},
            "id email roles created_at expires_at accepted_at withdrawn_at "
            "organisation=organisation__code",
            where=lambda user: Q(email__in=addresses_of(user)) | Q(accepted_by=user),
        ),
        Personal(
            "second_factor_resets", FactorReset, {"user": LATER}, "id reason state created_at decided_at",
        ),
        Personal(
            "address_changes", AddressChange, {"user": LATER},
            "id old new reason state created_at decided_at",
        ),
        Personal("viewings", Viewing, {"user": LATER}, "id reason created_at expires_at ended_at"),
        Personal("saved_views", SavedView, {"user": LATER}, "id name page query created_at"),
        Personal(
            "trail", TrailEntry, {},
            "id at actor_id action object_type object_id before after request_id text=text__content",
            order="at id", where=lambda user: Q(actor_id=user.pk) | Q(object_type="user", object_id=user.pk),
        ),
    ),
    official={
        "accounts.IdempotencyKey.user": "names requests for a day, so that none is carried out twice",
        "accounts.Announcement.entered_by": FOR_PLATFORM,
        "accounts.Invitation.invited_by": FOR_PLACES,
        "accounts.JoinRequest.decided_by": FOR_PLACES,
        "accounts.AccessRequest.decided_by": FOR_PLACES,
        "accounts.Maintenance.entered_by": FOR_PLATFORM,
        "accounts.OrganisationMove.decided_by": FOR_PLATFORM,
        "accounts.OrganisationRequest.decided_by": FOR_PLACES,
        "accounts.RoleGrant.granted_by": FOR_PLACES,
        "accounts.AddressChange.asked_by": FOR_PLATFORM,
        "accounts.FactorReset.asked_by": FOR_PLATFORM,
        "accounts.FactorReset.decided_by": FOR_PLATFORM,
        "accounts.Viewing.viewer": FOR_PLATFORM,
        "admin.LogEntry.user": "of pages on which nothing can be changed: there are none",
    },
    told=(Told("people.", "user", User, "pk"),),
    merges=(
        Merges(
            "people", Membership, 70, _("Members"), where={"ended_at": None},
            behind=people_of, names="user__name", is_handed_over=False,
        ),
        Merges("roles", RoleGrant, 80, _("Roles"), where={"revoked_at": None}, is_handed_over=False),
        Merges(
            "invitations", Invitation, 90, _("Open invitations, which are withdrawn"),
            where={"accepted_at": None, "withdrawn_at": None}, is_handed_over=False,
        ),
        Merges(
            "requests", JoinRequest, 100, _("Open requests to join"),
            where={"state": "requested"}, is_handed_over=False,
        ),
        Merges(
            "access", AccessRequest, 101, _("Open requests for a role, which are withdrawn"),
            where={"state": "requested"}, is_handed_over=False,
        ),
    ),
    lanes={"people.sign-in": SIGN_IN, "people": LETTERS, "letter": LETTERS, "digest": LETTERS},
)  # fmt: skip
