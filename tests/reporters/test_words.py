"""Words of reports: what a cloud said made harmless, figures rounded down, labels in both languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudaudit.attesting import wishes
from cloudaudit.catalog import load_catalogue, load_types
from cloudaudit.data import folder
from cloudaudit.errors import CatalogError
from cloudaudit.model import FactSpec, Text
from cloudaudit.reporters.words import clean, figure, interval, labels, moment, named, share, text_of
from cloudaudit.wording import shown
from cloudaudit.yamlsource import load

UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("ho-so", 80, "ho-so"),
        ("ha\u0323 ta\u0302\u0300ng", 80, "hạ tầng"),
        ("\x1b[31mđỏ\x1b[0m", 80, "\ufffd[31mđỏ\ufffd[0m"),
        ("an\u202enab\u202c", 80, "an\ufffdnab\ufffd"),
        ("một\r\nhai\u2028ba", 80, "một\ufffd\ufffdhai\ufffdba"),
        ("\ud800 nửa", 80, "\ufffd nửa"),
        ("x" * 10_000, 5, "xxxxx…"),
        ("xxxxx", 5, "xxxxx"),
        ("e" + "\u0301" * 400, 500, "é\u0301\u0301"),
        ("e" + "\u0301" * 400, 5, "é\u0301\u0301…"),
        ("", 5, ""),
    ],
)
def test_what_a_cloud_said_becomes_one_harmless_line(text: str, limit: int, shown: str) -> None:
    assert clean(text, limit) == shown


@given(st.text(st.characters(), max_size=60), st.integers(1, 40))
def test_clean_text_is_safe_short_and_stays_the_same(text: str, limit: int) -> None:
    once = clean(text, limit)
    assert not {unicodedata.category(c) for c in once} & UNSAFE
    assert len(once) <= limit + 1
    assert clean(once, limit + 1) == once


@pytest.mark.parametrize(
    ("value", "unit", "vi", "en"),
    [(62.4, "", "62,4", "62.4"), (100.0, "%", "100,0 %", "100.0%"), (0.29, "%", "0,2 %", "0.2%"), (None, "%", "–", "–")],
)  # fmt: skip
def test_figures_are_rounded_down_in_the_language_s_way(
    value: float | None, unit: str, vi: str, en: str
) -> None:
    assert figure(value, unit) == Text(vi, en)


@pytest.mark.parametrize(
    ("ratio", "vi"), [(0.6666, "66,6 %"), (0.29, "29,0 %"), (1.0, "100,0 %"), (0.9999, "99,9 %"), (None, "–")]
)
def test_a_share_is_no_better_than_it_is(ratio: float | None, vi: str) -> None:
    assert share(ratio).vi == vi


def test_an_interval_has_both_bounds() -> None:
    assert interval(41.0, 62.5) == Text("[41,0 ; 62,5]", "[41.0 ; 62.5]")


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-11-22T01:30:00Z", Text("22/11/2026 08:30", "2026-11-22 08:30")),
        ("2026-11-22", Text("22/11/2026 00:00", "2026-11-22 00:00")),
        (None, Text("–", "–")),
        ("bao giờ\x07", Text("bao giờ\ufffd", "bao giờ\ufffd")),
    ],
)
def test_times_are_vietnamese(at: str | None, shown: Text) -> None:
    assert moment(at) == shown


def test_a_missing_language_is_lent_the_other() -> None:
    assert text_of({"vi": "một"}) == Text("một", "một")
    assert text_of({"vi": "", "en": "one"}) == Text("one", "one")
    assert text_of({}, "mã") == text_of(None, "mã") == Text("mã", "mã")


def test_labels_are_filled_without_reading_braces_of_the_filling() -> None:
    filled = labels()("report.unseen_scope", type="{reason}", scope="{0}", reason=Text("vì", "since"))
    assert filled == Text("Chưa thu thập được {reason} tại {0}: vì", "{reason} at {0} was not seen: since")


def test_a_value_without_a_label_is_shown_and_a_label_that_is_not_there_is_refused() -> None:
    assert labels().of("reason", "cosmic_rays") == Text("cosmic_rays", "cosmic_rays")
    with pytest.raises(CatalogError, match=r"no 'report.mor'.*report.more"):
        labels()("report.mor")


def test_every_label_the_template_names_exists() -> None:
    template = (folder("reports") / "templates" / "report.html.j2").read_text(encoding="utf-8")
    named = set(re.findall(r'L\("([a-z_.0-9]+[a-z0-9])"', template))
    assert len(named) > 30
    for key in named:
        assert labels()(key).vi
        assert labels()(key).en


def records(spec: FactSpec) -> Iterator[str]:
    """Names of the fields of a record, of records in a list, and of records in these."""
    for name, field in spec.fields.items():
        yield name
        yield from records(field)
    if spec.items:
        yield from records(spec.items)


def test_every_field_of_a_record_has_a_name_in_both_languages() -> None:
    fields = {
        name for type_ in load_types().values() for spec in type_.facts.values() for name in records(spec)
    }
    assert fields == set(labels().group("record"))


def test_every_kind_of_paper_that_a_control_asks_for_has_a_name_and_is_an_example() -> None:
    asked = set(wishes(load_catalogue()))
    schema = load(folder("schemas") / "attestations.schema.json").value
    examples = schema["$defs"]["entry"]["properties"]["kind"]["examples"]
    assert examples == sorted(examples)
    assert asked <= set(examples)
    assert asked <= set(labels().group("paper_kind"))


def test_lists_records_and_values_are_told_in_words() -> None:
    bucket, system = load_types()["s3.bucket"].facts, load_types()["system"].facts
    copy = ({"bucket": "b", "domestic": False},)
    destinations = named(bucket["replication.destinations"])
    assert (shown(copy, destinations, "vi"), shown(copy, destinations, "en")) == (
        "bucket: b, trong nước: không",
        "bucket: b, in Viet Nam: no",
    )
    assert shown(("core", "new-class"), named(system["data_classes"]), "vi") == "Dữ liệu cốt lõi, new-class"
    assert shown("off", named(bucket["versioning.state"]), "vi") == "chưa bật"
