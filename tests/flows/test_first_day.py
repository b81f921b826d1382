"""The first day of a real installation, over HTTP."""

import pytest

from tests.flows.installation import installed

pytestmark = pytest.mark.django_db(transaction=True)


def test_smoke(tmp_path):
    with installed("first_day", tmp_path) as place:
        wang = place.person("wang")
        wang.sign_up()
        print(wang.get("/profile/").text[:500])
        wang.set_up_second_factor()
        print(wang.api("GET", "organisations/?mine=1"))
