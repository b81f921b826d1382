"""Serve the acts of resources to pages: the addresses that forms post to, and whether a button is offered."""

from dataclasses import replace
from operator import attrgetter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, resolve, reverse

from accounts.api.resource import OnPage, Resource
from accounts.api.shapes import ListOf, Shape, checked
from accounts.domain.roles import By
from accounts.forms import known_to
from accounts.views.pages import act, bare, by_of, writes

ACTS: dict[str, OnPage] = {}  # by the name of the act's address


def posts(*resources: type[Resource]) -> list[URLPattern]:
    """Return the addresses to which pages post those acts of the resources that carry an `OnPage`."""
    return [
        _post(cls, word, function, function.on_page)
        for cls in resources
        for word, function in vars(cls).items()
        if hasattr(function, "on_page")
    ]


def _post(cls: type[Resource], word: str, function: Any, on: OnPage) -> URLPattern:
    _method, below, options = function.declared
    takes = options.get("takes")
    below = on.below or below or word.replace("_", "-")

    def address(request: HttpRequest, pk: Any) -> str:
        if on.of in ("", "pk"):
            return reverse(on.shows, args=[pk] if on.of else [])
        row = _seen_by(cls, by_of(request)).visible(pk)
        return reverse(on.shows, args=[attrgetter(on.of)(row)])

    @writes
    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        (pk,) = kwargs.values()
        form = on.form(request.POST) if on.form else None
        if form is not None:
            known_to(form, by_of(request).actor)

        def carry_out(by: By, data: dict[str, Any]) -> Any:
            if form is None:
                read = _version(request) if options.get("versioned") else None
                by, data = replace(by, version=read), _typed(request, takes)
            return function(_seen_by(cls, by), pk, *([data] if takes else []))

        def page(**context: Any) -> HttpResponse:
            match = resolve(address(request, pk))
            if on.of not in ("", "pk"):
                context["about"] = pk
            return bare(match.func)(request, *match.args, **match.kwargs, **context)

        return act(
            request,
            page,
            carry_out,
            to=on.to or (lambda result: address(request, pk) + on.part),
            done=lambda result: str(on.done(result) if callable(on.done) else on.done),
            form=form,
            name=on.name,
        )

    view.__doc__ = function.__doc__
    view.page = address  # type: ignore[attr-defined]  # where who asks for the address with GET is sent
    at, name = cls.page_at or cls.at, f"{cls.page_name or cls.name.replace('_', '-')}-{below}"
    ACTS[name] = on
    return path(f"{at}<{cls.converter}:{cls.key}>/{below}/", view, name=name)


def _typed(request: HttpRequest, takes: type[Shape] | None) -> dict[str, Any]:
    """Return the body of an act without a form class, made of the POST fields, which can only be texts,
    choices, ids and lists of these. Empty ones are left out, except for lists, which may be emptied."""
    if takes is None:
        return {}
    given = {
        name: request.POST.getlist(name) if isinstance(field, ListOf) else request.POST.get(name)
        for name, field in takes._declared_fields.items()
    }
    return checked(takes, {name: value for name, value in given.items() if value or value == []})


def _version(request: HttpRequest) -> int | None:
    """Return the version of the row that the page showed: None if it was not sent, -1 (which matches no row)
    if it is not a number."""
    given = request.POST.get("version", "")
    is_number = given.isascii() and given.isdecimal() and len(given) < 10
    return int(given) if is_number else -1 if given else None


def _seen_by(cls: type[Resource], by: By) -> Resource:
    """Return the resource with its actor, time and expected version set, as if the person called the API."""
    resource = cls()
    resource.actor, resource.now, resource.expected = by.actor, by.now, by.version
    return resource


def offered(by: By, name: str, row: Any) -> OnPage | None:
    """Return how pages send the act with this address name, or None if its rule does not offer it for the
    row."""
    on = ACTS[name]
    return on if on.offered is None or on.offered(by, row) else None
