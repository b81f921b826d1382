"""A resource of the API in one class: where it is, what it gives, and what can be done with it.

Its decorated methods become operations, with their names, docstrings and bodies:

    lists     GET    grants/                 (query) gives the rows, which are answered in pages;
                                             with conditions of which one must hold (`paginated`)
    creates   POST   grants/                 (data) gives what it made, or its id; 201
    reads     GET    grants/<id>/            (id) does nothing: the row is answered
    changes   PATCH  grants/<id>/            (id, data); the row is answered
    removes   DELETE grants/<id>/            (id); 204
    acts      POST   grants/<id>/suspend/    (id, data); the row is answered
    parts     GET    grants/<id>/uses/       (id, query) gives rows of another shape, in pages
    tells     GET    grants/<id>/left/       (id[, query]) gives one row of another shape

What changes or acts may give the row, where it need not be read again, or a whole `Response`.
Bodies and queries arrive checked. Each takes what `operation` takes besides: what heeds `If-Match`
or `Idempotency-Key` says so by `versioned` and `once`, as those that change and act do already;
`gives` is another shape, of which the function returns a row, or a list its rows; `scope` what a
token needs; `below`, `address` and `named` are the address, its name and the operation's where they
do not follow from the method's name, which may not be that of an HTTP method: `delete` would answer
at every address. A `below` that begins with `*` lies below the list; `LIST` is its own address, as
of a state of which there is one.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ClassVar, Protocol
from uuid import UUID

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
from accounts.api.versions import etag, expected_version, require_version
from accounts.domain.errors import NotFound, invalid

type AnswerShape = type[serializers.Serializer[Any]]
type Show = Callable[[Any], Any]


def rendered(shape: AnswerShape, row: Any) -> Any:
    """A row in its shape, as JSON has it."""
    return _show_of_shape(shape)(row)


@cache
def _show_of_shape(shape: AnswerShape) -> Show:
    # Making one copies all its fields; it keeps nothing of what it renders.
    return _show_of(shape())


def _show_of(field: Any) -> Show:
    """What `to_representation` of a field does, in half the time where it is a serializer: which of
    its fields are plain attributes is found out once."""
    kind = type(field)
    if kind.to_representation is serializers.Serializer.to_representation:
        fields = [
            (each.field_name, each.source_attrs, each, _show_of(each))
            for each in field._readable_fields
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
    """What the field's `get_attribute` gives, asked itself only for what is no plain attribute."""
    if type(field).get_attribute is not serializers.Field.get_attribute:
        return field.get_attribute(row)
    value = row
    try:
        for name in names:
            value = value[name] if type(value) is dict else getattr(value, name)
    except (KeyError, AttributeError):  # the field knows what stands for what is absent
        return field.get_attribute(row)
    return field.get_attribute(row) if callable(value) else value


class Resource(Endpoint):
    """Rows with addresses. `at` is that of their list below the API's; `key` what an id is called
    in the others; `name` and `many` what one row and their list are called in operations."""

    at: ClassVar[str]
    key: ClassVar[str] = "id"
    converter: ClassVar[str] = "uuid"
    name: ClassVar[str]
    many: ClassVar[str]
    tag: ClassVar[str]
    shape: ClassVar[AnswerShape]
    order: ClassVar[Sequence[str]] = ("-created_at", "-id")

    def visible(self, pk: Any) -> Any:
        """One row that the actor may see; `NotFound` else."""
        raise NotImplementedError

    def prepared(self, rows: list[Any]) -> list[Any]:
        """The rows with what their shape shows besides their own fields."""
        return rows

    def shown(self, rows: list[Any]) -> list[Any]:
        return [rendered(self.shape, row) for row in self.prepared(rows)]

    def one(self, row: Any, status: int = 200) -> Response:
        """A row, or that of an id as it is now; a new one with its address."""
        if isinstance(row, UUID | str | int):
            row = self.visible(row)
        headers = etag(row.version) if hasattr(row, "version") else {}
        if status == 201 and (location := self.location(row)):
            headers["Location"] = location
        return Response(self.shown([row])[0], status=status, headers=headers)

    def meant(self, pk: Any) -> Any:
        """The row, for a service that takes no version; `WrongVersion` if another is meant."""
        row = self.visible(pk)
        require_version(self.request, row.version)
        self.expected = None
        return row

    def location(self, row: Any) -> str:
        """What a 201 says with the row; nothing where it is empty."""
        return reverse("api-" + self.name.replace("_", "-"), kwargs={self.key: row.pk})

    @classmethod
    def routes(cls) -> list[URLPattern]:
        """The addresses: of the list, of a row, and of what can be done with one."""
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


LIST = "*"  # below no row; what follows it, below the list


def named[Row](field: str, find: Callable[..., Row], *what: Any) -> Row:
    """What a body names; `Invalid` at its field where there is no such."""
    try:
        return find(*what)
    except NotFound:
        raise invalid(field, "unknown-value") from None


class Mark(Protocol):
    """A decorator that leaves the function as it is."""

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
    summary: Any,
    gives: AnswerShape,
    query: type[Query] = Pages,
    below: str | None = None,
    **more: Any,
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
    """The method of a view that checks what is asked, calls the function, and answers."""

    def handler(self: Resource, request: Request, **kwargs: UUID) -> HttpResponseBase:
        given: list[Any] = list(kwargs.values())
        self.expected = expected_version(request) if versioned else None
        if query:
            given.append(query_values(query, request.query_params))
        if paged:
            rows, seen = function(self, *given), None
            if isinstance(rows, tuple):
                rows, seen = rows
            return paginated(request, rows, given[-1], order or self.order, show_of(self), seen)
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
