"""The S3 collector: buckets of one endpoint, of whatever make, read with signed GET and HEAD."""

from __future__ import annotations

from cloudaudit.collectors.s3.collector import S3Collector
from cloudaudit.collectors.s3.target import LABEL_KEYS, S3Target

__all__ = ["LABEL_KEYS", "S3Collector", "S3Target"]
