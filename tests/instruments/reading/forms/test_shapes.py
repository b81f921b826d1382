"""The form of a body has its limits, and gives what its operation gives of the same entries."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils.translation import gettext_lazy as _

from accounts.api.shapes import Choice, Day, Flag, ListOf, Number, Shape, Text, Whole, checked
from instruments.reading.forms.shapes import form_of


class VisitBody(Shape):
    name = Text(12, label=_("Name"), style={"rows": 3, "help": "Of the class."})
    note = Text(20, default="", allow_blank=True)
    pupils = Whole(min_value=1, max_value=40)
    price = Number(6, 2, min_value=0, required=False, allow_null=True)
    day = Day(required=False)
    kind = Choice([("tour", "Tour"), ("talk", "Talk")], default="tour", style={"choice": "–"})
    wants = ListOf(child=Choice([("food", "Food"), ("bus", "Bus")]), default=list)
    is_public = Flag(default=False)


VisitForm = form_of(VisitBody)
FULL = {
    "name": "Class 3", "note": "early", "pupils": "12", "price": "2.50", "day": "2026-05-01",
    "kind": "talk", "wants": ["bus"], "is_public": "on",
}  # fmt: skip


def values(sent):
    form = VisitForm(sent)
    assert form.is_valid(), form.errors
    return {name: value for name, value in form.cleaned_data.items() if name != "version"}


def test_what_is_entered_comes_to_what_is_sent():
    sent = FULL | {"pupils": 12, "is_public": True}
    assert values(FULL) == checked(VisitBody, sent)
    assert values(FULL)["price"] == Decimal("2.50") and values(FULL)["day"] == date(2026, 5, 1)


def test_what_is_left_empty_is_what_the_body_says_of_what_is_left_out():
    few = {"name": "Class 3", "pupils": "12"}
    left_out = checked(VisitBody, few | {"pupils": 12})
    assert "day" not in left_out and left_out["kind"] == "tour"
    assert values(few) == left_out | {"price": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""), ("name", "x" * 13), ("note", "x" * 21), ("pupils", "0"), ("pupils", "41"),
        ("price", "-1"), ("price", "1.234"), ("kind", "party"), ("wants", ["tea"]),
        ("day", "1899-12-31"),
    ],
)  # fmt: skip
def test_a_limit_of_the_body_is_one_of_the_form(name, value):
    form = VisitForm(FULL | {name: value})
    assert not form.is_valid() and list(form.errors) == [name]


def test_a_form_looks_as_its_body_says():
    form = form_of(VisitBody, "kind", "name")()
    assert list(form.fields) == ["version", "kind", "name"]
    assert form["name"].label == "Name" and form["name"].help_text == "Of the class."
    html = str(form["name"])
    assert "<textarea" in html and 'rows="3"' in html and 'maxlength="12"' in html
    assert [code for code, _ in form.fields["kind"].choices] == ["", "tour", "talk"]
