"""The page for providers and authorities: its commands are there, and those that need no cloud do what it says."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from cloudaudit.cli import _run, cli

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/vi/tu-danh-gia.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.M | re.S)
    for line in block.splitlines()
    if line.startswith("cloudaudit ")
]
NEEDS_A_CLOUD = re.compile(r" -t targets\.yaml|\bout-2\b")


@pytest.fixture(scope="module")
def beside_the_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first command was given. Its cloud has addresses that tests may not reach."""
    folder = tmp_path_factory.mktemp("trang")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert COMMANDS[0] == "cloudaudit demo -o out --lang vi"
        assert _run(["demo", "-o", "out", "--lang", "vi", "--quiet"]) == 1
    return folder


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_and_option_exists(line: str) -> None:
    command: click.Command = cli
    args = shlex.split(line)[1:]
    context = click.Context(cli, info_name="cloudaudit")
    while isinstance(command, click.Group):
        found = command.get_command(context, args[0])
        assert found is not None, args[0]
        command, args = found, args[1:]
    command.make_parser(context).parse_args(list(args))


def test_the_way_from_assessment_to_verification(
    beside_the_sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    monkeypatch.chdir(beside_the_sample)
    Path("phuong-an.pdf").write_bytes(b"%PDF-1.7")
    # Without the passphrase, which would be asked for.
    made = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", "private.pem"]
    subprocess.run(made, check=True, capture_output=True)
    assert "openssl pkey -in private.pem -pubout -out public.pem" in TEXT
    told = ["openssl", "pkey", "-in", "private.pem", "-pubout", "-out", "public.pem"]
    subprocess.run(told, check=True, capture_output=True)
    done = [line for line in COMMANDS[1:] if not NEEDS_A_CLOUD.search(line)]
    assert len(done) == 8
    for line in done:
        assert _run(shlex.split(line)[1:]) == 0, (line, capsys.readouterr().err)
    assert "không phải tiêu chuẩn" in Path("bao-cao.md").read_text(encoding="utf-8")
    capsys.readouterr()
    assert _run(["bundle", "verify", "bundle.zip", "--lang", "vi"]) == 3


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", TEXT)
    assert len(links) > 4
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_its_exit_codes_are_those_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    codes = re.findall(r"^\| (\d+) \|", readme, re.M)
    run, verify = TEXT.split("## 3.")[0], TEXT.split("## 5.")[1]
    assert re.findall(r"^\| (\d+) \|", run, re.M) == codes
    assert re.findall(r"^\| (\d+) \|", verify, re.M) == ["0", "1", "2", "3"]
    assert "docs/vi/tu-danh-gia.md" in readme
