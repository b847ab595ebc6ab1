"""targets.yaml: subjects and targets, variables, and the secrets it refuses to hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudaudit import collecting, registers, targets
from cloudaudit.collectors.transport import Proxy
from cloudaudit.errors import Problem, SourceError, TargetError, Where
from cloudaudit.model import Text
from cloudaudit.targets import OpenStackEntry, S3Entry, Subject, SwiftAccount, TargetsFile, load
from cloudaudit.yamlsource import loads, schema

FULL = """\
version: 1
subjects:
  - id: dam-may-mau
    kind: provider
    title: {vi: Đám mây mẫu, en: Sample cloud}
    registers: registers/
    targets:
      - {name: hn, kind: openstack, cloud: hn, regions: all, projects: [ho-tich, dat-dai], vantage: operator,
         ca_file: ca.pem, interface: internal, label_keys: [app], max_in_flight: 8, rate_limit: 2.5, deadline: PT10M,
         allow_private: [10.0.0.0/8]}
      - {name: kho, kind: s3, endpoint: "https://s3.example:9000", access_key_file: keys/access,
         secret_key_file: keys/secret, region: vn-hn, addressing: virtual, ca_file: ca.pem,
         allow_private: [10.0.0.0/8, 192.0.2.7], expected_owner: "0012", buckets: [sao-luu]}
  - id: so-tu-phap
    kind: agency
    title: {vi: Sở Tư pháp}
    targets:
      - {name: hn, kind: openstack, cloud: so-tu-phap}
      - {name: kho, kind: s3, endpoint: "http://192.0.2.9", profile: so}
"""
EXAMPLE = (
    "write version: 1 and subjects:, with at least one subject and one target, such as - {id: dam-may-mau, "
    "kind: provider, title: {vi: Đám mây mẫu}, targets: [{name: hn, kind: openstack, cloud: hn}]}"
)
KEEP = (
    "keep it in clouds.yaml or secure.yaml (OpenStack), or for S3 in an AWS profile or the files that "
    "access_key_file and secret_key_file name"
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "registers").mkdir()
    (tmp_path / "keys").mkdir()
    for name in ("ca.pem", "keys/access", "keys/secret"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o600)
    return tmp_path


def read(base: Path, text: str, environ: Mapping[str, str] | None = None) -> TargetsFile:
    path = base / "targets.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ or {})


def refused(base: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(TargetError) as caught:
        read(base, text, environ)
    return told(base, caught.value.problems)


def told(base: Path, problems: Iterable[Problem]) -> list[str]:
    return [
        str(problem).removeprefix(f"{base}/targets.yaml:").replace(str(base), "BASE") for problem in problems
    ]


def one(target: str, subject: str = "{id: a, kind: provider, title: {vi: A}, targets: [") -> str:
    """A file with one target, which stands in line 4 from column 3 on."""
    return f"version: 1\nsubjects:\n- {subject}\n  {target}\n  ]}}\n"


# --- what is read ---------------------------------------------------------------------------------


def test_a_whole_file(base: Path) -> None:
    path = base / "targets.yaml"

    def at(line: int, column: int) -> Where:
        return Where(str(path), line, column)

    assert read(base, FULL) == TargetsFile(
        path,
        hashlib.sha256(FULL.encode()).hexdigest(),
        (
            Subject(
                "dam-may-mau", "provider", Text("Đám mây mẫu", "Sample cloud"), base / "registers",
                (
                    OpenStackEntry(
                        "hn", "hn", None, ("ho-tich", "dat-dai"), "operator", "internal", base / "ca.pem", ("app",),
                        ("10.0.0.0/8",), 8, 2.5, 600, at(8, 9),
                    ),
                    S3Entry(
                        "kho", "https://s3.example:9000", None, base / "keys/access", base / "keys/secret", "vn-hn",
                        "virtual", "0012", ("sao-luu",), base / "ca.pem", (), ("10.0.0.0/8", "192.0.2.7"), 16, None,
                        1800, at(11, 9),
                    ),
                ),
                (),
                at(3, 5),
            ),
            Subject(
                "so-tu-phap", "agency", Text("Sở Tư pháp", "Sở Tư pháp"), None,
                (
                    OpenStackEntry(
                        name="hn", cloud="so-tu-phap", regions=None, projects=None, vantage="tenant", interface=None,
                        ca_file=None, label_keys=(), allow_private=(), max_in_flight=16, rate_limit=None, deadline=1800,
                        where=at(18, 9),
                    ),
                    S3Entry(
                        name="kho", endpoint="http://192.0.2.9", profile="so", access_key_file=None,
                        secret_key_file=None, region="us-east-1", addressing="path", expected_owner=None, buckets=None,
                        ca_file=None, label_keys=(), allow_private=(), max_in_flight=16, rate_limit=None, deadline=1800,
                        where=at(19, 9),
                    ),
                ),
                (),
                at(14, 5),
            ),
        ),
        (),
    )  # fmt: skip


def test_targets_know_their_kind(base: Path) -> None:
    found = read(base, FULL)
    assert [[target.kind for target in subject.targets] for subject in found.subjects] == [
        ["openstack", "s3"]
    ] * 2


def test_key_files_that_others_can_read_are_warned_of(base: Path) -> None:
    (base / "ca.pem").chmod(0o644)  # certificates are no secret
    (base / "keys/access").chmod(0o640)
    (base / "keys/secret").chmod(0o604)
    hint = "take their rights away: chmod 600 FILE"
    assert told(base, read(base, FULL).warnings) == [
        f"11:85: 'access_key_file': others can read this file (mode 0640); {hint}",
        f"12:27: 'secret_key_file': others can read this file (mode 0604); {hint}",
    ]


def test_an_admin_key_comes_from_files_or_a_profile(base: Path) -> None:
    keys = "admin_access_key_file: keys/access, admin_secret_key_file: keys/secret, admin_path: /quan-tri"
    (found,) = (
        read(base, one(f"{{name: k, kind: s3, endpoint: 'https://x', profile: p, {keys}}}"))
        .subjects[0]
        .targets
    )
    assert isinstance(found, S3Entry)
    assert (found.admin_access_key_file, found.admin_secret_key_file, found.admin_profile, found.admin_path) == (
        base / "keys/access", base / "keys/secret", None, "/quan-tri",
    )  # fmt: skip
    target = collecting._s3_target(found)
    assert (target.admin_access_key_file, target.admin_path) == (str(base / "keys/access"), "/quan-tri")
    both = f"{{name: k, kind: s3, endpoint: 'https://x', profile: p, admin_profile: q, {keys}}}"
    (problem,) = refused(base, one(both))
    assert problem.startswith("4:3: ")


def test_proxies_are_named_and_their_secrets_are_elsewhere(base: Path) -> None:
    (base / "proxy").write_text("http://kiem-toan:PLANTED@proxy.vn:3128\n")
    (base / "proxy").chmod(0o600)
    text = """\
version: 1
subjects:
- id: a
  kind: provider
  title: {vi: A}
  proxy: http://giay-to.vn:8080
  targets:
  - {name: hn, kind: openstack, cloud: hn, proxy_file: proxy, allow_http: true}
  - {name: k, kind: s3, endpoint: "https://x", profile: p, proxy: "${PROXY}"}
"""
    (subject,) = read(base, text, {"PROXY": "http://an:PLANTED@[::1]:1"}).subjects
    hn, store = subject.targets
    assert (hn.proxy, hn.proxy_file, store.proxy_file) == (None, base / "proxy", None)
    assert "PLANTED" not in repr(subject)
    assert isinstance(hn, OpenStackEntry)
    assert isinstance(store, S3Entry)
    assert (hn.allow_http, collecting.openstack_target(hn).allow_http) == (True, True)
    proxies = [collecting._proxy(place) for place in (subject, hn, store)]
    assert proxies == [
        Proxy("giay-to.vn", 8080), Proxy("proxy.vn", 3128, "kiem-toan:PLANTED"), Proxy("::1", 1, "an:PLANTED"),
    ]  # fmt: skip
    assert collecting.openstack_target(hn).proxy == proxies[1]
    assert collecting._s3_target(store).proxy == proxies[2]
    (base / "proxy").write_text("PLANTED")
    with pytest.raises(TargetError, match="holds is no address of a proxy") as caught:
        collecting.openstack_target(hn)
    assert "PLANTED" not in str(caught.value)


NO_SECRETS = (
    "'proxy': user and password may not stand here: this file holds no secrets; write the address into a file and "
    "name it as proxy_file, or take it from ${VARIABLE}"
)


@pytest.mark.parametrize(
    ("more", "problems"),
    [
        ("proxy: 'http://an:PLANTED@proxy.vn:1'", [f"4:49: {NO_SECRETS}"]),
        ("proxy: 'http://an:PLANTED@${HOST}:1'", [f"4:49: {NO_SECRETS}"]),
        ("proxy: 'http://x:1', proxy_file: ca.pem", ["4:49: 'proxy' and 'proxy_file' are both given; give one of them"]),
        ("proxy_file: none", ["4:54: 'proxy_file': there is no such file; paths are relative to BASE, and '~' is not "
                              "expanded: write ${HOME}"]),
    ],
)  # fmt: skip
def test_a_proxy_with_a_secret_is_refused_and_not_shown(base: Path, more: str, problems: list[str]) -> None:
    assert refused(base, one(f"{{name: hn, kind: openstack, cloud: hn, {more}}}"), {"HOST": "h"}) == problems


def test_a_proxy_file_that_others_can_read_is_warned_of(base: Path) -> None:
    (base / "proxy").write_text("http://proxy.vn:1")
    (base / "proxy").chmod(0o644)
    found = read(base, one("{name: hn, kind: openstack, cloud: hn, proxy_file: proxy}"))
    assert told(base, found.warnings) == [
        "4:54: 'proxy_file': others can read this file (mode 0644); take their rights away: chmod 600 FILE"
    ]


# --- the environment ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "environ", "value"),
    [
        ("${CLOUD}", {"CLOUD": "hn"}, "hn"),
        ("a-${CLOUD}-${N}", {"CLOUD": "hn", "N": "1"}, "a-hn-1"),
        ("${CLOUD:-hn}", {}, "hn"),
        ("${CLOUD:-hn}", {"CLOUD": ""}, "hn"),
        ("${CLOUD:-hn}", {"CLOUD": "dn"}, "dn"),
        ("${CLOUD:-a:-b}", {}, "a:-b"),
        ("$CLOUD", {"CLOUD": "hn"}, "$CLOUD"),
        ("$${CLOUD}", {"CLOUD": "hn"}, "${CLOUD}"),
        ("${A}", {"A": "${B}", "B": "x"}, "${B}"),
        ("${A}", {"A": "x, regions: [y]"}, "x, regions: [y]"),
        ("${A}", {"A": "Hà Nội"}, "Hà Nội"),
    ],
)
def test_variables_are_put_into_values_after_parsing(
    base: Path, written: str, environ: Mapping[str, str], value: str
) -> None:
    text = one(f'{{name: hn, kind: openstack, cloud: "{written}"}}')
    (target,) = read(base, text, environ).subjects[0].targets
    assert isinstance(target, OpenStackEntry)
    assert target.cloud == value


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20))
def test_no_variable_changes_the_structure(value: str) -> None:
    document = loads(b'a: {b: ["${X}", c]}', "f.yaml")
    found, changed, problems = targets._interpolated(document, {"X": value})
    assert (list(found), list(found["a"]), len(found["a"]["b"])) == (["a"], ["b"], 2)
    assert (changed, problems) == (frozenset({("a", "b", 0)}), [])


@pytest.mark.parametrize(
    ("written", "environ", "problem"),
    [
        ("${NOPE}", {}, "the environment variable NOPE is not set; set it, or write ${NOPE:-default}"),
        ("${NOPE}", {"NOPE": "a\x1b[2J"},
         "the environment variable NOPE holds a line break or an invisible character; set it to one line of plain text"),
        ("${NOPE}", {"NOPE": "a\nb"},
         "the environment variable NOPE holds a line break or an invisible character; set it to one line of plain text"),
        ("${", {}, "a variable is not written rightly; write ${NAME} or ${NAME:-default}; $${ stands for ${ itself"),
        ("${a b}", {}, "a variable is not written rightly; write ${NAME} or ${NAME:-default}; $${ stands for ${ itself"),
        ("${NOPE-x}", {}, "a variable is not written rightly; write ${NAME} or ${NAME:-default}; $${ stands for ${ itself"),
        ("${A", {"A": "x"}, "a variable is not written rightly; write ${NAME} or ${NAME:-default}; $${ stands for ${ itself"),
        ("${A}", {"A": ""}, "'cloud': 1 or more characters are expected, found a value from the environment; "
         "Entry in clouds.yaml, which holds the way to sign in, or envvars for the OS_* variables."),
    ],
)  # fmt: skip
def test_bad_variables_are_refused(
    base: Path, written: str, environ: Mapping[str, str], problem: str
) -> None:
    text = one(f'{{name: hn, kind: openstack, cloud: "{written}"}}')
    assert refused(base, text, environ) == [f"4:38: {problem}"]


def test_values_from_the_environment_are_never_quoted(base: Path) -> None:
    text = one('{name: "${S}", kind: "${S}", cloud: x}') + one(
        '{name: k, kind: s3, endpoint: "${S}", profile: p, max_in_flight: "${S}", deadline: "${S}", addressing: "${S}"}'
    ).removeprefix("version: 1\nsubjects:\n").replace("id: a", "id: b")
    found = refused(base, text, {"S": "hunter2!"})
    assert len(found) == 5
    assert "hunter2!" not in "\n".join(found)


# --- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "password", "PASSWORD", "secret", "secret_key", "secret-key", "access_key", "aws_secret_access_key", "token",
        "session_token", "application_credential_secret", "api_key", "apikey", "private_key", "passphrase", "auth",
        "credentials", "os_password",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", ["hunter2", "${SECRET}"])
def test_inline_secrets_are_refused_and_not_repeated(base: Path, key: str, value: str) -> None:
    text = one(f'{{name: hn, kind: openstack, cloud: hn, {key}: "{value}"}}')
    assert refused(base, text, {"SECRET": "hunter2"}) == [
        f"4:42: '{key}' may not stand here: this file holds no secrets; {KEEP}"
    ]


def test_secrets_are_found_wherever_they_stand(base: Path) -> None:
    text = one("{name: hn, kind: openstack, cloud: hn, auth: {user: {password: hunter2}}}")
    found = refused(base, text)
    assert [problem.split(":", 2)[1] for problem in found] == ["42", "56"]
    assert "hunter2" not in "\n".join(found)


def test_a_password_in_an_address_is_refused_and_not_repeated(base: Path) -> None:
    (found,) = refused(
        base, one('{name: k, kind: s3, endpoint: "https://key:hunter2@s3.example", profile: p}')
    )
    assert found == (
        "4:33: 'endpoint': an address such as https://s3.example:9000 is expected, without user, query and fragment, "
        "found the text 'https://...@s3.example'; Address of the S3 service."
    )


def test_no_key_of_the_file_looks_like_a_secret() -> None:
    keys = {key for shape in schema("targets")["$defs"].values() for key in shape.get("properties", {})}
    assert {"access_key_file", "secret_key_file", "label_keys"} <= keys
    assert {key for key in keys if targets._SECRET.search(key)} == {
        "access_key_file", "secret_key_file", "admin_access_key_file", "admin_secret_key_file",
    }  # fmt: skip


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "problems"),
    [
        ("{name: hn, kind: openstak, cloud: hn}",
         ["4:20: 'kind': the text 'openstak' is not known here; did you mean 'openstack'?"]),
        ("{name: hn, cloud: hn}", ["4:3: missing key 'kind'; kind: openstack, s3, terraform or heat."]),
        ("{kind: s3, endpoint: 'https://x', profile: p}",
         ["4:3: missing key 'name'; name: Name of the target in reports and registers."]),
        ("{name: hn, kind: openstack, clod: hn}", ["4:31: unknown key 'clod'; did you mean 'cloud'?"]),
        ("{name: hn, kind: openstack, cloud: hn, endpoint: x}",
         ["4:42: unknown key 'endpoint'; known keys: name, kind, cloud, regions, projects, vantage, interface, ca_file, "
          "proxy, proxy_file, allow_http, "
          "label_keys, allow_private, max_in_flight, rate_limit, deadline"]),
        ("{name: HN, kind: openstack, cloud: hn}",
         ["4:10: 'name': small letters without accents, digits and '-' are expected, such as hn-1, found the text 'HN'"]),
        ("{name: NO, kind: openstack, cloud: NO}",
         ["4:10: 'name': small letters without accents, digits and '-' are expected, such as hn-1, found the text 'NO'"]),
        ("{name: registers, kind: openstack, cloud: hn}",
         ["4:10: no target can be named 'registers'; choose another name"]),
        ("{name: hn, kind: openstack, cloud: 5}",
         ["4:38: 'cloud': a text is expected, found the number 5; write it in quotes: \"5\""]),
        ("{name: hn, kind: openstack, cloud: hn, regions: vn-hn}",
         ["4:51: 'regions': all or a list is expected, found the text 'vn-hn'; write it in brackets: [vn-hn]"]),
        ("{name: hn, kind: openstack, cloud: hn, regions: []}",
         ["4:51: 'regions': 1 or more items are expected, found an empty list"]),
        ("{name: hn, kind: openstack, cloud: hn, projects: [a, a]}",
         ["4:56: 'projects', item 2: the text 'a' is already in the list; remove one of the two"]),
        ("{name: hn, kind: openstack, cloud: hn, max_in_flight: 33}",
         ["4:57: 'max_in_flight': at most 32 is expected, found the number 33; Requests under way at a time, 1 to 32."]),
        ("{name: hn, kind: openstack, cloud: hn, rate_limit: 0}",
         ["4:54: 'rate_limit': more than 0 is expected, found the number 0; Most requests per second."]),
        ("{name: hn, kind: openstack, cloud: hn, deadline: 30m}",
         ["4:52: 'deadline': '30m' is no duration; did you mean 'PT30M'?"]),
        ("{name: hn, kind: openstack, cloud: hn, vantage: tenat}",
         ["4:51: 'vantage': the text 'tenat' is not known here; did you mean 'tenant'?"]),
        ("{name: hn, kind: openstack, cloud: hn, allow_private: [10.0.0.1/8]}",
         ["4:58: 'allow_private', item 1: '10.0.0.1/8' is an address inside a network; did you mean '10.0.0.0/8'?"]),
        ("{name: k, kind: s3, endpoint: s3.example, profile: p}",
         ["4:33: 'endpoint': an address such as https://s3.example:9000 is expected, without user, query and fragment, "
          "found the text 's3.example'; Address of the S3 service."]),
        ("{name: k, kind: s3, endpoint: 'https://x'}",
         ["4:3: one of 'profile' or 'access_key_file' is needed; add 'profile:'"]),
        ("{name: k, kind: s3, endpoint: 'https://x', access_key_file: keys/access}",
         ["4:46: 'access_key_file' needs 'secret_key_file' beside it; add 'secret_key_file:'"]),
        ("{name: k, kind: s3, endpoint: 'https://x', profile: p, access_key_file: a, secret_key_file: b}",
         ["4:3: only one of 'profile' and 'access_key_file' may be given; keep the one you mean"]),
        ("{name: k, kind: s3, endpoint: 'https://x', access_key_file: keys/access, secret_key_file: ~/s}",
         ["4:93: 'secret_key_file': there is no such file; "
          "paths are relative to BASE, and '~' is not expanded: write ${HOME}"]),
        ("{name: k, kind: s3, endpoint: 'https://x', profile: p, admin_access_key_file: keys/access}",
         ["4:58: 'admin_access_key_file' needs 'admin_secret_key_file' beside it; add 'admin_secret_key_file:'"]),
        ("{name: k, kind: s3, endpoint: 'https://x', profile: p, admin_path: admin}",
         ["4:70: 'admin_path': a path such as /admin is expected, found the text 'admin'; Path of the admin API of "
          "Ceph RGW."]),
        ("{name: hn, kind: openstack, cloud: hn, ca_file: registers}",
         ["4:51: 'ca_file': there is no such file; paths are relative to BASE, and '~' is not expanded: write ${HOME}"]),
        ("just text", ["4:3: 'targets', item 1: a mapping (key: value) is expected, found the text 'just text'"]),
    ],
)  # fmt: skip
def test_mistakes_in_a_target_stand_at_their_place(base: Path, target: str, problems: list[str]) -> None:
    assert refused(base, one(target)) == problems


@pytest.mark.parametrize(
    ("subject", "problem"),
    [
        ("{id: Dam_May, kind: provider, title: {vi: A}, targets: [",
         "3:8: 'id': small letters without accents, digits and '-' are expected, such as hn-1, found the text 'Dam_May'"),
        ("{id: a, kind: provder, title: {vi: A}, targets: [",
         "3:17: 'kind': the text 'provder' is not known here; did you mean 'provider'?"),
        ("{id: a, kind: agency, title: Sở, targets: [",
         "3:32: 'title': a mapping (key: value) is expected, found the text 'Sở'; "
         "write it in both languages: {vi: Sở, en: …}"),
        ("{id: a, kind: agency, title: {en: A}, targets: [", "3:32: missing key 'vi'; vi: Name in Vietnamese."),
        ("{id: a, kind: agency, title: {vi: A}, register: r, targets: [",
         "3:41: unknown key 'register'; did you mean 'registers'?"),
        ("{id: a, kind: agency, title: {vi: A}, registers: ca.pem, targets: [",
         "3:52: 'registers': there is no such folder; paths are relative to BASE, and '~' is not expanded: write ${HOME}"),
    ],
)  # fmt: skip
def test_mistakes_in_a_subject_stand_at_their_place(base: Path, subject: str, problem: str) -> None:
    assert refused(base, one("{name: hn, kind: openstack, cloud: hn}", subject)) == [problem]


def test_repeated_names_are_refused_with_both_lines(base: Path) -> None:
    text = FULL.replace("id: so-tu-phap", "id: dam-may-mau").replace(
        '{name: kho, kind: s3, endpoint: "http', '{name: hn, kind: s3, endpoint: "http'
    )
    assert refused(base, text) == [
        "11:16: 'hn' is already given at line 8; name one of them otherwise",
        "14:9: 'dam-may-mau' is already given at line 3; name one of them otherwise",
        "19:16: 'hn' is already given at line 18; name one of them otherwise",
    ]


def test_a_kind_that_is_declared_absent_has_no_target(base: Path) -> None:
    text = FULL.replace("kind: agency\n", "kind: agency\n    absent: [openstack, s3]\n")
    assert refused(base, text) == [
        "16:14: 'absent' declares that there is no openstack target, but 'hn' at line 19 is one; "
        "remove openstack here, or the target",
        "16:25: 'absent' declares that there is no s3 target, but 'kho' at line 20 is one; "
        "remove s3 here, or the target",
    ]
    other = text.replace("[openstack, s3]", "[s3]").replace(
        '      - {name: kho, kind: s3, endpoint: "http:', "#"
    )
    assert read(base, other).subjects[1].absent == ("s3",), "a target of another subject is no contradiction"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: the file is empty"),
        ("version: 1\n", "1:1: missing key 'subjects'"),
        ("version: 1\nsubjects: []\n", "2:11: 'subjects': 1 or more items are expected, found an empty list"),
        ("version: 1\nsubjects: [{id: a, kind: agency, title: {vi: A}, targets: []}]\n",
         "2:59: 'targets': 1 or more items are expected, found an empty list"),
        ("version: 1\nsubjects: [{id: a, kind: agency, title: {vi: A}}]\n", "2:12: missing key 'targets'"),
    ],
)  # fmt: skip
def test_a_file_without_subjects_or_targets_shows_how_to_write_one(
    base: Path, text: str, problem: str
) -> None:
    assert refused(base, text) == [f"{problem}; {EXAMPLE}"]


def test_the_example_of_the_hint_is_a_valid_file(base: Path) -> None:
    _, _, entry = EXAMPLE.partition(" such as ")
    assert [s.id for s in read(base, f"version: 1\nsubjects:\n{entry}\n").subjects] == ["dam-may-mau"]


def test_a_file_that_is_not_strict_yaml_is_refused(base: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read(base, "version: 1\nversion: 1\n")
    assert told(base, caught.value.problems) == [
        "2:1: the key 'version' is already given at line 1; keep one of the two: it is not clear which is meant"
    ]


def test_the_schema_is_closed_and_has_a_stable_name() -> None:
    read_ = schema("targets")
    assert read_["$id"] == "urn:cloudaudit:schema:targets:1"
    # Only the switch between the kinds is open: each kind closes itself.
    assert [
        name for name, shape in {"": read_, **read_["$defs"]}.items()
        if "properties" in shape and shape.get("additionalProperties") is not False
    ] == ["target"]  # fmt: skip
    assert json.loads(json.dumps(read_)) == read_


# --- a Swift account behind an S3 endpoint -----------------------------------------------------------


def views(store: str, cloud: str = "") -> str:
    """A cloud in line 7, and a store that shows a Swift account of it in line 8."""
    return f"""\
version: 1
subjects:
- id: a
  kind: provider
  title: {{vi: A}}
  targets:
  - {{name: hn, kind: openstack, cloud: hn{cloud}}}
  - {{name: k, kind: s3, endpoint: "https://x", profile: p, swift: {{{store}}}}}
"""


@pytest.mark.parametrize(
    ("store", "cloud", "account"),
    [
        ("target: hn, project: shop", "", SwiftAccount("hn", "shop")),
        ("target: hn, project: shop, region: hcm", "", SwiftAccount("hn", "shop", "hcm")),
        ("target: hn", ", projects: [shop]", SwiftAccount("hn", "shop")),
        ("target: hn, project: '${P}'", ", projects: [shop, kho]", SwiftAccount("hn", "kho")),
    ],
)
def test_a_store_may_show_a_swift_account(base: Path, store: str, cloud: str, account: SwiftAccount) -> None:
    _, found = read(base, views(store, cloud), {"P": "kho"}).subjects[0].targets
    assert isinstance(found, S3Entry)
    assert found.swift == account
    made = collecting._s3_target(found)
    assert (made.swift_target, made.swift_project, made.swift_region) == (
        account.target, account.project, account.region,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("store", "cloud", "problem"),
    [
        ("target: la, project: x", "", "8:76: 'target': 'la' is no target of this subject; name one of hn"),
        ("target: k, project: x", "", "8:76: 'target': 'k' is no openstack target; name one of hn"),
        ("target: '${P}', project: x", "",
         "8:76: 'target': a value from the environment is no target of this subject; name one of hn"),
        ("target: hn", "", "8:60: 'swift': which project is not told, and target 'hn' has all projects; name the "
         "project, by name or id, whose containers the buckets are"),
        ("target: hn", ", projects: [a, b]", "8:60: 'swift': which project is not told, and target 'hn' has 2 "
         "projects; name the project, by name or id, whose containers the buckets are"),
        ("target: hn, project: x", ", projects: [a]",
         "8:89: 'project': target 'hn' does not read it; write it as it stands in its projects, or add it there"),
        ("target: hn, project: x, region: r", ", regions: [s]",
         "8:100: 'region': target 'hn' does not read it; write it as it stands in its regions, or add it there"),
        ("project: x", "", "8:67: missing key 'target'; target: Name of the openstack target of the same subject whose Swift the store is."),
        ("target: hn, account: x", "", "8:80: unknown key 'account'; known keys: target, project, region"),
    ],
)  # fmt: skip
def test_which_swift_account_must_be_told(base: Path, store: str, cloud: str, problem: str) -> None:
    assert refused(base, views(store, cloud), {"P": "planted"}) == [problem]


def test_a_subject_without_a_cloud_shows_no_swift_account(base: Path) -> None:
    text = one("{name: k, kind: s3, endpoint: 'https://x', profile: p, swift: {target: hn, project: x}}")
    (problem,) = refused(base, text)
    assert problem.endswith(
        "'target': 'hn' is no target of this subject; the subject has no openstack target"
    )
    # A kind of its own may have a key of this name that means something else: only s3 is looked at.
    cloud = one("{name: k, kind: openstack, cloud: x, swift: {target: hn}}")
    (problem,) = refused(base, cloud)
    assert "unknown key 'swift'" in problem


def test_what_is_declared_of_swift_counts_when_going_on(base: Path) -> None:
    none = registers.load(None)
    digests = {
        collecting._digest_of_targets(read(base, views(f"target: hn, project: {name}")).subjects[0], none)
        for name in ("shop", "shop", "kho")
    }
    assert len(digests) == 2
