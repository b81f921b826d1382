"""Rules for joining an organisation: roles, mail domains, and how long and how many invitations stay open."""

import re
from datetime import timedelta

from accounts.domain.errors import invalid
from accounts.domain.roles import FINANCE, MANAGER, RESEARCHER

SHORTEST, USUAL, LONGEST = timedelta(days=1), timedelta(days=14), timedelta(days=60)
MOST_OPEN = 500  # invitations of one organisation that nobody has answered
DAY = timedelta(days=1)
MOST_TO_ADDRESS = 5  # invitations to one address within a day, whoever sends them
MOST_A_DAY = 200  # of one organisation within a day, and of one person
# An administrator brings in the people of a new installation at once, signs in with a second factor
# and could write to everybody anyway: the limits above hold off whoever got at a manager's account.
MOST_OF_ADMINISTRATOR = 2000
MOST_ASKED = 20  # requests of one person that nobody has answered
MOST_DOMAINS = 20
MOST_TEXT = 500
ROLES = (RESEARCHER, MANAGER, FINANCE)  # those that come with joining

# Anybody can get an address there, so it does not show where a person belongs.
_PUBLIC = """
126.com 139.com 163.com aliyun.com fastmail.com foxmail.com gmail.com gmx.de gmx.net
googlemail.com hotmail.com icloud.com live.com mail.com mail.ru me.com msn.com outlook.com
proton.me protonmail.com qq.com sina.cn sina.com sohu.com tom.com vip.163.com vip.qq.com
web.de yahoo.com yandex.com yandex.ru yeah.net
"""
PUBLIC_MAIL = frozenset(_PUBLIC.split())
TAG = r"\+[^@]*@"  # of a mail address, with the @ after it; Python and the database read it alike
_DOMAIN = re.compile(r"(?=.{4,100}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII)


def domain_of(address: str) -> str:
    """Return the part of an address after the @, in lower case."""
    return address.rpartition("@")[2].lower()


def mailbox_of(address: str) -> str:
    """Return an address in lower case without its tag: `a+1@x.org` and `A+2@x.org` are one mailbox and count
    as one.

    Nearly every server delivers like this. Where one does not, the owners of `a+1` and `a+2` share a limit
    that is far above what one person receives. Dots are kept: one large provider ignores them, but most
    servers treat such addresses as different people.
    """
    return re.sub(TAG, "@", address.strip().lower(), count=1)


def is_of(address: str, domains: list[str]) -> bool:
    """Return whether an address belongs to one of the domains or their subdomains."""
    domain = domain_of(address)
    return any(domain == one or domain.endswith(f".{one}") for one in domains)


def parse_domains(given: list[str]) -> list[str]:
    """Return mail domains such as `example.edu`, each once. Raise `Invalid` at the first text that is not a
    domain or is that of a public mail provider."""
    domains: list[str] = []
    for position, text in enumerate(given):
        domain = text.strip().lower().removeprefix("@")
        if not _DOMAIN.fullmatch(domain):
            raise invalid(f"mail_domains[{position}]", "not-a-mail-domain")
        if domain in PUBLIC_MAIL:
            raise invalid(f"mail_domains[{position}]", "public-mail-domain", domain=domain)
        if domain not in domains:
            domains.append(domain)
    if len(domains) > MOST_DOMAINS:
        raise invalid("mail_domains", "too-many", most=MOST_DOMAINS)
    return domains


def limits(*, is_administrator: bool) -> tuple[int, int]:
    """Return how many invitations of an organisation may be open, and how many it and a person may send
    within a day."""
    return (MOST_OF_ADMINISTRATOR,) * 2 if is_administrator else (MOST_OPEN, MOST_A_DAY)


def parse_roles(given: list[str]) -> list[str]:
    """Return the roles to give to a new member, in their usual order and each once; with none, the member can
    only read. Raise `Invalid`."""
    if not set(given) <= set(ROLES):
        raise invalid("roles", "unknown-value")
    return [role for role in ROLES if role in given]
