"""Charts of accounts to begin with, which finance then edits: that of Chinese public institutions
(政府会计制度), and one for others in Europe. Numbers are examples that follow common practice."""

from dataclasses import dataclass

from bookings.journal.domain import journal
from bookings.journal.domain.charts import Account

CHINESE, EUROPEAN = "cn_public", "eu_generic"


@dataclass(frozen=True)
class Preset:
    """Accounts, each with the roles whose lines go to it."""

    accounts: tuple[tuple[Account, tuple[str, ...]], ...]


def _preset(*rows: tuple[str, str, str, tuple[str, ...]]) -> Preset:
    return Preset(tuple((Account(number, name, name_zh), roles) for number, name, name_zh, roles in rows))


_REVENUE = journal.REVENUES
PRESETS = {
    CHINESE: _preset(
        ("1002", "Bank deposits", "银行存款", (journal.BANK, journal.PAID_FROM)),
        ("1212", "Accounts receivable", "应收账款", (journal.RECEIVABLES,)),
        ("1214", "Prepayments", "预付账款", (journal.PREPAID,)),
        ("1218", "Other receivables: vouchers", "其他应收款——创新券", (journal.VOUCHERS,)),
        ("210101", "Value added tax: output", "应交增值税——销项税额", (journal.OUTPUT_TAX,)),
        ("2302", "Accounts payable", "应付账款", (journal.PAYABLES,)),
        ("2305", "Advances received", "预收账款", (journal.ADVANCES,)),
        ("410101", "Service income: use of instruments", "事业收入——仪器使用", (_REVENUE["usage"],)),
        ("410102", "Service income: consumables", "事业收入——耗材", (_REVENUE["consumables"],)),
        ("410103", "Service income: training", "事业收入——培训", (_REVENUE["training"],)),
        ("410104", "Service income: internal", "事业收入——内部服务", (journal.INTERNAL_INCOME,)),
        ("4601", "Grants of others: vouchers", "非同级财政拨款收入——创新券", (journal.VOUCHER_INCOME,)),
        ("4609", "Other income: cancellation fees", "其他收入——取消费", (_REVENUE["cancellation"],)),
        ("500101", "Operating expenses: use of instruments", "业务活动费用——测试费", (journal.COST,)),
        ("500102", "Operating expenses: internal", "业务活动费用——内部测试费", (journal.INTERNAL_COST,)),
    ),
    EUROPEAN: _preset(
        ("1200", "Bank", "银行存款", (journal.BANK, journal.PAID_FROM)),
        ("1400", "Trade receivables", "应收账款", (journal.RECEIVABLES,)),
        ("1450", "Voucher claims", "应收创新券", (journal.VOUCHERS,)),
        ("1510", "Prepayments", "预付账款", (journal.PREPAID,)),
        ("1576", "Input tax", "进项税额", (journal.INPUT_TAX,)),
        ("1600", "Trade payables", "应付账款", (journal.PAYABLES,)),
        ("1718", "Advances received", "预收账款", (journal.ADVANCES,)),
        ("1776", "Output tax", "销项税额", (journal.OUTPUT_TAX,)),
        ("2700", "Subsidies received", "补助收入", (journal.VOUCHER_INCOME,)),
        ("4900", "Use of instruments", "仪器使用费", (journal.COST,)),
        ("4950", "Internal recharge: cost", "内部结算支出", (journal.INTERNAL_COST,)),
        ("8400", "Revenue: use of instruments", "仪器使用收入", (_REVENUE["usage"],)),
        ("8410", "Revenue: consumables", "耗材收入", (_REVENUE["consumables"],)),
        ("8420", "Revenue: training", "培训收入", (_REVENUE["training"],)),
        ("8430", "Revenue: cancellation fees", "取消费收入", (_REVENUE["cancellation"],)),
        ("8500", "Internal recharge: income", "内部结算收入", (journal.INTERNAL_INCOME,)),
    ),
}  # fmt: skip
