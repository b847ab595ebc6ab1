"""The registers: what an entry becomes, what is refused with its line, what is a gap."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cloudaudit import catalog
from cloudaudit.errors import Problem, RegisterError, Where
from cloudaudit.facts.claims import METRICS
from cloudaudit.model import FactSpec, FactType, Gap, Listing, Reason, Resource, Scope, parse_time
from cloudaudit.registers import (
    KINDS,
    TYPES,
    Plan,
    RegisterFile,
    Registers,
    Waiver,
    check_claims,
    check_kinds,
    check_regions,
    load,
)
from cloudaudit.yamlsource import schema

SITES = """\
version: 1
sites:
  - id: hn
    name: Trung tâm dữ liệu Hà Nội
    province: Hà Nội
    country: VN
    owner: Trưởng phòng Hạ tầng
    dc_standard: TCVN 9250:2021
    regions: [vn-hn]
    azs: [hn-az1, hn-az2]
    ip_ranges: [192.0.2.0/24, 2001:DB8::/32]
    backend_names: [ceph-hn]
    store_ids: [ceph]
    s3_locations: [vn-hn]
    endpoints: ["*.hn.cloud.example"]
    attestation: dc-hn
    risk_group: song-hong
  - {id: oslo, name: Oslo, province: Oslo, country: NO}
"""
SYSTEMS = """\
version: 1
systems:
  - id: ho-tich
    title: Hệ thống đăng ký hộ tịch
    owner_agency: Sở Tư pháp
    operator: Trung tâm Công nghệ thông tin
    owner: Trưởng phòng Nghiệp vụ
    security_level: 3
    data_classes: [personal-sensitive, important]
    criticality: critical
    rpo: PT24H
    rto: P1D
    migration_class: rehost
    national_database: false
    cross_border: false
    bia_date: 2026-03-01
    open_data: [mo-*]
    selectors:
      - {project: ho-tich, region: vn-hn}
      - {label_key: system_id, label_value: ho-tich}
      - {target: hn, catch_all: true}
  - id: cong-khai
    title: Cổng dữ liệu mở
    criticality: low
    data_classes: [open]
    national_database: false
    cross_border: false
"""
BACKUP_TARGETS = """\
version: 1
backup_targets:
  - {id: kho-hcm, zone: hcm-*, container: sao-luu, target: hn, site: hn}
  - {id: bang-tu, container: bang, site: oslo}
"""
ATTESTATIONS = """\
version: 1
attestations:
  - id: dc-hn
    kind: dc-conformity
  - id: cam-ket-dr
    kind: commitment-dr
    owner: Trung tâm Công nghệ thông tin
    title_vi: Cam kết dự phòng thảm họa
    url: https://cloud.example/dr.pdf
    file: dr.pdf
    sha256: 0000000000000000000000000000000000000000000000000000000000000000
    issued_at: 2026-01-15
    valid_until: 2026-12-31
    approver: Giám đốc Trung tâm Công nghệ thông tin
    language: [vi]
    systems: [ho-tich]
    sites: [hn]
    services: [compute]
    regions: [vn-hn]
    headings: [rpo, rto]
    reviewer: Trưởng phòng An toàn thông tin
    supersedes: dc-hn
    receipt: 12/2026
    numbers: {security_level: 3, bandwidth_gbps: 2.5, note: "007"}
    entries: [{what: Ceph multisite, site: hn}, {what: băng từ, country: NO}]
    claims:
      - {metric: backup_frequency_hours, operator: "<=", value: 24}
      - {metric: data_country, operator: =, value: VN, scope: compute}
    open_criticals: 0
    conclusion: positive
    circuits: [{id: k1, carrier: Nhà mạng A, accepted: true}]
"""
DRILLS = """\
version: 1
drills:
  - id: khoi-phuc
    kind: restore
    date: 2026-05-20T09:00:00+07:00
    result: success
    systems: [ho-tich]
    measured_rpo: PT4H
    measured_rto: PT2H30M
    bytes: 1000000
    seconds: 600
    checksum_ok: true
    backups: [b-1]
    minutes_url: https://cloud.example/bien-ban.pdf
    minutes_sha256: 1111111111111111111111111111111111111111111111111111111111111111
    approver: Giám đốc Trung tâm Công nghệ thông tin
    counterpart: Đơn vị vận hành
    valid_until: 2027-05-20
  - {id: chuyen-doi, kind: failover, date: 2026-06-01, result: fail}
"""
LANDING_PROFILE = """\
version: 1
landing_profile:
  id: mau
  publisher: Đề xuất của đơn vị
  required_services: [identity, compute]
  api_floors: {compute: 2.79, volume: 2.90, image: "2"}
  formats: [qcow2, raw]
  ndc_peers: [198.51.100.7]
  ndc_ranges: [198.51.100.0/24]
"""
WAIVERS = """\
version: 1
waivers:
  - id: mt-01
    control: SEC-06
    resource: sg-*
    system: ho-tich
    reason: Chờ thay tường lửa
    compensating: Giới hạn tại tường lửa biên
    approver: Giám đốc Sở
    authority: competent
    starts: 2025-01-01
    until: 2025-06-30
"""
PLANS = """\
version: 1
plans:
  - {control: BDR-01, system: ho-tich, measure: Bật sao lưu, owner: Trưởng phòng Hạ tầng, due: 2026-09-30}
  - {control: SEC-01, measure: Thay chứng thư, owner: Trưởng phòng Hạ tầng, due: 2026-09-30T12:00:00Z}
"""
ALL = {
    "sites": SITES, "systems": SYSTEMS, "backup_targets": BACKUP_TARGETS, "attestations": ATTESTATIONS,
    "drills": DRILLS, "landing_profile": LANDING_PROFILE, "waivers": WAIVERS, "plans": PLANS,
}  # fmt: skip


def folder(base: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (base / (name if "." in name else f"{name}.yaml")).write_text(text, encoding="utf-8")
    return base


@pytest.fixture
def full(tmp_path: Path) -> Registers:
    return load(folder(tmp_path, ALL))


def refused(base: Path, files: Mapping[str, str]) -> list[str]:
    """Problems of a folder, with the folder's own name left out."""
    with pytest.raises(RegisterError) as caught:
        load(folder(base, files))
    return told(base, caught.value.problems)


def told(base: Path, problems: Iterable[Problem]) -> list[str]:
    return [str(problem).removeprefix(f"{base}/") for problem in problems]


# --- what entries become --------------------------------------------------------------------------


def test_a_site_has_the_facts_that_were_declared(full: Registers) -> None:
    assert full.resources("site") == (
        Resource(
            "site", "hn", Scope("registers"), 0,
            {
                "province": "Hà Nội", "country": "VN", "owner": "Trưởng phòng Hạ tầng", "dc_standard": "TCVN 9250:2021",
                "regions": ("vn-hn",), "azs": ("hn-az1", "hn-az2"), "ip_ranges": ("192.0.2.0/24", "2001:db8::/32"),
                "backend_names": ("ceph-hn",), "store_ids": ("ceph",), "s3_locations": ("vn-hn",),
                "endpoints": ("*.hn.cloud.example",), "attestation": "dc-hn", "risk_group": "song-hong",
            },
            "Trung tâm dữ liệu Hà Nội",
        ),
        Resource(
            "site", "oslo", Scope("registers"), 0,
            {
                "province": "Oslo", "country": "NO", "owner": None, "dc_standard": None, "regions": (), "azs": (),
                "ip_ranges": (), "backend_names": (), "store_ids": (), "s3_locations": (), "endpoints": (),
                "attestation": None, "risk_group": None,
            },
            "Oslo",
        ),
    )  # fmt: skip


def test_a_system_has_the_facts_that_were_declared(full: Registers) -> None:
    selector = dict.fromkeys(("target", "project", "region", "label_key", "label_value", "bucket"))
    assert full.resources("system") == (
        Resource(
            "system", "ho-tich", Scope("registers"), 0,
            {
                "title": "Hệ thống đăng ký hộ tịch", "owner_agency": "Sở Tư pháp",
                "operator": "Trung tâm Công nghệ thông tin", "owner": "Trưởng phòng Nghiệp vụ", "security_level": 3,
                "data_classes": ("personal-sensitive", "important"), "criticality": "critical", "rpo": 86_400,
                "rto": 86_400, "migration_class": "rehost", "national_database": False, "cross_border": False,
                "bia_date": parse_time("2026-02-28T17:00:00Z"), "open_data": ("mo-*",),
                "selectors": (
                    {**selector, "project": "ho-tich", "region": "vn-hn", "catch_all": False},
                    {**selector, "label_key": "system_id", "label_value": "ho-tich", "catch_all": False},
                    {**selector, "target": "hn", "catch_all": True},
                ),
            },
            "Hệ thống đăng ký hộ tịch",
        ),
        Resource(
            "system", "cong-khai", Scope("registers"), 0,
            {
                "title": "Cổng dữ liệu mở", "owner_agency": None, "operator": None, "owner": None,
                "security_level": None, "data_classes": ("open",), "criticality": "low", "rpo": None, "rto": None,
                "migration_class": None, "national_database": False, "cross_border": False, "bia_date": None,
                "open_data": (), "selectors": (),
            },
            "Cổng dữ liệu mở",
        ),
    )  # fmt: skip


def test_a_backup_target_has_the_facts_that_were_declared(full: Registers) -> None:
    assert [(r.id, r.name, r.facts) for r in full.resources("backup_target")] == [
        ("kho-hcm", "kho-hcm", {"target": "hn", "zone": "hcm-*", "container": "sao-luu", "site": "hn"}),
        ("bang-tu", "bang-tu", {"target": None, "zone": None, "container": "bang", "site": "oslo"}),
    ]


def test_an_attestation_has_the_facts_that_were_declared(full: Registers) -> None:
    bare, paper = full.resources("attestation")
    assert (bare.id, bare.name) == ("dc-hn", "dc-hn")
    lists = {
        "language",
        "systems",
        "sites",
        "services",
        "regions",
        "headings",
        "entries",
        "claims",
        "circuits",
    }
    assert bare.facts == {
        **dict.fromkeys(paper.facts), **dict.fromkeys(lists, ()), "numbers": {}, "kind": "dc-conformity"
    }  # fmt: skip
    assert (paper.id, paper.name) == ("cam-ket-dr", "Cam kết dự phòng thảm họa")
    assert paper.facts == {
        "kind": "commitment-dr", "owner": "Trung tâm Công nghệ thông tin", "title_vi": "Cam kết dự phòng thảm họa",
        "url": "https://cloud.example/dr.pdf", "file": "dr.pdf", "sha256": "0" * 64,
        "issued_at": parse_time("2026-01-14T17:00:00Z"),
        # Valid until a day is valid on that day.
        "valid_until": parse_time("2026-12-31T23:59:59+07:00"),
        "approver": "Giám đốc Trung tâm Công nghệ thông tin", "language": ("vi",), "systems": ("ho-tich",),
        "sites": ("hn",), "services": ("compute",), "regions": ("vn-hn",), "headings": ("rpo", "rto"),
        "reviewer": "Trưởng phòng An toàn thông tin", "supersedes": "dc-hn", "receipt": "12/2026",
        "numbers": {"security_level": "3", "bandwidth_gbps": "2.5", "note": "007"},
        "entries": (
            {"what": "Ceph multisite", "site": "hn", "country": None},
            {"what": "băng từ", "site": None, "country": "NO"},
        ),
        "claims": (
            {"metric": "backup_frequency_hours", "operator": "<=", "value": "24", "scope": None},
            {"metric": "data_country", "operator": "=", "value": "VN", "scope": "compute"},
        ),
        "open_criticals": 0, "conclusion": "positive",
        "circuits": ({"id": "k1", "carrier": "Nhà mạng A", "accepted": True},),
    }  # fmt: skip


def test_a_drill_has_the_facts_that_were_declared(full: Registers) -> None:
    restore, failover = full.resources("drill")
    assert restore.facts == {
        "kind": "restore", "date": parse_time("2026-05-20T02:00:00Z"), "result": "success", "systems": ("ho-tich",),
        "measured_rpo": 14_400, "measured_rto": 9_000, "bytes": 1_000_000, "seconds": 600, "checksum_ok": True,
        "backups": ("b-1",), "minutes_url": "https://cloud.example/bien-ban.pdf", "minutes_sha256": "1" * 64,
        "approver": "Giám đốc Trung tâm Công nghệ thông tin", "counterpart": "Đơn vị vận hành",
        "valid_until": parse_time("2027-05-20T23:59:59+07:00"),
    }  # fmt: skip
    assert failover.facts == {
        **dict.fromkeys(restore.facts), "systems": (), "backups": (), "kind": "failover", "result": "fail",
        "date": parse_time("2026-05-31T17:00:00Z"),
    }  # fmt: skip


def test_the_landing_profile_is_one_resource(full: Registers) -> None:
    assert full.resources("landing_profile") == (
        Resource(
            "landing_profile", "mau", Scope("registers"), 0,
            {
                "publisher": "Đề xuất của đơn vị", "required_services": ("identity", "compute"),
                "api_floors": {"compute": "2.79", "volume": "2.90", "image": "2"}, "formats": ("qcow2", "raw"),
                "ndc_peers": ("198.51.100.7",), "ndc_ranges": ("198.51.100.0/24",),
            },
            "mau",
        ),
    )  # fmt: skip


def test_an_expired_waiver_is_loaded_since_the_time_is_not_known_here(
    full: Registers, tmp_path: Path
) -> None:
    assert full.waivers == (
        Waiver(
            "mt-01", "SEC-06", "sg-*", "ho-tich", "Chờ thay tường lửa", "Giới hạn tại tường lửa biên", "Giám đốc Sở",
            "competent", parse_time("2025-01-01"), parse_time("2025-06-30T23:59:59+07:00"),
            Where(f"{tmp_path}/waivers.yaml", 3, 5),
        ),
    )  # fmt: skip


def test_plans_keep_their_lines(full: Registers, tmp_path: Path) -> None:
    path = f"{tmp_path}/plans.yaml"
    owner = "Trưởng phòng Hạ tầng"
    assert full.plans == (
        Plan("BDR-01", None, "ho-tich", "Bật sao lưu", owner, parse_time("2026-09-30T23:59:59+07:00"), Where(path, 3, 5)),
        Plan("SEC-01", None, None, "Thay chứng thư", owner, parse_time("2026-09-30T12:00:00Z"), Where(path, 4, 5)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "system", "covered"),
    [
        ("sg-*", None, {("sg-1", ""), ("x", "sg-web")}),
        (None, "ho-tich", {("sg-1", ""), ("x", "sg-web"), ("x", "")}),
        ("sg-?", "ho-tich", {("sg-1", "")}),
        ("sg-*", "dat-dai", set()),
    ],
)
def test_a_waiver_covers_what_its_pattern_and_system_name(
    resource: str | None, system: str | None, covered: set[tuple[str, str]]
) -> None:
    waiver = Waiver("w", "SEC-06", resource, system, "", "", "", "internal", 0, 1, Where(""))
    plan = Plan("SEC-06", resource, system, "", "", 1, Where(""))
    candidates = [("sg-1", ""), ("x", "sg-web"), ("x", "")]
    assert {c for c in candidates if waiver.covers(*c, "ho-tich")} == covered
    assert {c for c in candidates if plan.covers(*c, "ho-tich")} == covered


def test_where_of_tells_the_line_of_an_entry(full: Registers, tmp_path: Path) -> None:
    lines = {(r.type, r.id): full.where_of(r) for type_ in TYPES.values() for r in full.resources(type_)}
    assert lines == {
        ("site", "hn"): Where(f"{tmp_path}/sites.yaml", 3, 5),
        ("site", "oslo"): Where(f"{tmp_path}/sites.yaml", 18, 5),
        ("system", "ho-tich"): Where(f"{tmp_path}/systems.yaml", 3, 5),
        ("system", "cong-khai"): Where(f"{tmp_path}/systems.yaml", 22, 5),
        ("backup_target", "kho-hcm"): Where(f"{tmp_path}/backup_targets.yaml", 3, 5),
        ("backup_target", "bang-tu"): Where(f"{tmp_path}/backup_targets.yaml", 4, 5),
        ("attestation", "dc-hn"): Where(f"{tmp_path}/attestations.yaml", 3, 5),
        ("attestation", "cam-ket-dr"): Where(f"{tmp_path}/attestations.yaml", 5, 5),
        ("drill", "khoi-phuc"): Where(f"{tmp_path}/drills.yaml", 3, 5),
        ("drill", "chuyen-doi"): Where(f"{tmp_path}/drills.yaml", 19, 5),
        ("landing_profile", "mau"): Where(f"{tmp_path}/landing_profile.yaml", 3, 3),
    }


def _fits(value: object, spec: FactSpec) -> bool:
    """Whether a value is one the declared type of a fact allows."""
    if value is None:
        return spec.nullable
    match spec.type:
        case FactType.BOOLEAN:
            return isinstance(value, bool)
        case FactType.INTEGER | FactType.TIME | FactType.DURATION:
            return type(value) is int
        case FactType.LIST:
            return (
                isinstance(value, tuple)
                and spec.items is not None
                and all(_fits(v, spec.items) for v in value)
            )
        case FactType.RECORD:
            return (
                isinstance(value, dict)
                and value.keys() == spec.fields.keys()
                and all(_fits(value[name], field) for name, field in spec.fields.items())
            )
        case FactType.MAP:
            return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
        case _:
            return isinstance(value, str)


@pytest.mark.parametrize("type_", TYPES.values())
def test_facts_are_those_that_resources_declares(full: Registers, type_: str) -> None:
    specs = {name: s for name, s in catalog.load_types()[type_].facts.items() if not s.derived}
    for resource in full.resources(type_):
        assert resource.facts.keys() == specs.keys()
        assert [name for name, value in resource.facts.items() if not _fits(value, specs[name])] == []


# --- files and gaps -------------------------------------------------------------------------------


def test_files_are_listed_with_their_digests(full: Registers) -> None:
    assert full.missing == ()
    assert full.files == tuple(
        RegisterFile(kind, f"{kind}.yaml", hashlib.sha256(ALL[kind].encode()).hexdigest()) for kind in KINDS
    )


def gap(kind: str) -> Gap:
    file = f"{kind}.yaml"
    detail = f"the register {file} was not given"
    return Gap(Scope("registers"), TYPES[kind], file, Reason.REGISTER_MISSING, detail)


@pytest.mark.parametrize("given", [False, True])
def test_registers_that_are_not_there_are_gaps(tmp_path: Path, given: bool) -> None:
    found = load(tmp_path if given else None)
    assert found.missing == tuple(gap(kind) for kind in TYPES)
    assert (found.listings, found.waivers, found.plans, found.files) == ((), (), (), ())
    assert found.by_type == dict.fromkeys(TYPES.values(), ())


def test_an_empty_register_is_a_complete_list_and_no_gap(tmp_path: Path) -> None:
    found = load(folder(tmp_path, {"drills": "version: 1\ndrills: []\n", "notes.txt": "x", "paper.pdf": "x"}))
    digest = hashlib.sha256(b"version: 1\ndrills: []\n").hexdigest()
    assert found.listings == (
        Listing(Scope("registers"), "drill", 0, f"register drills.yaml, SHA-256 {digest}"),
    )
    assert found.missing == tuple(gap(kind) for kind in TYPES if kind != "drills")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegisterError) as caught:
        load(tmp_path / "absent")
    assert told(tmp_path, caught.value.problems) == [
        "absent: there is no such folder of registers; make it, with files such as sites.yaml, systems.yaml, "
        "backup_targets.yaml"
    ]


def test_a_misnamed_register_is_refused_and_not_left_out(tmp_path: Path) -> None:
    everything = ", ".join(f"{kind}.yaml" for kind in KINDS)
    assert refused(tmp_path, {"site": "x", "systems.yml": "x", "zzz": "x"}) == [
        "site.yaml: this is no register; did you mean 'sites.yaml'?",
        "systems.yml: this is no register; did you mean 'systems.yaml'?",
        f"zzz.yaml: this is no register; registers are {everything}",
    ]


def test_mistakes_of_several_files_are_told_together(tmp_path: Path) -> None:
    hint = "keep one of the two: it is not clear which is meant"
    assert refused(tmp_path, {"sites": "a: 1\na: 2\n", "drills": "b: 1\nb: 2\n", "plans": ""}) == [
        f"drills.yaml:2:1: the key 'b' is already given at line 1; {hint}",
        f"sites.yaml:2:1: the key 'a' is already given at line 1; {hint}",
        "plans.yaml:1:1: the file is empty; write 'version: 1' and 'plans:', or delete the file if the register is not kept",
    ]


# --- bad entries ----------------------------------------------------------------------------------


def site(**changed: str) -> str:
    fields = {"id": "hn", "name": "Hà Nội", "province": "Hà Nội", "country": "VN", **changed}
    return "version: 1\nsites:\n  - " + "\n    ".join(f"{k}: {v}" for k, v in fields.items()) + "\n"


def test_norway_is_a_country_and_not_false(tmp_path: Path) -> None:
    (found,) = load(folder(tmp_path, {"sites": site(country="NO")})).resources("site")
    assert found.facts["country"] == "NO"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"country": "vn"}, "6:14: 'country': two capital letters (ISO 3166-1) are expected, such as VN, found the text 'vn'"),
        ({"country": "VNM"},
         "6:14: 'country': two capital letters (ISO 3166-1) are expected, such as VN, found the text 'VNM'"),
        ({"country": "true"}, "6:14: 'country': a text is expected, found true; write it in quotes: \"true\""),
        ({"region": "[vn-hn]"}, "7:5: unknown key 'region'; did you mean 'regions'?"),
        ({"regions": "vn-hn"},
         "7:14: 'regions': a list is expected, found the text 'vn-hn'; write it in brackets: [vn-hn]"),
        ({"azs": "[1]"}, "7:11: 'azs', item 1: a text is expected, found the number 1; write it in quotes: \"1\""),
        ({"ip_ranges": "[10.0.0.1/8]"},
         "7:17: 'ip_ranges', item 1: '10.0.0.1/8' is an address inside a network; did you mean '10.0.0.0/8'?"),
        ({"name": ""}, "4:10: 'name': a text is expected, found nothing; give a value, or leave the key out"),
        ({"id": "Hà-Nội"},
         "3:9: 'id': small letters without accents, digits, '.', '_' and '-' are expected, such as kho-hn-1, "
         "found the text 'Hà-Nội'"),
        ({"endpoints": "[https://x.example/]"},
         "7:17: 'endpoints', item 1: a host name or address without scheme and path is expected, such as api.example.vn "
         "or *.hn.example.vn, found the text 'https://x.example/'"),
    ],
)  # fmt: skip
def test_mistakes_in_a_site_stand_at_their_place(
    tmp_path: Path, changed: Mapping[str, str], problem: str
) -> None:
    assert refused(tmp_path, {"sites": site(**changed)}) == [f"sites.yaml:{problem}"]


def system(**changed: str) -> str:
    fields = {
        "id": "ho-tich", "title": "Hộ tịch", "criticality": "high", "data_classes": "[important]",
        "national_database": "false", "cross_border": "false", **changed,
    }  # fmt: skip
    return "  - " + "\n    ".join(f"{k}: {v}" for k, v in fields.items() if v != "-") + "\n"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"criticality": "hihg"}, "5:18: 'criticality': the text 'hihg' is not known here; did you mean 'high'?"),
        ({"criticality": "-"},
         "3:5: missing key 'criticality'; criticality: How much depends on it: critical, high, medium or low."),
        ({"cross_border": "-"},
         "3:5: missing key 'cross_border'; cross_border: Whether data of it is transferred abroad "
         "(chuyển dữ liệu xuyên biên giới)."),
        ({"cross_border": "no"},
         "8:19: 'cross_border': true or false is expected, found the text 'no'; write true or false, without quotes"),
        ({"data_classes": "[improtant]"},
         "6:20: 'data_classes', item 1: the text 'improtant' is not known here; did you mean 'important'?"),
        ({"rpo": "24h"}, "9:10: 'rpo': '24h' is no duration; did you mean 'PT24H'?"),
        ({"rpo": "P1M"},
         "9:10: 'rpo': 'P1M' has months or years, which differ in length; write days, as in P365D"),
        ({"bia_date": "31/12/2025"}, "9:15: 'bia_date': '31/12/2025' is no time; write 2025-12-31"),
        ({"security_level": "6"},
         "9:21: 'security_level': at most 5 is expected, found the number 6; "
         "Approved information security level, 1 to 5 (cấp độ an toàn hệ thống thông tin)."),
        ({"selectors": "[{catch_all: true}]"},
         "9:17: one of 'project', 'label_key', 'bucket', 'target' or 'region' is needed; add 'project:'"),
        ({"selectors": "[{projct: x}]"}, "9:18: unknown key 'projct'; did you mean 'project'?"),
    ],
)  # fmt: skip
def test_mistakes_in_a_system_stand_at_their_place(
    tmp_path: Path, changed: Mapping[str, str], problem: str
) -> None:
    found = refused(tmp_path, {"systems": "version: 1\nsystems:\n" + system(**changed)})
    assert f"systems.yaml:{problem}" in found


def test_a_register_of_another_version_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, {"sites": "version: 2\nsites: []"}) == [
        "sites.yaml:1:10: 'version': the number 1 is expected, found the number 2; Version of this file's form."
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeated_id_is_refused_with_both_lines(tmp_path: Path, kind: str) -> None:
    if kind in ("landing_profile", "plans"):
        return
    shape = schema(kind)["$defs"]["entry"]
    written: Mapping[str, Any] = {
        "control": "SEC-01", "country": "VN", "kind": "restore", "result": "success", "criticality": "low",
        "data_classes": "[open]", "national_database": "false", "cross_border": "false", "date": "2026-01-01",
        "starts": "2026-01-01", "until": "2026-02-01", "authority": "internal", "zone": "z", "resource": "r",
    }  # fmt: skip
    extra = {"backup_targets": ["zone"], "waivers": ["resource"]}.get(kind, [])
    entry = ", ".join(f"{key}: {written.get(key, 'x')}" for key in [*shape["required"], *extra])
    text = f"version: 1\n{kind}:\n  - {{{entry}}}\n  - {{{entry}}}\n"
    assert refused(tmp_path, {kind: text}) == [
        f"{kind}.yaml:4:{text.splitlines()[3].index('id: x') + 5}: the id 'x' is already given at line 3; "
        "keep one of the two"
    ]


def test_a_repeated_plan_is_refused_with_both_lines(tmp_path: Path) -> None:
    plan = "  - {control: SEC-01, measure: x, owner: y, due: 2026-01-01}\n"
    assert refused(tmp_path, {"plans": f"version: 1\nplans:\n{plan}{plan}"}) == [
        "plans.yaml:4:15: this plan is already given at line 3; keep one of the two"
    ]


@pytest.mark.parametrize(
    ("kind", "old", "new", "problem"),
    [
        ("sites", "attestation: dc-hn", "attestation: dc-nh",
         "16:18: there is no 'dc-nh' in attestations.yaml; did you mean 'dc-hn'?"),
        ("backup_targets", "site: oslo", "site: bergen",
         "4:42: there is no 'bergen' in sites.yaml; add it there, or correct the id"),
        ("attestations", "systems: [ho-tich]", "systems: [ho-tich, ho-tch]",
         "16:24: there is no 'ho-tch' in systems.yaml; did you mean 'ho-tich'?"),
        ("attestations", "sites: [hn]", "sites: [hm]",
         "17:13: there is no 'hm' in sites.yaml; add it there, or correct the id"),
        ("attestations", "site: hn}", "site: os}",
         "25:44: there is no 'os' in sites.yaml; did you mean 'oslo'?"),
        ("attestations", "supersedes: dc-hn", "supersedes: cam-ket-dr",
         "22:17: 'cam-ket-dr' cannot replace itself; name the earlier paper"),
        ("drills", "systems: [ho-tich]", "systems: [khong-co]",
         "7:15: there is no 'khong-co' in systems.yaml; add it there, or correct the id"),
        ("waivers", "system: ho-tich", "system: ho", "6:13: there is no 'ho' in systems.yaml; add it there, or correct the id"),
        ("plans", "system: ho-tich", "system: hotich",
         "3:31: there is no 'hotich' in systems.yaml; did you mean 'ho-tich'?"),
    ],
)  # fmt: skip
def test_references_to_nothing_are_refused(
    tmp_path: Path, kind: str, old: str, new: str, problem: str
) -> None:
    assert old in ALL[kind]
    assert refused(tmp_path, {**ALL, kind: ALL[kind].replace(old, new)}) == [f"{kind}.yaml:{problem}"]


def test_references_into_a_register_that_was_not_given_are_not_checked(tmp_path: Path) -> None:
    found = load(folder(tmp_path, {"drills": DRILLS}))
    assert [r.id for r in found.resources("drill")] == ["khoi-phuc", "chuyen-doi"]


def test_two_systems_with_the_same_selector_are_refused_with_both_lines(tmp_path: Path) -> None:
    text = (
        "version: 1\nsystems:\n"
        + system(selectors="[{project: a, region: r}]")
        + system(id="dat-dai", selectors="[{bucket: b-*}, {region: r, project: a, catch_all: false}]")
    )
    assert refused(tmp_path, {"systems": text}) == [
        "systems.yaml:16:32: 'dat-dai' has the same selector as 'ho-tich' at line 9; "
        "what it fits would belong to two systems: make one of them narrower"
    ]


def test_a_site_in_two_countries_is_refused(tmp_path: Path) -> None:
    contrary = ATTESTATIONS.replace("site: hn}", "site: oslo, country: VN}")
    problem = (
        "attestations.yaml:25:59: site 'oslo' is in NO by sites.yaml, and here in VN; "
        "correct one, or leave the country out here"
    )
    assert refused(tmp_path, {**ALL, "attestations": contrary}) == [problem]
    agreeing = contrary.replace("country: VN}", "country: NO}")
    assert load(folder(tmp_path, {**ALL, "attestations": agreeing}))


def test_ends_before_their_begin_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, {
        **ALL,
        "attestations": ATTESTATIONS.replace("issued_at: 2026-01-15", "issued_at: 2027-01-15"),
        "drills": DRILLS.replace("valid_until: 2027-05-20", "valid_until: 2026-05-19"),
        "waivers": WAIVERS.replace("until: 2025-06-30", "until: 2024-12-31"),
    }) == [
        "attestations.yaml:13:18: 'valid_until' comes before 'issued_at', which is 2027-01-15; correct one",
        "drills.yaml:18:18: 'valid_until' comes before 'date', which is 2026-05-20T09:00:00+07:00; correct one",
        "waivers.yaml:12:12: 'until' comes before 'starts', which is 2025-01-01; correct one",
    ]  # fmt: skip


# --- waivers --------------------------------------------------------------------------------------


def waivers(**changed: str) -> str:
    fields = {
        "id": "w", "control": "SEC-06", "resource": "'*'", "reason": "x", "compensating": "y", "approver": "Giám đốc",
        "authority": "internal", "starts": "2026-01-01", "until": "2026-06-30", **changed,
    }  # fmt: skip
    return (
        "version: 1\nwaivers:\n  - "
        + "\n    ".join(f"{k}: {v}" for k, v in fields.items() if v != "-")
        + "\n"
    )


@pytest.mark.parametrize(
    ("starts", "until", "limit"),
    [
        ("2026-01-01", "2027-01-01", None),
        ("2026-01-01", "2027-01-02", "2027-01-01"),
        ("2024-02-29", "2025-02-28", None),
        ("2024-02-29", "2025-03-01", "2025-02-28"),
        ("2026-01-01T00:00:00+07:00", "2027-01-01T23:00:00+07:00", None),
        ("2026-01-01", "2036-01-01", "2027-01-01"),
    ],
)
def test_a_waiver_lasts_twelve_months_at_most(
    tmp_path: Path, starts: str, until: str, limit: str | None
) -> None:
    files = {"waivers": waivers(starts=starts, until=until)}
    if limit is None:
        assert [w.id for w in load(folder(tmp_path, files)).waivers] == ["w"]
        return
    assert refused(tmp_path, files) == [
        f"waivers.yaml:11:12: a waiver lasts at most 12 months, here until {limit}; found {until}; "
        "shorten it, and decide again when it ends"
    ]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"resource": "-"}, "3:5: one of 'resource' or 'system' is needed; add 'resource:'"),
        ({"compensating": "-"}, "3:5: missing key 'compensating'; compensating: Compensating measure (biện pháp thay thế)."),
        ({"control": "sec-6"}, "4:14: 'control': the id of a control is expected, such as BDR-01, found the text 'sec-6'"),
        ({"authority": "competant"}, "9:16: 'authority': the text 'competant' is not known here; did you mean 'competent'?"),
        ({"verdict": "unknown"},
         "12:5: a waiver cannot choose verdicts; it applies to fail and expired; "
         "unknown and manual_pending cannot be waived: remove the key"),
    ],
)  # fmt: skip
def test_mistakes_in_a_waiver_stand_at_their_place(
    tmp_path: Path, changed: Mapping[str, str], problem: str
) -> None:
    assert refused(tmp_path, {"waivers": waivers(**changed)}) == [f"waivers.yaml:{problem}"]


# --- warnings -------------------------------------------------------------------------------------


def test_regions_that_no_target_has_are_warned_of(full: Registers, tmp_path: Path) -> None:
    assert check_regions(full, {"vn-hn"}) == []
    assert told(tmp_path, check_regions(full, {"vn-hm", "vn-dn"})) == [
        f"{place}: names region 'vn-hn' that no target has; did you mean 'vn-hm'?"
        for place in ("sites.yaml:9:15", "systems.yaml:19:36", "attestations.yaml:19:15")
    ]
    assert told(tmp_path, check_regions(full, ()))[0] == (
        "sites.yaml:9:15: names region 'vn-hn' that no target has; regions: none"
    )


def test_kinds_that_no_control_asks_for_are_warned_of(full: Registers, tmp_path: Path) -> None:
    assert check_kinds(full, {"dc-conformity", "commitment-dr", "restore", "failover"}) == []
    assert told(tmp_path, check_kinds(full, {"dc-conformity", "commitments-dr", "restore"})) == [
        "attestations.yaml:6:11: no control asks for the kind 'commitment-dr'; did you mean 'commitments-dr'?",
        "drills.yaml:19:28: no control asks for the kind 'failover'",
    ]


def test_misspelt_metrics_of_claims_are_warned_of(tmp_path: Path) -> None:
    assert METRICS.keys() >= {"backup_frequency_hours", "data_country"}
    text = ATTESTATIONS.replace("metric: backup_frequency_hours", "metric: backup_frequency_hour")
    found = load(
        folder(tmp_path, {"attestations": text.replace("metric: data_country", "metric: sla_per_cent")})
    )
    assert told(tmp_path, check_claims(found, METRICS)) == [
        "attestations.yaml:27:18: the metric 'backup_frequency_hour' cannot be compared with what is observed; "
        "did you mean 'backup_frequency_hours'?"
    ]


# --- schemas --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_closed_and_have_a_stable_name(kind: str) -> None:
    read = schema(kind)
    assert (read["$schema"], read["$id"]) == (
        "https://json-schema.org/draft/2020-12/schema", f"urn:cloudaudit:schema:{kind}:1",
    )  # fmt: skip
    open_ = [
        name for name, shape in {"": read, **read["$defs"]}.items()
        if "properties" in shape and shape.get("additionalProperties") is not False
    ]  # fmt: skip
    assert open_ == []


def test_a_paper_may_treat_a_version_of_a_guideline(tmp_path: Path) -> None:
    """As the control does that asks for it by default."""
    profile = catalog.load_profile("ndc-connection", catalog.load_catalogue())
    guideline = next(control for control in profile.controls if control.id == "POR-08").values["guideline"]
    text = f"version: 1\nattestations:\n  - {{id: kiem-thu, kind: interop-test-report, headings: ['{guideline}']}}\n"
    (tmp_path / "attestations.yaml").write_text(text, encoding="utf-8")
    (paper,) = load(tmp_path).resources("attestation")
    assert paper.facts["headings"] == (guideline,)
