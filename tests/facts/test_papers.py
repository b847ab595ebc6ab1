"""State, age and integrity of papers."""

from __future__ import annotations

import pytest
from builders import (
    DAY,
    DIGEST,
    NOW,
    World,
    address_of,
    attestation,
    derived,
    document,
    gap,
    no_register,
    reasons,
    site,
)

from cloudaudit.model import Gap, Reason, Resource, Scope, Unseen, Value

PUBLISHED = (document(),)


def test_a_complete_paper_in_date_whose_document_is_the_registered_one_is_valid() -> None:
    found = derived("papers", World(PUBLISHED), attestation())
    assert found.unseen == {}
    assert found.facts == {
        "complete": True,
        "age": 100 * DAY,
        "expires_in": 365 * DAY,
        "intact": True,
        "state": "valid",
    }


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"valid_until": NOW}, "expired"),
        ({"valid_until": NOW + 1}, "valid"),
        ({"valid_until": NOW - DAY, "owner": None}, "expired"),
        ({"issued_at": NOW + 1}, "not_yet"),
        ({"issued_at": NOW}, "valid"),
        ({"issued_at": None}, "valid"),
    ],
)
def test_dates_decide_the_state_whatever_else_is_wrong(facts: dict[str, Value], state: str) -> None:
    assert derived("papers", World(PUBLISHED), attestation("van-ban", **facts)).facts["state"] == state


@pytest.mark.parametrize("field", ["owner", "url", "sha256", "valid_until"])
def test_a_paper_that_lacks_a_field_is_not_known_to_hold(field: str) -> None:
    found = derived("papers", World(PUBLISHED), attestation("van-ban", **{field: None}))
    assert found.facts["complete"] is False
    assert found.unseen["state"] == Unseen(Reason.PARTIAL, f"the register entry lacks {field}")


def test_durations_are_null_without_dates() -> None:
    found = derived("papers", World(PUBLISHED), attestation(issued_at=None, valid_until=None))
    assert (found.facts["age"], found.facts["expires_in"]) == (None, None)


@pytest.mark.parametrize(
    ("facts", "intact", "reason"),
    [
        ({"status": 200, "sha256": "0" * 64}, False, Reason.HASH_MISMATCH),
        ({"status": 404}, None, Reason.URL_UNREACHABLE),
    ],
)
def test_another_document_or_none_leaves_the_state_open(
    facts: dict[str, Value], intact: Value, reason: Reason
) -> None:
    found = derived("papers", World([document(facts=facts)]), attestation())
    assert (found.facts["intact"], reasons(found)) == (intact, {"state": reason})


def test_the_hash_is_read_in_either_case() -> None:
    assert derived("papers", World(PUBLISHED), attestation(sha256=DIGEST.upper())).facts["intact"] is True


@pytest.mark.parametrize("reason", [Reason.URL_UNREACHABLE, Reason.PARTIAL])
def test_an_address_that_was_not_reached_says_nothing(reason: Reason) -> None:
    found = derived("papers", World([document(facts={}, unseen={"": Unseen(reason, "x")})]), attestation())
    assert "intact" not in found.facts
    assert reasons(found) == {"intact": reason, "state": reason}


@pytest.mark.parametrize("status", [301, 401, 403, 429, 500, 503])
def test_a_refusal_may_be_meant_for_us_alone(status: int) -> None:
    found = derived("papers", World([document(facts={"status": status, "sha256": DIGEST})]), attestation())
    assert "intact" not in found.facts
    assert reasons(found) == {"intact": Reason.URL_UNREACHABLE, "state": Reason.URL_UNREACHABLE}


@pytest.mark.parametrize(
    ("gaps", "reason"),
    [
        ([], Reason.NOT_COLLECTED),
        ([gap("published_document", operation=f"GET {address_of('van-ban')}")], Reason.NO_PERMISSION),
        ([gap("published_document", operation=f"GET {address_of('van-ban')}.old")], Reason.NOT_COLLECTED),
        ([gap("published_document", Scope("documents"), Reason.TIMEOUT)], Reason.TIMEOUT),
    ],
)
def test_a_document_that_was_not_read_says_why(gaps: list[Gap], reason: Reason) -> None:
    found = derived("papers", World(gaps=gaps), attestation())
    assert reasons(found) == {"intact": reason, "state": reason}


def test_an_expired_paper_is_expired_though_its_document_was_not_read() -> None:
    found = derived("papers", World(), attestation(valid_until=NOW - DAY))
    assert (found.facts["state"], reasons(found)) == ("expired", {"intact": Reason.NOT_COLLECTED})


# --- what backs a site ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "world", "valid"),
    [
        (site(), World([]), False),
        (site(attestation="van-ban"), World([attestation(), *PUBLISHED]), True),
        (site(attestation="van-ban"), World([attestation(valid_until=NOW)]), False),
        (site(attestation="van-ban"), World([attestation()]), Reason.NOT_COLLECTED),
        (site(attestation="khac"), World([attestation()]), False),
        (site(attestation="van-ban"), World(gaps=[no_register("attestation")]), Reason.REGISTER_MISSING),
    ],
)
def test_a_site_is_backed_by_the_paper_it_names(entry: Resource, world: World, valid: Value) -> None:
    found = derived("papers", world, entry)
    expected = ({}, valid) if isinstance(valid, Reason) else ({"attestation.valid": valid}, None)
    assert (found.facts, reasons(found).get("attestation.valid")) == expected
