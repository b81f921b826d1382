"""Currencies the platform can account in, and how finely each is divided (ISO 4217)."""

from decimal import Decimal

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

# Where each is legal tender, by ISO 3166 code (Unicode CLDR 48).
_TENDER = """
AED:AE ARS:AR AUD:AU,CC,CX,HM,KI,NF,NR,TV BDT:BD BHD:BH BRL:BR CAD:CA CHF:CH,LI CLP:CL CNY:CN COP:CO
CZK:CZ DKK:DK,FO,GL EGP:EG GBP:GB,GG,GS,IM,JE GEL:GE HKD:HK HUF:HU IDR:ID ILS:IL,PS INR:IN ISK:IS
EUR:AD,AT,AX,BE,BG,BL,CY,DE,EE,ES,FI,FR,GF,GP,GR,HR,IE,IT,LT,LU,LV,MC,ME,MF,MQ,MT,NL,PM,PT,RE,SI,SK
EUR:SM,TF,VA,YT
JOD:JO JPY:JP KES:KE KRW:KR KWD:KW KZT:KZ LKR:LK MAD:EH,MA MOP:MO MXN:MX MYR:MY NGN:NG NOK:BV,NO,SJ
NPR:NP NZD:CK,NU,NZ,PN,TK OMR:OM PEN:PE PHP:PH PKR:PK PLN:PL PYG:PY QAR:QA RON:RO RSD:RS RUB:RU
RWF:RW SAR:SA SEK:SE SGD:SG THB:TH TND:TN TRY:TR TWD:TW UAH:UA UGX:UG
USD:AS,BQ,EC,FM,GU,IO,MH,MP,PR,PW,SV,TC,TL,UM,US,VG,VI
UYU:UY UZS:UZ VND:VN XAF:CF,CG,CM,GA,GQ,TD XOF:BF,BJ,CI,GW,ML,NE,SN,TG ZAR:LS,ZA
"""
CURRENCY_OF: dict[str, str] = {
    country: currency
    for currency, countries in (pair.split(":") for pair in _TENDER.split())
    for country in countries.split(",")
}


def in_decimals(value: Decimal, currency: str) -> str:
    """Write an amount with the decimals of its currency. A price may have more digits than the minor unit."""
    digits = MINOR_DIGITS.get(currency, 2)
    exponent = value.normalize().as_tuple().exponent
    digits = max(digits, -exponent if isinstance(exponent, int) else 0)
    return f"{value:.{digits}f}"
