"""Calls that several scopes stand on: made once, and found again in the log of each scope.

A token or the list of projects is asked for by whichever scope comes first. Their calls are kept in
a log of their own; a scope that refers to one has it copied into its own log, where the number then
means the right call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Generic, TypeVar

from cloudaudit.collectors.transport import CallLog

T = TypeVar("T")


class Once(Generic[T]):
    """Makes each value once, however many threads want it."""

    def __init__(self) -> None:
        self._values: dict[Hashable, T] = {}
        self._locks: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._values:
                self._values[key] = make()
            return self._values[key]


class SharedCalls:
    """The log of shared calls, and where each was copied to."""

    def __init__(self) -> None:
        self.log = CallLog()
        self._lock = threading.Lock()
        self._copies: dict[int, tuple[CallLog, dict[int, int]]] = {}
        self._copied: set[int] = set()

    def number(self, shared: int, log: CallLog) -> int:
        """The number a shared call has in `log`."""
        with self._lock:
            return self._number(shared, log)

    def flush(self, log: CallLog) -> None:
        """Copy to `log` what no log has yet, so that no request goes unrecorded."""
        with self._lock:
            for shared in range(len(self.log.calls)):
                if shared not in self._copied:
                    self._number(shared, log)

    def _number(self, shared: int, log: CallLog) -> int:
        # The log is kept beside its id, so that the id cannot come to mean another log.
        _, numbers = self._copies.setdefault(id(log), (log, {}))
        if shared not in numbers:
            numbers[shared] = log.absorb([replace(self.log.calls[shared], number=0)])
            self._copied.add(shared)
        return numbers[shared]
