"""The usual rate card of the tests; nothing here needs Django, so that rules are tested without
it."""

CARD = {
    "currency": "CNY",
    "valid_from": "2026-01-01",
    "rates": {
        "internal": "120.00",
        "regional": "200.00",
        "partner": "200.00",
        "external": "260.00",
        "industry": "480.00",
    },
    "billing_increment_minutes": 15,
    "minimum_minutes": 60,
    "setup_fee": "100.00",
    "options": [{"code": "operator", "unit": "hour", "price": "150.00", "subsidised": True}],
    "tax_percent": "6",
    "cancellation": [
        {"notice_minutes": 4320, "percent": "0"},
        {"notice_minutes": 1440, "percent": "50"},
        {"notice_minutes": 0, "percent": "100"},
    ],
}
