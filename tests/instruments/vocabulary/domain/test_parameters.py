"""Parameters and units, whether what is stated meets what is required, and reading both."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid
from instruments.vocabulary.adapters.vocabularies import shipped, shipped_parameters
from instruments.vocabulary.domain import parameters

PARAMETERS = shipped_parameters()
ORDER = ("fails", "unknown", "meets")
D = Decimal

values = st.decimals(-1000, 1000, places=2)
sides = st.none() | values
statements = st.lists(
    st.builds(
        lambda code, low, high, has: parameters.Stated(code, low, high if high != low else None, "", has),
        st.sampled_from(["a", "b"]),
        sides,
        sides,
        st.booleans(),
    ),
    max_size=4,
)


@pytest.mark.parametrize(
    ("low", "high", "stated", "result"),
    [
        (D(2), None, [parameters.Stated("a", D(1))], "meets"),
        (D(2), None, [parameters.Stated("a", D(2))], "meets"),
        (D(2), None, [parameters.Stated("a", D(3))], "fails"),
        (D(2), None, [], "unknown"),
        (D(2), None, [parameters.Stated("b", D(1))], "unknown"),
        (D(2), None, [parameters.Stated("a", None, D(5))], "unknown"),
        (None, D(300), [parameters.Stated("a", None, D(300))], "meets"),
        (None, D(300), [parameters.Stated("a", D(1), D(200))], "fails"),
        (D(10), D(20), [parameters.Stated("a", D(15), None)], "fails"),
        (D(10), D(20), [parameters.Stated("a", D(5), None)], "unknown"),
        (
            D(2),
            None,
            [parameters.Stated("a", D(3), None, "in air"), parameters.Stated("a", D(1), None, "v")],
            "meets",
        ),
        (
            D(2),
            None,
            [parameters.Stated("a", D(3), None, "in air"), parameters.Stated("a", None, D(9))],
            "unknown",
        ),
        # Two conditions do not add up.
        (
            D(10),
            D(90),
            [parameters.Stated("a", D(0), D(50), "x"), parameters.Stated("a", D(50), D(99), "y")],
            "fails",
        ),
        (D(2), None, [parameters.Stated("a", is_available=False)], "fails"),
        (None, None, [parameters.Stated("a", is_available=False)], "fails"),
        (None, None, [parameters.Stated("a", D(1))], "meets"),
        (None, None, [], "unknown"),
    ],
)
def test_a_requirement_fits(low, high, stated, result):
    assert parameters.fit(parameters.Requirement("a", low, high), stated) == result


@given(sides, sides, values.filter(lambda v: v > 0), statements, st.booleans())
def test_a_stricter_requirement_never_fits_better(low, high, more, stated, is_low):
    loose = parameters.fit(parameters.Requirement("a", low, high), stated)
    if is_low:
        low = -more if low is None else low - more
    else:
        high = more if high is None else high + more
    strict = parameters.fit(parameters.Requirement("a", low, high), stated)
    assert ORDER.index(strict) <= ORDER.index(loose)


@given(sides, sides, statements)
def test_what_is_stated_of_other_parameters_changes_nothing(low, high, stated):
    own = [one for one in stated if one.parameter == "a"]
    requirement = parameters.Requirement("a", low, high)
    assert parameters.fit(requirement, stated) == parameters.fit(requirement, own)
    if not own:
        assert parameters.fit(requirement, stated) == "unknown"


@given(st.sampled_from(sorted(PARAMETERS)), st.decimals("0.001", 10_000, places=3), st.data())
def test_units_lead_back_to_the_same_value(code, value, data):
    """As long as what is stored keeps nine digits."""
    parameter = PARAMETERS[code]
    unit = data.draw(st.sampled_from(parameter.all_units))
    stored = parameter.stored(value, unit)
    if D("1e-5") < stored < D("1e12"):
        assert parameter.shown(stored, unit) == value.normalize()
        assert "E" not in str(parameter.shown(stored, unit))


def test_a_value_is_kept_in_the_unit_of_its_parameter():
    assert PARAMETERS["sample_temperature"].stored(D(-196), "°C") == D("77.15")
    assert PARAMETERS["spatial_resolution"].stored(D("0.2"), "µm") == 200
    assert PARAMETERS["sample_temperature"].shown(D("77.15"), "°C") == -196


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("nm", "nm"), ("um", "µm"), ("μm", "µm"), ("纳米", "nm"), ("microns", "µm"),
        ("kV", None), ("", None), ("MM", None),
    ],
)  # fmt: skip
def test_a_unit_is_known_however_it_is_written(text, unit):
    assert PARAMETERS["spatial_resolution"].unit_of(text) == unit


def test_m_and_capital_m_are_not_confused_but_other_letters_are():
    force = PARAMETERS["force"]
    assert [force.unit_of(u) for u in ("mN", "MN", "KN", "Kn")] == ["mN", "MN", "kN", "kN"]


READ = [
    ("resolution 2 nm", [("spatial_resolution", 2, None)]),
    ("1.5 nm resolution", [("spatial_resolution", "1.5", None)]),
    ("resolution better than 0.2 µm", [("spatial_resolution", 200, None)]),
    ("分辨率优于 2 nm", [("spatial_resolution", 2, None)]),
    ("分辨率2纳米，加速电压不低于200千伏",
     [("spatial_resolution", 2, None), ("accelerating_voltage", None, 200)]),
    ("at least 300 kV", [("accelerating_voltage", None, 300)]),
    ("voltage 5-30 kV", [("accelerating_voltage", 5, 30)]),
    ("between 5 and 30 kV voltage", [("accelerating_voltage", 5, 30)]),
    ("加速电压5到30千伏", [("accelerating_voltage", 5, 30)]),
    ("-20 to 80 °C", [("sample_temperature", "253.15", "353.15")]),
    ("−20～80℃", [("sample_temperature", "253.15", "353.15")]),
    ("down to 4 K", [("sample_temperature", 4, None)]),
    ("降到4K", [("sample_temperature", 4, None)]),
    ("加热到1000℃", [("sample_temperature", None, "1273.15")]),
    ("温度80度", [("sample_temperature", "353.15", "353.15")]),
    ("磁场 9 T，温度1.8 K 到 300 K",
     [("magnetic_field", None, 9), ("sample_temperature", "1.8", 300)]),
    ("tilt ±60°", [("tilt_range", -60, 60)]),
    ("600 MHz NMR", [("proton_frequency", None, 600)]),
    ("vacuum 1e-9 mbar", [("base_pressure", "1e-7", None)]),
    ("真空度优于5×10⁻⁸ Pa", [("base_pressure", "5e-8", None)]),
    ("q range 0.01 – 5 nm⁻¹", [("momentum_transfer", "0.01", 5)]),
    ("最大试验力100kN", [("force", None, 100_000)]),
    ("放大倍数 30万倍", [("magnification", None, 300_000)]),
    # The same name stands for several parameters: the unit tells which.
    ("resolution 4 cm-1", [("wavenumber_resolution", 4, None)]),
    ("resolution 60,000", [("mass_resolving_power", None, 60_000)]),
    ("resolution 0.5 eV", [("energy_resolution", "0.5", None)]),
    ("resolution 2 nm or resolution 5 nm", [("spatial_resolution", 2, None)]),
    ("particles of 2 nm, 20 samples in 2026", []),
    ("resolution 10^400 nm", []),
    ("resolution 1e400 nm", []),
    ("resolution NaN nm", []),
    ("voltage 1e15 MV", []),
    ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "requirements"), READ)
def test_requirements_are_read(text, requirements):
    given_ = [
        parameters.Requirement(code, *(None if side is None else D(side) for side in (low, high)))
        for code, low, high in requirements
    ]
    assert [one.requirement for one in parameters.requirements_in(text, PARAMETERS)] == given_


def test_the_words_and_the_unit_of_a_requirement_are_those_of_the_text():
    text = "I need ２ nm 分辨率 and －20～80℃ please"
    first, second = parameters.requirements_in(text, PARAMETERS)
    assert (first.words, first.unit) == ("２ nm 分辨率", "nm")
    assert (second.words, second.unit) == ("－20～80℃", "°C")


@given(st.text(max_size=200) | st.text("0123456789.-~–e+^×10 nmkVK°C分辨率电压至", max_size=80))
def test_any_text_is_read_and_gives_what_it_says(text):
    codes = []
    for read in parameters.requirements_in(text, PARAMETERS):
        assert read.words in text
        sides = [s for s in (read.requirement.low, read.requirement.high) if s is not None]
        assert sides and all(map(parameters.fits_column, sides)) and sides == sorted(sides)
        codes.append(read.requirement.parameter)
    assert len(set(codes)) == len(codes)
    for read in parameters.statements_in(text, PARAMETERS)[0]:
        assert read.words in text


def test_statements_are_read_with_their_conditions_and_the_rest_is_given_back():
    text = "分辨率：1.0 nm@15 kV，1.4 nm@1 kV；加速电压：0.02–30 kV；配有EDS；resolution 3 nm (15 kV)"
    read, rest = parameters.statements_in(text, PARAMETERS)
    assert [one.stated for one in read] == [
        parameters.Stated("spatial_resolution", D("1.0"), None, "15 kV"),
        parameters.Stated("spatial_resolution", D("1.4"), None, "1 kV"),
        parameters.Stated("accelerating_voltage", D("0.02"), D(30)),
    ]
    assert rest == ["配有EDS", "resolution 3 nm (15 kV)"]


def test_a_single_number_states_the_side_that_matters():
    read, _ = parameters.statements_in(
        "accelerating voltage 200 kV; resolution 1 nm; down to 4 K", PARAMETERS
    )
    assert [one.stated for one in read] == [
        parameters.Stated("accelerating_voltage", None, D(200)),
        parameters.Stated("spatial_resolution", D(1), None),
    ]


@given(
    st.sampled_from(sorted(PARAMETERS)),
    st.lists(st.decimals("0.001", 9999, places=3), min_size=1, max_size=2, unique=True),
    st.booleans(),
    st.sampled_from(["", "at 15 kV", "low vacuum", "低真空"]),
    st.data(),
)
def test_what_is_written_is_read_as_the_same(code, sides, is_low, condition, data):
    row = PARAMETERS[code]
    unit = data.draw(st.sampled_from(row.all_units))
    values = sorted(row.stored(side, unit) for side in sides)
    if not all(D("1e-5") < value < D("1e12") for value in values):
        return
    is_low = row.direction == parameters.DOWN or (row.direction == parameters.RANGE and is_low)
    low, high = values[0], values[-1]
    if len(values) == 1:
        low, high = (low, None) if is_low else (None, high)
    stated = parameters.Stated(code, low, high, condition)
    ((read,), rest) = parameters.statements_in(parameters.written(row, stated, unit), PARAMETERS)
    assert (read.unit, rest) == (unit, [])
    sides = ((read.stated.minimum, low), (read.stated.maximum, high))
    for again, before in sides:
        assert (again is None) == (before is None)
        assert again is None or abs(again - before) <= before * D("1e-8")
    assert (read.stated.parameter, read.stated.condition) == (code, condition)


def test_what_could_not_be_read_again_is_not_written():
    row = PARAMETERS["spatial_resolution"]
    assert parameters.written(row, parameters.Stated(row.code, is_available=False), "nm") == ""
    assert parameters.written(row, parameters.Stated(row.code, D(2), None, "5 kV; tilted"), "nm") == ""


def test_a_long_text_is_read_to_its_limit():
    assert parameters.requirements_in(" " * parameters.LONGEST_TEXT + "resolution 2 nm", PARAMETERS) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [("spatial_resolution", "spatial_resolution"), ("加速电压", "accelerating_voltage"),
     ("Accelerating Voltage ", "accelerating_voltage"), ("resolution", None), ("zz", None)],
)  # fmt: skip
def test_a_parameter_is_named(text, code):
    row = PARAMETERS.named(text)
    assert (row.code if row else None) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("acelerating voltage", "accelerating_voltage"), ("spatial_resolutoin", "spatial_resolution"),
     ("zzzz", None), ("", None)],
)  # fmt: skip
def test_what_names_none_is_told_the_nearest(text, code):
    assert PARAMETERS.nearest(text) == code


def test_a_parameter_is_asked_of_narrower_techniques_too():
    terms = {term.code: term for term in shipped()}
    parents = {code: term.parents for code, term in terms.items()}
    codes = {row.code for row in PARAMETERS.asked_for(["local-sem"], parents)}
    assert {"spatial_resolution", "accelerating_voltage", "tilt_range"} <= codes
    assert not codes & {"proton_frequency", "mass_range", "force"}


def test_the_vocabulary_is_whole():
    """Names in both languages, techniques that there are, units that mean something, and no two
    parameters that the same label and unit, or the same unit alone, could mean."""
    techniques = {term.code for term in shipped()}
    meant: dict[object, str] = {}
    assert len(PARAMETERS) >= 60
    for code, row in PARAMETERS.items():
        assert row.code == code and row.name and row.name_zh and row.source, code
        assert row.direction in (parameters.DOWN, parameters.UP, parameters.RANGE), code
        assert row.techniques and set(row.techniques) <= techniques, code
        assert set(row.bare_units) <= set(row.all_units), code
        assert all(factor > 0 for factor, _ in row.units.values()), code
        assert max(map(len, row.all_units)) <= 20, code
        labels = {label.lower() for label in row.labels}
        for key in [(x, u) for x in labels for u in row.all_units] + list(row.bare_units):
            assert meant.setdefault(key, code) == code, key
        for items in (row.synonyms, row.synonyms_zh, row.techniques):
            assert len(set(items)) == len(items), code


def test_parameters_without_labels_read_nothing():
    assert parameters.requirements_in("2 nm", type(PARAMETERS)()) == []
    one = parameters.Parameter("a", "A", "甲", "", parameters.UP)
    assert parameters.requirements_in("a 2", type(PARAMETERS)(a=one))[0].requirement.high == 2


def test_requirements_of_an_address_are_read():
    assert parameters.requirements_of(
        ["spatial_resolution:0.10:", "accelerating_voltage: 60 :3e2", "magnification::+1000"], PARAMETERS
    ) == (
        parameters.Requirement("spatial_resolution", D("0.1"), None),
        parameters.Requirement("accelerating_voltage", D(60), D(300)),
        parameters.Requirement("magnification", None, D(1000)),
    )
    assert parameters.requirements_of([], PARAMETERS) == ()


@pytest.mark.parametrize(
    ("specs", "field", "code"),
    [
        (["spatial_resolutio:1:"], "spec[0]", "no-such-parameter"),
        (["qq:1:"], "spec[0]", "unknown-parameter"),
        (["spatial_resolution"], "spec[0]", "not-a-requirement"),
        (["spatial_resolution:1"], "spec[0]", "not-a-requirement"),
        (["spatial_resolution:1:2:3"], "spec[0]", "not-a-requirement"),
        (["spatial_resolution:" + "0" * 200 + ":"], "spec[0]", "not-a-requirement"),
        (["spatial_resolution::"], "spec[0]", "required"),
        (["spatial_resolution:x:"], "spec[0]", "not-a-decimal"),
        (["spatial_resolution:NaN:"], "spec[0]", "not-a-decimal"),
        (["spatial_resolution:-Infinity:"], "spec[0]", "not-a-decimal"),
        (["spatial_resolution:1_0:"], "spec[0]", "not-a-decimal"),
        (["spatial_resolution:１:"], "spec[0]", "not-a-decimal"),
        (["spatial_resolution:1e4000:"], "spec[0]", "not-a-decimal"),
        (["spatial_resolution:1e400:"], "spec[0]", "too-large"),
        (["spatial_resolution:1:1e12"], "spec[0]", "too-large"),
        (["sample_temperature:300:4"], "spec[0]", "below-low"),
        (["magnification::1", "spatial_resolution:1:", "magnification::2"], "spec[2]", "repeated"),
        (["magnification::1"] * 11, "spec", "too-many"),
    ],
)
def test_what_is_no_requirement_is_refused(specs, field, code):
    with pytest.raises(Invalid) as refused:
        parameters.requirements_of(specs, PARAMETERS)
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]


def test_an_unknown_parameter_is_told_the_nearest():
    with pytest.raises(Invalid) as refused:
        parameters.requirements_of(["spatial_resolutio:1:"], PARAMETERS)
    assert refused.value.problems[0].numbers == {"nearest": "spatial_resolution"}


@given(
    st.sampled_from(sorted(PARAMETERS)),
    st.none() | st.decimals(-(10**11), 10**11, places=15),
    st.none() | st.decimals(-(10**11), 10**11, places=15),
)
def test_a_requirement_is_written_as_it_is_read(code, low, high):
    if (low, high) == (None, None) or (None not in (low, high) and low > high):
        return
    requirement = parameters.Requirement(code, low, high)
    assert parameters.requirements_of([parameters.spec_of(requirement)], PARAMETERS) == (requirement,)
    assert parameters.required_from(parameters.spec_of(requirement)) == requirement


@given(st.text(max_size=40))
def test_any_text_as_a_requirement_is_read_or_refused(text):
    try:
        (requirement,) = parameters.requirements_of([text], PARAMETERS)
    except Invalid:
        return
    assert parameters.requirements_of([parameters.spec_of(requirement)], PARAMETERS) == (requirement,)


def test_what_is_written_in_another_unit_becomes_the_parameter_s():
    assert parameters.spec_in("spatial_resolution", "100", "", "pm", PARAMETERS) == "spatial_resolution:0.1:"
    assert parameters.spec_in("sample_temperature", "-196", " 20 ", "°C", PARAMETERS) == (
        "sample_temperature:77.15:293.15"
    )
    for text in ("x", "NaN", "1e400", "1:2"):
        assert parameters.spec_in("spatial_resolution", text, "", "pm", PARAMETERS) == (
            f"spatial_resolution:{text}:"
        )
    assert parameters.spec_in("qq", "1", "", "nm", PARAMETERS) == "qq:1:"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.00000005", "5×10⁻⁸"), ("-0.0000123", "-1.23×10⁻⁵"), ("0.0001", "0.0001"), ("0", "0"),
        ("1200", "1,200"), ("0.50", "0.5"),
    ],
)  # fmt: skip
def test_numbers_are_readable(value, text):
    assert parameters.readable(Decimal(value)) == text


@pytest.mark.parametrize(
    ("text", "techniques", "asked"),
    [
        ("读长1万碱基以上", (), ("read_length", None, 10_000)),
        ("resolving power of one million", (), ("mass_resolving_power", None, 1_000_000)),
        ("nanoindentation at 700 C", (), ("sample_temperature", Decimal("973.15"), Decimal("973.15"))),
        ("能放下直径140毫米的样品", (), ("sample_size", None, 140)),
        ("SEM that takes a 150 mm wafer", (), ("sample_size", None, 150)),
        ("升到1500度看失重", (), ("sample_temperature", None, Decimal("1773.15"))),
        ("800兆核磁", ("local-nmr",), ("proton_frequency", None, 800)),
        ("SEM better than 1 nm", (), ("spatial_resolution", 1, None)),
        ("1.1 GHz NMR", ("local-nmr",), ("proton_frequency", None, 1100)),
        ("1.1 GHz network analysis", ("local-network-analyser",), ("frequency", 1100, 1100)),
    ],
)
def test_figures_are_read_as_people_say_them(text, techniques, asked):
    (read,) = parameters.requirements_in(text, PARAMETERS)
    found = parameters.fitted(read, techniques, PARAMETERS).requirement
    assert (found.parameter, found.low, found.high) == asked


def test_an_instrument_is_judged_under_the_condition_that_a_text_names():
    wanted, voltage = [
        read.requirement for read in parameters.requirements_in("resolution below 1 nm at 1kV", PARAMETERS)
    ]
    assert (wanted.condition, voltage.parameter) == ("at 1 kV", "accelerating_voltage")
    best = parameters.Stated("spatial_resolution", D("0.7"), None, "at 15 kV")
    assert parameters.fit(wanted, [best]) == "meets"
    low = parameters.Stated("spatial_resolution", D("1.2"), None, "at 1 kV")
    assert parameters.fit(wanted, [best, low]) == "fails"


@pytest.mark.parametrize(
    "text", ["100兆宽带", "phases left after firing at 1400 °C", "13C NMR", "1400℃烧结后的物相"]
)
def test_what_was_done_to_a_sample_before_is_not_asked_for(text):
    assert not parameters.requirements_in(text, PARAMETERS)
