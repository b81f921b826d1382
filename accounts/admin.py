"""The administration pages: for looking, not for changing.

Everything here has a service that checks, records and keeps what belongs together; a form
that saved around it would be a back door. Signing in to these pages is the platform's own,
with its second factor and its limits.
"""

from importlib import import_module
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest

from accounts import models

admin.site.site_header = admin.site.site_title = "Instrument Commons"
admin.site.enable_nav_sidebar = False
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# What packages offer to change here is taken off again: second factors, sessions and addresses
# change on the person's own pages, roles are ours.
for package in (
    "django.contrib.auth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
):
    import_module(f"{package}.admin")
for theirs in list(admin.site._registry):
    admin.site.unregister(theirs)


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that services write: shown, searched, never changed."""

    list_per_page = 50
    show_full_result_count = False
    actions = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may come in here may look at everything."""
        return request.user.is_active and request.user.is_staff

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.User)
class UserAdmin(ReadOnly):
    fields = (
        "email",
        "name",
        "language",
        "time_zone",
        "is_active",
        "is_staff",
        "is_superuser",
        "is_demo",
        "created_at",
        "last_login",
    )
    list_display = ("email", "name", "language", "time_zone", "is_active", "is_demo")
    list_filter = ("is_active", "is_staff", "is_demo", "language")
    search_fields = ("email", "name")


@admin.register(models.Region)
class RegionAdmin(ReadOnly):
    list_display = ("scheme", "code", "name", "name_zh", "parent", "currency", "shares")
    list_select_related = ("parent",)
    list_filter = ("scheme", "shares")
    search_fields = ("code", "name", "name_zh")


@admin.register(models.Organisation)
class OrganisationAdmin(ReadOnly):
    list_display = ("code", "name", "name_zh", "kind", "is_small", "region")
    list_select_related = ("region",)
    list_filter = ("kind", "is_small", "region")
    search_fields = ("code", "name", "name_zh", "ror")


@admin.register(models.Membership)
class MembershipAdmin(ReadOnly):
    list_display = ("user", "organisation", "started_at", "ended_at")
    list_select_related = ("user", "organisation")
    search_fields = ("user__email", "user__name", "organisation__code", "organisation__name")


@admin.register(models.RoleGrant)
class RoleGrantAdmin(ReadOnly):
    list_display = ("user", "role", "organisation", "region", "granted_at", "revoked_at")
    list_select_related = ("user", "organisation", "region")
    list_filter = ("role",)
    search_fields = ("user__email", "user__name", "organisation__code", "region__code")


@admin.register(models.ApiToken)
class ApiTokenAdmin(ReadOnly):
    fields = list_display = (
        "user",
        "label",
        "scopes",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_select_related = ("user",)
    search_fields = ("user__email", "label")


@admin.register(models.TrailEntry)
class TrailEntryAdmin(ReadOnly):
    fields = (
        "id",
        "at",
        "actor_id",
        "action",
        "object_type",
        "object_id",
        "organisation_ids",
        "region_ids",
        "before",
        "after",
        "request_id",
    )
    list_display = ("at", "action", "object_type", "object_id", "actor_id")
    list_filter = ("object_type",)
    ordering = ("-at",)
    search_fields = ("=object_id", "=actor_id", "=request_id")


@admin.register(models.OutboxMessage)
class OutboxMessageAdmin(ReadOnly):
    list_display = ("created_at", "kind", "key", "due_at", "done_at", "outcome", "attempts")
    list_filter = ("kind", "outcome")
    ordering = ("-created_at",)
    search_fields = ("key",)
