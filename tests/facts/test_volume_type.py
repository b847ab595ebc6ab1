"""Encryption of volumes by their type."""

from __future__ import annotations

from builders import CLOUD, World, derived, gap, reasons, volume, volume_type

from cloudaudit.model import Reason, Scope, Unseen

FACTS = {
    "type.encryption.provider": "luks",
    "type.encryption.cipher": "aes-xts-plain64",
    "type.encryption.key_size": 256,
    "type.encryption.control_location": "front-end",
    "type.backend": "ceph-hn",
    "type.replication_enabled": False,
}


def test_a_volume_has_the_encryption_of_its_type() -> None:
    assert derived("volume_type", World([volume_type()]), volume()).facts == FACTS


def test_a_type_may_be_named_by_its_id() -> None:
    assert (
        derived("volume_type", World([volume_type()]), volume(facts={"volume_type": "id-luks"})).facts
        == FACTS
    )


def test_a_volume_without_a_type_has_none() -> None:
    found = derived("volume_type", World([volume_type()]), volume(facts={"volume_type": None}))
    assert (found.facts, found.unseen) == (dict.fromkeys(FACTS), {})


def test_types_are_those_of_the_region() -> None:
    other = volume_type(scope=Scope(CLOUD, "hcm"))
    assert reasons(derived("volume_type", World([other]), volume())) == {"type": Reason.PARTIAL}


def test_a_type_that_is_not_listed_says_why() -> None:
    refused = World(gaps=[gap("openstack.volume_type", Scope(CLOUD, "hn"))])
    assert reasons(derived("volume_type", refused, volume())) == {"type": Reason.NO_PERMISSION}


def test_two_types_of_one_name_are_ambiguous() -> None:
    private = volume_type("khac", name="luks")
    assert reasons(derived("volume_type", World([volume_type(), private]), volume())) == {
        "type": Reason.AMBIGUOUS
    }


def test_what_the_type_does_not_show_stays_unknown_with_its_reason() -> None:
    hidden = volume_type(
        facts={"encryption.key_size": "256"},
        without=["backend"],
        unseen={"backend": Unseen(Reason.NO_PERMISSION)},
    )
    found = derived("volume_type", World([hidden]), volume())
    assert reasons(found) == {
        "type.backend": Reason.NO_PERMISSION,
        "type.encryption.key_size": Reason.INVALID_ANSWER,
    }
    assert found.facts["type.encryption.provider"] == "luks"


def test_a_type_that_was_not_seen_is_not_no_type() -> None:
    unknown = volume(without=["volume_type"], unseen={"volume_type": Unseen(Reason.TIMEOUT)})
    assert reasons(derived("volume_type", World([volume_type()]), unknown)) == {"type": Reason.TIMEOUT}
