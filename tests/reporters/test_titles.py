"""What a report is called, and what it speaks of: readiness only where its profile looks at gates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import data_samples as data
import pytest
import sample_report as sample

from cloudaudit.model import Text
from cloudaudit.reporters import BUILTIN, chapters, paper
from cloudaudit.reporters.github import SummaryReporter
from cloudaudit.reporters.html import HtmlReporter
from cloudaudit.reporters.oscal_results import ResultsReporter

UNGATED = Text("BÁO CÁO ĐÁNH GIÁ CẤU HÌNH ĐÁM MÂY", "CLOUD CONFIGURATION ASSESSMENT")
READINESS = (
    "mức độ sẵn sàng",
    "mức sẵn sàng",
    "sẵn sàng kết nối",
    "việc kết nối",
    "điều kiện tiên quyết cuối cùng",
)


def code_only() -> sample.Inputs:
    """A profile of technical controls without gates, as `before-deployment` is."""
    whole = sample.small()
    return replace(whole, gates=())


def texts(found: object) -> Iterator[Text]:
    """Every text of a document, but of the report it is made from and of what draws."""
    if isinstance(found, Text):
        yield found
    elif is_dataclass(found):
        for one in fields(found):
            if one.name not in ("report", "draw"):
                yield from texts(getattr(found, one.name))
    elif isinstance(found, tuple | list):
        for inner in found:
            yield from texts(inner)


@pytest.mark.parametrize("form", ["full", "yearly"])
def test_without_gates_a_report_speaks_of_readiness_once(form: Any) -> None:
    inputs = code_only()
    made = chapters.document(sample.report(inputs), replace(sample.context(inputs=inputs), form=form))
    assert made.title == UNGATED
    # The glossary explains words of the field, whatever the report is of.
    said = [text.vi for section in made.sections if section.number != "E" for text in texts(section)]
    of_profile = made.report["profile"]["title"]["vi"]
    assert [text for text in said if text != of_profile and any(w in text.lower() for w in READINESS)] == [
        "Hồ sơ năng lực không xét điều kiện tiên quyết nên không kết luận mức độ sẵn sàng."
    ]
    assert "11" not in [section.number for section in made.sections]
    assert paper.level(made.report).vi == of_profile


def test_a_chapter_on_the_connection_stays_where_a_control_asks_for_it() -> None:
    inputs = replace(sample.realistic(), gates=())
    made = chapters.document(sample.report(inputs), sample.context(inputs=inputs))
    (section,) = [section for section in made.sections if section.number == "11"]
    assert not any("Điều kiện tiên quyết cuối cùng" in text.vi for text in texts(section.blocks))


def test_with_gates_the_words_of_readiness_stay() -> None:
    inputs = sample.small()
    made = chapters.document(sample.report(inputs), sample.context(inputs=inputs))
    assert made.title.en == "REPORT ON READINESS TO CONNECT TO THE CLOUD PLATFORM OF THE NATIONAL DATA CENTER"
    numbers = [section.number for section in made.sections]
    assert numbers == list(chapters.SECTIONS)
    said = [text.vi for text in texts(made)]
    assert said.count("Cấp có thẩm quyền đánh giá và quyết định việc kết nối; công cụ chỉ báo cáo.") == 2


def titled(inputs: sample.Inputs) -> Mapping[str, str]:
    report = sample.report(inputs)
    page, summary, written = (
        one.render(report, data.context(inputs, "en"))
        for one in (HtmlReporter(), SummaryReporter(), ResultsReporter())
    )
    results = json.loads(written)["assessment-results"]
    return {
        "html": page.partition("<title>")[2].partition(" – ")[0],
        "github-summary": summary.splitlines()[0],
        "oscal-ar": results["metadata"]["title"],
    }


def test_titles_of_what_is_no_chapter() -> None:
    assert set(titled(code_only())) <= set(BUILTIN)
    assert titled(code_only()) == {
        "html": "Báo cáo đánh giá cấu hình đám mây",
        "github-summary": "# Cloud configuration assessment",
        "oscal-ar": f"{UNGATED.vi} / {UNGATED.en}",
    }
    assert titled(sample.small())["github-summary"] == "# Readiness report"
