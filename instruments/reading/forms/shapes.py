"""Build forms from request bodies, so that each field is declared once for the API and the page."""

from typing import Any

from django import forms
from rest_framework import serializers
from rest_framework.fields import empty

from accounts.api.shapes import Day, Flag, ListOf, Number, Shape, Text, WebAddress, Whole
from instruments.reading.forms.fields import DayField, DecimalField, StyledForm, VersionForm

FINEST = 3  # decimals up to which an input can be stepped


class ShapeForm(VersionForm):
    """A form made from a request body. Optional fields left empty get the default that the body declares."""

    shape: type[Shape]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name, field in _fields(self.shape).items():
            if not field.required and data.get(name) in (None, "", []):
                data[name] = _default(field)
                if data[name] is None and not field.allow_null:
                    del data[name]
        return data


def form_of(shape: type[Shape], *names: str) -> type[StyledForm]:
    """Return a form with the fields of a request body, or with the named ones only. The fields have the
    body's limits, choices and labels; the `style` of a field adds what only a page needs: its `help` text,
    the `rows` of a long text, and the label of the empty `choice`."""
    made = {name: field_of(shape, name) for name in names or _fields(shape)}
    return type(shape.__name__.removesuffix("Body") + "Form", (ShapeForm,), made | {"shape": shape})


def field_of(shape: type[Shape], name: str, **more: Any) -> Any:
    """Return the form field for a field of a request body, with its limits, choices and label. The field's
    `style` adds what only a page needs: the `help` below it, the `rows` of a long text, the label of the
    empty `choice`. `more` sets options of this form only."""
    return _field(_fields(shape)[name], more)


def _fields(shape: type[Shape]) -> dict[str, Any]:
    declared: dict[str, Any] = shape._declared_fields
    return declared


def _default(field: Any) -> Any:
    return None if field.default is empty else field.get_default()


def _field(field: Any, more: dict[str, Any]) -> forms.Field:
    options: dict[str, Any] = {
        "label": field.label,
        "help_text": field.style.get("help", ""),
        "required": field.required and not getattr(field, "allow_blank", False),
        "initial": _default(field),
    } | more
    match field:
        case WebAddress():
            return forms.URLField(max_length=field.max_length, assume_scheme="https", **options)
        case serializers.EmailField():
            return forms.EmailField(max_length=field.max_length, **options)
        case Text():
            if rows := field.style.get("rows"):
                options = {"widget": forms.Textarea({"rows": rows})} | options
            return forms.CharField(max_length=field.max_length, **options)
        case Whole():
            return forms.IntegerField(min_value=field.min_value, max_value=field.max_value, **options)
        case Number():
            if (field.decimal_places or 0) > FINEST:
                options = {"widget": forms.NumberInput({"step": "any"})} | options
            names = ("min_value", "max_value", "max_digits", "decimal_places")
            return DecimalField(**{name: getattr(field, name) for name in names}, **options)
        case Flag():
            return forms.BooleanField(**options | {"required": False})
        case Day():
            return DayField(**options)
        case serializers.ChoiceField():
            choices = list(field.choices.items())
            if "choice" in field.style:
                choices.insert(0, ("", field.style["choice"]))
            return forms.ChoiceField(choices=choices, **options)
        case ListOf(child=serializers.ChoiceField() as child):
            choices = list(child.choices.items())
            options = {"widget": forms.CheckboxSelectMultiple} | options
            return forms.MultipleChoiceField(choices=choices, **options)
        case _:
            return forms.UUIDField(widget=forms.HiddenInput, **options)
