"""What a rate card says that its author hardly means."""

import pytest

from instruments.rates.domain.doubts import doubts_of
from instruments.rates.domain.ratecards import parse_rate_card
from tests.factories.cards import CARD

RATES = {"internal": "100.00", "external": "200.00"}
BY_WAY = {
    "rates": {},
    "usage": [
        {"modes": ["self"], "unit": "hour", "rates": RATES},
        {"modes": ["entrusted"], "unit": "sample", "rates": {"internal": "50.00"}},
    ],
}
OPERATOR = {"code": "operator", "unit": "hour", "price": "150.00", "when": "required"}


def kinds(offered, **changes):
    values = {key: value for key, value in (CARD | changes).items() if value != {}}
    return {doubt.kind for doubt in doubts_of(parse_rate_card(values), offered)}


@pytest.mark.parametrize(
    ("offered", "changes", "found"),
    [
        (["self", "assisted"], {}, set()),
        (["self", "assisted"], {"options": [OPERATOR]}, {"for-all"}),
        (["self", "assisted"], {"options": [OPERATOR | {"modes": ["assisted"]}]}, set()),
        (["self"], {"options": [OPERATOR | {"unit": "each"}]}, {"each-without-number"}),
        (["self"], {"options": [OPERATOR | {"unit": "each", "quantity": "1"}]}, set()),
        (["self", "entrusted"], BY_WAY, {"no-rate"}),
        (["self", "assisted"], BY_WAY, {"no-rate", "not-offered", "not-priced"}),
        (
            ["self", "entrusted"],
            BY_WAY | {"options": [OPERATOR | {"modes": ["entrusted"]}]},
            {"no-rate", "free-by-sample"},
        ),
    ],
)
def test_what_is_doubtful(offered, changes, found):
    assert kinds(offered, **changes) == found
