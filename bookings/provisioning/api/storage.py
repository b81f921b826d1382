"""Answers SCIM requests of one organisation's directory from the platform's own rows and services.

It loads the library, which takes a third of a second, so that `scim.py` imports it with the first request.
"""

from typing import Any
from uuid import UUID

from scim2_models import (
    Group,
    NotFoundException,
    NotImplementedException,
    Resource,
    ResourceType,
    SCIMException,
)
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.storage import ScimStorage, SearchPage

from accounts.domain.errors import WrongState, invalid
from accounts.domain.roles import By
from accounts.models import Organisation
from accounts.selectors.rows import as_uuid
from bookings.provisioning.adapters import scim
from bookings.provisioning.adapters.scim import User
from bookings.provisioning.domain.directory import ACTIVE, GROUPS, group_named
from bookings.provisioning.selectors.directory import (
    directory_of,
    in_group,
    people_of_directory,
    roles_of,
    standing_of,
)
from bookings.provisioning.services import directory


class Storage(ScimStorage):
    """The people of one organisation's directory, and its roles as groups."""

    def __init__(self, by: By, organisation: Organisation) -> None:
        self.by, self.organisation = by, organisation

    def get(
        self, resource_type: ResourceType, resource_id: str, *, response_parameters: Any = None
    ) -> Resource[Any]:
        if resource_type.name == "Group":
            if resource_id not in GROUPS:
                raise NotFoundException
            return self._group(resource_id, with_members=_wants_members(response_parameters))
        return self._user(self._people().filter(pk=self._pk(resource_id)).first())

    def search(
        self, resource_types: list[ResourceType], search_request: Any, *, position: Any = None
    ) -> SearchPage:
        if len(resource_types) != 1:
            raise NotImplementedException(detail="Ask for Users or for Groups.")
        first, count = search_request.start_index_0 or 0, search_request.count
        until = first + (scim.MOST_RESULTS if count is None else count)
        if resource_types[0].name == "Group":
            with_members = _wants_members(search_request)
            groups = [self._group(role, with_members=with_members) for role in GROUPS]
            found: list[Resource[Any]] = [
                group for group in groups if scim.groups_filter(search_request.filter, group)
            ]
            return SearchPage(len(found), found[first:until])
        rows = self._people().filter(scim.people_filter(search_request.filter))
        return SearchPage(rows.count(), [self._user(row) for row in rows[first:until]])

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        if isinstance(resource, User):
            wanted = scim.wanted_of(resource)
            return self._user(
                directory.person_add(self.by, organisation_id=self.organisation.pk, wanted=wanted)
            )
        if group_named(str(resource.display_name)):  # type: ignore[attr-defined]
            raise WrongState("directory-group-known")
        raise invalid("displayName", "directory-group-unknown", roles=", ".join(GROUPS))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        if isinstance(resource, User):
            row = directory.person_change(
                self.by,
                organisation_id=self.organisation.pk,
                person_id=self._pk(resource.id),
                wanted=scim.wanted_of(resource),
            )
            return self._user(row)
        assert isinstance(resource, Group)
        directory.group_set(
            self.by,
            organisation_id=self.organisation.pk,
            role=str(resource.id),
            members=scim.ids_of(resource),
            external_id=resource.external_id or "",
        )
        return self._group(str(resource.id))

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Remove a person. A group is a role, which stays: its people lose it."""
        if resource_type.name == "User":
            directory.person_remove(
                self.by, organisation_id=self.organisation.pk, person_id=self._pk(resource_id)
            )
        else:
            directory.group_set(
                self.by, organisation_id=self.organisation.pk, role=resource_id, members=(), external_id=""
            )

    def _people(self) -> Any:
        return people_of_directory(self.organisation)

    def _user(self, row: Any) -> User:
        if row is None:
            raise NotFoundException
        active = standing_of(row, self.by.now) in ACTIVE
        return scim.user_of(row, active=active, roles=roles_of(row))

    def _group(self, role: str, *, with_members: bool = True) -> Group:
        kept = directory_of(self.organisation)
        rows = self._people().filter(in_group(role)) if with_members else ()
        members = [(row.pk, row.display_name or row.user_name) for row in rows]
        return scim.group_of(role, members, kept.group_ids.get(role, "") if kept else "")

    def _pk(self, text: str | None) -> UUID:
        if pk := as_uuid(text or ""):
            return pk
        raise NotFoundException


def _wants_members(parameters: Any) -> bool:
    """Return whether an answer names the members of groups, which may be many."""
    if parameters is None:
        return True
    without = {str(path).rpartition(":")[2].lower() for path in parameters.excluded_attributes or ()}
    only = {str(path).rpartition(":")[2].partition(".")[0].lower() for path in parameters.attributes or ()}
    return "members" not in without and (not only or "members" in only)


def answer(by: By, organisation: Organisation, request: ScimRequest) -> ScimResponse:
    """Return the answer to a request; the refusals of SCIM are answers, too, those of the platform are
    raised."""
    return ScimHandler(scim.SERVICE, Storage(by, organisation)).handle(request)


def refused(exception: SCIMException) -> ScimResponse:
    return scim.SERVICE.error_response(exception)
