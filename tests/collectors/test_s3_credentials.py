"""Where the keys of an S3 target may come from, and where they may not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from playback import Reply, playing
from s3_play import bucket_list, collect, target

from cloudaudit.collectors.s3 import S3Target
from cloudaudit.collectors.s3 import credentials as module
from cloudaudit.collectors.s3.credentials import PROVIDERS, Signer, profile_resolver
from cloudaudit.collectors.transport import Failure
from cloudaudit.errors import TargetError
from cloudaudit.model import Reason

URL = "https://s3.vn/b?acl"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """AWS configuration files of the test's own: call it with the text of both."""
    for name in (
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))

    def write(config_text: str = "", credentials_text: str = "") -> None:
        config.write_text(config_text)
        credentials.write_text(credentials_text)

    write()
    return write


def signer(**more: Any) -> Signer:
    return Signer(S3Target("kho", "https://s3.vn", **more))


def signed_by(found: Signer) -> str:
    headers = found.headers("GET", URL)
    assert not isinstance(headers, Failure), headers
    return headers["Authorization"].partition("Credential=")[2].partition("/")[0]


KEYS = "aws_access_key_id = {0}\naws_secret_access_key = bi-mat\n"


def test_static_keys_of_both_files(aws: Any) -> None:
    aws("[profile trong]\n" + KEYS.format("TRONGCONFIG"), "[ngoai]\n" + KEYS.format("NGOAI"))
    assert signed_by(signer(profile="trong")) == "TRONGCONFIG"
    assert signed_by(signer(profile="ngoai")) == "NGOAI"


def test_only_three_providers_are_left(aws: Any) -> None:
    aws(credentials_text="[x]\n" + KEYS.format("K"))
    methods = [provider.METHOD for provider in profile_resolver("x").providers]
    assert methods == ["shared-credentials-file", "custom-process", "config-file"]
    assert set(methods) == PROVIDERS


def test_identities_of_the_machine_are_never_asked(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in the environment, a container's address and a metadata service are all there, and not used."""
    with playing(lambda asked: Reply(200, b'{"AccessKeyId": "TUMAY", "SecretAccessKey": "x"}')) as machine:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "TUMOITRUONG")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", machine.url)
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.url)
        aws("[profile rong]\nregion = vn-hn\n")
        found = signer(profile="rong").headers("GET", URL)
        assert machine.asked == []
    assert found == Failure(
        Reason.NO_PERMISSION, "profile 'rong' has neither keys of its own nor a credential_process"
    )


@pytest.mark.parametrize(
    "line",
    [
        "role_arn = arn:aws:iam::1:role/r\nsource_profile = x",
        "role_arn = arn:aws:iam::1:role/r\ncredential_source = Ec2InstanceMetadata",
        "role_arn = arn:aws:iam::1:role/r\nweb_identity_token_file = /x",
        "sso_session = s\nsso_account_id = 1",
        "sso_start_url = https://x\nsso_region = r",
        "login_session = arn:aws:iam::1:user/u",
    ],
)
def test_profiles_that_become_somebody_else_are_refused(line: str, aws: Any) -> None:
    aws(f"[profile x]\n{line}\n{KEYS.format('K')}")
    with pytest.raises(TargetError, match="AWS profile 'x' takes its identity from elsewhere"):
        signer(profile="x")


def test_a_profile_that_is_not_there_is_an_error_of_the_target(aws: Any) -> None:
    with pytest.raises(TargetError, match="there is no usable AWS profile 'khong-co'"):
        signer(profile="khong-co")


def process(folder: Path, code: str) -> str:
    script = folder / "process.py"
    script.write_text(code)
    return f"[profile p]\ncredential_process = {sys.executable} {script}\n"


def test_a_credential_process_gives_keys_and_token(aws: Any, tmp_path: Path) -> None:
    keys = {"Version": 1, "AccessKeyId": "TUTIENTRINH", "SecretAccessKey": "bi-mat", "SessionToken": "the-phien",
            "Expiration": "2099-01-01T00:00:00Z"}  # fmt: skip
    aws(process(tmp_path, f"print({json.dumps(json.dumps(keys))})"))
    found = signer(profile="p")
    assert signed_by(found) == "TUTIENTRINH"
    headers = found.headers("GET", URL)
    assert not isinstance(headers, Failure)
    assert headers["X-Amz-Security-Token"] == "the-phien"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import sys; sys.exit('PLANTED')", "CredentialRetrievalError"),
        ("print('PLANTED')", "JSONDecodeError"),
        ('print(\'{"Version": 7, "k": "PLANTED"}\')', "CredentialRetrievalError"),
        ('print(\'{"Version": 1, "AccessKeyId": "PLANTED"}\')', "CredentialRetrievalError"),
        ("import time; time.sleep(30)", "TimeoutExpired"),
    ],
)
def test_a_broken_credential_process_is_named_by_its_kind_only(
    code: str, kind: str, aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "sleep" in code:
        monkeypatch.setattr(module, "PROCESS_SECONDS", 0.2)
    aws(process(tmp_path, code))
    found = signer(profile="p").headers("GET", URL)
    assert found == Failure(Reason.NO_PERMISSION, f"profile 'p' gives no credentials ({kind})")


def test_a_credential_process_that_is_not_there(aws: Any) -> None:
    aws("[profile p]\ncredential_process = /khong/co/lenh\n")
    found = signer(profile="p").headers("GET", URL)
    assert found == Failure(Reason.NO_PERMISSION, "profile 'p' gives no credentials (FileNotFoundError)")


def test_without_keys_nothing_is_sent_and_everything_is_a_gap(aws: Any, tmp_path: Path) -> None:
    aws("[profile rong]\nregion = vn-hn\n")
    with playing(lambda asked: bucket_list(["b"])) as server:
        seen = collect(server.url, tmp_path, access_key_file=None, secret_key_file=None, profile="rong")
        assert server.asked == []
    assert [(gap.operation, gap.reason) for gap in seen.gaps] == [("s3.list_buckets", Reason.NO_PERMISSION)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "access_key_file '{0}' cannot be read: No such file or directory"),
        (b"", "access_key_file '{0}' does not hold a key"),
        (b"a\nb\n", "access_key_file '{0}' does not hold a key"),
        (b"a b", "access_key_file '{0}' does not hold a key"),
        (b"kh\xc3\xb3a", "access_key_file '{0}' does not hold a key"),
    ],
)
def test_key_files_that_hold_no_key(content: bytes | None, message: str, tmp_path: Path) -> None:
    asked = target("https://s3.vn", tmp_path)
    path = tmp_path / "access"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TargetError) as caught:
        Signer(asked)
    assert caught.value.problems[0].message == message.format(path)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"profile": "x", "access_key_file": "a", "secret_key_file": "b"},
        {"profile": "x", "secret_key_file": "b"},
        {"access_key_file": "a"},
        {"secret_key_file": "b"},
    ],
)
def test_credentials_come_from_one_place(settings: dict[str, str]) -> None:
    with pytest.raises(TargetError, match="needs credentials from one place"):
        S3Target("kho", "https://s3.vn", **settings)


@pytest.mark.parametrize(
    "endpoint",
    [
        "s3.vn",
        "ftp://s3.vn",
        "https://",
        "https://k:bi-mat@s3.vn",
        "https://s3.vn?x=1",
        "https://s3.vn:99999",
        "https://[::1",
    ],
)
def test_an_endpoint_is_an_address_and_holds_no_secret(endpoint: str) -> None:
    with pytest.raises(TargetError, match="the endpoint of target 'kho' is no S3 address") as caught:
        S3Target("kho", endpoint, profile="x")
    assert "bi-mat" not in str(caught.value)


def test_nothing_shows_a_key(tmp_path: Path) -> None:
    asked = target("https://s3.vn", tmp_path)
    shown = repr((asked, Signer(asked)))
    assert "Signer(the key files)" in shown
    assert "AKIDKIEMTHU" not in shown
    assert "bi-mat-kiem-thu" not in shown
