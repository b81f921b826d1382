"""Of every key to a person it is said whether it is theirs, and what erasure does to it."""

from typing import Any

import pytest
from django.apps import apps

from accounts.areas import areas
from accounts.models import User
from bookings.privacy.selectors.persons import load_person
from tests.factories.cast import Cast


def keys_to_a_person() -> set[str]:
    """Every foreign key and every list of people, of whatever model."""
    return {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in (*model._meta.fields, *model._meta.many_to_many)
        if field.remote_field is not None
        and field.remote_field.model is User
        and not field.remote_field.parent_link
    }


def test_every_key_to_a_person_is_theirs_or_an_official_act() -> None:
    """A new model with one is in neither: say which it is."""
    personal = [
        f"{table.model._meta.label}.{key}"
        for area in areas()
        for table in area.personal
        for key in table.keys
    ]
    official = [key for area in areas() for key in area.official]
    assert sorted(keys_to_a_person()) == sorted([*personal, *official])
    assert all(why for area in areas() for why in area.official.values())


@pytest.mark.django_db
def test_what_is_personal_is_a_table_of_the_export(cast: Cast) -> None:
    tables: dict[str, Any] = load_person(cast.wang)
    named = [table.table for area in areas() for table in area.personal]
    assert sorted(["profile", *named, "messages"]) == sorted(tables)
