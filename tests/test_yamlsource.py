"""Strict YAML: what is read, what is refused with its place, and what a schema says of it."""

from __future__ import annotations

import hashlib
import json
import os
import time
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cloudaudit import yamlsource
from cloudaudit.errors import Problem, SourceError, Where
from cloudaudit.yamlsource import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_PROBLEMS,
    As,
    Pointer,
    address_of,
    duration_of,
    load,
    loads,
    moment_of,
    problems_of_schema,
)


@pytest.fixture(params=["libyaml", "python"])
def either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with libyaml and with PyYAML's own parser, which serves where libyaml is not built in."""
    loaders = {"libyaml": yaml.CSafeLoader, "python": yaml.SafeLoader}
    monkeypatch.setattr(yamlsource, "_LOADER", loaders[request.param])


both = pytest.mark.usefixtures("either_parser")


def read(text: str) -> Any:
    return loads(text.encode(), "f.yaml").value


def refused(source: str | bytes) -> list[str]:
    with pytest.raises(SourceError) as caught:
        loads(source.encode() if isinstance(source, str) else source, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


def problem(line: int, column: int, message: str, hint: str) -> str:
    return str(Problem(Where("f.yaml", line, column), message, hint))


# --- values ---------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("word", ["NO", "no", "No", "yes", "YES", "on", "off", "Off", "y", "Y", "n", "N"])
def test_words_that_yaml_1_1_takes_for_booleans_stay_text(word: str) -> None:
    assert read(f"country: {word}") == {"country": word}
    assert read(f"{word}: 1") == {word: 1}


@both
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True), ("True", True), ("TRUE", True), ("tRUE", "tRUE"),
        ("false", False), ("False", False), ("FALSE", False),
        ("null", None), ("~", None), ("", None), ("nil", "nil"),
        ("0", 0), ("7", 7), ("-3", -3), ("-0", "-0"), ("+84", "+84"), ("007", "007"), ("0o17", "0o17"),
        ("0x1F", "0x1F"), ("0b1", "0b1"), ("1_000", "1_000"), ("12:30", "12:30"), ("1:2:3.5", "1:2:3.5"),
        (str(2**53 - 1), 2**53 - 1), (str(2**53), str(2**53)), ("9" * 5000, "9" * 5000),
        ("1.5", 1.5), ("1.10", "1.10"), ("1.0", 1.0), ("2.79", 2.79), ("2.90", "2.90"), ("1.", "1."),
        (".5", ".5"), ("1e3", "1e3"), ("1e+16", 1e16), ("1.2.3", "1.2.3"), ("1e999", "1e999"), ("٣", "٣"),
        ("2026-11-22", "2026-11-22"), ("2026-11-22T08:00:00Z", "2026-11-22T08:00:00Z"),
        ("'true'", "true"), ('"5"', "5"), ("'~'", "~"), ("=", "="), ("<<", "<<"), ("-", None),
    ],
)  # fmt: skip
def test_plain_scalars_have_the_type_of_their_one_canonical_form(written: str, value: object) -> None:
    found = read(f"a: {written}" if written != "-" else "a:")
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


@both
def test_texts_and_keys_are_normalised_to_nfc() -> None:
    name = "Hà Nội"
    decomposed = unicodedata.normalize("NFD", name)
    assert decomposed != name
    assert read(f"{decomposed}: '{decomposed}'") == {name: name}


def test_keys_that_are_equal_only_after_normalisation_are_duplicates() -> None:
    assert refused(f"Hà: 1\n{unicodedata.normalize('NFD', 'Hà')}: 2") == [
        problem(
            2,
            1,
            "the key 'Hà' is already given at line 1",
            "keep one of the two: it is not clear which is meant",
        )
    ]


@both
def test_block_and_flow_forms_give_the_same_value() -> None:
    block = "a:\n  - b: 1\n    c: [x, 'y']\n  -\n    - 2\nd: |\n  first\n    second\n"
    assert read(block) == {"a": [{"b": 1, "c": ["x", "y"]}, [2]], "d": "first\n  second\n"}


@both
@pytest.mark.parametrize("source", ["", "\n\n", "# a remark\n", "---\n"])
def test_an_empty_file_is_null(source: str) -> None:
    assert read(source) is None


def test_a_document_knows_its_digest_and_name() -> None:
    data = "a: Đà Nẵng\r\nb: 2\r\n".encode()
    document = loads(data, "f.yaml")
    assert (document.name, document.value) == ("f.yaml", {"a": "Đà Nẵng", "b": 2})
    assert document.digest == hashlib.sha256(data).hexdigest()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text("aNo1.:-é \\\"'", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab1é", max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_json_is_read_as_what_it_says(value: object) -> None:
    """JSON quotes every text, so that nothing is left to guess."""
    assert read(json.dumps(value)) == value


@given(st.binary(max_size=60) | st.text("a:-[]{}&*!|>'\"#%@`, \n\t1é", max_size=60).map(str.encode))
def test_whatever_the_bytes_a_document_or_our_own_error_comes_out(data: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        loads(data, "f.yaml")
    except SourceError as error:
        problems = error.problems
    assert all(p.where and p.message and p.hint for p in problems)


# --- places ---------------------------------------------------------------------------------------

PLACES = """\
first: 1
list:
  - name: hai
    đường: [x, {in: 3}]
empty:
"""


@both
@pytest.mark.parametrize(
    ("pointer", "value", "key"),
    [
        (("first",), (1, 8), (1, 1)),
        (("list", 0), (3, 5), (3, 5)),
        (("list", 0, "name"), (3, 11), (3, 5)),
        (("list", 0, "đường", 1, "in"), (4, 21), (4, 17)),
    ],
)
def test_values_and_keys_have_a_place(pointer: Pointer, value: tuple[int, int], key: tuple[int, int]) -> None:
    document = loads(PLACES.encode(), "f.yaml")
    assert document.where(pointer) == Where("f.yaml", *value)
    assert document.where(pointer, key=True) == Where("f.yaml", *key)


def test_what_is_not_there_has_the_place_of_what_would_hold_it() -> None:
    document = loads(PLACES.encode(), "f.yaml")
    assert document.where(("list", 0, "absent")) == Where("f.yaml", 3, 5)
    assert document.where(("list", 9, "absent")) == Where("f.yaml", 3, 3)
    assert document.where(("first", "absent")) == Where("f.yaml", 1, 8)
    assert document.where() == Where("f.yaml", 1, 1)


# --- refusals -------------------------------------------------------------------------------------

WRITE_OUT = "write the value out"
KEEP_ONE = "keep one of the two: it is not clear which is meant"
PLAIN_KEY = "write 'key: value'"


@both
@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ("a: 1\nb: 2\na: 3\n'b': 4\n", [
            problem(3, 1, "the key 'a' is already given at line 1", KEEP_ONE),
            problem(4, 1, "the key 'b' is already given at line 2", KEEP_ONE),
        ]),
        ("a: &x 1\nb: *x", [
            problem(1, 4, "the anchor '&x' is not supported", "write the value out where it is used"),
            problem(2, 4, "the alias '*x' is not supported", WRITE_OUT),
        ]),
        ("a: !!str 1\nb: !custom {c: 1}\nd: !<tag:example,2020:x> [1]", [
            problem(1, 4, "the tag 'tag:yaml.org,2002:str' is not supported", "remove it; quotes make a text"),
            problem(2, 4, "the tag '!custom' is not supported", "remove it; quotes make a text"),
            problem(3, 4, "the tag 'tag:example,2020:x' is not supported", "remove it; quotes make a text"),
        ]),
        ("!!python/object/apply:os.system ['true']", [
            problem(1, 1, "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not supported",
                    "remove it; quotes make a text"),
        ]),
        ("a: 1\n---\nb: 2\n", [
            problem(2, 1, "a second document begins here", "a file holds one document; remove '---'"),
        ]),
        ("%YAML 1.1\n---\na: 1\n", [
            problem(1, 1, "directives are not supported", "remove the line that begins with '%'"),
        ]),
        ("<<: {a: 1}", [problem(1, 1, "merge keys ('<<') are not supported", "write the keys out")]),
        ("x: .inf\ny: -.INF\nz: .nan", [
            problem(1, 4, "'.inf' is not a number that can be compared", "write a finite number"),
            problem(2, 4, "'-.INF' is not a number that can be compared", "write a finite number"),
            problem(3, 4, "'.nan' is not a number that can be compared", "write a finite number"),
        ]),
        ("443: a\ntrue: b\n~: c\n1.5: d\n[e]: f\n? {g: 1}\n: h\n'1': ok", [
            problem(1, 1, "a key must be a text, found the number 443", 'write it in quotes: "443"'),
            problem(2, 1, "a key must be a text, found true", 'write it in quotes: "true"'),
            problem(3, 1, "a key must be a text, found nothing", 'write it in quotes: "~"'),
            problem(4, 1, "a key must be a text, found the number 1.5", 'write it in quotes: "1.5"'),
            problem(5, 1, "a key must be a text, found a list", PLAIN_KEY),
            problem(6, 3, "a key must be a text, found a mapping", PLAIN_KEY),
        ]),
    ],
)  # fmt: skip
def test_constructs_that_hide_meaning_are_refused(source: str, problems: list[str]) -> None:
    assert refused(source) == problems


TAB = ("a tab stands in the indentation", "indent with spaces")


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ("a:\n\tb: 1\n", [(2, 1)]),
        ("a:\n  b:\n  \t- c\n", [(3, 3)]),
        ("a: [\n\t1,\n  2,\n \t3]\n", [(2, 1), (4, 2)]),
        ("a: {\n\tb: 1}\n\n", [(2, 1)]),
    ],
)
def test_tabs_in_the_indentation_are_refused(source: str, places: list[tuple[int, int]]) -> None:
    assert refused(source) == [problem(*place, *TAB) for place in places]


def test_tabs_elsewhere_are_left_alone() -> None:
    assert read('a: |\n  x\n  \ty\nb: "x\n\ty"\nc:\td\t# remark\n') == {"a": "x\n\ty\n", "b": "x y", "c": "d"}


@both
@pytest.mark.parametrize(
    ("source", "line", "column", "hint"),
    [
        ("a: b: c", 1, 5, "a text that holds ': ' needs quotes; otherwise check the indentation"),
        ("a: 1\n  b: 2", 2, 4, "a text that holds ': ' needs quotes; otherwise check the indentation"),
        ("a: @x", 1, 4, "put the text in quotes: a plain text cannot begin with this character"),
        ("a: 'x", 1, 6, "a quote that opens here is not closed"),
        ("- a\nb: 1", 2, 1, "check the indentation of this line and of those before it"),
        ("a: {b: 1\nc: 2", 2, 2, "a bracket is not closed, or a comma is missing"),
        ('a: "\\q"', 1, None, "use single quotes for a text with backslashes"),
        ("a: >=", 1, None, "a text that begins with '>' or '|' needs quotes"),
    ],
)
def test_syntax_errors_name_the_place_and_what_to_do(
    source: str, line: int, column: int | None, hint: str
) -> None:
    with pytest.raises(SourceError) as caught:
        loads(source.encode(), "f.yaml")
    (found,) = caught.value.problems
    assert found.where is not None
    assert found.message.startswith("this is not YAML: ")
    assert (found.where.line, found.hint) == (line, hint)
    assert column in (None, found.where.column)


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (b"\xef\xbb\xbfa: 1", [problem(
            1, 1, "the file is written as UTF-8 with a byte order mark",
            "remove the mark: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE",
        )]),
        ("a: 1".encode("utf-16"), [problem(
            1, 1, "the file is written as UTF-16", "save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE",
        )]),
        ("a: 1\nb: \xe9\n".encode("latin-1"), [problem(
            2, 4, "byte 0xE9 at offset 8 is not UTF-8",
            "save the file as UTF-8 (convert older encodings such as TCVN3 or VNI)",
        )]),
        ("tỉnh: Hà ".encode() + b"\xc0\x80", [problem(
            1, 10, "byte 0xC0 at offset 12 is not UTF-8",
            "save the file as UTF-8 (convert older encodings such as TCVN3 or VNI)",
        )]),
    ],
)  # fmt: skip
def test_bytes_that_are_not_plain_utf_8_are_refused(data: bytes, problems: list[str]) -> None:
    assert refused(data) == problems


@both
@pytest.mark.parametrize(
    "char", ["\x00", "\x1b", "\x07", "\x9b", "\x85", "\u2028", "\u202e", "\u200b", "\ufeff"]
)
def test_characters_that_steer_terminals_or_hide_are_refused(char: str) -> None:
    code = f"U+{ord(char):04X}"
    assert refused(f"a: 1\nb: x{char}y") == [problem(
        2, 5, f"there is an invisible or control character, {code}", "delete it: it hides what the text says",
    )]  # fmt: skip
    assert refused(f'a: "\\u{ord(char):04x}"') == [problem(
        1, 4, f"the text holds an invisible or control character, {code}", "remove it",
    )]  # fmt: skip


@both
def test_messages_steer_no_terminal() -> None:
    """A tag may hold any character as %XX, which the parser decodes."""
    assert refused("a: !%1Bx 1") == [
        problem(1, 4, "the tag '!?x' is not supported", "remove it; quotes make a text")
    ]


@both
def test_a_lone_surrogate_is_refused() -> None:
    (found,) = refused('a: "\\ud800"')
    assert found.startswith("f.yaml:1:")


# --- limits ---------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("[" * 100_000, MAX_DEPTH + 1),
        ("- " * 50_000, 2 * MAX_DEPTH + 1),
        ('{"a": ' * 1000, 6 * MAX_DEPTH + 1),
    ],
)
def test_deep_nesting_is_refused_without_recursion(source: str, column: int) -> None:
    assert refused(source) == [problem(1, column, "nesting is deeper than 64 levels", "write it flatter")]


def test_the_deepest_allowed_nesting_is_read() -> None:
    value = read("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    depth = 0
    while value is not None:
        depth, value = depth + 1, value[0] if value else None
    assert depth == MAX_DEPTH


@both
def test_an_alias_bomb_is_refused_and_never_expanded() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    began = time.monotonic()
    found = refused("\n".join(lines))
    assert time.monotonic() - began < 2
    assert found[0] == problem(
        1, 5, "the anchor '&a0' is not supported", "write the value out where it is used"
    )
    assert found[2] == problem(2, 10, "the alias '*a0' is not supported", WRITE_OUT)
    assert len(found) == MAX_PROBLEMS


def test_too_many_values_are_refused() -> None:
    # The list itself is one of the values.
    assert refused("[" + "1," * MAX_NODES + "]") == [
        problem(1, 2 * MAX_NODES, "the file holds more than 200000 values", "split it")
    ]


def test_a_file_of_50_megabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.touch()
    os.truncate(path, 50_000_000_000)  # sparse; reading it whole would not end well
    with pytest.raises(SourceError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: the file has 50000000000 bytes; {MAX_BYTES} is the most that is read; "
        "split it, or check that it is the file you mean"
    )


def test_bytes_over_the_limit_are_refused() -> None:
    (found,) = refused(b"#" * (MAX_BYTES + 1))
    assert found.startswith(f"f.yaml: the file has {MAX_BYTES + 1} bytes")
    assert read("#" * MAX_BYTES) is None


# --- files ----------------------------------------------------------------------------------------


def test_load_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("tỉnh: Cần Thơ\n", encoding="utf-8")
    document = load(path)
    assert (document.value, document.where(("tỉnh",))) == ({"tỉnh": "Cần Thơ"}, Where(str(path), 1, 7))


def test_load_refuses_what_is_no_file(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    expected = {
        tmp_path / "absent": "there is no such file; check the path",
        tmp_path: "this is no regular file; name a YAML file",
        fifo: "this is no regular file; name a YAML file",
        loop: "the file cannot be read: Too many levels of symbolic links; check its permissions",
    }
    for path, message in expected.items():
        with pytest.raises(SourceError) as caught:
            load(path)
        assert str(caught.value) == f"{path}: {message}"


def test_a_hundred_files_are_read_quickly() -> None:
    entry = "- id: x-{n}\n  title: {{vi: Tên, en: Name}}\n  check: {{all_of: [{{fact: a, equals: 1}}, {{fact: b, in: [c, d]}}]}}\n"
    data = "".join(entry.format(n=n) for n in range(40)).encode()
    began = time.process_time()
    for _ in range(120):
        loads(data, "f.yaml")
    assert time.process_time() - began < 4  # 0.7 s on an idle core


# --- durations, moments, addresses ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT24H", 86_400), ("P7D", 604_800), ("P2W", 1_209_600), ("P1DT1H1M1S", 90_061), ("PT0S", 0)],
)
def test_durations(text: str, seconds: int) -> None:
    assert duration_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("24h", "'24h' is no duration; did you mean 'PT24H'?"),
        ("P24H", "'P24H' is no duration; did you mean 'PT24H'?"),
        ("30 M", "'30 M' is no duration; did you mean 'PT30M'?"),
        ("7d", "'7d' is no duration; did you mean 'P7D'?"),
        ("P1M", "'P1M' has months or years, which differ in length; write days, as in P365D"),
        ("P1Y", "'P1Y' has months or years, which differ in length; write days, as in P365D"),
        ("P", "'P' is no duration; write it as in PT24H, P7D or P2W"),
        ("PT", "'PT' is no duration; write it as in PT24H, P7D or P2W"),
        ("", "'' is no duration; write it as in PT24H, P7D or P2W"),
        ("P99999W", "'P99999W' is longer than 200 years"),
        ("PT" + "0" * 37 + "1H1M", f"'PT{'0' * 37}1H1M' is no duration; write it as in PT24H, P7D or P2W"),
    ],
)
def test_what_is_no_duration(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        duration_of(text)
    assert str(caught.value) == message


def test_moments() -> None:
    midnight = 1_795_280_400  # 2026-11-21T17:00:00Z, midnight of the 22nd in Viet Nam
    assert moment_of("2026-11-22") == midnight
    assert moment_of("2026-11-22", whole_day=True) == midnight + 86_399
    for text in ("2026-11-22T00:00:00+07:00", "2026-11-21T17:00:00Z", "2026-11-21t17:00:00.9z"):
        assert moment_of(text) == moment_of(text, whole_day=True) == midnight


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("22/11/2026", "'22/11/2026' is no time; write 2026-11-22"),
        ("2.1.2026", "'2.1.2026' is no time; write 2026-01-02"),
        ("2026-W47-7", "'2026-W47-7' is no time; write 2026-11-22 or 2026-11-22T08:00:00+07:00"),
        ("0206-02-03", "'0206-02-03' is no time; write 2026-11-22 or 2026-11-22T08:00:00+07:00"),
        ("2026-02-30", "'2026-02-30' is no time; write 2026-11-22 or 2026-11-22T08:00:00+07:00"),
        (
            "2026-11-22T08:00:00",
            "'2026-11-22T08:00:00' has no offset from UTC; write 2026-11-22T08:00:00+07:00 or …Z",
        ),
        ("tomorrow", "'tomorrow' is no time; write 2026-11-22 or 2026-11-22T08:00:00+07:00"),
    ],
)
def test_what_is_no_moment(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        moment_of(text)
    assert str(caught.value) == message


def test_addresses() -> None:
    given_ = ["192.0.2.7", "10.0.0.0/8", "2001:DB8:0::/32", "::1"]
    assert [address_of(text) for text in given_] == ["192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "::1"]
    for text, message in {
        "10.0.0.1/8": "'10.0.0.1/8' is an address inside a network; did you mean '10.0.0.0/8'?",
        "10.0.0": "'10.0.0' is no IP address or network; write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32",
    }.items():
        with pytest.raises(ValueError) as caught:
            address_of(text)
        assert str(caught.value) == message


# --- schemas --------------------------------------------------------------------------------------


def misfits(source: str, schema: Mapping[str, Any], **options: Any) -> list[str]:
    return [str(p) for p in problems_of_schema(loads(source.encode(), "f.yaml"), schema, **options)]


def of(**properties: Any) -> Mapping[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def test_a_document_that_fits_has_no_problems() -> None:
    assert misfits("a: 1\nb: [x]", of(a={"type": "integer"}, b={"type": "array"})) == []


def test_an_unknown_key_is_named_with_what_was_probably_meant() -> None:
    schema = {**of(severity={}, title={}), "required": ["severity", "title"]}
    assert misfits("serverity: x\nzzz: 1", schema) == [
        problem(1, 1, "unknown key 'serverity'", "did you mean 'severity'?"),
        # The misspelt key stands for the missing one; only the other is missing.
        problem(1, 1, "missing key 'title'", "add 'title:'"),
        problem(2, 1, "unknown key 'zzz'", "known keys: severity, title"),
    ]


@pytest.mark.parametrize(
    ("value", "schema", "message", "hint"),
    [
        ("x", {"type": "array"}, "a list is expected, found the text 'x'", "write it in brackets: [x]"),
        ("5", {"type": "string"}, "a text is expected, found the number 5", 'write it in quotes: "5"'),
        ("true", {"type": "string"}, "a text is expected, found true", 'write it in quotes: "true"'),
        ("NO", {"type": "boolean"}, "true or false is expected, found the text 'NO'",
         "write true or false, without quotes"),
        ("'5'", {"type": "integer"}, "a whole number is expected, found the text '5'",
         "write the number without quotes or unit"),
        ("1.5", {"type": "integer"}, "a whole number is expected, found the number 1.5", ""),
        ("true", {"type": "integer"}, "a whole number is expected, found true", ""),
        ("", {"type": "string"}, "a text is expected, found nothing", "give a value, or leave the key out"),
        ("{b: 1}", {"type": ["string", "array"]}, "a text or a list is expected, found a mapping", ""),
        ("hgh", {"enum": ["high", "low"]}, "the text 'hgh' is not known here", "did you mean 'high'?"),
        ("zzz", {"enum": ["high", "low"]}, "the text 'zzz' is not known here", "write one of: high, low"),
        ("2", {"const": 1}, "the number 1 is expected, found the number 2", ""),
        ("vn", {"pattern": "^[A-Z]{2}$", "patternErrorMessage": "two capital letters are expected"},
         "two capital letters are expected, found the text 'vn'", ""),
        ('"VN\\n"', {"pattern": "^[A-Z]{2}$"}, "another form is expected, found the text 'VN\\n'", ""),
        ("24h", {"format": "duration"}, "'24h' is no duration; did you mean 'PT24H'?", ""),
        ("P1W", {"format": "calendar-duration"}, "'P1W' is no calendar duration; write it as in P12M or P1Y", ""),
        ("0", {"minimum": 1, "description": "Level."}, "at least 1 is expected, found the number 0", "Level."),
        ("[]", {"minItems": 1}, "1 or more items are expected, found an empty list", ""),
        ("''", {"minLength": 1}, "1 or more characters are expected, found an empty text", ""),
        ("b", {"not": {"const": "b"}}, "the text 'b' is not allowed here", ""),
        ("//u:p@h/" + "x" * 80, {"type": "null"},
         f"null is expected, found the text '//...@h/{'x' * 49}...'", ""),
    ],
)  # fmt: skip
def test_errors_of_values(value: str, schema: Mapping[str, Any], message: str, hint: str) -> None:
    (found,) = problems_of_schema(loads(f"a: {value}".encode(), "f.yaml"), of(a=schema))
    assert (found.message, found.hint) == (f"'a': {message}", hint)
    assert found.where is not None
    assert found.where.line == 1


def test_errors_inside_lists_name_the_item_and_come_in_the_order_of_the_file() -> None:
    schema = of(b={"type": "array", "uniqueItems": True, "items": {"type": "string"}}, a={"type": "string"})
    assert misfits("a: 1\nb: [x, 2, x]", schema) == [
        problem(1, 4, "'a': a text is expected, found the number 1", 'write it in quotes: "1"'),
        problem(2, 8, "'b', item 2: a text is expected, found the number 2", 'write it in quotes: "2"'),
        problem(2, 11, "'b', item 3: the text 'x' is already in the list", "remove one of the two"),
    ]


def test_alternatives_tell_of_the_one_that_was_probably_meant() -> None:
    fact = {**of(fact={"type": "string"}, equals={}), "required": ["fact"]}
    not_ = {**of(**{"not": {"type": "object"}}), "required": ["not"]}
    schema = of(check={"oneOf": [not_, fact, {"enum": ["always", "never"]}]})
    assert misfits("check: {fact: a, equls: 1}", schema) == [
        problem(1, 18, "unknown key 'equls'", "did you mean 'equals'?")
    ]
    assert misfits("check: alwys", schema) == [
        problem(1, 8, "'check': the text 'alwys' is not known here", "did you mean 'always'?")
    ]
    assert misfits("check: [1]", schema) == [
        problem(1, 8, "'check': always or never or a mapping (key: value) is expected, found a list", "")
    ]


def test_alternatives_of_keys_name_the_keys() -> None:
    needs = {**of(a={}, b={}, c={}), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert misfits("c: 1", needs) == [problem(1, 1, "one of 'a' or 'b' is needed", "add 'a:'")]
    assert misfits("a: 1\nb: 1", needs) == [
        problem(1, 1, "only one of 'a' and 'b' may be given", "keep the one you mean")
    ]
    beside = {**of(a={}, b={}), "dependentRequired": {"a": ["b"]}}
    assert misfits("a: 1", beside) == [problem(1, 1, "'a' needs 'b' beside it", "add 'b:'")]


def test_names_of_keys_can_be_checked() -> None:
    schema = {"propertyNames": {"pattern": "^[a-z]+$", "patternErrorMessage": "small letters are expected"}}
    assert misfits("ab: 1\nA: 2", schema) == [
        problem(2, 1, "the key 'A' is not allowed here", "small letters are expected")
    ]


def test_concealed_values_are_not_quoted() -> None:
    schema = of(a={"format": "duration"}, b={"type": "integer"}, c={"enum": ["x"]}, d={"type": "integer"})
    source = "a: s3cret\nb: s3cret\nc: s3cret\nd: shown"
    found = misfits(source, schema, conceal={("a",), ("b",), ("c",)})
    assert found == [
        problem(1, 4, "'a': it does not have the right form", ""),
        problem(
            2, 4, "'b': a whole number is expected, found a value from the environment",
            "what comes from the environment is a text",
        ),
        problem(3, 4, "'c': a value from the environment is not known here", "write one of: x"),
        problem(4, 4, "'d': a whole number is expected, found the text 'shown'", "write the number without quotes or unit"),
    ]  # fmt: skip


def test_a_value_changed_after_reading_is_told_at_its_old_place() -> None:
    assert misfits("a: 1\nb: 2", of(a={}, b={"type": "string"}), value={"a": 1, "b": 3}) == [
        problem(2, 4, "'b': a text is expected, found the number 3", 'write it in quotes: "3"')
    ]


def test_a_reference_to_another_schema_is_never_fetched() -> None:
    from referencing.exceptions import Unresolvable

    with pytest.raises(Unresolvable):
        misfits("a: 1", {"properties": {"a": {"$ref": "https://schema.example/x.json"}}})


def test_mistakes_without_end_are_cut_off() -> None:
    source = "\n".join(f"k{n}: 1" for n in range(500))
    assert len(misfits(source, of())) == MAX_PROBLEMS


# --- as another program reads it --------------------------------------------------------------------


def test_yaml_1_1_is_read_as_its_programs_do() -> None:
    text = (
        "on: yes\n80: [010, 0x1f, 1_000, 22:30, off, 1e3, 1.5, ~, 2018-08-31]\n"
        "base: &base {a: NO, b: &word hello}\nfurther:\n  <<: *base\n  a: 1\n"
        "several:\n  <<: [*base, {a: x, c: 3}]\nagain: *word\n"
    )
    found = loads(text.encode(), "x.yaml", As.YAML_1_1)
    assert found.value == {
        "on": True, "80": [8, 31, 1000, 1350, False, "1e3", 1.5, None, "2018-08-31"],
        "base": {"a": False, "b": "hello"}, "further": {"a": 1, "b": "hello"},
        "several": {"a": False, "b": "hello", "c": 3}, "again": "hello",
    }  # fmt: skip
    assert found.where(("further", "b"), key=True) == Where("x.yaml", 3, 21)
    other = yaml.safe_load(
        text.replace("2018-08-31", "'2018-08-31'").replace("on: yes", "'on': yes").replace("80:", "'80':")
    )
    assert found.value == other


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: *nothing", 1, "the alias '*nothing' has no anchor that is complete before it"),
        ("a: &a [*a]", 1, "the alias '*a' has no anchor that is complete before it"),
        ("b: 1\n<<: 3", 2, "'<<' takes a mapping or a list of mappings"),
        ("a: 1\na: 2", 2, "the key 'a' is already given at line 1"),
        ("~: 1", 1, "a key must be a text, found nothing"),
        ("a: !!str 1", 1, "the tag 'tag:yaml.org,2002:str' is not supported"),
        ("a: .inf", 1, "'.inf' is not a number that can be compared"),
        ("a: &a [1, 2, 3, 4]\n" + "".join(
            f"b{n}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 8)}]\n" for n in range(8)
        ), 7, "the file holds more than 200000 values"),
    ],
)  # fmt: skip
def test_yaml_1_1_is_bounded_and_refuses_what_is_not_clear(text: str, line: int, message: str) -> None:
    with pytest.raises(SourceError) as refused:
        loads(text.encode(), "x.yaml", As.YAML_1_1)
    problem = refused.value.problems[0]
    assert problem.where is not None
    assert (problem.where.line, problem.message) == (line, message)
