"""Whom an answer is for."""

import pytest

from accounts.domain.errors import Invalid
from accounts.selectors.organisations import payer_for
from tests.factories.cast import Cast


@pytest.mark.parametrize("named", ["ustc", "nobody", "\0", "fudan\0"])
def test_only_own_organisations_can_be_named(cast: Cast, named: str) -> None:
    with pytest.raises(Invalid) as refused:
        payer_for(cast.actor("wang"), named)
    assert [(p.field, p.code) for p in refused.value.problems] == [("organisation", "not-a-member")]
