"""A resource of the API in one class: its addresses, its rows, and what can be done with them.

Its decorated methods become operations, with their names, docstrings and bodies:

    lists     GET    grants/                 (query) gives the rows, which are answered in pages;
                                             with conditions of which one must hold, and with
                                             an order (`paginated`); or the list as a file
    creates   POST   grants/                 (data) gives the new row, or its id; 201
    reads     GET    grants/<id>/            (id) does nothing: the row is answered
    changes   PATCH  grants/<id>/            (id, data); the row is answered
    removes   DELETE grants/<id>/            (id); 204
    acts      POST   grants/<id>/suspend/    (id, data); the row is answered
    parts     GET    grants/<id>/uses/       (id, query) gives rows of another shape, in pages
    tells     GET    grants/<id>/left/       (id[, query]) gives one row of another shape

A method that changes or acts may return the row, to spare reading it again, or a whole `Response`. Bodies and
queries arrive checked. Each decorator also takes what `operation` takes: `versioned` and `once` for methods
that honour `If-Match` and `Idempotency-Key` (those that change and act always do); `gives` for another shape,
of which the method returns a row, or a list its rows; `scope` for the scope a token needs; `below`, `address`
and `named` for the address, its name and the operation's name where they do not follow from the name of the
method. That name must not be an HTTP method: `delete` would answer at every address. A `below` that begins
with `*` lies below the list; `LIST` is the list's own address, for a state of which there is only one.
`OnPage` above a method says how a page sends the same act by a form: `accounts/acts.py` makes the address,
the tag `press` the button.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Protocol
from uuid import UUID

from django.forms import Form
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from rest_framework import serializers
from rest_framework.fields import SkipField
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Query, Shape, checked, query_values
from accounts.api.versions import etag, expected_version
from accounts.domain.errors import NotFound, invalid
from accounts.domain.roles import By

type AnswerShape = type[serializers.Serializer[Any]]
type Show = Callable[[Any], Any]


def rendered(shape: AnswerShape, row: Any) -> Any:
    """Return a row as its shape renders it in JSON."""
    return _show_of_shape(shape)(row)


@cache
def _show_of_shape(shape: AnswerShape) -> Show:
    # Creating a serializer copies all its fields; it keeps nothing of what it renders, so it can be reused.
    return _show_of(shape())


def _show_of(field: Any) -> Show:
    """Return a function that renders a row as the field's `to_representation` does. For a serializer it takes
    half the time, because it determines once which fields are plain attributes."""
    kind = type(field)
    if kind.to_representation is serializers.Serializer.to_representation:
        fields = [
            (each.field_name, each.source_attrs, each, _show_of(each)) for each in field._readable_fields
        ]
        return lambda row: _shown(fields, row)
    if kind is serializers.ListSerializer:
        one = _show_of(field.child)
        return lambda rows: [one(row) for row in (rows.all() if hasattr(rows, "all") else rows)]
    show: Show = field.to_representation
    return show


def _shown(fields: list[tuple[str, list[str], Any, Show]], row: Any) -> dict[str, Any]:
    answer = {}
    for name, names, field, show in fields:
        try:
            value = _attribute(field, names, row)
        except SkipField:
            continue
        answer[name] = None if value is None else show(value)
    return answer


def _attribute(field: Any, names: list[str], row: Any) -> Any:
    """Return what the field's `get_attribute` returns for the row; meant for fields that are not plain
    attributes."""
    if type(field).get_attribute is not serializers.Field.get_attribute:
        return field.get_attribute(row)
    value = row
    try:
        for name in names:
            value = value[name] if type(value) is dict else getattr(value, name)
    except (KeyError, AttributeError):  # the field knows its default for a missing value
        return field.get_attribute(row)
    return field.get_attribute(row) if callable(value) else value


class Resource(Endpoint):
    """A kind of row that the API serves. `at` is the address of its list, relative to that of the API; `key`
    the name of the id in the address of one row; `name` and `many` the singular and the plural in the names
    of operations."""

    at: ClassVar[str]
    key: ClassVar[str] = "id"
    converter: ClassVar[str] = "uuid"
    name: ClassVar[str]
    many: ClassVar[str]
    tag: ClassVar[str]
    shape: ClassVar[AnswerShape]
    order: ClassVar[Sequence[str]] = ("-created_at", "-id")
    # Where pages send acts, and how the names of these addresses begin, if not as those of the API.
    page_at: ClassVar[str] = ""
    page_name: ClassVar[str] = ""

    def perform_content_negotiation(self, request: Any, force: bool = False) -> Any:
        """Allow a list that is requested as a file (`format`), whatever the request's `Accept` header
        says."""
        is_file = request.query_params.get("format") in ("csv", "xlsx")
        return super().perform_content_negotiation(request, force or is_file)

    def visible(self, pk: Any) -> Any:
        """Return a row that the actor may see; raise `NotFound` otherwise."""
        raise NotImplementedError

    def prepared(self, rows: list[Any]) -> list[Any]:
        """Return the rows with whatever their shape shows besides their own fields; to be overridden."""
        return rows

    def shown(self, rows: list[Any]) -> list[Any]:
        return [rendered(self.shape, row) for row in self.prepared(rows)]

    def one(self, row: Any, status: int = 200) -> Response:
        """Return the answer with one row, given as a row or by its id (then read again); a 201 gets its
        `Location`."""
        if isinstance(row, UUID | str | int):
            row = self.visible(row)
        headers = etag(row.version) if hasattr(row, "version") else {}
        if status == 201 and (location := self.location(row)):
            headers["Location"] = location
        return Response(self.shown([row])[0], status=status, headers=headers)

    def location(self, row: Any) -> str:
        """Return the address of a new row, sent as the header `Location` of a 201; empty if it has none."""
        return reverse("api-" + self.name.replace("_", "-"), kwargs={self.key: row.pk})

    @classmethod
    def routes(cls) -> list[URLPattern]:
        """Return the addresses of the list, of a row, and of everything that can be done with a row."""
        views: dict[str, dict[str, Any]] = {}
        names: dict[str, str] = {}
        for word, function in vars(cls).items():
            if not (declared := getattr(function, "declared", None)):
                continue
            method, below, options = declared[0], declared[1], dict(declared[2])
            below = word.replace("_", "-") if below is None else below
            name = cls.many if below == LIST else f"{cls.name}-{below}".rstrip("-")
            names.setdefault(below, options.pop("address", "api-" + name.replace("_", "-")))
            methods = views.setdefault(below, {"__doc__": cls.__doc__})
            if scope := options.pop("scope", ""):
                methods["write_scope"] = scope
            methods[method] = _handler(cls, function, below, **options)
        routes = []
        for below, methods in views.items():
            row = "" if below.startswith(LIST) else f"<{cls.converter}:{cls.key}>/"
            address = cls.at + row + f"{below.removeprefix(LIST)}/".lstrip("/")
            view: Any = type(cls.__name__, (cls,), methods)
            routes.append(path(address, view.as_view(), name=names[below]))
        return routes


@dataclass(frozen=True)
class OnPage:
    """How a page sends an act.

    `shows` is the page with the button. A refusal of the act is shown there, with the form filled in as
    before under the name `name` (without `form`, the fields must be texts, choices and ids). After the act
    the person returns there, unless `to` computes another address from the result. `of` is the attribute of
    the row that holds the id in the page's address (empty: the address has none); if that id is not the row's
    own, the page gets the row's id as `about`. `button` is the label of the button, `asks` the question
    before the act, `done` the message after it, `offered` tells whether the rule offers the act for a row,
    `part` is the place on the page to return to, and `below` the address if it differs from that of the
    operation.
    """

    shows: str
    button: Any = ""
    done: Any = ""
    asks: Any = ""
    of: str = "pk"
    to: Callable[[Any], str] | None = None
    form: type[Form] | None = None
    name: str = "form"
    offered: Callable[[By, Any], bool] | None = None
    part: str = ""
    below: str = ""

    def __call__[Function](self, function: Function) -> Function:
        function.on_page = self  # type: ignore[attr-defined]
        return function


LIST = "*"  # below no row; what follows it, below the list


def named[Row](field: str, find: Callable[..., Row], *what: Any) -> Row:
    """Find the row that a body names; raise `Invalid` at its field when there is none."""
    try:
        return find(*what)
    except NotFound:
        raise invalid(field, "unknown-value") from None


class Mark(Protocol):
    """The type of a decorator that only marks a function and returns it."""

    def __call__[Function](self, function: Function) -> Function: ...


def _declare(method: str, below: str | None, **options: Any) -> Mark:
    def mark[Function](function: Function) -> Function:
        function.declared = (method, below, options)  # type: ignore[attr-defined]
        return function

    return mark


def lists(summary: Any, query: type[Query] = Pages, **more: Any) -> Mark:
    return _declare("get", LIST, summary=summary, query=query, paged=True, **more)


def creates(summary: Any, takes: type[Shape], **more: Any) -> Mark:
    options = {"named": "_create", "status": 201, "once": True} | more
    return _declare("post", LIST, summary=summary, takes=takes, **options)


def reads(summary: Any, below: str = "", **more: Any) -> Mark:
    return _declare("get", below, summary=summary, **{"refuses": [404]} | more)


def changes(summary: Any, takes: type[Shape], method: str = "patch", **more: Any) -> Mark:
    options = {"named": "_change", "refuses": [404], "versioned": True} | more
    return _declare(method, "", summary=summary, takes=takes, **options)


def removes(summary: Any, below: str = "", **more: Any) -> Mark:
    options = {"named": "_delete", "refuses": [404], "versioned": True, "status": 204} | more
    return _declare("delete", below, summary=summary, **options)


def acts(
    summary: Any,
    takes: type[Shape] | None = None,
    method: str = "post",
    below: str | None = None,
    **more: Any,
) -> Mark:
    options = {"refuses": [404, 409], "versioned": True, "once": True} | more
    return _declare(method, below, summary=summary, takes=takes, **options)


def parts(
    summary: Any, gives: AnswerShape, query: type[Query] = Pages, below: str | None = None, **more: Any
) -> Mark:
    options = {"refuses": [404], "gives": gives, "paged": True} | more
    return _declare("get", below, summary=summary, query=query, **options)


def tells(summary: Any, gives: AnswerShape, below: str | None = None, **more: Any) -> Mark:
    options = {"refuses": [404], "gives": gives} | more
    return _declare("get", below, summary=summary, **options)


def _handler(
    cls: type[Resource],
    function: Callable[..., Any],
    below: str,
    *,
    summary: Any,
    named: str | None = None,
    takes: type[Shape] | None = None,
    partial: bool = False,
    query: type[Query] | None = None,
    paged: bool = False,
    gives: AnswerShape | None = None,
    order: Sequence[str] | None = None,
    status: int = 200,
    versioned: bool = False,
    once: bool = False,
    **more: Any,
) -> Any:
    """Return the method of a view that checks the request, calls the function, and answers."""

    def handler(self: Resource, request: Request, **kwargs: UUID) -> HttpResponseBase:
        given: list[Any] = list(kwargs.values())
        self.expected = expected_version(request) if versioned else None
        if query:
            given.append(query_values(query, request.query_params))
        if paged:
            rows, seen, sorted_by = function(self, *given), None, ()
            if isinstance(rows, HttpResponseBase):  # the list as a file
                return rows
            if isinstance(rows, tuple):
                rows, seen, *sorts = rows
                sorted_by = sorts[0] if sorts else ()
            return paginated(request, rows, given[-1], sorted_by or order or self.order, show_of(self), seen)
        if takes:
            given.append(checked(takes, request.data, partial=partial))

        def answer() -> Response:
            result = function(self, *given)
            if isinstance(result, Response):
                return result
            if status == 204:
                return Response(status=204)
            if gives:
                return Response(rendered(gives, result), status=status)
            return self.one(given[0] if result is None else result, status)

        return self.once(answer) if once else answer()

    def show_of(self: Resource) -> Callable[[list[Any]], list[Any]]:
        if gives is None:
            return self.shown
        prepared = self.prepared if below == LIST else list
        return lambda rows: [rendered(gives, row) for row in prepared(rows)]

    handler.__doc__ = function.__doc__
    shape = gives or cls.shape
    if named is None:
        named = "" if below in {"", LIST} else "_" + below.replace("-", "_")
    if named == "" or named.startswith("_"):
        named = (cls.many if paged and below == LIST else cls.name) + named
    answers: Any = None if status == 204 else page(shape) if paged else shape
    return operation(
        named,
        summary,
        tag=cls.tag,
        takes=takes,
        query=query,
        gives=answers,
        status=status,
        versioned=versioned,
        once=once,
        **more,
    )(handler)
