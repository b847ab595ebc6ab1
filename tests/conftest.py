"""Tests are offline unless they say otherwise: no socket may leave loopback."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("default")

_connect = socket.socket.connect


class LeftLoopback(AssertionError):
    """A test tried to reach another machine."""


def _guarded(self: socket.socket, address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else ""
    if self.family in (socket.AF_INET, socket.AF_INET6) and host not in ("127.0.0.1", "::1", "localhost"):
        raise LeftLoopback(f"connection to {host}")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections beyond loopback, and take away what the developer's environment would add."""
    monkeypatch.setattr(socket.socket, "connect", _guarded)
    for name in list(os.environ):
        if name.startswith(("OS_", "AWS_", "CLOUDAUDIT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
