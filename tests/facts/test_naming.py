"""What a flavor's name says, and whether it is so."""

from __future__ import annotations

import pytest
from builders import CLOUD, REGION, World, derived, resource

from cloudaudit.model import Partial, Reason, Resource, Scope, Unseen


def flavor(name: str, vcpus: int = 4, ram_mb: int = 16384, disk_gb: int = 50) -> Resource:
    facts = {"vcpus": vcpus, "ram_mb": ram_mb, "disk_gb": disk_gb}
    return resource("openstack.flavor", "f-1", facts, scope=Scope(CLOUD, REGION), name=name)


def faults(one: Resource) -> object:
    return derived("naming", World(), one).facts["scs_name.faults"]


@pytest.mark.parametrize(
    "name",
    [
        "SCS-4V-16-50",
        "SCS-1L-1u-5",
        "SCS-1V-0.5",
        "SCS-2C-3.5-10n",
        "SCS-2C-4uo-10n",
        "SCS-2C-4-",
        "SCS-2C-4-n",
        "SCS-2C-4-3x",
        "SCS-2C-4-3x10",
        "SCS-2C-4-3xs",
        "SCS-2C-4_bms_z3",
        "SCS-2C-4-_bms_z3h_GNa-12_ib",
        "SCS-2C-4-10n_kvm_hwv",
        "SCS-4T-16-50p_i1",
        "SCS-4T-8-2x20s_bms_hwv_i3hhh_gA3.5-64h-40hh_ib",
        "SCS-4C-16-2x40p_a1",
        "m1.large",
        "scs-4v-16-50",
    ],
)
def test_names_that_say_no_more_than_is_true(name: str) -> None:
    assert faults(flavor(name)) == ()


@pytest.mark.parametrize(
    "name",
    [
        "SCS-",
        "SCS-2-4-10n",
        "SCS-2iT-4-10n",
        "SCS-2C-4ou-10n",
        "SCS-2C-4.2-10n",
        "SCS-2C-4-1.5n",
        "SCS-2C-4-0",
        "SCS-2C-0",
        "SCS-0C-4",
        "SCS-2C",
        "SCS-2V:4:10",
        "SCS-2C-4-10_hwv_xen",
        "SCS-2C-4-10_i33",
        "SCS-2C-4-10_zz",
        "SCS-2C-4-10_GX",
        "SCS-2C-4-10 ",
        "SCS-2C-4-10\n",
        "SCS-٢C-4-10",
        "SCS-2C-4-10_ib_ib",
        "SCS-9999999V-4",
    ],
)
def test_names_that_cannot_be_read(name: str) -> None:
    assert faults(flavor(name)) == ("syntax",)


def test_a_flavor_may_be_better_than_its_name_and_not_less() -> None:
    assert faults(flavor("SCS-4V-16-50", 8, 32768, 100)) == ()
    assert faults(flavor("SCS-4V-16-50", 3)) == ("vcpus",)
    assert faults(flavor("SCS-4V-16-50", ram_mb=16383)) == ("ram",)
    assert faults(flavor("SCS-4V-16-50", disk_gb=49)) == ("disk",)
    assert faults(flavor("SCS-4V-16.5-3x50", 1, 16384, 20)) == ("vcpus", "ram", "disk")
    assert faults(flavor("SCS-4V-16", disk_gb=0)) == ()


def test_what_was_not_seen_may_be_a_fault() -> None:
    one = resource(
        "openstack.flavor",
        "f-1",
        {"vcpus": 2, "ram_mb": "16384"},
        scope=Scope(CLOUD, REGION),
        name="SCS-4V-16-50",
        unseen={"disk_gb": Unseen(Reason.TIMEOUT)},
    )
    found = derived("naming", World(), one)
    assert found.facts == {"scs_name.faults": Partial(("vcpus",))}
    assert found.unseen == {"scs_name.faults": Unseen(Reason.INVALID_ANSWER, "'ram_mb' is not of its kind")}
