"""A bucket policy as it is answered."""

from __future__ import annotations

from collections.abc import Mapping

from cloudaudit.collectors.buckets import statements
from cloudaudit.collectors.s3.answers import Foreign, policy_object
from cloudaudit.model import Value


def read_policy(body: bytes) -> Mapping[str, Value] | Foreign:
    """Facts of a policy document, as :func:`cloudaudit.collectors.buckets.statements` gives them."""
    document = policy_object(body)
    return document if isinstance(document, Foreign) else statements(document)
