"""Reports to render: a small one for exact screens, a realistic one, a hostile one, and one of many findings.

Made by the writer and the roll-up themselves, so that a reporter is never tested against a shape
that report.json does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

from cloudaudit.model import (
    MISSING,
    AtLeast,
    Basis,
    Call,
    Control,
    Explanation,
    FactSpec,
    FactType,
    Finding,
    Gap,
    Gate,
    Method,
    Obligation,
    Profile,
    Reading,
    Reason,
    Remediation,
    Resource,
    ResourceType,
    Scope,
    Severity,
    SourceState,
    Tally,
    Text,
    Unseen,
    Value,
    Verdict,
    parse_time,
)
from cloudaudit.readiness import ClaimFigures, CollectionFigures, control_result, readiness
from cloudaudit.reporters import Context
from cloudaudit.reporters.report_json import FindingWriter, Parts, build, capabilities

COLLECTED = parse_time("2026-11-22T08:05:00+07:00")
ASSESSED = parse_time("2026-11-22T08:30:00+07:00")
DIGEST = "9f2c" * 16
WEIGHTS = {"RES": 20, "BDR": 20, "SEC": 20, "POR": 15, "DAT": 8, "COM": 10, "NDC": 7}

CALLS = {
    1: ("block-storage", "GET /v3/volumes/detail?all_tenants=1", 200),
    2: ("block-storage", "GET /v3/backups/detail", 200),
    3: ("s3", "GET /?location", 200),
    4: ("s3", "GET /?replication", 200),
    5: ("network", "GET /v2.0/security-group-rules", 200),
    6: ("s3", "GET /?policyStatus", 403),
}


def call(number: int) -> Call:
    service, request, status = CALLS[number]
    return Call(number, Scope("hn-cloud"), service, request, status, COLLECTED)


def _spec(name: str, type_: str, vi: str = "", en: str = "", derived: str = "", **more: Any) -> FactSpec:
    return FactSpec(name, FactType(type_), meaning=Text(vi, en), derived=derived, **more)


def _type(name: str, vi: str, en: str, *facts: FactSpec) -> ResourceType:
    return ResourceType(name, Text(vi, en), False, "", {spec.name: spec for spec in facts})


_DESTINATION = FactSpec(
    "",
    FactType.RECORD,
    fields={
        "bucket": _spec("bucket", "string"),
        "known": _spec("known", "boolean"),
        "site": _spec("site", "string"),
        "country": _spec("country", "string"),
        "domestic": _spec("domestic", "boolean"),
    },
)
TYPES = {
    one.name: one
    for one in (
        _type(
            "openstack.volume",
            "Khối lưu trữ",
            "Volume",
            _spec("system.id", "string", "Hệ thống thông tin", "System", "attribution"),
            _spec("system.rpo", "duration", "RPO của hệ thống", "RPO of the system", "attribution"),
            _spec("site.id", "string", "Địa điểm", "Site", "location"),
            _spec(
                "backup.newest_age", "duration", "Tuổi bản sao lưu mới nhất", "Age of newest backup", "backup"
            ),
            _spec("backup.count", "integer", "Số bản sao lưu", "Number of backups", "backup"),
            _spec("encrypted", "boolean", "Được mã hóa", "Encrypted"),
        ),
        _type(
            "s3.bucket",
            "Bucket",
            "Bucket",
            _spec("location", "string", "Ràng buộc vị trí", "Location constraint"),
            _spec("site.id", "string", "Địa điểm", "Site", "location"),
            _spec(
                "replication.destinations",
                "list",
                "Đích sao chép",
                "Replication targets",
                "replication",
                items=_DESTINATION,
            ),
            _spec("public.read", "boolean", "Đọc công khai", "Public read"),
        ),
        _type(
            "openstack.security_group_rule",
            "Quy tắc nhóm bảo mật",
            "Security group rule",
            _spec("remote_prefix", "address", "Địa chỉ nguồn", "Source"),
            _spec("ports", "ports", "Cổng", "Ports"),
        ),
        _type("platform", "Nền tảng", "Platform"),
        _type("system", "Hệ thống thông tin", "Information system"),
        _type(
            "attestation",
            "Hồ sơ",
            "Paper",
            _spec("kind", "string", "Loại hồ sơ", "Kind"),
            _spec("valid_until", "time", "Có hiệu lực đến", "Valid until"),
        ),
    )
}

# --- controls ---------------------------------------------------------------------------------------


def control(
    id_: str,
    vi: str,
    en: str,
    severity: str = "high",
    *,
    type_: str = "platform",
    method: str = "T",
    basis: str = "O",
    message: Text | None = None,
    obligations: tuple[str, ...] = ("D1121-15d",),
    cli: tuple[str, ...] = (),
) -> Control:
    return Control(
        id=id_,
        version="1.0.0",
        title=Text(vi, en),
        severity=Severity(severity),
        method=Method(method),
        basis=Basis(basis),
        applies_to=(type_,),
        check=None,
        message=message or Text(f"{{name}}: {vi[0].lower()}{vi[1:]}", f"{{name}}: {en[0].lower()}{en[1:]}"),
        limits=Text(
            "Chỉ xét những gì API cho thấy; nội dung thực tế do con người đánh giá.",
            "Judges only what the API shows; people judge the substance.",
        ),
        remediation=Remediation(
            Text(
                "Khắc phục theo hướng dẫn của đơn vị vận hành, rồi thu thập lại.",
                "Correct it, then collect again.",
            ),
            cli,
        ),
        obligations=obligations,
        frameworks={"ccm-4.0": ("DSP-19",)},
        digest=DIGEST,
    )


CONTROLS = (
    control(
        "RES-01",
        "Khối lưu trữ nằm tại địa điểm trong nước đã khai báo",
        "Volumes are at declared domestic sites",
        "critical",
        type_="openstack.volume",
        basis="O+D",
        obligations=("LDL-01",),
        message=Text("Khối {name}: đặt tại {site.id}", "Volume {name}: kept at {site.id}"),
    ),
    control(
        "RES-04",
        "Bucket nằm tại địa điểm trong nước đã khai báo",
        "Buckets are at declared domestic sites",
        "critical",
        type_="s3.bucket",
        basis="O+D",
        obligations=("LDL-01",),
        message=Text("Bucket {name}: ràng buộc vị trí {location}", "Bucket {name}: location {location}"),
    ),
    control(
        "RES-05",
        "Đích sao chép S3 nằm tại địa điểm trong nước đã khai báo",
        "S3 replication targets stay in declared domestic sites",
        "critical",
        type_="s3.bucket",
        basis="O+D",
        obligations=("LDL-01", "LBV-01"),
        message=Text(
            "Bucket {name}: đích sao chép đang bật: {replication.destinations}",
            "Bucket {name}: active replication targets: {replication.destinations}",
        ),
        cli=("aws s3api delete-bucket-replication --bucket <bucket> --endpoint-url <url>",),
    ),
    control("RES-14", "Có công bố vị trí dữ liệu của nền tảng", "Location of data is stated", "critical", method="P", basis="A"),
    control(
        "BDR-01",
        "Khối lưu trữ quan trọng có bản sao lưu thành công trong giới hạn RPO",
        "Critical volumes have a successful backup within the RPO",
        "critical",
        type_="openstack.volume",
        obligations=("D1121-15d", "TT12-02"),
        message=Text(
            "Khối {name} của hệ thống {system.id}: bản sao lưu mới nhất cách đây {backup.newest_age}",
            "Volume {name} of system {system.id}: the newest backup is {backup.newest_age} old",
        ),
        cli=("openstack volume backup create --name <name> --incremental --force <volume>",),
    ),
    control(
        "BDR-05",
        "Bản sao lưu được mã hóa",
        "Backups are encrypted",
        "medium",
        type_="openstack.volume",
        message=Text("Khối {name}: mã hóa: {encrypted}", "Volume {name}: encrypted: {encrypted}"),
    ),
    control("BDR-21", "Đã diễn tập khôi phục dữ liệu trong 12 tháng", "A restore drill was held within 12 months", "critical", type_="system", method="D", basis="A+O"),
    control("BDR-24", "Có phương án dự phòng thảm họa còn hiệu lực", "A disaster recovery plan is in force", "critical", method="P", basis="A"),
    control(
        "SEC-06",
        "Cổng quản trị không mở ra mọi địa chỉ",
        "Administration ports are not open to every address",
        "critical",
        type_="openstack.security_group_rule",
        message=Text("Quy tắc {name}: nguồn {remote_prefix}, cổng {ports}", "Rule {name}: source {remote_prefix}, ports {ports}"),
        cli=("openstack security group rule delete <rule>",),
    ),
    control(
        "SEC-13",
        "Bucket không đọc được công khai",
        "Buckets cannot be read by the public",
        "critical",
        type_="s3.bucket",
        basis="O+D",
        message=Text("Bucket {name}: đọc công khai: {public.read}", "Bucket {name}: public read: {public.read}"),
    ),
    control("SEC-10", "Tài khoản quản trị dùng xác thực đa yếu tố", "Administrators use multi-factor authentication", "high"),
    control("POR-06", "Ảnh máy ảo ở định dạng mở", "Images are in open formats", "high"),
    control("POR-12", "Có tài liệu định dạng và giao diện xuất dữ liệu", "Export formats and interfaces are documented", "high", method="P", basis="A"),
    control("DAT-01", "Mọi dự án thuộc về một hệ thống thông tin đã khai báo", "Every project belongs to a declared system", "high", basis="O+D"),
    control("COM-01", "Công bố chính sách quản lý dữ liệu", "Data-management policy is published", "critical", method="P", basis="A"),
    control("COM-04", "Công bố cam kết khả năng chuyển đổi", "Portability commitment is published", "critical", method="P", basis="A"),
    control("COM-12", "Cam kết đã công bố phù hợp với thực tế quan sát", "Published commitments agree with observation", "high", basis="A+O"),
    control("NDC-01", "Có kết quả đánh giá của cấp có thẩm quyền", "The competent authority has assessed", "high", method="P", basis="A"),
    control("NDC-02", "Kênh kết nối được mã hóa theo chuẩn", "The connection channel is encrypted", "critical", basis="A+O"),
)  # fmt: skip

GATES = (
    Gate("G1", Text("Dữ liệu và sao lưu ở trong nước, có căn cứ", "Data and backups are in the country, with proof"), ("RES-01", "RES-04", "RES-05", "RES-14")),
    Gate("G2", Text("Dữ liệu quan trọng khôi phục được", "Critical data can be recovered"), ("BDR-01", "BDR-21", "BDR-24")),
    Gate("G3", Text("Hồ sơ cấp độ được phê duyệt", "The security level dossier is approved"), ("SEC-21",)),
    Gate("G4", Text("Biện pháp an toàn cơ bản", "Basic security measures"), ("SEC-06", "SEC-13")),
    Gate("G5", Text("Đã công bố 05 cam kết", "The five commitments are published"), ("COM-01", "COM-04")),
    Gate("G6", Text("Có khả năng chuyển đổi, tương hợp", "Able to switch and to interoperate"), ("POR-06", "POR-12")),
    Gate("G7", Text("Xác định hệ thống và loại dữ liệu", "Systems and data classes are determined"), ("DAT-01",)),
    Gate("G8", Text("Kênh kết nối an toàn, dự phòng", "The connection channel is safe and redundant"), ("NDC-02",)),
    Gate("G9", Text("Kết quả đánh giá của cấp có thẩm quyền", "Assessment by the competent authority"), ("NDC-01",), final=True),
)  # fmt: skip

OBLIGATIONS = {
    one.id: one
    for one in (
        Obligation(
            "D1121-15d", "Quyết định số 1121/QĐ-TTg ngày 11/6/2025 của Thủ tướng Chính phủ", "II.4.b",
            "dự phòng thảm họa", "disaster recovery", SourceState.QUOTED, "in_force", "", "decision", ("P",),
        ),
        Obligation(
            "LDL-01", "Luật Dữ liệu số 60/2024/QH15", "Điều 23", "chuyển, xử lý dữ liệu xuyên biên giới",
            "transfer of data abroad", SourceState.REPORTED, "in_force", "", "law", ("A", "P"),
        ),
        Obligation(
            "LBV-01", "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15", "chưa rõ điều, khoản", "",
            "personal data sent abroad needs a dossier", SourceState.UNVERIFIED, "to_confirm", "", "law", ("P",),
        ),
        Obligation(
            "TT12-02", "Thông tư số 12/2022/TT-BTTTT", "Phụ lục", "sao lưu dự phòng", "backups", SourceState.QUOTED,
            "in_force", "", "circular", ("A",),
        ),
    )
}  # fmt: skip

# --- findings -----------------------------------------------------------------------------------------


def resource(
    type_: str,
    id_: str,
    facts: Mapping[str, Value] | None = None,
    *,
    name: str | None = None,
    target: str = "hn-cloud",
    region: str | None = "hn-1",
    project: str | None = "ho-tich",
    call_number: int = 1,
    unseen: Mapping[str, Unseen] | None = None,
) -> Resource:
    return Resource(
        type_, id_, Scope(target, region, project), COLLECTED,
        {"id": id_, "name": name or id_, "target": target, "region": region, "project": project, **(facts or {})},
        name or id_, "", unseen or {}, {"": call_number},
    )  # fmt: skip


def declared(type_: str, id_: str, **facts: Value) -> Resource:
    return Resource(
        type_, id_, Scope("registers"), ASSESSED,
        {"id": id_, "name": id_, "target": "registers", "region": None, "project": None, **facts}, id_,
    )  # fmt: skip


def finding(
    control_id: str,
    about: Resource,
    verdict: str,
    *facts: str,
    weight: int | None = None,
    reason: str | None = None,
    detail: str = "",
    waiver: str | None = None,
    refused: Text | None = None,
    controls: Iterable[Control] = CONTROLS,
) -> Finding:
    """A finding whose evidence is the named facts of its resource."""
    by_id = {one.id: one for one in controls}
    readings = tuple(
        Reading(about, fact, about.facts.get(fact, MISSING), about.why_missing(fact)) for fact in facts
    )
    return Finding(
        by_id[control_id], about, Verdict(verdict), Reason(reason) if reason else None, detail, weight, waiver,
        refused, Explanation(None, readings),
    )  # fmt: skip


def unseen_scope(control_id: str, type_: str, reason: str, target: str, region: str | None = None) -> Finding:
    scope = Scope(target, region)
    return finding(control_id, Resource(type_, str(scope), scope, ASSESSED, {}), "unknown", reason=reason)


# --- whole reports ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a report is made of."""

    findings: Sequence[Finding]
    controls: Sequence[Control] = CONTROLS
    gates: Sequence[Gate] = GATES
    kind: str = "provider"
    subject: Mapping[str, Any] = field(
        default_factory=lambda: {
            "id": "nen-tang-an-binh",
            "kind": "provider",
            "title": {"vi": "Nền tảng đám mây An Bình", "en": "An Bình cloud platform"},
        }
    )
    targets: Sequence[Mapping[str, Any]] = (
        {
            "name": "hn-cloud",
            "kind": "openstack",
            "vantage": "operator",
            "regions": "all",
            "projects": ["ho-tich"],
        },
        {"name": "s3-hn", "kind": "s3", "endpoint": "https://s3.anbinh.example", "buckets": "all"},
    )
    gaps: Sequence[Gap] = ()
    collection: Sequence[Mapping[str, Any]] = ()
    claims: Sequence[Mapping[str, str]] = ()
    endpoints: Sequence[Resource] = ()
    """S3 endpoints, for what they can do."""
    plans: Sequence[Mapping[str, Any]] = ()
    registers: Sequence[str] = ("sites", "systems")
    excluded: Mapping[str, Text] = field(
        default_factory=lambda: {"SEC-21": Text("thuộc trách nhiệm cơ quan", "the agency's duty")}
    )
    changed: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)


def report(inputs: Inputs) -> dict[str, Any]:
    """Roll up and write report.json."""
    tallies = {one.id: Tally() for one in inputs.controls}
    for one in inputs.findings:
        tallies[one.control.id].add("waived" if one.waiver else one.verdict.value, one.weight)
        if one.verdict is Verdict.UNKNOWN and one.resource.facts == {}:
            tallies[one.control.id].listing_complete = False
    profile = _profile(inputs)
    rolled = readiness(
        profile,
        tallies,
        registers_present=frozenset(inputs.registers),
        collection=CollectionFigures(12, 11, 4, 4, 6, 6),
        claims=ClaimFigures(
            sum(c["state"] == "refuted" for c in inputs.claims),
            sum(c["state"] == "unverified" for c in inputs.claims),
        ),
        planned=frozenset(),
    )
    writer = FindingWriter(TYPES, call)
    records = [writer.record(one) for one in inputs.findings if one.verdict is not Verdict.PASS]
    return build(
        Parts(
            tool={"name": "cloudaudit", "version": "0.1.0"},
            generated_at="2026-11-22T01:31:00Z",
            assessed_at="2026-11-22T01:30:00Z",
            subject=inputs.subject,
            targets=inputs.targets,
            profile=profile,
            catalogue={"version": "0.1.0", "sha256": DIGEST},
            snapshot={"sha256": DIGEST, "collected_at": "2026-11-22T01:05:00Z"},
            readiness=rolled,
            tallies=tallies,
            control_results={id_: _result(tally) for id_, tally in tallies.items()},
            findings=records,
            findings_file={"path": "findings.jsonl.gz", "sha256": DIGEST, "count": len(inputs.findings)},
            gaps=inputs.gaps,
            collection=inputs.collection,
            claims=inputs.claims,
            capabilities=capabilities(inputs.endpoints),
            plans=inputs.plans,
            waivers=(),
            registers=[
                {"kind": k, "path": f"registers/{k}.yaml", "sha256": DIGEST} for k in inputs.registers
            ],
        )
    )


def _result(tally: Tally) -> tuple[str, Fraction | None]:
    found = control_result(tally)
    return found.verdict, found.lower if found.applicable else None


def _profile(inputs: Inputs) -> Profile:
    present = {one.dimension for one in inputs.controls}
    return Profile(
        id="ndc-connection",
        version="1.0.0",
        title=Text(
            "Sẵn sàng kết nối Trung tâm dữ liệu quốc gia", "Readiness to connect to the National Data Center"
        ),
        publisher=Text("dự án cloudaudit", "the cloudaudit project"),
        official=False,
        kind=inputs.kind,
        controls=tuple(inputs.controls),
        excluded=inputs.excluded,
        weights={d: Fraction(w, 100) for d, w in WEIGHTS.items() if d in present},
        gates=tuple(inputs.gates),
        thresholds={
            "0": {"coverage": Fraction(60), "collection": Fraction(80)},
            "3": {"score": Fraction(70), "weakest": Fraction(50), "coverage": Fraction(85)},
        },
        digest=DIGEST,
        notice=Text(
            "Hồ sơ năng lực do dự án cloudaudit đề xuất, không phải tiêu chuẩn của cơ quan có thẩm quyền.",
            "Capability profile proposed by the cloudaudit project, not a standard of a competent authority.",
        ),
        changed=inputs.changed,
    )


def context(lang: Literal["vi", "en"] = "vi", *, inputs: Inputs | None = None, **changes: Any) -> Context:
    controls = inputs.controls if inputs else CONTROLS
    made = Context(
        {one.id: one for one in controls}, OBLIGATIONS, TYPES, {"site": SITES, "system": SYSTEMS}, lang=lang
    )
    return replace(made, **changes)


SITES = (
    declared("site", "hn-1", name="Trung tâm dữ liệu Hòa Lạc", province="Hà Nội", country="VN", regions=("hn-1",), azs=("hn-az1", "hn-az2"), s3_locations=("hn",), attestation="HS-2026-014"),
    declared("site", "hcm-1", name="Trung tâm dữ liệu Quang Trung", province="Thành phố Hồ Chí Minh", country="VN", regions=("hcm-1",), azs=("hcm-az1",), s3_locations=("hcm",), endpoints=("s3.anbinh.example",)),
    declared("site", "sg-1", name="Trung tâm dữ liệu đối tác", province="Singapore", country="SG", s3_locations=("sg",), attestation=None),
)  # fmt: skip
SITES = tuple(replace(site, name=str(site.facts["name"])) for site in SITES)
SYSTEMS = (
    declared("system", "ho-tich", title="Hệ thống đăng ký hộ tịch", owner_agency="Sở Tư pháp", operator="Trung tâm Chuyển đổi số", security_level=3, data_classes=("personal-basic", "important"), criticality="critical", rpo=14400, rto=28800, national_database=False),
    declared("system", "cong-dich-vu", title="Cổng dịch vụ công", owner_agency="Văn phòng Ủy ban nhân dân thành phố", operator="Trung tâm Chuyển đổi số", security_level=3, data_classes=("shared",), criticality="high", rpo=86400, rto=None, national_database=False),
)  # fmt: skip


# --- small: exact screens -------------------------------------------------------------------------------


def small() -> Inputs:
    """Three controls, one blocked gate, one open, one unknown, a waiver."""
    chosen = tuple(c for c in CONTROLS if c.id in ("RES-05", "BDR-01", "BDR-05", "SEC-13"))
    bucket = resource(
        "s3.bucket",
        "ho-so-cong-dan",
        {
            "replication.destinations": (
                {"bucket": "backup", "known": True, "site": "sg-1", "country": "SG", "domestic": False},
            ),
            "site.id": "hn-1",
        },
        target="s3-hn",
        region=None,
        project=None,
        call_number=4,
    )
    volume = resource(
        "openstack.volume",
        "5a1f",
        {"backup.newest_age": 18000, "system.id": "ho-tich", "site.id": "hn-1", "encrypted": False},
        name="csdl-ho-tich",
    )
    return Inputs(
        findings=(
            finding("RES-05", bucket, "fail", "replication.destinations", weight=4),
            finding("BDR-01", volume, "pass", "backup.newest_age", weight=4),
            finding("BDR-05", volume, "fail", "encrypted", weight=4, waiver="MT-01"),
            unseen_scope("SEC-13", "s3.bucket", "no_permission", "s3-hn"),
        ),
        controls=chosen,
        gates=tuple(g for g in GATES if g.id in ("G1", "G2", "G4")),
        collection=({"target": "s3-hn", "region": None, "service": "s3", "asked": 2, "ok": 1},),
        gaps=(
            Gap(
                Scope("s3-hn"), "s3.bucket", "GetBucketPolicyStatus", Reason.NO_PERMISSION, "403 AccessDenied"
            ),
        ),
        excluded={},
    )


# --- realistic ------------------------------------------------------------------------------------------


def realistic() -> Inputs:
    """A provider's platform as it may well be: five of seven gates open, some things abroad, some unknown."""
    platform = declared("platform", "nen-tang-an-binh", kind="provider")
    systems = [declared("system", one.id, **dict(one.facts)) for one in SYSTEMS]
    findings: list[Finding] = []
    for n in range(12):
        region, system = ("hn-1", "ho-tich") if n % 3 else ("hcm-1", "cong-dich-vu")
        age = 3600 * (2 + 5 * n)
        volume = resource(
            "openstack.volume",
            f"{n:04x}c0de-77aa-4b1c-9d2e-{n:012x}",
            {
                "backup.newest_age": age if n != 11 else None,
                "backup.count": AtLeast(2),
                "system.id": system,
                "system.rpo": 14400 if system == "ho-tich" else None,
                "site.id": region,
                "encrypted": n % 4 != 0,
            },
            name=f"csdl-{system}-{n:02d}",
            region=region,
            call_number=2,
        )
        weight = 4 if system == "ho-tich" else 2
        late = n in (5, 8, 11)
        facts = ("backup.newest_age", "backup.count", "system.rpo")
        findings.append(finding("RES-01", volume, "pass", "site.id", weight=weight))
        findings.append(finding("BDR-01", volume, "fail" if late else "pass", *facts, weight=weight))
        waiver = "MT-2026-03" if n == 4 else None
        findings.append(
            finding("BDR-05", volume, "pass" if n % 4 else "fail", "encrypted", weight=weight, waiver=waiver,
                    refused=None if n % 4 or waiver else Text("miễn trừ MT-2026-02 không còn trong thời hạn",
                                                              "waiver MT-2026-02 is not in date"))
        )  # fmt: skip
    stray = resource("openstack.volume", "ffff0001", {"encrypted": True}, name="tam-thoi", region="dn-1", project="thu-nghiem",
                     unseen={"site": Unseen(Reason.UNMAPPED, "region dn-1 is at no declared site")})  # fmt: skip
    findings.append(
        finding(
            "RES-01",
            stray,
            "unknown",
            "site.id",
            reason="unmapped",
            detail="region dn-1 is at no declared site",
        )
    )
    findings += _buckets()
    rule = resource("openstack.security_group_rule", "a91c", {"remote_prefix": "0.0.0.0/0", "ports": (22, 22)},
                    name="ssh-quan-tri", call_number=5)  # fmt: skip
    closed = resource("openstack.security_group_rule", "b02d", {"remote_prefix": "10.0.0.0/8", "ports": (443, 443)},
                      name="web-noi-bo", call_number=5)  # fmt: skip
    paper = declared("attestation", "HS-2025-021", kind="dr-plan", valid_until=parse_time("2026-08-31"))
    dr_plan = finding("BDR-24", platform, "expired", weight=None)
    dr_plan = replace(
        dr_plan,
        explanation=Explanation(
            None, tuple(Reading(paper, fact, paper.facts[fact]) for fact in ("kind", "valid_until"))
        ),
    )
    findings += [
        finding("SEC-06", closed, "pass", "remote_prefix", "ports", weight=2),
        finding("SEC-06", rule, "pass", "remote_prefix", "ports", weight=2),
        finding("BDR-21", systems[0], "pass", weight=4),
        finding("BDR-21", systems[1], "manual_pending", weight=2),
        dr_plan,
        finding("RES-14", platform, "pass"),
        unseen_scope("SEC-10", "openstack.user", "no_permission", "hn-cloud"),
        finding("POR-06", platform, "pass"),
        finding("POR-12", platform, "pass"),
        finding("DAT-01", platform, "pass"),
        finding("COM-01", platform, "pass"),
        finding("COM-04", platform, "pass"),
        finding("COM-12", platform, "fail"),
        finding("NDC-01", platform, "manual_pending"),
        finding("NDC-02", platform, "pass"),
    ]
    return Inputs(
        findings=findings,
        gaps=(
            Gap(Scope("hn-cloud"), "openstack.user", "GET /v3/users", Reason.NO_PERMISSION, "403 Forbidden"),
            Gap(Scope("s3-hn"), "s3.bucket", "GetBucketPolicyStatus", Reason.NOT_IMPLEMENTED, "501 NotImplemented"),
        ),
        collection=tuple(
            {"target": t, "region": r, "service": s, "asked": a, "ok": o}
            for t, r, s, a, o in (
                ("hn-cloud", "hn-1", "block-storage", 4, 4),
                ("hn-cloud", "hn-1", "network", 6, 6),
                ("hn-cloud", "hcm-1", "block-storage", 4, 4),
                ("hn-cloud", "dn-1", "block-storage", 4, 4),
                ("hn-cloud", None, "identity", 3, 2),
                ("s3-hn", None, "s3", 8, 7),
            )
        ),
        claims=({"id": "CK-01", "state": "upheld"}, {"id": "CK-02", "state": "refuted"}, {"id": "CK-03", "state": "unverified"}),
        plans=(
            {"control": "BDR-24", "resource": None, "system": None, "measure": "Cập nhật và phê duyệt lại phương án dự phòng thảm họa", "owner": "Trưởng phòng Hạ tầng", "due": "2026-12-31T00:00:00Z"},
            {"control": "RES-05", "resource": "ho-so-cong-dan", "system": None, "measure": "Gỡ quy tắc sao chép ra nước ngoài", "owner": "Trưởng phòng Vận hành", "due": "2026-11-30T00:00:00Z"},
        ),
        registers=("sites", "systems", "attestations", "drills", "waivers", "plans"),
        changed={"BDR-01": {"max_age": 43200}},
    )  # fmt: skip


def _buckets() -> list[Finding]:
    found: list[Finding] = []
    abroad = ({"bucket": "dr-copy", "known": True, "site": "sg-1", "country": "SG", "domestic": False},)
    for n, (name, location) in enumerate((("ho-so-cong-dan", "hn"), ("van-ban", "hn"), ("anh-chup", "hcm"))):
        site = "hn-1" if location == "hn" else "hcm-1"
        bucket = resource(
            "s3.bucket",
            name,
            {"location": location, "site.id": site, "replication.destinations": abroad if n == 0 else (), "public.read": False},
            target="s3-hn", region=None, project=None, call_number=4,
            unseen={"public": Unseen(Reason.NOT_IMPLEMENTED, "501 NotImplemented")} if n == 2 else None,
        )  # fmt: skip
        found.append(finding("RES-04", bucket, "pass", "location", "site.id", weight=2))
        found.append(finding("RES-05", bucket, "pass" if n else "fail", "replication.destinations", weight=2))
        found.append(finding("SEC-13", bucket, "pass", "public.read", weight=2))
    return found


def all_pass() -> Inputs:
    """Nothing to complain of: every gate open."""
    platform = declared("platform", "nen-tang-an-binh", kind="provider")
    chosen = tuple(c for c in CONTROLS if c.id != "NDC-01")
    passed = [finding(one.id, platform, "pass", weight=4) for one in chosen]
    return Inputs(findings=passed, controls=chosen, gates=[g for g in GATES if not g.final])


def many(count: int) -> Inputs:
    """So many failing volumes, with evidence, over six controls."""
    ids = ("RES-01", "BDR-01", "BDR-05", "SEC-13", "RES-04", "SEC-06")
    findings = []
    for n in range(count):
        volume = resource(
            "openstack.volume",
            f"{n:08x}-77aa-4b1c-9d2e-{n:012x}",
            {"backup.newest_age": 3600 * n, "system.id": "ho-tich", "system.rpo": 14400, "site.id": "hn-1"},
            name=f"csdl-{n:05d}",
            call_number=2,
        )
        findings.append(
            finding(
                ids[n % len(ids)], volume, "fail", "backup.newest_age", "system.rpo", "system.id", weight=4
            )
        )
    return Inputs(findings=findings)


# --- hostile --------------------------------------------------------------------------------------------

NFD = "ha\N{COMBINING DOT BELOW} ta\N{COMBINING CIRCUMFLEX ACCENT}\N{COMBINING GRAVE ACCENT}ng"
HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "\x1b[31mđỏ\x1b[0m\x07\x00",
    "an\N{RIGHT-TO-LEFT OVERRIDE}nab\N{POP DIRECTIONAL FORMATTING}",
    "dòng một\r\ndòng hai\N{LINE SEPARATOR}ba",
    "x" * 10_000,
    NFD,
    "[bold red]không[/bold red] [link=https://a.example]a[/link]",
    "e" + "\N{COMBINING ACUTE ACCENT}" * 400,
    "{name} {count}",
)
HALF_SURROGATE = "\ud800 một nửa"
"""JSON can hold it, UTF-8 cannot."""


def hostile() -> Inputs:
    """Every place a cloud or a register can put text into holds an attack."""
    findings = []
    for n, name in enumerate(HOSTILE):
        bucket = resource(
            "s3.bucket",
            name,
            {"location": name, "site.id": name, "public.read": True,
             "replication.destinations": ({"bucket": name, "known": False, "site": name, "country": name, "domestic": False},)},
            name=name, target=name, region=name, project=name, call_number=3,
            unseen={"policy": Unseen(Reason.AMBIGUOUS, name)},
        )  # fmt: skip
        kept = ("location", "site.id", "replication.destinations", "policy.present")
        findings.append(finding("RES-05", bucket, "fail", *kept, weight=4, refused=Text(name, name)))
        findings.append(finding("SEC-13", bucket, "unknown", *kept, reason="ambiguous", detail=name))
        findings.append(finding("BDR-05", bucket, "fail", *kept, waiver=name))
        findings.append(unseen_scope("RES-04", "s3.bucket", "timeout", name, f"{name}{n}"))
    return Inputs(
        findings=findings,
        subject={"id": HOSTILE[0], "kind": "provider", "title": {"vi": HOSTILE[1], "en": HALF_SURROGATE}},
        targets=[{"name": name, "kind": name, "endpoint": name, "buckets": [name]} for name in HOSTILE],
        gaps=[Gap(Scope(name, name), name, name, Reason.PARTIAL, name) for name in HOSTILE],
        collection=[{"target": name, "region": name, "service": name, "asked": 1, "ok": 0} for name in HOSTILE],
        endpoints=[
            Resource(
                "s3.endpoint", name, Scope(name), 0,
                {"server_kind": name, "supported": (name, "GetBucketAcl"), "unsupported": (name,)},
            )
            for name in HOSTILE
        ],
        claims=[{"id": name, "state": "unverified"} for name in HOSTILE],
        plans=[
            {"control": "BDR-01", "resource": name, "system": name, "measure": name, "owner": name, "due": name}
            for name in HOSTILE
        ],
    )  # fmt: skip


def hostile_sites() -> tuple[Resource, ...]:
    return tuple(
        replace(
            declared("site", name, name=name, province=name, country=name, regions=(name,), azs=(name,)),
            name=name,
        )
        for name in HOSTILE
    )


# --- more of them, for the chapters -----------------------------------------------------------------------


def agency() -> Inputs:
    """The realistic one as an agency sees it: its own scope, nothing left out."""
    return replace(
        realistic(),
        kind="agency",
        subject={"id": "so-tu-phap", "kind": "agency", "title": {"vi": "Sở Tư pháp", "en": "Department of Justice"}},
        excluded={},
    )  # fmt: skip


def all_unknown() -> Inputs:
    """Nothing was seen of anything."""
    found = [unseen_scope(one.id, one.applies_to[0], "no_permission", "hn-cloud") for one in CONTROLS]
    return Inputs(findings=found, registers=())


def nothing() -> Inputs:
    """No finding at all: no control had a thing to look at, and none is proved."""
    return Inputs(findings=())


PAPERS = (
    declared("attestation", "ck-du-lieu", kind="commitment-data-management", owner="An Bình", title_vi="Chính sách dữ liệu",
             url="https://anbinh.example/du-lieu.pdf", sha256="ab" * 32, issued_at=parse_time("2026-03-02"),
             valid_until=parse_time("2027-03-01"), systems=("ho-tich",),
             claims=({"metric": "data_country", "operator": "=", "value": "VN", "scope": None},)),
    declared("attestation", "HS-2025-021", kind="dr-plan", owner="An Bình", title_vi=None, url="https://anbinh.example/dr.pdf",
             sha256="cd" * 32, issued_at=parse_time("2025-09-01"), valid_until=parse_time("2026-08-31"), systems=("ho-tich",), claims=()),
    declared("attestation", "cap-do-3", kind="security-level-dossier", owner="Sở Tư pháp", title_vi=None, url=None, sha256=None,
             issued_at=parse_time("2026-01-05"), valid_until=parse_time("2027-01-04"), systems=("ho-tich",), claims=()),
)  # fmt: skip
DRILLS = (
    declared("drill", "DT-01", kind="restore", date=parse_time("2026-09-14"), result="success", systems=("ho-tich",),
             measured_rpo=43200, measured_rto=10800, approver="Trưởng phòng Hạ tầng", minutes_url=None, minutes_sha256=None),
    declared("drill", "DT-02", kind="restore", date=parse_time("2026-12-14"), result="success", systems=("cong-dich-vu",),
             measured_rpo=60, measured_rto=60, approver=None, minutes_url="https://anbinh.example/dt-02.pdf", minutes_sha256="ef" * 32),
)  # fmt: skip


def records(inputs: Inputs) -> list[dict[str, Any]]:
    """Every finding as its record, passes included: what findings.jsonl.gz holds."""
    writer = FindingWriter(TYPES, call)
    return [writer.record(one) for one in inputs.findings]
