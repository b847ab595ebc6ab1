"""The least rights a plan takes, as files that Keystone, object stores and Ceph understand.

Made from the same declarations as the requests themselves, and from nothing else: a call that is not
planned gives no right.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from cloudaudit.collecting import openstack_target
from cloudaudit.collectors.openstack import TENANT
from cloudaudit.collectors.openstack.catalogue import names_of, usual_version
from cloudaudit.collectors.openstack.entry import read_entry
from cloudaudit.errors import CloudauditError, TargetError
from cloudaudit.model import CallSpec, ResourceType
from cloudaudit.planned import VERSION, Needs, of_openstack, of_s3
from cloudaudit.targets import OpenStackEntry, PluginEntry, S3Entry, Subject

Rule: TypeAlias = Mapping[str, str]
"""One access rule of Keystone: service, method, path."""

RULES: Final = "keystone-access-rules.json"
POLICY: Final = "s3-bucket-policy.json"
CEPH_POLICY: Final = "s3-bucket-policy.ceph.json"
USER_POLICY: Final = "s3-user-policy.json"
CAPS: Final = "rgw-caps.txt"
README: Final = "README.txt"

PRINCIPAL: Final = "arn:aws:iam::TAI-KHOAN:user/KIEM-TOAN"
"""Stands for the audit identity until somebody writes it in."""
BUCKET: Final = "TEN-BUCKET"
"""Stands for the bucket a policy is put on."""
ACCOUNT_WIDE: Final = "s3:ListAllMyBuckets"
"""A right to no bucket: a bucket's policy cannot give it."""
_ADMIN: Final = "caps:"
# Services whose addresses never name a project; those of the others may.
_SAME_FOR_ALL: Final = frozenset({"identity", "network", "image"})
_ACCOUNTS: Final = "object-store"


@dataclass(frozen=True, slots=True)
class Rights:
    """What the calls of a plan take. Empty where nothing of the kind is asked."""

    rules: tuple[Rule, ...]
    actions: tuple[str, ...]
    """By S3's own names."""
    ceph: tuple[str, ...]
    """The same by Ceph's, less what it has no name for."""
    caps: tuple[str, ...]
    """Ceph's admin capabilities, such as `buckets=read`."""
    system: bool
    """Something is asked that only a role on the whole system shows."""
    buckets: tuple[str, ...] = ()
    """Named in targets.yaml; empty: all."""
    others: tuple[PluginEntry, ...] = ()
    """Targets of kinds that packages bring: what rights those take is not known here."""

    @property
    def told(self) -> bool:
        """Whether there is anything to write down."""
        return bool(self.rules or self.actions)


def rights(needs: Needs, subjects: Sequence[Subject] = ()) -> Rights:
    """The rights for the targets of some subjects; without any, for some cloud and some store."""
    entries = [entry for subject in subjects for entry in subject.targets]
    clouds = [entry for entry in entries if isinstance(entry, OpenStackEntry)]
    stores = [entry for entry in entries if isinstance(entry, S3Entry)]
    planned: list[CallSpec] = []
    for vantage in dict.fromkeys(entry.vantage for entry in clouds) if subjects else (TENANT,):
        planned += (one.call for one in of_openstack(needs, vantage))
    asked: list[CallSpec] = []
    for named in {entry.buckets is not None for entry in stores} if subjects else {False}:
        asked += (one.call for one in of_s3(needs, named=named, admin=True))
    asked = [each for call in asked for each in meant(call, needs.types)]
    return Rights(
        access_rules(planned, below=not clouds or any(map(_is_below, clouds))),
        _sorted(call.permission for call in asked if call.permission.startswith("s3:")),
        _sorted(call.ceph for call in asked if call.ceph and call.permission.startswith("s3:")),
        _sorted(call.permission.removeprefix(_ADMIN) for call in asked if call.permission.startswith(_ADMIN)),
        any(call.name == "keystone.token_system" for call in planned),
        _sorted(name for entry in stores for name in entry.buckets or ()),
        tuple(entry for entry in entries if isinstance(entry, PluginEntry)),
    )


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _is_below(entry: OpenStackEntry) -> bool:
    """Whether a cloud's Keystone lies below a path of its host, as its other services then do too.

    The credential may still have to be made: of an entry that clouds.yaml does not have, either may be true.
    """
    try:
        return urlsplit(read_entry(openstack_target(entry)).keystone).path != usual_version("identity")
    except TargetError:
        return True


def meant(call: CallSpec, types: Mapping[str, ResourceType]) -> Iterator[CallSpec]:
    """The call itself; or every sub-resource, for one that asks of each what the store makes of it."""
    path, _, query = call.request.partition("?")
    if not query.startswith("{"):
        yield call
        return
    for type_ in types.values():
        for other in type_.calls.values():
            if other.service == call.service and other.request.startswith(f"{path}?") and other.permission:
                yield other


# --- Keystone -------------------------------------------------------------------------------------


def access_rules(calls: Iterable[CallSpec], *, below: bool) -> tuple[Rule, ...]:
    """Rules for an application credential: service, method and path of every request.

    `below`: services may lie below a path of their host, as in https://host/compute/v2.1.

    NOTE: keystonemiddleware (auth_token, validate_allowed_request) compares the path that the service
    itself was asked for, whole: with the prefix it is deployed under (WSGI's SCRIPT_NAME), the version and
    the project's id, without the query, a slash at the end included. `*` and `{tag}` are one segment or
    part of one, `**` is anything, slashes too; the rest is taken for a regular expression. The service is
    the type that its own configuration names ([keystone_authtoken] service_type), which must be in the
    catalogue too: for Cinder often volumev3. Keystone holds itself to the rules as well, but for the
    validation of tokens. A service without service_type refuses every credential that has rules.
    """
    found = {
        (name, method, path)
        for call in calls
        for method, path in _paths(call, below)
        for name in names_of(call.service)
    }
    return tuple({"service": s, "method": m, "path": p} for s, m, p in sorted(found))


def _paths(call: CallSpec, below: bool) -> Iterator[tuple[str, str]]:
    method, _, target = call.request.partition(" ")
    if method not in ("GET", "HEAD") or call.name == f"keystone{VERSION}":
        # Tokens, Keystone's own versions and handshakes are asked for without a token.
        return
    path = target.partition("?")[0]
    if path == "/" and not call.name.endswith(VERSION):
        # The root of an API is its address without a slash.
        path = ""
    for prefix, root in product(("", "/{prefix}") if below else ("",), _roots(call)):
        yield method, f"{prefix}{root}{path}"


def _roots(call: CallSpec) -> tuple[str, ...]:
    """Where the paths of a service begin, below the host or the service's own path on it."""
    version = usual_version(call.service)
    if call.service == _ACCOUNTS:
        # Nothing wider: below it lie the objects.
        return ("/v1/{account}",)
    if call.name.endswith(VERSION) or call.service in _SAME_FOR_ALL:
        return (version,)
    return (version, version + "/{project_id}") if version else ("/**",)


# --- object stores --------------------------------------------------------------------------------


def bucket_policy(actions: Sequence[str]) -> dict[str, Any]:
    """A policy for one bucket that lets the audit identity read its configuration."""
    allowed = [action for action in actions if action != ACCOUNT_WIDE]
    statement = {
        "Sid": "CloudauditDocCauHinh",
        "Effect": "Allow",
        "Principal": {"AWS": [PRINCIPAL]},
        "Action": allowed,
        "Resource": [f"arn:aws:s3:::{BUCKET}"],
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def user_policy(actions: Sequence[str], buckets: Sequence[str]) -> dict[str, Any]:
    """A policy for the audit identity itself, for stores that know such: the list of buckets among it."""
    statements = [
        {"Sid": "CloudauditLietKeBucket", "Effect": "Allow", "Action": [ACCOUNT_WIDE], "Resource": ["*"]},
        {
            "Sid": "CloudauditDocCauHinh",
            "Effect": "Allow",
            "Action": [action for action in actions if action != ACCOUNT_WIDE],
            "Resource": [f"arn:aws:s3:::{name}" for name in buckets or ("*",)],
        },
    ]
    return {
        "Version": "2012-10-17",
        "Statement": [s for s in statements if s["Action"] != [ACCOUNT_WIDE] or ACCOUNT_WIDE in actions],
    }


def caps_line(caps: Sequence[str]) -> str:
    """The command that gives a key Ceph's admin capabilities, or that none is needed."""
    if caps:
        return f'radosgw-admin caps add --uid=KIEM-TOAN --caps="{"; ".join(caps)}"\n'
    return (
        "# Hồ sơ năng lực này không đọc API quản trị của Ceph RGW: không cấp quyền (caps) quản trị nào.\n"
        "# This profile reads nothing of Ceph RGW's admin API: give no admin caps at all.\n"
    )


# --- files ----------------------------------------------------------------------------------------


def files(needed: Rights, profile: str) -> Mapping[str, str]:
    """The files to apply, by name, with what tells how."""
    if not needed.told:
        raise CloudauditError(
            f"profile '{profile}' asks nothing of these targets, so it takes no rights",
            hint="choose another profile, or name a target it has controls for",
        )
    found: dict[str, str] = {}
    if needed.rules:
        # A rule a line: people read these before they grant them.
        found[RULES] = "[\n" + ",\n".join(f"  {json.dumps(rule)}" for rule in needed.rules) + "\n]\n"
    if needed.actions:
        found[POLICY] = _dumps(bucket_policy(needed.actions))
        found[CEPH_POLICY] = _dumps(bucket_policy(needed.ceph))
        found[USER_POLICY] = _dumps(user_policy(needed.actions, needed.buckets))
        found[CAPS] = caps_line(needed.caps)
    found[README] = _readme(needed, profile)
    return found


def _dumps(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


_HEAD: Final = """\
QUYỀN TỐI THIỂU CHO DANH TÍNH KIỂM TOÁN (hồ sơ {profile})
LEAST RIGHTS FOR AN AUDIT IDENTITY (profile {profile})

Mọi quyền ở đây chỉ để đọc. Sau khi cấp, kiểm tra bằng:
All rights here are for reading only. When they are given, check them with:

    cloudaudit preflight -t targets.yaml -p {profile}
"""
_KEYSTONE: Final = """
1. OpenStack: {rules}

   Thông tin xác thực ứng dụng (application credential) thuộc một dự án. Trong từng dự án, chạy:
   An application credential belongs to one project. In each project run:

    openstack application credential create cloudaudit \\
        --role reader --access-rules {rules}

   - Mỗi dịch vụ phải khai báo service_type trong [keystone_authtoken]; nếu không, dịch vụ từ chối (401) mọi
     thông tin xác thực có quy tắc truy cập.
     Each service must name its service_type in [keystone_authtoken]; one that does not refuses (401) every
     credential that has access rules.
   - Đường dẫn được so khớp toàn bộ, kể cả phần đứng trước phiên bản. So sánh với địa chỉ trong:
     Paths are compared whole, what stands before the version included. Compare with the addresses in:

    openstack catalog list

   - {{prefix}}, {{project_id}}, {{account}}: một đoạn đường dẫn bất kỳ, không phải chỗ điền.
     {{prefix}}, {{project_id}}, {{account}} are any one segment of a path, not to be filled in.
   - Swift chỉ cho vai trò reader liệt kê khi [filter:keystoneauth] có project_reader_roles = reader.
     Swift lets the role reader list only where [filter:keystoneauth] has project_reader_roles = reader.
"""
_SYSTEM: Final = """\
   - Danh sách người dùng, nhóm, phân quyền cần vai trò reader trên toàn hệ thống. Thông tin xác thực ứng dụng
     không mang được phạm vi này; dùng tài khoản kiểm toán riêng, đăng nhập bằng mật khẩu:
     Lists of users, groups and role assignments take the role reader on the whole system. An application
     credential cannot carry that scope; use an audit user of its own, with a password:

    openstack role add --user KIEM-TOAN --user-domain Default --system all reader
"""
_S3: Final = """
2. S3: {policy}, {ceph}, {user}

   Chính sách của từng bucket (Ceph: dùng {ceph}). Thay TAI-KHOAN bằng tài khoản hoặc
   tenant (Ceph không có tenant: để trống), KIEM-TOAN bằng tên người dùng kiểm toán.
   A policy for each bucket (Ceph: {ceph}). Put the account or tenant in place of
   TAI-KHOAN (Ceph without tenants: nothing) and the audit user's name in place of KIEM-TOAN.

    for b in {buckets}; do
      sed "s/TEN-BUCKET/$b/" {policy} > policy.json
      aws --endpoint-url https://s3.example.vn s3api put-bucket-policy --bucket "$b" --policy file://policy.json
    done

   - put-bucket-policy THAY THẾ chính sách đang có. Xem trước (get-bucket-policy) và ghép thêm điều khoản này.
     put-bucket-policy REPLACES the policy that is there. Look first (get-bucket-policy), add this statement.
   - Nơi có chính sách theo người dùng, dùng {user}: gồm cả quyền liệt kê bucket, mà chính
     sách của bucket không cấp được.
     Where users have policies, use {user}: it holds the right to list buckets, which no
     bucket's policy can give.
   - HEAD của bucket cần s3:ListBucket. Quyền này cũng cho liệt kê tên đối tượng; cloudaudit không liệt kê.
     HEAD of a bucket takes s3:ListBucket, which also lets names of objects be listed; cloudaudit never does.
   - Kho nào từ chối cả chính sách vì một tên quyền không biết (Ceph 16: s3:GetBucketEncryption): bỏ tên đó;
     thiết lập tương ứng có thể là "không xác định".
     Where a store refuses the whole policy over one name it does not know (Ceph 16: s3:GetBucketEncryption),
     leave the name out; that setting may end as unknown.

3. Ceph RGW: {caps}

   {said}
"""


_OTHER: Final = """
*  {name}: không có tệp nào cho đích này; quyền cần cấp xem tài liệu của gói phần mở rộng.
   {name}: nothing is written for this target; {named} tells what rights it takes.
"""


def _readme(needed: Rights, profile: str) -> str:
    text = _HEAD.format(profile=profile)
    if needed.rules:
        text += _KEYSTONE.format(rules=RULES) + (_SYSTEM if needed.system else "")
    if needed.actions:
        text += _S3.format(
            policy=POLICY,
            ceph=CEPH_POLICY,
            user=USER_POLICY,
            caps=CAPS,
            buckets=" ".join(map(shlex.quote, needed.buckets)) or "BUCKET-1 BUCKET-2",
            said=caps_line(needed.caps).strip().replace("# ", "").replace("\n", "\n   "),
        )
    for entry in needed.others:
        text += _OTHER.format(name=entry.name, named=entry.plugin.named)
    return text
