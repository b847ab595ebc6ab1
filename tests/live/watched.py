"""watched.py LOG ARGUMENT... : run cloudaudit with every connection written down, and none beyond loopback.

The interpreter itself reports connections to an audit hook, which no library can go around.
"""

from __future__ import annotations

import ipaddress
import runpy
import sys
from typing import Any

NAMES = {"localhost", None, ""}
STARTING = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"}


class LeftLoopback(BaseException):
    """Something tried to reach another machine, or to start a program that nobody watches."""


def is_loopback(host: Any) -> bool:
    if host in NAMES:
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False


def watch(log: str) -> None:
    out = open(log, "w", buffering=1, encoding="utf-8")  # noqa: SIM115, PTH123 - open as long as the process

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto"):
            address = given[1]
            if isinstance(address, tuple):
                out.write(f"{address[0]} {address[1]}\n")
                if not is_loopback(address[0]):
                    raise LeftLoopback(f"connection to {address[0]}")
        elif event == "socket.getaddrinfo" and not is_loopback(given[0]):
            out.write(f"{given[0]} {given[1]}\n")
            raise LeftLoopback(f"question for the address of {given[0]}")
        elif event in STARTING:
            raise LeftLoopback(f"{event} {given}")

    sys.addaudithook(hook)


if __name__ == "__main__":
    watch(sys.argv[1])
    sys.argv = ["cloudaudit", *sys.argv[2:]]
    sys.path.pop(0)  # this folder: cloudaudit is to be found as an operator's would be
    runpy.run_module("cloudaudit", run_name="__main__", alter_sys=True)
