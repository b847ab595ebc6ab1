"""Audit identities on the OpenStack bed, and a thing that is hidden from them: made before the tests, and
removed after.

What is here is the tests' own client of Keystone. It writes, and has nothing to do with cloudaudit's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from audits import cloudaudit
from beds import OpenStackBed

SYSTEM_READER = "kiem-toan-he-thong"
"""A user with the role reader on the system, and in no project."""
LEAST = "kiem-toan"
"""Name of the application credentials with the access rules that cloudaudit writes; one a project."""
PASSWORD = "PLANTED-pw-kiem-toan-5d7e20"
SECRET = "PLANTED-appcred-secret-kiem-toan-91b3"
LONGEST = 60
"""Seconds that one request may take."""


@dataclass(frozen=True)
class Raw:
    """Requests of one identity in one scope, without any of cloudaudit's code."""

    token: str
    body: Mapping[str, Any]
    region: str
    """The one whose endpoints are asked."""

    @cached_property
    def addresses(self) -> Mapping[str, str]:
        """Public endpoints of the token's catalogue by the type of service."""
        return {
            entry["type"]: endpoint["url"].rstrip("/")
            for entry in self.body.get("catalog", ())
            for endpoint in entry["endpoints"]
            if endpoint["interface"] == "public" and endpoint["region_id"] == self.region
        }

    @property
    def project(self) -> str | None:
        project: str | None = self.body.get("project", {}).get("id")
        return project

    @property
    def roles(self) -> set[str]:
        return {role["name"] for role in self.body.get("roles", ())}

    def ask(
        self, url: str, method: str = "GET", content: Any = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        given = {"X-Auth-Token": self.token, **(headers or {})}
        return requests.request(method, url, json=content, headers=given, timeout=LONGEST)


def logged_in(
    bed: OpenStackBed, auth: Mapping[str, Any], scope: Mapping[str, Any] | None, region: str | None = None
) -> Raw:
    """A token of Keystone. `auth` is its `identity`, `scope` None for a credential that has its own."""
    content = {"auth": {"identity": auth, **({} if scope is None else {"scope": scope})}}
    url = f"{bed.env['auth_url']}/auth/tokens"
    answer = requests.post(url, json=content, timeout=LONGEST)
    answer.raise_for_status()
    token = answer.headers["X-Subject-Token"]
    return Raw(token, answer.json()["token"], region or bed.env["region"])


def password(name: str, secret: str) -> dict[str, Any]:
    user = {"name": name, "password": secret, "domain": {"id": "default"}}
    return {"methods": ["password"], "password": {"user": user}}


def credential(id_: str, secret: str) -> dict[str, Any]:
    return {"methods": ["application_credential"], "application_credential": {"id": id_, "secret": secret}}


def user(bed: OpenStackBed, name: str) -> dict[str, Any]:
    """How a user that the seed made logs in."""
    return password(name, bed.env["users"][name]["password"])


def of_project(id_: str) -> dict[str, Any]:
    return {"project": {"id": id_}}


OF_SYSTEM = {"system": {"all": True}}


@dataclass(frozen=True, eq=False)
class Identities:
    """What was made, and the clouds.yaml that has it beside what the seed made."""

    bed: OpenStackBed
    clouds_yaml: Path
    rules: Sequence[Mapping[str, str]]
    """The access rules, as `cloudaudit permissions` wrote them."""
    least: Mapping[str, str]
    """Ids of the application credentials by project."""

    @property
    def variables(self) -> dict[str, str]:
        return {"OS_CLIENT_CONFIG_FILE": str(self.clouds_yaml)}

    @cached_property
    def admin(self) -> Raw:
        return logged_in(
            self.bed, user(self.bed, "admin"), of_project(self.bed.truth["base"]["admin_project"])
        )

    @cached_property
    def admin_of_system(self) -> Raw:
        return logged_in(self.bed, user(self.bed, "admin"), OF_SYSTEM)

    @cached_property
    def reader_of_system(self) -> Raw:
        return logged_in(self.bed, password(SYSTEM_READER, PASSWORD), OF_SYSTEM)

    def with_least(self, project: str) -> Raw:
        return logged_in(self.bed, credential(self.least[project], SECRET), None)

    @property
    def secrets(self) -> dict[str, str]:
        return {**self.bed.secrets, "password of the system's reader": PASSWORD, "its credential": SECRET}


def written_rules(bed: OpenStackBed, folder: Path) -> list[dict[str, str]]:
    """The access rules that `cloudaudit permissions` writes for this cloud."""
    ran = cloudaudit(folder, "permissions", "-p", "ndc-connection", "-o", folder / "rights")
    assert ran.code == 0, ran.err
    rules: list[dict[str, str]] = json.loads((folder / "rights" / "keystone-access-rules.json").read_text())
    return rules


@contextmanager
def identities(bed: OpenStackBed, folder: Path) -> Iterator[Identities]:
    """Make the identities; take them away again."""
    rules = written_rules(bed, folder)
    admin = logged_in(bed, user(bed, "admin"), OF_SYSTEM)
    keystone = bed.env["auth_url"]

    def made(by: Raw, url: str, kind: str, content: Mapping[str, Any]) -> str:
        answer = by.ask(url, "POST", {kind: content})
        assert answer.ok, answer.text
        id_: str = answer.json()[kind]["id"]
        return id_

    with ExitStack() as stack:
        name = {"name": SYSTEM_READER, "password": PASSWORD, "domain_id": "default"}
        reader = made(admin, f"{keystone}/users", "user", name)
        stack.callback(admin.ask, f"{keystone}/users/{reader}", "DELETE")
        (role,) = [
            role["id"] for role in admin.ask(f"{keystone}/roles").json()["roles"] if role["name"] == "reader"
        ]
        admin.ask(f"{keystone}/system/users/{reader}/roles/{role}", "PUT").raise_for_status()
        least = {}
        for project, id_ in bed.projects.items():
            # Only its owner can make one.
            owner = logged_in(bed, user(bed, "audit"), of_project(id_))
            url = f"{keystone}/users/{owner.body['user']['id']}/application_credentials"
            content = {
                "name": f"{LEAST}-{project}", "secret": SECRET,
                "roles": [{"name": "reader"}], "access_rules": rules,
            }  # fmt: skip
            least[project] = made(owner, url, "application_credential", content)
            stack.callback(owner.ask, f"{url}/{least[project]}", "DELETE")
        yield Identities(bed, _clouds(bed, folder, least), rules, least)


def _clouds(bed: OpenStackBed, folder: Path, least: Mapping[str, str]) -> Path:
    """The seed's clouds.yaml, and entries for what is made here."""
    content = json.loads(Path(bed.env["clouds_yaml"]).read_text(encoding="utf-8"))
    common = {"region_name": bed.env["region"], "identity_api_version": 3}
    url = {"auth_url": bed.env["auth_url"]}
    auth = {
        "username": SYSTEM_READER,
        "password": PASSWORD,
        "user_domain_name": "Default",
        "system_scope": "all",
    }
    content["clouds"][SYSTEM_READER] = {"auth": {**url, **auth}, **common}
    for project, id_ in least.items():
        content["clouds"][f"{LEAST}-{project}"] = {
            "auth": {**url, "application_credential_id": id_, "application_credential_secret": SECRET},
            "auth_type": "v3applicationcredential",
            **common,
        }
    path = folder / "clouds.yaml"
    path.touch(mode=0o600)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
