"""Addresses of a person's own pages (sign-in is allauth's)."""

from django.urls import path

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

app_name = "accounts"

_organisation = "organisations/<uuid:organisation_id>/"
_members = _organisation + "members/"

urlpatterns = [
    path("views/", saved_views.saved_views, name="saved-views"),
    path("views/<uuid:view_id>/delete/", saved_views.delete, name="saved-view-delete"),
    path("language/", language.set_language, name="language"),
    path("profile/", profile.profile, name="profile"),
    path("profile/tokens/", profile.token_make, name="token-make"),
    path("profile/tokens/made/", profile.token_made, name="token-made"),
    path("profile/tokens/<uuid:token_id>/revoke/", profile.token_revoke, name="token-revoke"),
    # Messages
    path("messages/", messages.inbox, name="messages"),
    path("messages/read/", messages.read_all, name="messages-read"),
    path("messages/<uuid:message_id>/", messages.message, name="message"),
    path("profile/messages/", messages.message_settings, name="message-settings"),
    path("messages/stop/<str:token>/", messages.unsubscribe, name="unsubscribe"),
    path("organisations/", organisations.organisations, name="organisations"),
    path(_organisation + "join/", organisations.join, name="join"),
    path(
        _organisation + "invoice-details/",
        invoice_details.invoice_details,
        name="invoice-details",
    ),
    path(
        "organisations/requests/<uuid:request_id>/withdraw/",
        organisations.withdraw,
        name="join-withdraw",
    ),
    path("invitations/<str:token>/", organisations.invitation, name="invitation"),
    path(
        "organisations/invitations/<uuid:invitation_id>/accept/",
        organisations.accept,
        name="invitation-accept",
    ),
    path("people/sign-in/", federation.providers, name="providers"),
    path(
        "people/sign-in/<slug:provider_id>/remove/", federation.provider_end, name="provider-remove"
    ),
    path("installation/", installation.installation, name="installation"),
    path("installation/logo/", installation.logo, name="installation-logo"),
    path("people/second/", members.second, name="second-ask"),
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
    path(_members + "requests/<uuid:request_id>/decide/", members.decide, name="join-decide"),
    path(_members + "scopes/", federation.scopes, name="scopes"),
    path(_members + "joining/", members.joining, name="joining"),
    path(_members + "<uuid:user_id>/roles/", members.role_give, name="role-give"),
    path("people/roles/<uuid:role_id>/take/", members.role_take, name="role-take"),
]
