"""Values of evidence in words."""

from __future__ import annotations

from typing import Any

import pytest

from cloudaudit.model import FactSpec, FactType
from cloudaudit.reporters.values import Values


@pytest.mark.parametrize(
    ("value", "spec", "vi"),
    [
        (97200, FactSpec("age", FactType.DURATION), "1 ngày 3 giờ"),
        ({"$at_most": 3600}, FactSpec("age", FactType.DURATION), "không quá 1 giờ"),
        ({"$at_least": 2}, FactSpec("n", FactType.INTEGER), "ít nhất 2"),
        ("2026-08-30T17:00:00Z", FactSpec("at", FactType.TIME), "31/08/2026"),
        ("hôm qua", FactSpec("at", FactType.TIME), "hôm qua"),
        ([22, 22], FactSpec("ports", FactType.PORTS), "22"),
        ([8000, 9000], FactSpec("ports", FactType.PORTS), "8000-9000"),
        ([60, 120], FactSpec("ages", FactType.LIST, items=FactSpec("", FactType.DURATION)), "1 phút; 2 phút"),
        ({"$partial": ["a", {"$more": 7}]}, FactSpec("l", FactType.LIST), "a; … (+7) (mới thấy một phần)"),
        ({"at": "2026-08-30T17:00:00Z"}, FactSpec("r", FactType.RECORD, fields={"at": FactSpec("at", FactType.TIME)}),
         "at: 31/08/2026"),
        ({"$at_most": 5}, None, '{"$at_most":5}'),
        ({"a": [1, None]}, None, '{"a":[1,null]}'),
        ([1, {"$more": 7}], None, "1; … (+7)"),
        ([], None, "không có mục nào"),
        (None, None, "không có"),
        (True, None, "có"),
    ],
)  # fmt: skip
def test_values_of_evidence_are_shown_by_their_type(value: Any, spec: FactSpec | None, vi: str) -> None:
    assert Values({}).shown(value, spec).vi == vi
