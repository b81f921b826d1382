"""Currencies the platform can account in, and how finely each is divided (ISO 4217)."""

_NO_DECIMALS = "CLP ISK JPY KRW PYG RWF UGX VND XAF XOF"
_TWO_DECIMALS = """
AED ARS AUD BDT BGN BRL CAD CHF CNY COP CZK DKK EGP EUR GBP GEL HKD HUF IDR ILS INR KES KZT LKR
MAD MOP MXN MYR NGN NOK NPR NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TRY TWD UAH USD
UYU UZS ZAR
"""
_THREE_DECIMALS = "BHD JOD KWD OMR TND"

MINOR_DIGITS: dict[str, int] = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(_TWO_DECIMALS.split(), 2),
    **dict.fromkeys(_THREE_DECIMALS.split(), 3),
}
