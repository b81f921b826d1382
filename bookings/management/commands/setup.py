"""Run `manage.py setup [FILE.yaml]`: set up a real installation in an empty database."""

import re
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers

from accounts.api.shapes import Choice, Flag, ListOf, Shape, Text, checked
from accounts.database import is_busy
from accounts.domain.errors import FieldProblem, Invalid, Refused
from accounts.domain.organisations import organisation_code, region_code
from accounts.letters.sign_in import password_path
from accounts.models import Organisation, Region
from accounts.selectors.divisions import division
from accounts.services.installation import MOST_LOGO, Outcome, SetUp, SetupStep, installation_set_up
from accounts.services.organisations import region_problems
from bookings.record.messages import sentence
from instruments.vocabulary.selectors.techniques import techniques

REFUSED, BAD_FILE, INTERRUPTED = 1, 2, 130
MOST_BYTES = 1_000_000
LANGUAGES = [code for code, _ in settings.LANGUAGES]
SAYS = {Outcome.MADE: "made", Outcome.EXISTS: "exists", Outcome.DIFFERS: "exists, left as it is"}


class SiteShape(Shape):
    name = Text(100)
    name_zh = Text(100, required=False)
    logo = Text(1000, required=False)
    languages = ListOf(child=Choice(LANGUAGES), required=False, allow_empty=False)
    admits_strangers = Flag(required=False)


class RegionShape(Shape):
    scheme = Text(20)
    code = Text(20)
    parent = Text(20, required=False)  # type: ignore[assignment]  # a field, as DRF means it
    name = Text(120, required=False)
    name_zh = Text(120, required=False)
    time_zone = Text(64, required=False)
    currency = Text(3, required=False)
    holiday_calendar = Text(20, required=False)
    shares = Flag(required=False)


class OrganisationShape(Shape):
    code = Text(30)
    name = Text(200)
    name_zh = Text(200, required=False)
    kind = Choice(Organisation.Kind.choices)
    is_small = Flag(required=False)
    region = Text(20)
    ror = Text(40, required=False)


class AdministratorShape(Shape):
    email = serializers.EmailField(max_length=254)
    name = Text(150, required=False)


class SetupShape(Shape):
    site = SiteShape()
    regions = RegionShape(many=True, required=False)
    organisations = OrganisationShape(many=True, required=False)
    administrator = AdministratorShape()


class Command(BaseCommand):
    help = (
        "Set up a real installation in an empty, migrated database: its name, regions, "
        "organisations and first administrator. It asks for them or reads a YAML file. Existing "
        "records do not change, so it may run again. The last line is the address where the "
        "administrator continues."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", nargs="?", metavar="FILE.yaml", help="without a file, the command asks for the values"
        )

    def handle(self, *args: Any, file: str | None, **options: Any) -> None:
        node = None
        try:
            data, node = _read(file) if file else (self._ask(), None)
            result = _set_up(data, Path(file).parent if file else Path(), _repeated(node))
        except Invalid as refused:
            for problem in refused.problems:
                self.stderr.write(_problem(problem, node))
            raise CommandError("Nothing was created.", returncode=BAD_FILE) from None
        except Refused as refused:
            words = sentence(refused.code, refused.numbers)
            raise CommandError(f"{words} Nothing was created.", returncode=REFUSED) from None
        except ProgrammingError:
            words = (
                "The database lacks the tables of this version, or this role may not use them: "
                'run "manage.py migrate" first, then the grants of docs/operations.md.'
            )
            raise CommandError(words, returncode=REFUSED) from None
        except OperationalError as error:
            if not is_busy(error):
                raise
            words = "Another setup is running. Nothing was created; try again later."
            raise CommandError(words, returncode=REFUSED) from None
        except OSError as error:
            words = f"The logo cannot be stored: {error} Nothing was created."
            raise CommandError(words, returncode=REFUSED) from None
        except (KeyboardInterrupt, EOFError):
            raise CommandError("\nNothing was created.", returncode=INTERRUPTED) from None
        for step in result.steps:
            self.stdout.write(_line_of(step))
        if not techniques().exists():  # managers choose from them, and cannot enter any
            call_command("import_techniques", stdout=self.stdout)
        call_command("load_review_schemes", stdout=self.stdout)
        user = result.administrator
        if user.has_usable_password():
            self.stdout.write(f"{user.email} administers the platform and has a password. Sign in:")
            self.stdout.write(settings.SITE_URL + reverse("account_login"))
        else:
            self.stdout.write(
                f"{user.email} also receives this address by e-mail. It works once, within "
                f"{settings.PASSWORD_RESET_TIMEOUT // 86400} days, to set a password:"
            )
            self.stdout.write(settings.SITE_URL + password_path(user))

    # Asking

    def _ask(self) -> dict[str, Any]:
        """Ask at the terminal for everything that a setup file would contain, and check each answer at
        once."""
        self.stdout.write(
            "Press Enter to accept the value in brackets. Ctrl-C stops without changing anything.\n"
        )
        site = {
            "name": self._answer("Name of the platform", SiteShape, "name", "Instrument Commons"),
            "name_zh": self._answer("Its Chinese name, if it has one", SiteShape, "name_zh"),
            "logo": self._answer("File of its logo, if it has one (PNG, JPEG)", SiteShape, "logo",
                                 check=lambda path: _picture(Path(path))),
            "languages": self._answer(
                "Languages, the default first", SiteShape, "languages", " ".join(LANGUAGES),
                read=str.split,
            ),
            "admits_strangers": self._yes("May people sign up without an invitation?"),
        }  # fmt: skip
        regions: list[dict[str, Any]] = []
        self.stdout.write("\nRegions: instruments are shared between them.")
        while region := self._region([item["code"] for item in regions]):
            regions.append(region)
        organisations: list[dict[str, Any]] = []
        self.stdout.write("\nOrganisations: universities, institutes, hospitals, enterprises.")
        while regions and (organisation := self._organisation(organisations, regions)):
            organisations.append(organisation)
        self.stdout.write("\nThe first administrator, who grants roles to everybody else.")
        email = self._answer("E-mail address", AdministratorShape, "email", is_owed=True)
        name = self._answer("Name", AdministratorShape, "name", "Administrator")
        return {
            "site": _given(site),
            "regions": regions,
            "organisations": organisations,
            "administrator": _given({"email": email, "name": name}),
        }

    def _region(self, taken: list[str]) -> dict[str, Any] | None:
        more = "Code of another region" if taken else "Code of a region, such as CN-AH"
        code = self._answer(f"{more} (empty: continue)", RegionShape, "code", taken=taken, check=region_code)
        if not code:
            return None
        lists = {name: division(name, code) for name in ("ISO 3166-2", "GB/T 2260", "ISO 3166")}
        scheme, known = next(((name, place) for name, place in lists.items() if place), ("", None))
        if known:
            self.stdout.write(f"  {known.name} {known.name_zh}")
        else:
            self.stdout.write(f"  Not found in {', '.join(lists)}: this is a region of your own.")
            scheme = self._answer("A name of your own for its scheme", RegionShape, "scheme", "ours")
        region = {"scheme": scheme, "code": code}
        for name, label, is_owed in (
            ("name", "Its name", True),
            ("name_zh", "Its Chinese name, if it has one", False),
            ("time_zone", "Its time zone, such as Europe/London", True),
            ("currency", "Its currency, such as GBP", True),
            ("holiday_calendar", "Its public holidays, such as GB-SCT, if known", False),
        ):
            if known is None or (is_owed and not getattr(known, name)):
                check = partial(_check_region, name)
                region[name] = self._answer(label, RegionShape, name, is_owed=is_owed, check=check)
        return _given({**region, "shares": self._yes("Does it share instruments with other regions?")})

    def _organisation(
        self, before: list[dict[str, Any]], regions: list[dict[str, Any]]
    ) -> dict[str, Any] | None:
        shape, taken = OrganisationShape, [item["code"] for item in before]
        more = (
            "Code of another organisation" if before else "Code of an organisation, such as first-university"
        )
        code = self._answer(f"{more} (empty: continue)", shape, "code", taken=taken, check=organisation_code)
        if not code:
            return None
        kinds = ", ".join(Organisation.Kind.values)
        codes = [region["code"] for region in regions]
        return _given(
            {
                "code": code,
                "name": self._answer("Its name", shape, "name", is_owed=True),
                "name_zh": self._answer("Its Chinese name, if it has one", shape, "name_zh"),
                "kind": self._answer(f"Its kind ({kinds})", shape, "kind", "university"),
                "region": self._answer("Its region", shape, "region", codes[0], among=codes),
            }
        )

    def _yes(self, label: str) -> bool:
        answers = {"": True, "y": True, "yes": True, "n": False, "no": False}
        while (answer := input(f"{label} [yes] ").strip().lower()) not in answers:
            self.stderr.write("  Answer yes or no.")
        return answers[answer]

    def _answer(
        self,
        label: str,
        shape: type[Shape],
        field: str,
        default: str = "",
        *,
        read: Callable[[str], Any] = str,
        check: Callable[[str], Any] = str,
        is_owed: bool = False,
        taken: list[str] | None = None,
        among: list[str] | None = None,
    ) -> Any:
        """Ask for a value in the shape of a field, again until the answer is valid, and return it."""
        while True:
            text = input(f"{label}{f' [{default}]' if default else ''}: ").strip() or default
            if not text and not is_owed:
                return ""
            try:
                value = checked(shape, {field: read(text)}, partial=True)[field]
                check(text)
            except Invalid as refused:
                for problem in refused.problems:
                    self.stderr.write(f"  {sentence(problem.code, problem.numbers)}")
                continue
            if text in (taken or []):
                self.stderr.write(f"  {sentence('repeated')}")
            elif among and text not in among:
                self.stderr.write(f"  {sentence('unknown-choice', {'allowed': ', '.join(among)})}")
            else:
                return value


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value != ""}


def _set_up(data: Any, folder: Path, known: list[FieldProblem]) -> SetUp:
    """Set up what a file or the answers say; raise `Invalid` with everything that is wrong with it, in shape
    (`known` already, or found here) and in sense, so that one run names all."""
    problems, raw = list(known), data
    try:
        data = checked(SetupShape, raw)
    except Invalid as refused:
        problems += refused.problems
        if not isinstance(raw, dict):
            raise Invalid(problems) from None
        data = _right(raw, problems)
    picture = None
    if logo := data["site"].get("logo"):
        try:
            picture = _picture(folder / logo)
        except Invalid as refused:
            problems += refused.problems
    try:
        return installation_set_up(
            site=data["site"],
            regions=data.get("regions", []),
            organisations=data.get("organisations", []),
            administrator=data["administrator"],
            logo=picture,
            now=timezone.now(),
            known=problems,
        )
    except Invalid as refused:
        regions = raw.get("regions") if isinstance(raw, dict) else None
        raise Invalid(_causes(refused.problems, regions)) from None


def _right(data: dict[str, Any], problems: list[FieldProblem]) -> dict[str, Any]:
    """Return the typed parts of a file that have no problem, and None or nothing in place of those that
    have."""
    wrong = {re.sub(r"(\w+\[\d+\]|\w+).*", r"\1", problem.field) for problem in problems}

    def things(name: str, shape: type[Shape]) -> list[Any]:
        given = data.get(name)
        if name in wrong or not isinstance(given, list):
            return []
        return [None if f"{name}[{at}]" in wrong else checked(shape, one) for at, one in enumerate(given)]

    return {
        "site": {} if "site" in wrong else checked(SiteShape, data["site"]),
        "regions": things("regions", RegionShape),
        "organisations": things("organisations", OrganisationShape),
        "administrator": None
        if "administrator" in wrong
        else checked(AdministratorShape, data["administrator"]),
    }


def _causes(problems: Sequence[FieldProblem], regions: Any) -> list[FieldProblem]:
    """Return the problems without those that say of a region in the file that it does not exist only because
    the region itself has a problem."""
    given = regions if isinstance(regions, list) else []
    wrong = {int(at) for problem in problems for at in re.findall(r"^regions\[(\d+)\]", problem.field)}
    refused = {str(given[at].get("code")) for at in wrong if isinstance(given[at], dict)}
    return [p for p in problems if p.code != "unknown-region" or p.numbers.get("region") not in refused]


def _read(path: str) -> tuple[Any, yaml.Node | None]:
    """Return the file's content, and its nodes, which know their lines. Raise `CommandError` if it is not
    YAML."""
    try:
        content = Path(path).read_bytes()
        if len(content) > MOST_BYTES:
            raise CommandError(f"{path} is too large.", returncode=BAD_FILE)
        text = content.decode("utf-8-sig")
        return yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.", returncode=BAD_FILE) from None
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        words = f"{path} is no YAML in UTF-8: {error}"
        raise CommandError(words, returncode=BAD_FILE) from None


def _repeated(root: yaml.Node | None) -> list[FieldProblem]:
    """Return a problem for each key that a mapping repeats; YAML would silently keep only the last."""
    found, waiting, visited = [], [("", root)], set()
    while waiting:
        path, node = waiting.pop()
        if id(node) in visited:  # an alias, perhaps of a node that contains it
            continue
        visited.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys = [str(key.value) for key, _ in node.value]
            for position, (key, value) in enumerate(node.value):
                below = f"{path}.{key.value}" if path else str(key.value)
                if str(key.value) in keys[:position]:
                    found.append(FieldProblem(below, "repeated"))
                waiting.append((below, value))
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(f"{path}[{at}]", value) for at, value in enumerate(node.value)]
    return found


def _line_at(path: str, node: yaml.Node) -> int:
    """Return the line of what a path names, or of what should contain it; of a key that is repeated the
    last."""
    line = node.start_mark.line + 1
    for name, position in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if position and isinstance(node, yaml.SequenceNode) and int(position) < len(node.value):
            node = node.value[int(position)]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode) and (
            pairs := [(key, value) for key, value in node.value if str(key.value) == name]
        ):
            key, node = pairs[-1]
            line = key.start_mark.line + 1
        else:
            break
    return int(line)


def _check_region(name: str, text: str) -> None:
    if problems := [p for p in region_problems(Region(**{name: text})) if p.field == name]:
        raise Invalid(problems)


def _picture(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_LOGO + 1)
    except OSError as error:
        problem = FieldProblem("site.logo", "unreadable-file", {"why": str(error.strerror)})
        raise Invalid([problem]) from None


def _problem(problem: FieldProblem, node: yaml.Node | None) -> str:
    place = f"line {_line_at(problem.field, node)}: " if node else ""
    words = sentence(problem.code, problem.numbers)
    return f"{place}{problem.field or 'the file'}: {words} ({problem.code})"


def _line_of(step: SetupStep) -> str:
    more = f" (other {', '.join(step.differing)})" if step.differing else ""
    return f"{step.kind} {step.name}: {SAYS[step.outcome]}{more}"
