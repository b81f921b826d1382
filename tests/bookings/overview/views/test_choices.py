"""What fields offer in which an organisation or a person is chosen by name, and what they understand."""

import re
from typing import Any

import pytest
from django import forms
from django.test import Client

from accounts.forms import (
    OrganisationField,
    PersonField,
    SignUpForm,
    known_to,
    organisation_choice,
    person_choice,
)
from accounts.models import Membership, User
from accounts.permissions import actor_of
from instruments.reading.forms.fields import PeopleField, _people_in
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, Cast, reserve


def options(client: Client, kind: str, text: str) -> list[str]:
    return re.findall(r'data-text="([^"]*)"', page_of(client.get(f"/choices/{kind}/", {"q": text})))


def test_organisations_by_a_part_of_a_name_in_either_language_or_the_code(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["wang"])
    cast.fudan.name_zh = "复旦大学"
    cast.fudan.save()
    for text in ("fudan univ", "复旦", cast.fudan.code):
        assert options(client, "organisations", text) == [f"Fudan University ({cast.fudan.code})"]
    assert options(client, "organisations", "") == []
    cast.fudan.closed_at = NOW
    cast.fudan.save()
    assert options(client, "organisations", "fudan") == []


@pytest.mark.parametrize("who", ["alice", "sun", "hu", "lin", "coordinator"])
def test_who_may_not_know_of_somebody_does_not_find_them(client: Client, cast: Cast, who: str) -> None:
    client.force_login(cast.people[who])
    wang = cast.people["wang"]
    for text in (wang.name, wang.email, wang.email[:4]):
        assert options(client, "people", text) == []


def test_a_host_finds_who_booked_there_and_the_payer_s_finance_too(client: Client, cast: Cast) -> None:
    wang = cast.people["wang"]
    client.force_login(cast.people["zhao"])
    assert options(client, "people", wang.name) == []
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    chosen = [f"{wang.name} ({wang.email})"]
    assert options(client, "people", wang.name) == chosen
    client.force_login(cast.people["lin"])
    assert options(client, "people", wang.name) == chosen
    client.force_login(cast.people["hu"])
    assert options(client, "people", wang.name) == []
    # An address is found from its beginning, not by what many have in common.
    client.force_login(cast.people["lin"])
    assert options(client, "people", wang.email[:6]) == chosen
    assert options(client, "people", "fudan.example") == []
    # Who has left is a name for the host and for who reads the members, no longer for finance.
    Membership.objects.filter(user=wang).update(ended_at=NOW)
    assert options(client, "people", wang.name) == []
    for who in ("chen", "zhao"):
        client.force_login(cast.people[who])
        assert options(client, "people", wang.name) == chosen
    User.objects.filter(pk=wang.pk).update(is_active=False)
    client.force_login(cast.people["zhao"])
    assert options(client, "people", wang.name) == []


@pytest.mark.parametrize("text", ["\0", "%", "'\"<b>", "a" * 5000, "()&|!:*", "_"])
def test_any_text_is_answered(client: Client, cast: Cast, text: str) -> None:
    client.force_login(cast.people["admin"])
    for kind in ("people", "organisations"):
        assert "<b>" not in page_of(client.get(f"/choices/{kind}/", {"q": text}))


def test_requests_are_limited_and_take_few_statements(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    client.force_login(cast.people["zhao"])
    client.get("/choices/people/?q=Wang")
    with django_assert_max_num_queries(5):
        client.get("/choices/people/?q=Wang")
    monkeypatch.setattr("accounts.api.throttling.People.THROTTLE_RATES", {"user": "1/min"})
    client.get("/choices/people/?q=Wang")
    assert client.get("/choices/people/?q=Wang").status_code == 429


def test_a_list_from_a_letter_names_people_by_what_stands_in_brackets() -> None:
    said = 'Wang Li <wang@fudan.example>; "Sun, Hao" <sun@ustc.example>,hu@optics.example;'
    parts = [part.strip() for part in _people_in(said)]
    assert parts == ["wang@fudan.example", "sun@ustc.example", "hu@optics.example", ""]


class Choosing(forms.Form):
    place = OrganisationField(required=False)
    person = PersonField(required=False)
    people = PeopleField(label="People")


def given(cast: Cast, who: str, **values: Any) -> Choosing:
    form = Choosing(values)
    known_to(form, actor_of(cast.people[who]))
    form.is_valid()
    return form


def test_a_field_understands_choice_name_and_code(cast: Cast) -> None:
    cast.fudan.name_zh = "复旦（邯郸）"
    cast.fudan.save()
    code = cast.fudan.code
    names = "fudan university", "复旦（邯郸）", "Fudan U"
    for text in (code, f"Fudan University ({code})", f"x（{code}）", *names):
        assert given(cast, "wang", place=text).cleaned_data["place"] == cast.fudan
    assert given(cast, "wang", place="  ").cleaned_data["place"] is None
    for text in ("Atlantis", "Fudan University (atlantis)", "\0"):
        assert "place" in given(cast, "wang", place=text).errors


def test_who_is_called_exactly_as_typed_comes_before_a_code(cast: Cast) -> None:
    cast.ustc.name = f"Institute of Physics ({cast.fudan.code})"
    cast.ustc.save()
    assert given(cast, "wang", place=cast.ustc.name).cleaned_data["place"] == cast.ustc
    # But a name that apes the choice of another organisation does not take its place.
    cast.ustc.name = organisation_choice(cast.fudan)
    cast.ustc.save()
    assert given(cast, "wang", place=cast.ustc.name).cleaned_data["place"] == cast.fudan
    assert given(cast, "wang", place=organisation_choice(cast.ustc)).cleaned_data["place"] == cast.ustc


def test_several_of_one_name_are_named_and_none_is_taken(cast: Cast) -> None:
    for place in (cast.ustc, cast.fudan):
        place.name = "Institute of Optics"
        place.save()
    [said] = given(cast, "wang", place="institute of optics").errors["place"]
    assert f"({cast.ustc.code})" in said and f"({cast.fudan.code})" in said


def test_a_person_by_name_only_for_who_sees_them(cast: Cast) -> None:
    wang, chen = cast.people["wang"], cast.people["chen"]
    for text in (wang.name, wang.name.upper(), f"{wang.name} ({wang.email})", wang.email):
        assert given(cast, "chen", person=text).cleaned_data["person"] == wang.email
    assert "person" in given(cast, "hu", person=wang.name).errors
    # An address passes as it is, which says nothing of accounts.
    assert given(cast, "hu", person=wang.email).cleaned_data["person"] == wang.email
    # A part of a name takes nobody: it asks.
    for form in (given(cast, "chen", person="Wang"), given(cast, "chen", people=["Wang"])):
        [[said]] = form.errors.values()
        assert said == f"Did you mean {wang.name} ({wang.email})?"
    both = given(cast, "chen", people=[wang.name, f"{chen.email}; {wang.email}", ""])
    assert both.cleaned_data["people"] == [wang.email, chen.email]


def test_a_chosen_person_is_one_whatever_their_name_holds(cast: Cast) -> None:
    wang, chen = cast.people["wang"], cast.people["chen"]
    for name in ("Smith, John", f"{chen.email}, Alice", "Smith; (John)"):
        wang.name = name
        wang.save()
        assert given(cast, "chen", people=[person_choice(wang)]).cleaned_data["people"] == [wang.email]
    # A pasted list of choices could be one such name: it is not guessed.
    said = given(cast, "chen", people=[f"{person_choice(chen)}, {person_choice(wang)}"]).errors["people"]
    assert said == ["Enter each person in a field of their own."]


def test_too_many_or_too_long_names_of_people_are_not_looked_up(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    form = Choosing({"people": [f"nobody {number}" for number in range(401)]})
    known_to(form, actor_of(cast.people["chen"]))
    with django_assert_num_queries(0):
        assert "people" in form.errors
        for text in ("\0", "x" * 251):
            assert "people" in Choosing({"people": [text]}).errors


def test_a_new_name_has_no_signs_of_lists_and_addresses(client: Client, cast: Cast) -> None:
    wang = cast.people["wang"]
    client.force_login(wang)
    form = {"name": "a@b.example, Wang", "language": "en", "time_zone": "Asia/Shanghai"}
    assert "A name cannot contain @" in page_of(client.post("/profile/", form), 400)
    assert SignUpForm({"name": "Wang (x)"}).errors["name"]
    User.objects.filter(pk=wang.pk).update(name="Wang, Li")  # who is called so already keeps it
    assert client.post("/profile/", form | {"name": "Wang, Li"}).status_code == 302
