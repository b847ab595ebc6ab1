"""Every recorded answer of ten stores, against what measuring those stores found of each operation."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from s3_play import STORES, WIRE, recorded

from cloudaudit.collectors.s3.answers import Reading, Standing, State
from cloudaudit.collectors.s3.operations import operations
from cloudaudit.collectors.s3.store import believed
from cloudaudit.collectors.transport import Answer

OPERATIONS = {op.query: op for op in operations(frozenset())}
OWNER = Standing(sees=True, owns=True)
PHASES = ("unset", "set", "suspended", "after_delete")
LETTERS = {"p": State.PRESENT, "a": State.ABSENT, "u": State.UNSUPPORTED}

# One row an operation, one column a store, one letter a recorded phase: nothing set, set, suspended,
# set and deleted again. p: a value is shown; a: shown to be not set; u: the store does not know the
# question, or its answer to it is worth nothing (Swift's ACL); -: was not measured.
MATRIX = """
                      ceph-rgw swift seaweedfs juicefs zenko moto localstack ministack rclone s3rver
location              p---     p---  a---      p---    a---  a--- a---       a---      a---   a---
versioning            app-     app-  app-      uuu-    app-  app- app-       app-      aaa-   uuu-
encryption            uu--     uu--  ap-a      aa--    ap-a  ap-a pp-u       pp-p      uu--   uu--
encryption_kms        uu--     uu--  ap-a      aa--    ap-a  ap-a up-u       pp-p      uu--   uu--
object_lock           pp--     aa--  pp--      uu--    pp--  pp-- pp--       pp--      uu--   uu--
object_lock_nolock    aa--     aa--  ap--      uu--    aa--  ap-- ap--       ap--      uu--   uu--
lifecycle             ap-a     uu--  ap-a      uu--    ap-a  ap-a ap-a       ap-a      uu--   uu--
lifecycle_transition  ap-a     uu--  aa--      uu--    aa--  ap-a ap-a       ap-a      uu--   uu--
replication           ap-a     uu--  aa--      uu--    aa--  ap-a ap-a       ap-a      uu--   uu--
policy                ap-a     uu--  ap-a      ap-a    aa--  ap-a ap-a       ap-a      uu--   uu--
policy_status         ap-a     uu--  ap-a      aa-a    uu--  ap-a uu-u       uu-u      uu--   uu--
public_access_block   ap-a     uu--  uu--      uu--    uu--  ap-a pp-a       ap-a      uu--   uu--
acl                   pp--     uu--  pp--      pp--    pp--  pp-- pp--       pp--      uu--   uu--
logging               aa--     aa--  aa--      aa--    uu--  aa-- ap--       ap--      uu--   uu--
notification          aa--     uu--  aa--      aa--    aa--  ap-- ap--       aa--      uu--   uu--
tagging               ap-a     aa--  ap-a      ap-a    ap-a  ap-a ap-a       ap-a      uu--   uu--
cors                  ap-a     uu--  ap-a      aa--    ap-a  ap-a ap-a       ap-a      uu--   ap-a
website               ap-a     uu--  aa--      aa--    ap-a  ap-a ap-a       ap-a      uu--   ap-a
ownership             uu--     uu--  pp-p      uu--    uu--  ap-a pp-a       pp-a      uu--   uu--
"""
_HEADER, *_ROWS = (line.split() for line in MATRIX.strip().splitlines())
EXPECTED = {
    (store, row[0]): letters for row in _ROWS for store, letters in zip(_HEADER, row[1:], strict=True)
}


def read(store: str, name: str, phase: str, standing: Standing) -> Reading:
    """What we make of one recorded answer. Variants of a setting are asked by the same question."""
    plain = name.removesuffix("_kms").removesuffix("_nolock").removesuffix("_transition")
    reply = recorded(plain, STORES[store]["operations"][name][phase])
    headers = {key.lower(): value for key, value in {**STORES[store]["headers"], **reply.headers}.items()}
    answer = Answer(reply.status, headers, reply.body, call=7, at=0)
    return believed(OPERATIONS[WIRE[plain][0]], answer, standing)


def test_the_matrix_has_every_store_and_operation_that_was_recorded() -> None:
    assert set(EXPECTED) == {
        (store, name)
        for store, found in STORES.items()
        for name in found["operations"]
        if name != "head_bucket"
    }


@pytest.mark.parametrize(("store", "name"), EXPECTED, ids=["-".join(case) for case in EXPECTED])
def test_the_owner_is_told_what_the_store_can_tell(store: str, name: str) -> None:
    measured = [phase for phase in PHASES if phase in STORES[store]["operations"][name]]
    readings = [read(store, name, phase, OWNER) for phase in measured]
    expected = [LETTERS[x] for x in EXPECTED[store, name] if x != "-"]
    assert [found.state for found in readings] == expected
    for found in readings:
        # What is told has facts and no reason; what is not has a reason with words, and not one fact.
        assert (bool(found.facts), found.reason is None, found.detail == "", found.call) == (
            found.state.answered, found.state.answered, found.state.answered, 7,
        )  # fmt: skip


STRANGERS: dict[tuple[str, str], dict[str, int]] = {
    ("ceph-rgw", "denied"): {"no_permission": 19},
    ("ceph-rgw", "denied_set"): {"no_permission": 18},
    ("ceph-rgw", "anonymous"): {"no_permission": 19},
    ("ceph-rgw", "missing_bucket"): {"ambiguous": 19},
    # Swift keeps bucket names apart by account: another account's is not there. Three of its answers
    # (no lock, no tags) look as if nothing were set; HEAD of the bucket says that they prove nothing.
    ("swift", "denied"): {"ambiguous": 11, "no_permission": 3, "not_implemented": 5},
    ("swift", "denied_set"): {"ambiguous": 10, "no_permission": 3, "not_implemented": 5},
    ("swift", "anonymous"): {"invalid_answer": 19},
    ("swift", "missing_bucket"): {"ambiguous": 11, "no_permission": 3, "not_implemented": 5},
    ("seaweedfs", "denied"): {"no_permission": 19},
    ("seaweedfs", "denied_set"): {"no_permission": 18},
    ("seaweedfs", "anonymous"): {"no_permission": 19},
    # A missing bucket "has no encryption" here, and "has no tags" at JuiceFS.
    ("seaweedfs", "missing_bucket"): {"ambiguous": 16, "no_permission": 2, "not_implemented": 1},
    ("juicefs", "denied"): {"no_permission": 11, "not_implemented": 8},
    ("juicefs", "denied_set"): {"no_permission": 10, "not_implemented": 8},
    ("juicefs", "anonymous"): {"no_permission": 11, "not_implemented": 8},
    ("juicefs", "missing_bucket"): {"ambiguous": 10, "no_permission": 1, "not_implemented": 8},
    # The policy of somebody else's bucket: 405, which elsewhere means that there are no policies.
    ("zenko", "denied"): {"ambiguous": 1, "no_permission": 15, "not_implemented": 3},
    ("zenko", "denied_set"): {"ambiguous": 1, "no_permission": 14, "not_implemented": 3},
    ("zenko", "anonymous"): {"ambiguous": 1, "no_permission": 15, "not_implemented": 3},
    ("zenko", "missing_bucket"): {"ambiguous": 16, "not_implemented": 3},
    ("moto", "missing_bucket"): {"ambiguous": 19},
    ("localstack", "missing_bucket"): {"ambiguous": 18, "not_implemented": 1},
    ("ministack", "missing_bucket"): {"ambiguous": 19},
    ("rclone", "anonymous"): {"invalid_answer": 19},
    ("rclone", "missing_bucket"): {"ambiguous": 19},
    ("s3rver", "missing_bucket"): {"ambiguous": 19},
}


@pytest.mark.parametrize(("store", "phase"), STRANGERS, ids=["-".join(case) for case in STRANGERS])
def test_strangers_and_missing_buckets_give_reasons_and_no_fact(store: str, phase: str) -> None:
    """Standing of who does not see the bucket: every answer, however plain, is a reason and no fact."""
    records: dict[str, Any] = STORES[store]["operations"]
    names = [name for name in records if name != "head_bucket" and phase in records[name]]
    readings = [read(store, name, phase, Standing(sees=False, owns=False, head="404")) for name in names]
    assert [found.facts for found in readings] == [{}] * len(names)
    assert Counter(found.reason for found in readings) == STRANGERS[store, phase]
