"""The demonstration's bank file: a day of a host's account, of which a part is matched."""

from collections.abc import Sequence
from datetime import date, timedelta
from xml.sax.saxutils import escape

from accounts.domain.roles import Actor, By
from accounts.models import Organisation
from accounts.selectors.memberships import holders_of, load_actor
from bookings.bank.selectors.bank import BY_HAND, load_proposals
from bookings.bank.services.files import GivenFile, file_read
from bookings.bank.services.matches import matches_book
from bookings.settlement.models import Payment, Statement
from bookings.settlement.selectors.statements import OWED, number_of, today_of
from bookings.world import World

PAID = 4  # statements that the file pays
BOOKED = 2  # transfers that are matched
FILE = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>
<Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>
{entries}
</Stmt></BkToCstmrStmt></Document>
"""
ENTRY = """<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{day}-{position:04}</AcctSvcrRef><NtryDtls><TxDtls>
<RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr></RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf>
</TxDtls></NtryDtls></Ntry>
"""


def end(world: World) -> str:
    """Let the finance of a host read a file: two of its transfers are matched, others wait."""
    kept = _kept(world)
    if kept is None:
        return "no bank file, as nothing is owed"
    host, actor = kept
    by = By(actor, world.now - timedelta(hours=6))
    file = file_read(by, host=host, given=GivenFile("camt053.xml", _content(host, by)))
    rows = list(file.transactions.order_by("position"))
    found = load_proposals(host, rows)
    certain = [
        row.pk for row in rows if (best := next(iter(found.get(row.pk, ())), None)) and best.is_certain
    ]
    if certain:
        matches_book(by, host=host, transactions=certain[:BOOKED])
    return f"a bank file of {len(rows)} transactions"


def _kept(world: World) -> tuple[Organisation, Actor] | None:
    """Return a host to which others owe money, and one of its finance: of those who are told of in the
    demonstration, if it is theirs; else anybody's."""
    for person in world.places.people.values():
        if "finance" in person.roles and person.organisation and _owed(person.organisation):
            return person.organisation, person.actor
    owing = Statement.objects.filter(OWED).order_by("host__code").select_related("host")
    for statement in owing.distinct("host__code"):
        if (keeper := holders_of("finance", statement.host_id).first()) is not None:
            return statement.host, load_actor(keeper)
    return None


def _owed(host: Organisation) -> Sequence[Statement]:
    """Return the first statements in one currency on which others owe a host money."""
    rows = Statement.objects.filter(OWED, host=host).select_related("host", "payer", "host_region")
    every = list(rows.order_by("year", "number")[:PAID])
    return [row for row in every if row.currency == every[0].currency]


def _content(host: Organisation, by: By) -> bytes:
    statements = _owed(host)
    first = statements[0]
    day, currency = today_of(first, by.now) - timedelta(days=1), first.currency
    entries = [
        _entry(
            day, position, currency, f"{row.payable - row.paid:f}", row.payer.name_zh or row.payer.name, text
        )
        for position, row in enumerate(statements, start=1)
        for text in [f"{number_of(row)} 测试费" if position != BOOKED else "仪器使用费"]
    ]
    entered = _entered(host, currency, day)
    if entered is not None and entered.statement is not None:
        payer = entered.statement.payer.name_zh or entered.statement.payer.name
        text, amount = number_of(entered.statement), f"{entered.amount:f}"
        entries.append(_entry(entered.paid_on, len(entries) + 1, currency, amount, payer, text))
    entries.append(_entry(day, len(entries) + 1, currency, "500", "王伟", "会议注册费"))
    account = (first.host.iban or first.host.account_number or "0000").replace(" ", "")
    return FILE.format(account=account, currency=currency, entries="".join(entries)).encode()


def _entered(host: Organisation, currency: str, day: date) -> Payment | None:
    """Return the last payment before a day that finance has entered without waiting for the bank's file."""
    rows = Payment.objects.filter(
        statement__host=host, currency=currency, amount__gt=0, paid_on__lte=day, **BY_HAND
    )
    rows = rows.exclude(statement__payer=host).select_related("statement__payer", "statement__host")
    return rows.order_by("-paid_on", "-id").first()


def _entry(day: date, position: int, currency: str, amount: str, name: str, text: str) -> str:
    return ENTRY.format(
        day=day, position=position, currency=currency, amount=amount, name=escape(name), text=escape(text)
    )
