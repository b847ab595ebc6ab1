"""The drawings of a report, as SVG documents that need nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from cloudaudit.model import Text
from cloudaudit.reporters.document import Picture
from cloudaudit.reporters.places import Flow, Places


def _picture(id_: str, title: Text, alternative: Text) -> Picture:
    empty = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 40" width="960" height="40"/>'
    return Picture(id_, title, alternative, lambda languages: empty, 960, 40)


def _told(count: int) -> Text:
    return Text(f"{count} hàng", f"{count} rows")


def intervals(rows: Sequence[tuple[str, Text, float, float]]) -> Picture:
    return _picture("chart-intervals", Text("Điểm theo chiều đánh giá", "Scores"), _told(len(rows)))


def gates(rows: Sequence[tuple[str, Text, str]]) -> Picture:
    return _picture("chart-gates", Text("Điều kiện tiên quyết", "Gates"), _told(len(rows)))


def coverage(rows: Sequence[tuple[str, Text, float]]) -> Picture:
    return _picture("chart-coverage", Text("Độ bao phủ chứng cứ", "Evidence coverage"), _told(len(rows)))


def recovery(rows: Sequence[tuple[str, float | None, float]]) -> Picture:
    return _picture("chart-recovery", Text("RPO theo hệ thống", "RPO by system"), _told(len(rows)))


def trend(points: Sequence[tuple[str, float, float, float, int, int]]) -> Picture:
    return _picture("chart-trend", Text("Xu hướng", "Trend"), _told(len(points)))


def places(found: Places, flows: Sequence[Flow]) -> Picture | None:
    if not found.names:
        return None
    return _picture("chart-places", Text("Bản đồ vị trí dữ liệu", "Data-location map"), _told(len(flows)))
