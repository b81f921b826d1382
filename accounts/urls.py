"""Addresses of *accounts*: its pages, and its part of the API."""

from django.urls import path

from accounts.acts import posts
from accounts.api import access, joining, me, memberships, organisation_requests, programs, tokens
from accounts.api import federation as federation_api
from accounts.api import messages as messages_api
from accounts.api import organisation_moves as organisation_moves_api
from accounts.api import organisations as organisations_api
from accounts.views import (
    federation,
    installation,
    invoice_details,
    language,
    members,
    messages,
    organisation_moves,
    organisations,
    profile,
    saved_views,
)

_organisation = "organisations/<uuid:organisation_id>/"
_members = _organisation + "members/"

pages = [
    path("views/", saved_views.saved_views, name="saved-views"),
    path("views/<uuid:view_id>/delete/", saved_views.delete, name="saved-view-delete"),
    path("language/", language.set_language, name="language"),
    path("profile/", profile.profile, name="profile"),
    path("profile/tokens/", profile.token_make, name="token-make"),
    path("profile/tokens/made/", profile.token_made, name="token-made"),
    *posts(tokens.Tokens, programs.Programs),
    path("messages/", messages.inbox, name="messages"),
    path("messages/read/", messages.read_all, name="messages-read"),
    path("messages/<uuid:message_id>/", messages.message, name="message"),
    path("profile/messages/", messages.message_settings, name="message-settings"),
    path("messages/stop/<str:token>/", messages.unsubscribe, name="unsubscribe"),
    path("organisations/", organisations.organisations, name="organisations"),
    path(_organisation + "join/", organisations.join, name="join"),
    path(_organisation + "invoice-details/", invoice_details.invoice_details, name="invoice-details"),
    *posts(joining.JoinRequests),
    path("invitations/<str:token>/", organisations.invitation, name="invitation"),
    path(
        "organisations/invitations/<uuid:invitation_id>/accept/",
        organisations.accept,
        name="invitation-accept",
    ),
    path("people/sign-in/", federation.providers, name="providers"),
    path("people/sign-in/<slug:provider_id>/remove/", federation.provider_end, name="provider-remove"),
    path("installation/", installation.installation, name="installation"),
    path("installation/logo/", installation.logo, name="installation-logo"),
    path("people/second/", members.second, name="second-ask"),
    *posts(access.AccessRequests),
    path("people/access/", members.access, name="access-ask"),
    path("people/", members.people, name="people"),
    path("people/roles/", members.roles, name="roles"),
    path(_organisation + "move/", organisation_moves.move, name="organisation-move"),
    path(_members, members.members, name="members"),
    path(_members + "invite/", members.invite, name="invite"),
    path(
        _members + "invitations/<uuid:invitation_id>/withdraw/",
        members.invitation_end,
        name="invitation-withdraw",
    ),
    path(_members + "scopes/", federation.scopes, name="scopes"),
    path(_members + "joining/", members.joining, name="joining"),
    path(_members + "<uuid:user_id>/roles/", members.role_give, name="role-give"),
    path("people/roles/<uuid:role_id>/take/", members.role_take, name="role-take"),
]
api = [
    *organisations_api.Regions.routes(),
    *organisations_api.Organisations.routes(),
    *organisation_requests.OrganisationRequests.routes(),
    *joining.OrganisationJoining.routes(),
    *federation_api.OrganisationScopes.routes(),
    *organisation_moves_api.OrganisationMoves.routes(),
    path("me/", me.Me.as_view(), name="api-me"),
    *memberships.Memberships.routes(),
    *memberships.Roles.routes(),
    *joining.Invitations.routes(),
    *messages_api.Messages.routes(),
    *messages_api.MessageChoices.routes(),
    *tokens.Tokens.routes(),
    *programs.Programs.routes(),
    *joining.JoinRequests.routes(),
    *access.AccessRequests.routes(),
]
