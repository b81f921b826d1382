"""Addresses of a person's own pages (sign-in is allauth's)."""

from django.urls import path

from accounts.views import language, profile

app_name = "accounts"

urlpatterns = [
    path("language/", language.set_language, name="language"),
    path("profile/", profile.profile, name="profile"),
    path("profile/tokens/", profile.token_make, name="token-make"),
    path("profile/tokens/made/", profile.token_made, name="token-made"),
    path("profile/tokens/<uuid:token_id>/revoke/", profile.token_revoke, name="token-revoke"),
]
