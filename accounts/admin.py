"""The administration pages show rows and change none.

Every table has services that check, record and keep together what belongs together; a form that saved around
them would be a back door. People sign in to these pages as to all others, with the second factor and the
limits on attempts.
"""

from importlib import import_module
from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts import models
from accounts.selectors.rows import as_uuid

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
    "allauth.idp.oidc",
):
    import_module(f"{package}.admin")
for theirs in list(admin.site._registry):
    admin.site.unregister(theirs)


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows and searches rows that only services may write."""

    list_per_page = 50
    show_full_result_count = False
    actions = None

    def get_list_select_related(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the relations among the columns, so that their rows are read in the same query."""
        relations = {field.name for field in self.model._meta.fields if field.is_relation}
        return tuple(str(name) for name in self.list_display if name in relations)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may view rows: everybody who may open these pages may view all of
        them."""
        return request.user.is_active and request.user.is_staff

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


COUNTED = 10_000  # rows that are counted, and can be turned to, at most


class _Estimating(Paginator):  # type: ignore[type-arg]
    """Paginates a large table. The number of all rows is the database's last estimate; filtered or searched
    rows are counted only as far as pages can be turned."""

    @cached_property
    def num_pages(self) -> int:
        return max(1, -(-min(self.count, COUNTED) // self.per_page))

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not rows.query.where:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass",
                    [rows.model._meta.db_table],
                )
                (estimated,) = cursor.fetchone()
            if estimated > COUNTED:
                return int(estimated)
        return int(rows.order_by()[:COUNTED].count())


class Large(ReadOnly):
    """Shows tables with millions of rows, ordered by their key (the order of creation) and nothing else.

    Rows are searched by ids (`=`) and by the beginning of a text (`^`), which indexes support. `search_named`
    maps a relation to a field of the related rows that is searched too; the first hundred matches there
    count.
    """

    paginator = _Estimating
    ordering = ("-pk",)
    sortable_by = ()
    search_named: ClassVar[dict[str, str]] = {}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search the related tables first, then the rows by the ids found: a join would read all rows."""
        words = search_term.replace("\0", "").strip()
        if not words:
            return queryset, False
        chosen, key = Q(pk__in=[]), as_uuid(words)
        for name in self.search_fields:
            if name.startswith("^"):
                chosen |= Q(**{f"{name[1:]}__startswith": words})
            elif key:
                chosen |= Q(**{name[1:]: key})
        for column, name in self.search_named.items():
            field: Any = self.model._meta.get_field(column)
            others = field.related_model.objects.filter(**{f"{name}__icontains": words})
            ids = list(others.order_by("pk").values_list("pk", flat=True)[:100])
            chosen |= Q(**{f"{column}__in": ids})
        return queryset.filter(chosen), False


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
    list_filter = ("scheme", "shares")
    search_fields = ("code", "name", "name_zh")


@admin.register(models.Organisation)
class OrganisationAdmin(ReadOnly):
    list_display = ("code", "name", "name_zh", "kind", "is_small", "region")
    list_filter = ("kind", "is_small", "region")
    search_fields = ("code", "name", "name_zh", "ror")


@admin.register(models.Membership)
class MembershipAdmin(ReadOnly):
    list_display = ("user", "organisation", "started_at", "ended_at")
    search_fields = ("user__email", "user__name", "organisation__code", "organisation__name")


@admin.register(models.RoleGrant)
class RoleGrantAdmin(ReadOnly):
    list_display = ("user", "role", "organisation", "region", "granted_at", "revoked_at")
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
    search_fields = ("user__email", "label")


@admin.register(models.ServiceAccount)
class ServiceAccountAdmin(ReadOnly):
    fields = (
        "user",
        "organisation",
        "purpose",
        "roles",
        "scopes",
        "created_by",
        "created_at",
        "looked_at",
        "asked_at",
        "stopped_at",
        "ended_at",
    )
    list_display = ("user", "organisation", "purpose", "roles", "created_at", "stopped_at", "ended_at")
    search_fields = ("user__name", "organisation__code")


@admin.register(models.TrailEntry)
class TrailEntryAdmin(Large):
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
    ordering = ("-at",)
    search_fields = ("=id", "=object_id", "=actor_id")


class _Outcome(admin.SimpleListFilter):
    title, parameter_name = _("outcome"), "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("failed")), ("waiting", _("not done yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Filter by outcome, with conditions that have a partial index."""
        match self.value():
            case "failed":
                return queryset.filter(outcome="failed")
            case "waiting":
                return queryset.filter(done_at=None)
            case _:
                return queryset


@admin.register(models.OutboxMessage)
class OutboxMessageAdmin(Large):
    list_display = ("created_at", "kind", "key", "due_at", "done_at", "outcome", "attempts")
    list_filter = (_Outcome,)
    search_fields = ("=id", "^key")


@admin.register(models.Announcement)
class AnnouncementAdmin(ReadOnly):
    list_display = ("text", "kind", "audience", "region", "role", "starts_at", "ends_at", "withdrawn_at")
    list_filter = ("kind", "audience")
    search_fields = ("text", "text_zh")


@admin.register(models.Maintenance)
class MaintenanceAdmin(ReadOnly):
    list_display = ("reason", "starts_at", "ends_at", "ended_at", "entered_by")
    search_fields = ("reason", "reason_zh")
