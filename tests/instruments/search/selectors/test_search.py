"""Search over real inventories: what is found first, what facets count, what is forgiven."""

from collections.abc import Iterator
from io import StringIO
from random import Random
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Value
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.roles import PLATFORM, By
from bookings.demo.services.files import FOLDER
from instruments.register.models import Instrument
from instruments.search.domain.relevance import Answer, best_answer, techniques_of
from instruments.search.domain.search import FACETS, Criteria, key
from instruments.search.models import SearchEntry
from instruments.search.selectors.search import (
    STEP_OF_WORTH,
    corrected,
    entries,
    facets,
    is_filed,
    page,
    relevance_rank,
    search,
)
from instruments.search.services.search import entries_file, register_file, words_gather
from instruments.vocabulary.adapters.vocabularies import shipped
from instruments.vocabulary.domain.techniques import Term
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.needs import load_parameters, load_vocabulary
from instruments.vocabulary.services.techniques import techniques_import
from tests.factories.api import Program
from tests.factories.cast import NOW, Cast

# As three open registers have them (EMSL; St Andrews; IIT Ropar), and some of ours.
RECORDS: tuple[tuple[str, str, str, str, str], ...] = (
    # name, name_zh, maker, model, description
    ("Mass Spectrometer: 7-Tesla, Electrospray Ionization FTICR", "", "", "", ""),
    ("Mass Spectrometer: Finnigan LCQ Classic #1", "", "", "", ""),
    ("Microscope: Transmission Electron, Cryo", "", "", "", ""),
    ("NMR 400", "", "JEOL", "JNM-ECS-400", ""),
    ("PXRD", "", "Malvern Panalytical", "Xpert Pro MPD", ""),
    ("X-ray diffractometer", "", "Rigaku", "SmartLab", "Thin films and powders."),
    ("Single-crystal X-ray diffractometer", "", "Bruker", "D8 Venture", ""),
    ("ZEISS LSM880 confocal", "", "Carl Zeiss", "LSM880", "Airyscan."),
    ("Leica SP8", "", "Leica", "TCS SP8", "A confocal laser scanning microscope."),
    ("INDIGO2 COMPUTER RJ", "", "", "", ""),
    ("Raman microscope", "", "Renishaw", "inVia", "Also used beside the LSM880."),
    ("Flow cytometer", "流式细胞仪", "BD", "FACSAria III", ""),
    ("Scanning electron microscope", "扫描电子显微镜", "Hitachi", "SU8010", "With EDX."),
    ("Spectrometer, optical", "", "Ocean", "USB2000", ""),
    ("液相色谱质谱联用仪", "液相色谱质谱联用仪", "Agilent", "6470", "三重四极杆"),
    ("Titan Krios", "冷冻透射电镜", "Thermo Fisher", "Krios G4", "冷冻电镜，原子分辨率。"),
)
EXPECTED = (
    ("xrd", "PXRD"),  # said without more it means powders
    ("powder diffraction", "X-ray diffractometer"),
    ("mass spec finnigan", "Mass Spectrometer: Finnigan LCQ Classic #1"),
    ("pxrd", "PXRD"),
    ("质谱", "液相色谱质谱联用仪"),
    ("质谱 finnigan", "Mass Spectrometer: Finnigan LCQ Classic #1"),
    ("FT-ICR", "Mass Spectrometer: 7-Tesla, Electrospray Ionization FTICR"),
    ("ft icr", "Mass Spectrometer: 7-Tesla, Electrospray Ionization FTICR"),
    ("lsm 880", "ZEISS LSM880 confocal"),
    ("LSM880", "ZEISS LSM880 confocal"),
    ("共聚焦", "ZEISS LSM880 confocal"),
    ("confocal", "ZEISS LSM880 confocal"),
    ("x'pert", "PXRD"),
    ("xpert", "PXRD"),
    ("核磁", "NMR 400"),
    ("nuclear magnetic resonance", "NMR 400"),
    ("拉曼", "Raman microscope"),
    ("raman spectroscopy", "Raman microscope"),
    ("FACS", "Flow cytometer"),
    ("流式", "Flow cytometer"),
    ("扫描电镜", "Scanning electron microscope"),
    ("SEM hitachi", "Scanning electron microscope"),
    ("Ｘ射线衍射", "X-ray diffractometer"),
    ("冷冻电镜，krios", "Titan Krios"),
    ("titan krios", "Titan Krios"),
    ("titan", "Transmission electron microscope"),  # its whole model
    ("bruker d8", "Single-crystal X-ray diffractometer"),
    ("SU8010", "Scanning electron microscope"),
    ("optical spectrometer", "Spectrometer, optical"),
)

CLASSES = (
    Term("11", "computers", "classes", "计算机及其配套设备"),
    Term("11-02", "workstations", "classes", parents=("11",)),
)


pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def register(shared_cast: Cast, django_db_blocker: Any) -> Iterator[Cast]:
    """The cast's world with the records and the vocabulary, all published."""
    with django_db_blocker.unblock(), transaction.atomic():
        techniques_import(By(PLATFORM, NOW), terms=shipped())
        codes = {t.code: t for t in Technique.objects.all()}
        for number, (name, name_zh, maker, model, description) in enumerate(RECORDS):
            host = (shared_cast.ustc, shared_cast.fudan)[number % 2]
            made = Instrument.objects.create(
                facility=shared_cast.facility,
                organisation=host,
                region=host.region,
                name=name,
                name_zh=name_zh,
                manufacturers=[{"name": maker}] if maker else [],
                model=model,
                description=description,
                service_modes=[["self"], ["self", "remote"], []][number % 3],
                kind=["general", "dedicated"][number % 5 == 0],
                publication="published",
                created_at=NOW,
                updated_at=NOW,
            )
            if "diffract" in name.lower() or name == "PXRD":
                made.techniques.add(codes["PaNET01101"])
            if "Raman" in name:
                made.techniques.add(codes["PaNET01195"])
        register_file()
        yield shared_cast
        transaction.set_rollback(True)


def names(text: str, **more: Any) -> list[str]:
    return [found.name for found in search(Criteria(text=text, **more))]


def test_what_is_found_first(register: Cast) -> None:
    wrong = {q: names(q)[:3] for q, first in EXPECTED if names(q)[:1] != [first]}
    assert not wrong


DEMONSTRATION = FOLDER / "instruments.yaml"
MEANT = (
    ("local-tem", "TEM", "tem", "transmission electron microscopy", "透射电镜", "透射电子显微镜"),
    ("local-sem", "SEM", "scanning electron microscope", "扫描电镜", "扫描电子显微镜"),
    ("PaNET01318", "AFM", "atomic force microscopy", "原子力显微镜", "原子力显微术"),
    ("local-stm", "STM", "scanning tunneling microscopy", "扫描隧道显微镜"),
    ("PaNET01148", "SPM", "扫描探针显微术"),
    ("local-nmr", "NMR", "nuclear magnetic resonance", "核磁", "核磁共振"),
    ("PaNET01216", "XRD", "x-ray diffraction", "X射线衍射", "X射线衍射仪"),
    ("PaNET01101", "PXRD", "粉末衍射"),
    ("PaNET01204", "XPS", "ESCA", "X射线光电子能谱"),
    ("PaNET01268", "MS", "mass spec", "mass spectrometry", "质谱", "质谱仪"),
    ("local-icp-ms", "ICP-MS", "ICPMS", "电感耦合等离子体质谱"),
    ("local-lc-ms", "LC-MS", "LCMS", "液质联用"),
    ("local-gc-ms", "GC-MS", "气质联用"),
    ("local-sims", "SIMS", "ToF-SIMS", "二次离子质谱"),
    ("local-fib", "FIB", "FIB-SEM", "focused ion beam", "聚焦离子束"),
    ("PaNET01188", "SAXS", "小角X射线散射"),
    ("PaNET01196", "XAS", "X射线吸收谱"),
    ("PaNET01320", "FTIR", "FT-IR", "傅里叶变换红外光谱"),
    ("PaNET01193", "EDS", "EDX", "X射线能谱"),
    ("PaNET01195", "Raman", "raman spectroscopy", "拉曼", "拉曼光谱"),
    ("local-flow", "FACS", "flow cytometry", "流式细胞仪", "流式"),
    ("local-cryo-em", "cryo-EM", "冷冻电镜"),
    ("local-thermal", "TGA", "DSC", "热分析"),
)


def test_what_is_of_a_technique_comes_before_what_only_begins_like_its_name(shared_cast: Cast) -> None:
    techniques_import(By(PLATFORM, NOW), terms=shipped())
    techniques = {technique.code: technique for technique in Technique.objects.all()}
    # Whose name begins with an abbreviation as none of the demonstration's does.
    more = [
        {"name": f"{word} controller", "model": "", "techniques": []}
        for word in ("Temperature", "Semiconductor", "Eddy current", "Simsbury", "Fibre", "Spmt")
    ]
    for row in [*yaml.safe_load(DEMONSTRATION.read_text(encoding="utf-8")), *more]:
        instrument = Instrument.objects.create(
            facility=shared_cast.facility,
            organisation=shared_cast.optics,
            region=shared_cast.optics.region,
            name=row["name"],
            name_zh=row.get("name_zh", ""),
            manufacturers=[{"name": row["maker"]}] if "maker" in row else [],
            model=row["model"],
            description=row.get("description", ""),
            publication="published",
            created_at=NOW,
            updated_at=NOW,
        )
        instrument.techniques.set(techniques[code] for code in row["techniques"])
    register_file()
    host = shared_cast.optics.code
    for code, *texts in MEANT:
        of_it = set(names("", technique=code, host=host))
        for text in texts:
            first = names(text, host=host)[: len(of_it)]
            assert of_it and set(first) == of_it, (text, names(text, host=host)[:8])
    assert names("TEM", host=host)[0] == "Aberration-corrected transmission electron microscope"
    # No microscope for being one of "Micro XRF", as PaNET has it.
    assert names("XRF", host=host) == []


def test_what_is_named_comes_before_what_is_described(register: Cast) -> None:
    assert names("LSM880") == ["ZEISS LSM880 confocal", "Raman microscope"]
    assert names("confocal") == ["ZEISS LSM880 confocal", "Leica SP8"]
    assert names("sp8")[0] == "Leica SP8"


def test_a_branch_finds_its_leaves(register: Cast) -> None:
    powder = {"PXRD", "X-ray diffractometer", "Single-crystal X-ray diffractometer"}
    for code in ("PaNET01101", "PaNET01216", "PaNET01022"):
        assert set(names("", technique=code)) == powder
    assert names("", technique="PaNET01195") == ["Raman microscope"]
    assert names("", technique="PaNET01102") == []
    counts = {c.code: c.count for c in facets().choices["technique"]}
    assert (counts["PaNET01022"], counts["PaNET01216"]) == (3, 3)


def test_a_class_by_its_code(register: Cast) -> None:
    with transaction.atomic():
        techniques_import(By(PLATFORM, NOW), terms=CLASSES)
        computer = Instrument.objects.get(name__startswith="INDIGO")
        computer.classification_code = "11-02"
        computer.save()
        entries_file([computer.pk])
        assert names("", technique="11") == names("计算机") == [computer.name]
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("difractometer smartlab", "X-ray diffractometer"),
        ("microscpe hitachi", "Scanning electron microscope"),
        ("spektrometer", "Spectrometer, optical"),
        ("Ramman", "Raman microscope"),
        ("cytomter", "Flow cytometer"),
    ],
)
def test_a_slip_is_forgiven(register: Cast, typed: str, first: str) -> None:
    assert names(typed) == []
    assert names(corrected(typed))[0] == first


def test_what_is_known_or_like_nothing_is_left_as_it_is(register: Cast) -> None:
    assert corrected("microscope") is None
    assert corrected("zzzzqqqq") is None


NASTY = (
    "' OR 1=1 --",
    "'; DROP TABLE instruments_searchentry; --",
    "a' & 'b:* | !c",
    "\\",
    "%_%",
    "((((",
    "''''",
    "<script>",
    "x" * 200,
    "显" * 200,
    " ".join(f"ab{n}" for n in range(60))[:200],
    "-".join("ab" * 99)[:200],
    "\u200b\u202e",
    "𠮷野家",
    "é́́",
    "１２３ｋＶ",
    ":*",
    "~spectr",
)


def test_whatever_is_typed_is_only_looked_for(register: Cast) -> None:
    for text in NASTY:
        criteria = Criteria(text=text)
        assert len(list(search(criteria))) == facets(criteria).total
        corrected(text)
    assert names("'; DROP microscope") == []
    assert SearchEntry.objects.exists()
    paths = ("/", "/api/v1/instruments/", "/api/v1/instruments/facets/", "/techniques/")
    for place, text in enumerate((*NASTY, "\0")):
        # Each text at one door, each door with several: what lies behind is the same search.
        for path in (*paths[place % 4 : place % 4 + 1], "/api/v1/instruments/facets/"):
            assert Client().get(path, {"q": text}).status_code in (200, 400), (path, text)
    assert Client().get("/", {"q": "x" * 5000}).status_code == 200


some_text = st.sampled_from(["", "", "microscope", "mass", "x-ray", "质谱", "s", "none such"])


@settings(max_examples=settings().max_examples // 3)
@given(text=some_text, seed=st.integers(0, 10**6))
def test_facets_count_what_the_search_would_find(register: Cast, text: str, seed: int) -> None:
    chance = Random(seed)
    everything = facets().choices
    chosen = {
        name: chance.choice(everything[name]).code
        for name in FACETS
        if everything[name] and chance.random() < 0.3
    }
    criteria = Criteria(text=text, **chosen)
    found = facets(criteria, nearest=3)
    fitting = list(search(criteria))
    assert found.total == len(fitting)
    assert list(found.nearest) == ([i.pk for i in fitting[:3]] if text else [])
    assert page(criteria, entries(criteria), 1, 2, found) == fitting[1:3]
    for name, choices in found.choices.items():
        for choice in chance.sample(choices, min(2, len(choices))):
            other = Criteria(text=text, **(chosen | {name: choice.code}))
            assert choice.count == entries(other).count() > 0
        without = {k: v for k, v in chosen.items() if k != name}
        listed = {choice.code for choice in choices}
        assert {c.code for c in everything[name] if _any(text, without, name, c.code)} == listed


def _any(text: str, chosen: dict[str, str], name: str, code: str) -> bool:
    return entries(Criteria(text=text, **(chosen | {name: code}))).exists()


def test_pages_in_the_order_of_nearness(register: Cast) -> None:
    program = Program(None)
    whole = names("m")
    assert len(whole) == 0
    whole = [str(i.pk) for i in search(Criteria(text="spectro"))]
    assert len(whole) > 3
    pages = list(program.pages("instruments/?q=spectro&limit=2"))
    assert [pk for page_ in pages for pk in page_] == whole


def test_statements(register: Cast) -> None:
    criteria = Criteria(text="microscope", region="CN", technique="PaNET01195")
    with CaptureQueriesContext(connection) as captured:
        page(criteria, entries(criteria), 0, 20)
        facets(criteria)
    assert len(captured) == 2
    program = Program(None)
    load_vocabulary(), load_parameters()  # else the first question of a process reads them
    for query, most in (("q=microscope", 6), ("q=mikroscope", 9)):
        with CaptureQueriesContext(connection) as captured:
            answer = program.get(f"instruments/?{query}")
        assert answer.body["results"]
        assert len(captured) <= most
    assert answer.body["results_for"] == "microscope"


def test_the_page_says_what_it_took_a_word_for(register: Cast, client: Client) -> None:
    html = client.get("/?q=mikroscope").content.decode()
    assert "mikroscope" in html and "<strong>microscope</strong>" in html
    html = client.get("/?q=diffraction&technique=PaNET01022").content.decode()
    assert "X-ray diffractometer" in html and "Raman" not in html
    html = client.get("/techniques/PaNET01216/").content.decode()
    assert "X射线衍射" in html and "XRD" in html and "3 instruments" in html
    assert "PaNET00001" not in client.get("/techniques/?all=1").content.decode()


def test_words_are_those_of_what_is_published(register: Cast) -> None:
    with transaction.atomic():
        SearchEntry.objects.filter(name="Flow cytometer").update(is_published=False)
        words_gather()
        assert corrected("cytomter") is None
        transaction.set_rollback(True)


def test_what_a_migration_left_half_filed_is_filed(register: Cast) -> None:
    with transaction.atomic():
        call_command("file_search", "--if-needed", stdout=(said := StringIO()))
        assert said.getvalue() == "every instrument is indexed\n"
        SearchEntry.objects.filter(name="Flow cytometer").update(strong=Value(""))
        call_command("file_search", "--if-needed", stdout=(said := StringIO()))
        assert "instruments indexed" in said.getvalue()
        assert is_filed()
        transaction.set_rollback(True)


ANSWERED = st.lists(
    st.builds(Answer, st.sampled_from("abcde"), st.just("t"), st.integers(1, 1000), is_broader=st.booleans()),
    min_size=1, max_size=6, unique_by=lambda answer: answer.technique,
)  # fmt: skip
FILED = st.lists(st.tuples(st.sampled_from(["own", "called", "above"]), st.sampled_from("abcde")), max_size=8)


@settings(max_examples=settings().max_examples // 3)
@given(wanted=ANSWERED, filed=FILED)
def test_relevance_in_sql_is_that_of_the_rule(register: Cast, wanted: Any, filed: Any) -> None:
    keys = sorted({key(kind, code) for kind, code in filed})
    best = best_answer(techniques_of(keys), wanted)
    with transaction.atomic():
        one = SearchEntry.objects.first()
        assert one
        SearchEntry.objects.filter(pk=one.pk).update(keys=keys)
        rows = SearchEntry.objects.filter(pk=one.pk)
        (place,) = rows.annotate(worth=relevance_rank(wanted)).values_list("worth", flat=True)
        assert place == (best[0] if best else 0) * STEP_OF_WORTH
        found = entries(Criteria(answers=tuple(wanted))).filter(pk=one.pk).exists()
        if best:
            assert found
        transaction.set_rollback(True)
