"""SCIM 2.0 (RFC 7643, RFC 7644) by scim2-server: what is served, how directories differ from the standard,
and which filters the database answers."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

from django.db.models import Q
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Filter,
    Group,
    GroupMember,
    GroupMembership,
    InvalidFilterException,
    InvalidSyntaxException,
    Meta,
    Mutability,
    Patch,
    PayloadTooLargeException,
    Required,
    Resource,
    ScimFilter,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.path import (
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    ValuePath,
)
from scim2_models.urn import URN
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService

from accounts.selectors.rows import as_uuid
from bookings.provisioning.domain.directory import Wanted

MOST_RESULTS = 200  # of a page
LONGEST_FILTER = 400  # characters; directories ask for one name or one id
LONGEST_PATH = 200
MOST_OPERATIONS = 1000
MOST_DEPTH = 8  # of what is sent
MOST_NAMES = 100  # of an object, or of attributes that an answer should have: each is parsed as a path
# Values that the library may look at for a PATCH: it takes some 0.05 ms for each, once for every operation.
MOST_LOOKED_AT = 50_000


class Email(ComplexAttribute):
    """An address of a person."""

    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class User(Resource[Any]):
    """A person, with what is kept of them; whatever else a directory sends is ignored, as nobody needs it."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    display_name: str | None = None
    active: bool | None = None
    emails: list[Email] | None = None
    groups: Annotated[list[GroupMembership] | None, Mutability.read_only] = None


PROVIDER = ScimProvider(
    models=[User, Group],
    config=ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer token",
                description="A token with the scope provision of who manages the organisation's members.",
            )
        ],
    ),
    # Entra sends attributes that nobody asked for, removes by value, and replaces addresses that are not
    # there yet.
    policy=ScimPolicy(
        unknown=ScimPolicy.Unknown.ignore,
        remove_value_as_filter=ScimPolicy.RemoveValue.apply,
        unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
    ),
)


class Service(ScimService):
    """The protocol, with limits on what is parsed."""

    def read_search_query(self, resource_types: Any, query: Mapping[str, str]) -> Any:
        if len(query.get("filter", "")) > LONGEST_FILTER:
            raise InvalidFilterException(detail=f"At most {LONGEST_FILTER} characters.")
        return super().read_search_query(resource_types, query)

    def read_body(self, model: Any, body: bytes, content_type: str | None, scim_ctx: Any) -> Any:
        self.decode_body(body, content_type)
        return super().read_body(model, body, content_type, scim_ctx)

    def decode_body(self, body: bytes, content_type: str | None) -> Any:
        """Read a body, and refuse one whose paths and filters would take long to parse."""
        sent = super().decode_body(body, content_type)
        _require_modest(sent, MOST_DEPTH)
        return sent

    def apply_patch(self, current: Resource[Any], patch_op: Any, conditions: Any) -> Resource[Any] | None:
        """Apply a PATCH. What directories ask of groups, to add and to remove members by their ids, is done
        here: the library looks at every member for every operation, which takes minutes for many. Refuse
        what would take it as long."""
        if isinstance(current, Group) and (changes := _changes_of_members(patch_op)) is not None:
            self.check_preconditions(current, "PATCH", conditions)
            return _with_members(current, changes)
        _require_quick(current, patch_op)
        return super().apply_patch(current, patch_op, conditions)

    def patch_response(
        self, base_url: str, resource: Resource[Any], response_parameters: Any
    ) -> ScimResponse:
        """Return a person as they are now, whom some directories read, and of a group nothing: it is long."""
        if isinstance(resource, User):
            return self.replacement_response(base_url, resource, response_parameters)
        return super().patch_response(base_url, resource, response_parameters)


_NAMING = {"attributes", "excludedattributes", "schemas"}


def _require_modest(value: Any, depth: int) -> None:
    """Raise a `SCIMException` for what is nested too deeply, has too many operations or names, or has a path
    or a filter that is too long; keys may be paths, and names are read in whatever case."""
    if depth == 0:
        raise InvalidSyntaxException(detail="The body is nested too deeply.")
    if isinstance(value, dict):
        if len(value) > MOST_NAMES:
            raise PayloadTooLargeException(detail=f"An object has at most {MOST_NAMES} names.")
        for name, one in value.items():
            folded = name.casefold()
            if folded in _NAMING and isinstance(one, list) and len(one) > MOST_NAMES:
                raise PayloadTooLargeException(detail=f"At most {MOST_NAMES} {name}.")
            if len(name) > LONGEST_PATH or (folded == "path" and len(str(one)) > LONGEST_PATH):
                raise InvalidSyntaxException(detail=f"A path has at most {LONGEST_PATH} characters.")
            if folded == "filter" and len(str(one)) > LONGEST_FILTER:
                raise InvalidFilterException(detail=f"At most {LONGEST_FILTER} characters.")
            if folded == "operations" and isinstance(one, list) and len(one) > MOST_OPERATIONS:
                raise PayloadTooLargeException(detail=f"At most {MOST_OPERATIONS} operations.")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        if isinstance(one, dict | list):
            _require_modest(one, depth - 1)


_ONE_MEMBER = re.compile(r'members\[\s*value\s+eq\s+"([^"\\]*)"\s*\]', re.IGNORECASE)
type _Changes = list[tuple[bool, list[str]]]


def _changes_of_members(patch_op: Any) -> _Changes | None:
    """Return the ids that each operation adds to a group (True) or removes; None if one does something else
    than that."""
    changes: _Changes = []
    for one in patch_op.operations or ():
        path, value = str(one.path or ""), one.value
        is_add, is_remove = one.op == one.Op.add, one.op == one.Op.remove
        if is_remove and value is None and (found := _ONE_MEMBER.fullmatch(path)):
            changes.append((False, [found[1]]))
            continue
        entries = value if isinstance(value, list) else [value]
        if path.lower() != "members" or not (is_add or is_remove) or not all(map(_is_id, entries)):
            return None
        changes.append((is_add, [entry["value"] for entry in entries]))
    return changes


def _is_id(entry: Any) -> bool:
    """Return whether an entry names a member by the id, and nothing that would narrow it."""
    return isinstance(entry, dict) and entry.keys() == {"value"} and isinstance(entry["value"], str)


def _with_members(group: Group, changes: _Changes) -> Group | None:
    """Return a group with its members changed; None if nothing changes."""
    before = {str(one.value).lower(): one for one in group.members or ()}
    after = dict(before)
    for is_add, ids in changes:
        for pk in ids:
            if is_add:
                after.setdefault(pk.lower(), GroupMember.model_validate({"value": pk, "type": "User"}))
            else:
                after.pop(pk.lower(), None)
    if before.keys() == after.keys():
        return None
    group.members = list(after.values()) or None
    return group


def _require_quick(current: Resource[Any], patch_op: Any) -> None:
    """Raise a `SCIMException` for a PATCH that would take long: each operation looks at every value of the
    resource, and to remove by value once for each."""
    operations = patch_op.operations or ()
    sizes = [len(one.value) if isinstance(one.value, list | dict) else 1 for one in operations]
    values = getattr(current, "members", None) or getattr(current, "emails", None) or ()
    times = sum(size if one.op == one.Op.remove else 1 for one, size in zip(operations, sizes, strict=True))
    if times > 1 and times * (len(values) + sum(sizes)) > MOST_LOOKED_AT:
        raise PayloadTooLargeException(detail="These operations would take too long: send fewer at a time.")


SERVICE = Service(PROVIDER)


# Filters


class _People(FilterVisitor[Q]):
    """Turns a filter of people into a condition. Only comparisons with `eq`, joined by `and`, are answered:
    what directories ask before they enter somebody."""

    def visit_comparison(self, node: Comparison) -> Q:
        path = node.attr_path
        name, within = path.attr.lower(), (path.sub_attr or "").lower()
        is_known = name in FILTERS and within in ("", "value" if name == "emails" else "")
        if node.op != CompareOperator.eq or not is_known:
            raise InvalidFilterException(detail=f"Only eq on {', '.join(FILTERS)} is answered.")
        return FILTERS[name](str(node.value))

    def visit_logical_expr(self, node: LogicalExpr) -> Q:
        if node.op != LogicalOperator.and_:
            raise InvalidFilterException(detail="Only and joins conditions here.")
        found = Q()
        for term in node.terms:
            found &= self.visit(term)
        return found

    def visit_value_path(self, node: ValuePath) -> Q:
        """Read `emails[type eq "work" and value eq "a@b.example"]`, of which the value counts."""
        inner = node.val_filter
        terms = (
            inner.terms if isinstance(inner, LogicalExpr) and inner.op == LogicalOperator.and_ else (inner,)
        )
        for term in terms:
            if (
                node.attr_path.attr.lower() == "emails"
                and isinstance(term, Comparison)
                and term.op == CompareOperator.eq
                and term.attr_path.attr.lower() == "value"
            ):
                return FILTERS["emails"](str(term.value))
        raise InvalidFilterException(detail="Only emails[value eq …] is answered.")

    def visit_present(self, node: Any) -> Q:
        raise InvalidFilterException(detail="pr is not answered.")

    def visit_not(self, node: Any) -> Q:
        raise InvalidFilterException(detail="not is not answered.")


def _by_id(text: str) -> Q:
    pk = as_uuid(text)
    return Q(pk=pk) if pk else Q(pk=UUID(int=0))


FILTERS: dict[str, Callable[[str], Q]] = {
    "username": lambda text: Q(user_name__iexact=text),
    "externalid": lambda text: Q(external_id=text),
    "emails": lambda text: Q(email__iexact=text),
    "displayname": lambda text: Q(display_name__iexact=text),
    "id": _by_id,
}


def people_filter(expression: ScimFilter[Any] | None) -> Q:
    """Return the condition for the people that a filter finds. Raise `InvalidFilterException`."""
    return _People().visit(expression.ast) if expression is not None else Q()


# Values


def user_of(row: Any, *, active: bool, roles: Iterable[str]) -> User:
    """Return a person of a directory as a resource."""
    return User(
        id=str(row.pk),
        external_id=row.external_id or None,
        user_name=row.user_name,
        display_name=row.display_name or None,
        active=active,
        emails=[Email(**one) for one in row.emails] or None,
        groups=[GroupMembership.model_validate({"value": role, "display": role}) for role in roles] or None,
        meta=Meta(resource_type="User", created=row.created_at, last_modified=row.changed_at),
    )


def wanted_of(user: User) -> Wanted:
    """Return what a directory wants of a person."""
    emails = [one.model_dump(exclude_none=True) for one in user.emails or ()]
    return Wanted(
        user_name=user.user_name or "",
        external_id=user.external_id or "",
        display_name=user.display_name or "",
        emails=[{name: one[name] for name in ("value", "type", "primary") if name in one} for one in emails],
        active=user.active,
    )


def group_of(role: str, members: Iterable[tuple[UUID, str]], external_id: str) -> Group:
    """Return a role of the organisation as a group, with the ids and names of its members."""
    return Group(
        id=role,
        external_id=external_id or None,
        display_name=role,
        members=[
            GroupMember.model_validate({"value": str(pk), "display": name, "type": "User"})
            for pk, name in members
        ]
        or None,
        meta=Meta(resource_type="Group"),
    )


def ids_of(group: Group) -> set[UUID]:
    """Return the ids of a group's members; an unknown one is a person nobody has."""
    return {as_uuid(one.value or "") or UUID(int=0) for one in group.members or ()}


def groups_filter(expression: ScimFilter[Any] | None, group: Group) -> bool:
    """Return whether a filter finds a group."""
    return expression is None or bool(ScimFilter[Group](str(expression)).match(group))
