"""Which call stands behind what was seen is the same in every run, however the threads ran."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloudaudit.collecting import _numbered
from cloudaudit.collectors.runner import Collected
from cloudaudit.model import Call, Gap, Listing, Reason, Resource, Scope

HERE = Scope("hn", "vn-hn-1")
CALL = Call(0, HERE, "compute", "GET /v2.1/", 200, 1795319135, digest="5d41")


@pytest.mark.parametrize("source", [0, 2])
def test_of_two_calls_that_nothing_tells_apart_the_first_is_named(source: int) -> None:
    between = replace(CALL, number=1, request="GET /v2.1/os-services")
    thing = Resource("openstack.api", "compute", HERE, 1795319135, {}, sources={"": source, "facts": 1})
    found = _numbered(
        Collected(
            resources=(thing,),
            listings=(Listing(HERE, "openstack.api", 1, "it answered", source),),
            gaps=(Gap(HERE, "openstack.api", "compute.version", Reason.PARTIAL, "", source),),
            calls=(CALL, between, replace(CALL, number=2)),
        )
    )
    assert [(call.number, call.request) for call in found.calls] == [
        (0, "GET /v2.1/"), (1, "GET /v2.1/"), (2, "GET /v2.1/os-services"),
    ]  # fmt: skip
    assert [dict(one.sources) for one in found.resources] == [{"": 0, "facts": 2}]
    assert [one.call for one in found.listings] + [one.call for one in found.gaps] == [0, 0]
