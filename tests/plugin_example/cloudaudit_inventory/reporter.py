"""Writes one line for each finding that is no pass, for people who like grep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudaudit.reporters import Context


class LinesReporter:
    """Reads report.json version 1, like every reporter, and never what is behind it."""

    media_type = "text/tab-separated-values"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        rows = (
            (one["control"], one["verdict"], one["resource"]["type"], one["resource"]["id"])
            for one in report["findings"]
        )
        whose = context.package or {}
        first = f"# {whose.get('package')} {whose.get('version')}\n"
        return first + "".join("\t".join(row) + "\n" for row in rows)
