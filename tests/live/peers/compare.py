"""The verdicts of another checker beside ours, on the same cloud with the same identities.

    PROWLER=/path/to/prowler python tests/live/peers/compare.py > docs/peers-agreement.md

Runs the executable of Prowler, which is neither imported nor installed here, and cloudaudit on the OpenStack
bed, joins what both say of each resource, and writes the table. `explained.yaml` says of every difference who
is right and why; one that nobody has explained ends with 1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Only the tests' runner puts the root of the repository and the folder of the live tests on the path.
    sys.path += [str(Path(__file__).parents[3]), str(Path(__file__).parents[1])]

import beds
import yaml
from audits import Audit, cloudaudit, profile, subject, targets, write
from beds import OpenStackBed
from declared import HANOI, of_cloud

from cloudaudit.catalog import Peer, load_peers

HERE = Path(__file__).parent
PEER = "prowler-openstack"
LONGEST = 900
"""Seconds that one run of the other checker may take; most of them are its start."""
INSTALL = """\
compare.py: PROWLER does not name the executable of Prowler {version}. It is large (2.3 GB), and wants an
environment of its own:
    python3.11 -m venv /somewhere/prowler && /somewhere/prowler/bin/pip install prowler=={version}
    PROWLER=/somewhere/prowler/bin/prowler make peers"""
IDENTITIES: Sequence[tuple[str, str, str]] = (
    ("audit", "cong-dich-vu", ""),
    ("audit", "van-ban", ""),
    ("audit", "trang-tin", ""),
    ("audit", "nen-tang", ""),
    # To owners Swift shows what it leaves out for readers.
    ("deploy", "cong-dich-vu", "objectstorage_"),
    ("deploy", "van-ban", "objectstorage_"),
    ("deploy", "trang-tin", "objectstorage_"),
    ("admin", "admin", "image_"),
    ("noblock", "cong-dich-vu", "blockstorage_"),
)
"""Users of the bed, the project each looks at, and how the names of the checks begin that it is asked for.
Prowler takes one project a run."""
TYPES: Mapping[str, Sequence[str]] = {
    "blockstorage_snapshot_": ["openstack.snapshot"],
    "blockstorage_volume_": ["openstack.volume"],
    "compute_instance_": ["openstack.server"],
    "image_": ["openstack.image"],
    "networking_admin_state_": ["openstack.network"],
    "networking_port_": ["openstack.port", "openstack.network"],
    "networking_security_group_": ["openstack.security_group"],
    "networking_subnet_": ["openstack.subnet"],
    "objectstorage_container_": ["openstack.container"],
}
"""What each check is about, by how its name begins."""
WHOLES: Mapping[str, tuple[str, str]] = {
    "openstack.security_group_rule": ("openstack.security_group", "security_group"),
}
"""Parts that we judge one by one: the type and the fact that name the whole, which they judge."""
ASKED: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "networking_security_group_allows_ssh_from_internet": {"SEC-06": {"admin_ports": [22]}},
    "networking_security_group_allows_rdp_from_internet": {"SEC-06": {"admin_ports": [3389]}},
    # Only a rule for all ports, or nearly all, opens this one.
    "networking_security_group_allows_all_ingress_from_internet": {"SEC-06": {"admin_ports": [64999]}},
    # They count an orphan at once.
    "blockstorage_snapshot_not_orphaned": {"DAT-09": {"max_orphan_age": "PT0S"}},
    "blockstorage_volume_not_unattached": {"DAT-09": {"max_orphan_age": "PT0S"}},
}
"""Parameters under which a control of ours asks for what the check asks."""
WORST = ("fail", "unknown", "pass", "not_applicable")
NOTHING = "nothing"
"""No word about a resource."""
RIGHT = {
    "ours": "ours is right",
    "theirs": "theirs is right",
    "both": "each answers a question of its own",
}
"""Who is, in words of the document."""
LIST = "(the list)"
"""What stands for the things of a type that could not be listed."""


@dataclass(frozen=True, order=True)
class Place:
    """A resource as one identity sees it."""

    user: str
    project: str
    id: str
    """Of a resource; LIST for all of a type."""


@dataclass(frozen=True)
class Said:
    """What both say of a resource in one check."""

    check: str
    place: Place
    name: str
    theirs: str
    ours: str
    """Verdicts in small letters, or NOTHING."""

    @property
    def is_same(self) -> bool:
        """The same verdict; and they pass what has no part that we would judge, such as a group of harmless rules."""
        return self.theirs == self.ours or bool(
            self.theirs == "pass" and self.ours == NOTHING and _parts(self.check)
        )


@dataclass(frozen=True)
class Explanation:
    """Why two verdicts differ: an entry of explained.yaml, whose texts may hold wildcards."""

    checks: Sequence[str]
    theirs: str
    ours: str
    names: Sequence[str]
    right: str
    """A key of RIGHT."""
    why: str

    def covers(self, said: Said) -> bool:
        return (
            any(fnmatchcase(said.check, pattern) for pattern in self.checks)
            and fnmatchcase(said.theirs, self.theirs)
            and fnmatchcase(said.ours, self.ours)
            and any(fnmatchcase(said.name, pattern) for pattern in self.names)
        )


def explanations(path: Path = HERE / "explained.yaml") -> list[Explanation]:
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Explanation(**{"names": ["*"], "theirs": "*", "ours": "*", **entry}) for entry in entries]


# --- theirs -----------------------------------------------------------------------------------------


def executable(peer: Peer) -> str:
    found = os.environ.get("PROWLER", "")
    if not os.access(found, os.X_OK):
        raise SystemExit(INSTALL.format(version=peer.version))
    return found


def ids_of_projects(bed: OpenStackBed) -> Mapping[str, str]:
    """By name, with the administrator's own."""
    return {**bed.projects, "admin": bed.truth["base"]["admin_project"]}


def clouds_yaml(folder: Path, bed: OpenStackBed, user: str, project: str) -> Path:
    """How Prowler signs in.

    NOTE: with a project's name in place of its id, Prowler 5.46 takes the name for the id, finds no image that
    belongs to it, and says nothing of images.
    """
    auth = {
        "auth_url": bed.env["auth_url"],
        "username": user,
        "password": bed.env["users"][user]["password"],
        "user_domain_name": bed.env["domain"],
        "project_id": ids_of_projects(bed)[project],
        "project_domain_name": bed.env["domain"],
    }
    cloud = {"auth": auth, "region_name": HANOI, "identity_api_version": 3}
    return write(folder / "clouds.yaml", {"clouds": {"bed": cloud}})


def their_findings(command: str, checks: Iterable[str], folder: Path, clouds: Path) -> list[dict[str, Any]]:
    """One run. Every check is named: without names, 5.46 leaves one of the 34 out."""
    ran = subprocess.run(
        [
            command, "openstack", "--clouds-yaml-file", str(clouds), "--clouds-yaml-cloud", "bed",
            "--output-formats", "json-ocsf", "--output-directory", str(folder), "--output-filename", "theirs",
            "--no-banner", "--no-color", "--check", *sorted(checks),
        ],
        env={"HOME": str(folder), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip
    if ran.returncode not in (0, 3):
        raise SystemExit(f"Prowler ended with {ran.returncode}:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    written = folder / "theirs.ocsf.json"
    found: list[dict[str, Any]] = json.loads(written.read_text(encoding="utf-8")) if written.exists() else []
    return found


def their_verdicts(
    findings: Iterable[Mapping[str, Any]], user: str, project: str
) -> dict[tuple[str, Place], tuple[str, str]]:
    """Name and verdict by check and resource."""
    return {
        (finding["metadata"]["event_code"], Place(user, project, resource["uid"])): (
            resource["name"],
            finding["status_code"].lower(),
        )
        for finding in findings
        for resource in finding["resources"]
    }


# --- ours -------------------------------------------------------------------------------------------


def shared(peer: Peer) -> dict[str, str]:
    """Checks that we have a control for, with the nearest one: the first that the list names."""
    return {id_: check.controls[0] for id_, check in peer.checks.items() if check.controls}


def about(check: str) -> Sequence[str]:
    """The types of ours that a check is about."""
    (found,) = [types for prefix, types in TYPES.items() if check.startswith(prefix)]
    return found


def our_profile(folder: Path, peer: Peer, parameters: Mapping[str, Mapping[str, Any]]) -> Path:
    path = profile(folder, *sorted(set(shared(peer).values())))
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return write(path, {**content, "parameters": parameters} if parameters else content)


def our_audits(folder: Path, bed: OpenStackBed, peer: Peer) -> dict[str, dict[str, Audit]]:
    """Audits by identity and check: collected once, judged under each set of parameters."""
    of_cloud(folder)
    subjects = []
    for user, project, _ in IDENTITIES:
        # The bed's own name for an entry whose user and project are called alike.
        entry = f"{user}-project" if user == project else f"{user}-{project}"
        target = {
            "name": "bed",
            "kind": "openstack",
            "cloud": entry,
            "regions": [HANOI],
            "projects": [project],
        }
        subjects.append(subject(f"{user}-{project}", target, registers="registers"))
    file = targets(folder, *subjects)
    plain = our_profile(folder / "plain", peer, {})
    variables = {"OS_CLIENT_CONFIG_FILE": bed.env["clouds_yaml"]}
    ran = cloudaudit(folder, "collect", "-t", file, "-p", plain, "-o", folder / "seen", variables=variables)
    assert ran.code in (0, 3), ran.err
    found: dict[str, dict[str, Audit]] = {}
    for user, project, begins in IDENTITIES:
        id_ = f"{user}-{project}"
        snapshot = folder / "seen" / id_
        judged: dict[str, Audit] = {}
        for check in filter(lambda check: check.startswith(begins), shared(peer)):
            parameters = ASKED.get(check, {})
            key = json.dumps(parameters, sort_keys=True)
            if key not in judged:
                place = folder / "judged" / id_ / str(len(judged))
                asked = our_profile(place, peer, parameters)
                judged[key] = _assessed(place, snapshot, asked, folder / "registers")
            found.setdefault(id_, {})[check] = judged[key]
    return found


def _assessed(folder: Path, snapshot: Path, asked: Path, declared: Path) -> Audit:
    ran = cloudaudit(
        folder, "assess", snapshot, "-p", asked, "--registers", declared, "-o", folder / "out", "--lang", "en"
    )
    assert ran.code in (0, 1, 3), ran.err
    return Audit(folder / "out", ran, snapshot)


def our_verdicts(
    audit: Audit, check: str, control: str, user: str, project: str
) -> dict[Place, tuple[str, str]]:
    """Name and verdict by resource; of a whole that we judge part by part, the worst.

    What the control leaves out is NOTHING, and a whole without any part that it judges.
    """
    types = about(check)
    seen = {_key(resource.type, resource.id, resource.name): resource.name
            for type_ in types for resource in audit.resources(type_)}  # fmt: skip
    whole_of = {
        part.id: str(part.facts.get(WHOLES[type_][1]))
        for type_ in _parts(check)
        for part in audit.resources(type_)
    }
    verdicts: dict[str, str] = {}
    for finding in audit.of(control):
        resource, verdict = finding["resource"], finding["verdict"]
        if resource["type"] not in (*types, *_parts(check)):
            continue
        key = whole_of.get(resource["id"]) or _key(resource["type"], resource["id"], resource["name"])
        if key not in seen:
            # That a list is empty is no verdict about anything.
            if verdict == "not_applicable":
                continue
            key = seen.setdefault(LIST, LIST)
        verdicts[key] = min(verdict, verdicts.get(key, verdict), key=WORST.index)
    return {Place(user, project, key): (name, verdicts.get(key, NOTHING)) for key, name in seen.items()}


def _key(type_: str, id_: str, name: str | None) -> str:
    """What both call a resource: containers go by their names."""
    return name or "" if type_ == "openstack.container" and not id_.endswith("/*") else id_


def _parts(check: str) -> list[str]:
    return [part for part, (whole, _) in WHOLES.items() if whole in about(check)]


# --- side by side -----------------------------------------------------------------------------------


def joined(
    check: str, theirs: Mapping[Place, tuple[str, str]], ours: Mapping[Place, tuple[str, str]]
) -> Iterator[Said]:
    """Everything that either has a word about, in order."""
    for place in sorted(theirs.keys() | ours.keys()):
        name, their_verdict = theirs.get(place, ("", NOTHING))
        our_name, our_verdict = ours.get(place, ("", NOTHING))
        if their_verdict != NOTHING or our_verdict != NOTHING:
            yield Said(check, place, our_name or name, their_verdict, our_verdict)


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def rendered(peer: Peer, said: Sequence[Said], explained: Sequence[Explanation]) -> tuple[str, list[Said]]:
    """The document, and the differences that nobody has explained."""
    reasons: dict[int, list[Said]] = {}
    silent: list[Said] = []
    for one in said:
        if not one.is_same:
            found = next((n for n, reason in enumerate(explained) if reason.covers(one)), None)
            if found is None:
                silent.append(one)
            else:
                reasons.setdefault(found, []).append(one)
    number = {found: place for place, found in enumerate(sorted(reasons), 1)}
    head = (HERE / "agreement.md").read_text(encoding="utf-8").replace("{version}", peer.version)
    before, after = head.split("<!-- tables -->\n")
    lines = [
        before,
        "## By check",
        "",
        _row("check", "our control", "same", "different", "why"),
        _row(*["---"] * 5),
    ]
    nearest = shared(peer)
    for check in peer.checks:
        of_check = [one for one in said if one.check == check]
        same = sum(one.is_same for one in of_check)
        notes = sorted(number[n] for n, cases in reasons.items() if any(c.check == check for c in cases))
        lines.append(
            _row(
                f"`{check}`",
                nearest.get(check, "none"),
                same,
                len(of_check) - same or "",
                ", ".join(f"[{note}](#{note})" for note in notes),
            )
        )
    total = sum(one.is_same for one in said)
    others = Counter(RIGHT[explained[n].right] for n, cases in reasons.items() for _ in cases)
    counts = [f"{others[word]} times {word}" for word in RIGHT.values() if others[word]]
    lines += ["", f"{total} of {len(said)} verdicts are the same."]
    if counts:
        lines[-1] += f" Of the others, {', '.join(counts)}."
    lines += ["", "## Differences", ""]
    for found, cases in sorted(reasons.items()):
        reason = explained[found]
        note = number[found]
        lines += [
            f'### <a id="{note}"></a>{note}. {RIGHT[reason.right].capitalize()}',
            "",
            reason.why.strip(),
            "",
        ]
        lines += [_row("check", "theirs", "ours", "resources"), _row(*["---"] * 4)]
        lines += [*_cases(cases), ""]
    if silent:
        lines += ["### Not explained", "", _row("check", "theirs", "ours", "resources"), _row(*["---"] * 4)]
        lines += [*_cases(silent), ""]
    return "\n".join(lines) + "\n" + after, silent


def _cases(cases: Iterable[Said]) -> Iterator[str]:
    grouped: dict[tuple[str, str, str], list[Said]] = {}
    for one in cases:
        grouped.setdefault((one.check, one.theirs, one.ours), []).append(one)
    for (check, theirs, ours), ones in grouped.items():
        names = Counter(f"{_shown(one)} ({one.place.user})" for one in ones)
        shown = ", ".join(
            name if count == 1 else f"{count} × {name}" for name, count in sorted(names.items())
        )
        yield _row(f"`{check}`", theirs, ours, shown)


def _shown(one: Said) -> str:
    """The name of a resource. An id differs from bed to bed, and has its project instead."""
    if one.place.id == LIST:
        return f"the list of {one.place.project}"
    nameless = not one.name or one.name == f"port-{one.place.id[:8]}"
    return f"one of {one.place.project}" if nameless else one.name


def compared(folder: Path, bed: OpenStackBed, peer: Peer) -> list[Said]:
    """Run both."""
    command = executable(peer)
    audits = our_audits(folder / "ours", bed, peer)
    said: list[Said] = []
    for user, project, begins in IDENTITIES:
        checks = {check: control for check, control in shared(peer).items() if check.startswith(begins)}
        place = folder / "theirs" / f"{user}-{project}"
        clouds = clouds_yaml(place, bed, user, project)
        theirs = their_verdicts(their_findings(command, checks, place, clouds), user, project)
        for check, control in checks.items():
            of_check = {where: what for (id_, where), what in theirs.items() if id_ == check}
            audit = audits[f"{user}-{project}"][check]
            said += joined(check, of_check, our_verdicts(audit, check, control, user, project))
    return said


def main(kept: str | None = None) -> int:
    """`kept` is a folder for what both wrote, to look into a difference."""
    peer = load_peers()[PEER]
    executable(peer)
    with tempfile.TemporaryDirectory() as name, beds.openstack("hn") as bed:
        said = compared(Path(kept or name), bed, peer)
    text, silent = rendered(peer, said, explanations())
    sys.stdout.write(text)
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
