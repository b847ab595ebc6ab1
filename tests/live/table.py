"""What the collectors see of the beds, type by type: `python tests/live/table.py > docs/coverage.md`.

Starts the beds, looks at each with several identities, and writes a table. It has no counts that change from
run to run, so that a test can hold a fresh one against the one that is kept.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

if __name__ == "__main__":
    # Only the tests' runner puts the root of the repository on the path.
    sys.path.append(str(Path(__file__).parent.parent.parent))

import beds
from audits import TYPES
from beds import StoreBed
from identities import identities
from vantages import OF_CLOUD, look_at_cloud, look_at_store

from cloudaudit.model import Gap, Listing
from cloudaudit.snapshot import Snapshot

KEPT = Path(__file__).parent.parent.parent / "docs" / "coverage.md"
OF_STORES: Mapping[str, Sequence[str]] = {
    "ceph": ("owner", "reader", "caps", "few_caps"),
    "swift": ("owner",),
    "swift-acl": ("owner",),
    "seaweedfs": ("owner", "part"),
    "juicefs": ("owner", "reader"),
    "rclone": ("owner",),
}
"""Identities that look at each store; `caps` and `few_caps` are the owner with a key for Ceph's admin API."""

HEAD = """\
# What is really seen

Made by `make coverage` from the test beds: every type there is a collector for, collected whole from a real
OpenStack with five identities, and from six object stores. A live test holds it against a fresh run.

| word | meaning |
| --- | --- |
| n | things seen, and proof that these are all |
| absent | proof that there are none: the catalogue, the list of extensions, or an empty list that can be believed |
| n, reason | things seen, and a gap: there may be more |
| reason | nothing seen, and a gap |
| n (facts: reason) | all things seen, and of some of them not every fact |

`refused`: the identity may not. `not provable`: an empty or filtered answer, which proves nothing. `no key`:
not asked, for the target names no key for it. `not implemented`: the service has no such call. Nothing that
stands on a gap ever passes a control.
"""
OPENSTACK = """
## OpenStack

Keystone, Nova, Neutron with VPN, Cinder, Glance, Placement, Swift, Barbican, Octavia, Manila, Heat and Designate,
with one site. What no service of the bed offers (`absent` for the operator) is proven by the catalogue.

| column | identity |
| --- | --- |
| operator | administrator, asking for all projects at once |
| reader | role reader in one project |
| system | role reader on the system, in no project, asking for all projects at once |
| rules | application credential of a reader with the access rules that `permissions` writes for `ndc-connection` |
| one service | application credential with an access rule for Nova alone |
"""
STORES = """
## Object stores

`owner` has the buckets, and its target names it as `expected_owner`. Ceph's admin API is asked only where a target
names a key for it.

Ceph RGW 16: `reader` has no buckets and is let into some by their policies; `caps` and `few caps` are the owner with
a key for the admin API beside, with all its read caps and with two of them.
"""
OTHER_STORES = """
The s3api of Swift without and with access lists, SeaweedFS, JuiceFS (the front end of MinIO) and rclone, which
answers nearly every question with a listing. `part` and `reader` have rights to some of the buckets, are shown
those, and are not named as owner.
"""
WORDS = {"no_permission": "refused", "partial": "not provable"}


def cell(snapshot: Snapshot, type_: str) -> str:
    """What one identity sees of a type."""
    count = sum(1 for _ in snapshot.each(type_))
    gaps = [gap for gap in snapshot.gaps() if gap.type == type_]
    listings = [listing for listing in snapshot.listings() if listing.type == type_]
    missing = _reasons(gap for gap in gaps if gap.listing)
    if missing:
        return ", ".join([str(count)] * bool(count) + missing)
    if not listings:
        return "not asked"
    facts = _reasons(gap for gap in gaps if not gap.listing)
    told = f"{count} (facts: {', '.join(facts)})" if facts else str(count)
    return told if count else f"absent ({_proof(listings)})"


def _reasons(gaps: Iterable[Gap]) -> list[str]:
    return sorted({_word(gap) for gap in gaps})


def _word(gap: Gap) -> str:
    if gap.call is None and gap.operation.startswith("s3.admin_"):
        return "no key"
    return WORDS.get(gap.reason, gap.reason.replace("_", " "))


def _proof(listings: Sequence[Listing]) -> str:
    """In a word, what an absence stands on."""
    proofs = {listing.proof for listing in listings}
    if all("is not in the catalogue" in proof for proof in proofs):
        return "catalogue"
    return "extensions" if all("extensions has no" in proof for proof in proofs) else "empty list"


def table(sights: Mapping[str, Snapshot], prefix: str) -> Iterator[str]:
    """A row a type, a column a sight."""
    yield "| type | " + " | ".join(sights) + " |"
    yield "| --- |" + " --- |" * len(sights)
    for type_ in sorted(name for name in TYPES if name.startswith(prefix)):
        yield f"| `{type_}` | " + " | ".join(cell(sight, type_) for sight in sights.values()) + " |"


def rendered(of_cloud: Mapping[str, Snapshot], of_stores: Mapping[str, Snapshot]) -> str:
    """The whole document."""
    cloud = {name.replace("-", " "): sight for name, sight in of_cloud.items()}
    return "\n".join([HEAD, OPENSTACK, *table(cloud, "openstack."), section_of_stores(of_stores)]) + "\n"


def section_of_stores(of_stores: Mapping[str, Snapshot]) -> str:
    """Ceph, which has more types than any other store, and the others."""
    sights = {name.replace("_", " "): sight for name, sight in of_stores.items()}
    ceph = {name: sight for name, sight in sights.items() if name.startswith("ceph ")}
    others = {name: sight for name, sight in sights.items() if name not in ceph}
    return "\n".join([STORES, *table(ceph, "s3."), OTHER_STORES, *table(others, "s3.")])


def look_at_stores(folder: Path, running: Mapping[str, StoreBed]) -> dict[str, Snapshot]:
    """What each identity of each store sees, by store and identity."""
    found = {}
    for name, bed in running.items():
        for who in OF_STORES[name]:
            owner = bed.truth["list_buckets"]["first"]["owner"]["owner_id"]
            with_key = {"admin_profile": who} if who.endswith("caps") else {}
            profile = "owner" if with_key else who
            more = {**with_key, **({"expected_owner": owner} if profile == "owner" else {})}
            place = folder / f"{name}-{who}"
            found[f"{name} {who}"] = look_at_store(place, bed, profile, **more)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        known = stack.enter_context(
            identities(stack.enter_context(beds.openstack("hn")), folder / "identities")
        )
        of_cloud = {vantage: look_at_cloud(folder / vantage, vantage, known) for vantage in OF_CLOUD}
        running = {store: stack.enter_context(beds.store(store)) for store in OF_STORES}
        sys.stdout.write(rendered(of_cloud, look_at_stores(folder, running)))


if __name__ == "__main__":
    main()
