"""Plug-ins: a collector and a reporter of another package, sound ones and others."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from test_packaging import Environment, by_link

from cloudaudit import api, plugins, registers, targets
from cloudaudit.cli import _run
from cloudaudit.collecting import collect_subject, read_subject
from cloudaudit.collectors.runner import Collected
from cloudaudit.errors import CloudauditError, TargetError
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Unseen
from cloudaudit.plan import plan

EXAMPLE = Path(__file__).parent / "plugin_example"
CONTROLS = EXAMPLE / "cloudaudit_inventory" / "controls"
NAMED = "the plug-in 'inventory' of cloudaudit-inventory 0.1.0"
AT = 1_795_319_200
DATE = "Sun, 22 Nov 2026 03:46:40 GMT"
TOKEN = "PLANTED-token"
PROFILE = """\
id: kiem-ke
version: 1.0.0
title: {vi: Kiểm kê, en: Inventory}
extends: ndc-connection
controls: [SEC-950]
agency_duties: []
weights: {SEC: 100}
gates: []
"""


class Inventory:
    """A small service: hosts by site, their disks, and a token that it wants to see."""

    def __init__(self) -> None:
        self.hosts = {
            "hn": [{"id": f"h-{n}", "name": f"may-{n}", "serial": None} for n in range(3)],
            "hcm": [{"id": "h-9", "name": "may-9", "serial": "S9"}],
        }
        self.encrypted = {"h-0": True, "h-1": True, "h-2": False}
        self.totals: dict[str, int] = {}
        self.asked: list[tuple[str, str]] = []

    def answer(self, path: str) -> tuple[int, Any]:
        parts = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/v1/hosts":
            rows = self.hosts.get(query["site"], [])
            begin = int(query.get("marker", 0))
            end = begin + int(query["limit"])
            total = self.totals.get(query["site"], len(rows))
            body: dict[str, Any] = {"hosts": rows[begin:end], "total": total}
            return 200, body | ({"next": str(end)} if end < len(rows) else {})
        host = parts.path.split("/")[3]
        known = host in self.encrypted
        return (200, {"encrypted": self.encrypted[host]}) if known else (403, {})

    @contextmanager
    def running(self) -> Iterator[str]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append((self.command, self.path))
                status, body = service.answer(self.path)
                if self.headers.get("X-Token") != TOKEN:
                    status, body = 401, {}
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return DATE

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test's output clean."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put packages on the path as an installer would: their code, and beside it what their metadata says."""
    before = set(sys.modules)

    def add(code: Path, project: dict[str, Any]) -> None:
        site = tmp_path / f"site-{project['name']}"
        about = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        about.mkdir(parents=True)
        about.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        lines = [
            line
            for group, entries in project["entry-points"].items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
        ]
        about.joinpath("entry_points.txt").write_text("\n".join(lines) + "\n")
        for path in (code, site):
            monkeypatch.syspath_prepend(str(path))
        importlib.invalidate_caches()

    yield add
    for name in set(sys.modules) - before:
        if name.startswith("cloudaudit_") or name.startswith("ngoai"):
            del sys.modules[name]


@pytest.fixture
def example(install: Install) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    install(EXAMPLE, project)
    return project


def write_targets(folder: Path, url: str, more: str = "", line: str = "") -> Path:
    (folder / "token").touch(mode=0o600)
    (folder / "token").write_text(f"{TOKEN}\n")
    (folder / "kiem-ke.yaml").write_text(PROFILE)
    path = folder / "targets.yaml"
    path.write_text(
        "version: 1\n"
        "subjects:\n"
        "  - id: mau\n"
        "    kind: provider\n"
        "    title: {vi: Mẫu}\n"
        "    absent: [openstack, s3]\n"
        "    targets:\n"
        f'      - {{name: kiem-ke, kind: inventory, endpoint: "{url}", sites: [hn, hcm], token_file: token{more}}}\n'
        f"{line}"
    )
    return path


def read(path: Path, folder: Path) -> Collected:
    (subject,) = targets.load(path, {}, plugins.kinds()).subjects
    known = api.know(str(folder / "kiem-ke.yaml"), "provider", [CONTROLS])
    wanted = plan(known.profile, known.catalogue.types)
    return read_subject(subject, wanted, registers.load(None), now=lambda: AT)


def cloudaudit(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    code = _run([str(arg) for arg in args])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


# --- the example --------------------------------------------------------------------------------------


def test_what_the_example_reads(tmp_path: Path, example: dict[str, Any]) -> None:
    service = Inventory()
    with service.running() as url:
        found = read(write_targets(tmp_path, url, ", page_size: 2"), tmp_path)
    requests = {call.number: call.request for call in found.calls}

    def host(site: str, id_: str, serial: str | None, facts: dict[str, Any], first: str) -> Any:
        return (
            Resource("inventory.host", id_, Scope("kiem-ke", site), AT, {"serial": serial, **facts},
                     f"may-{id_[2:]}", "", {} if facts else {"disks": Unseen(Reason.NO_PERMISSION, "HTTP 403")}),
            {"": f"GET /v1/hosts?site={site}&limit=2&marker={first}"}
            | ({"disks": f"GET /v1/hosts/{id_}/disks"} if facts else {}),
        )  # fmt: skip

    seen = [
        (
            Resource(r.type, r.id, r.scope, r.at, dict(r.facts), r.name, r.endpoint, dict(r.unseen)),
            {group: requests[number] for group, number in r.sources.items()},
        )
        for r in found.resources
    ]
    assert sorted(seen, key=lambda one: one[0].id) == [
        host("hn", "h-0", None, {"disks.encrypted": True}, ""),
        host("hn", "h-1", None, {"disks.encrypted": True}, ""),
        host("hn", "h-2", None, {"disks.encrypted": False}, "2"),
        host("hcm", "h-9", "S9", {}, ""),
    ]
    told = [
        (one.scope.region, one.type, one.count, one.proof)
        for one in found.listings
        if one.scope.target != "*"
    ]
    proof = "the service's own total of the site"
    assert sorted(told) == [("hcm", "inventory.host", 1, proof), ("hn", "inventory.host", 3, proof)]
    assert found.gaps == ()


def test_what_is_not_provably_whole_is_a_gap(tmp_path: Path, example: dict[str, Any]) -> None:
    service = Inventory()
    service.totals["hcm"] = 2
    with service.running() as url:
        found = read(write_targets(tmp_path, url), tmp_path)
    (gap,) = found.gaps
    assert (gap.scope, gap.reason) == (Scope("kiem-ke", "hcm"), Reason.PARTIAL)


def test_the_whole_way_where_it_is_installed(tmp_path: Path) -> None:
    """A real environment and a real installer: collect, judge, report in the plug-in's own format."""
    env = Environment(tmp_path)
    by_link(env)
    tools = os.pathsep.join(path for path in sys.path if path.endswith(("site-packages", "dist-packages")))
    env.install("--no-build-isolation", EXAMPLE, PYTHONPATH=tools)
    controls = env.site / "cloudaudit_inventory" / "controls"
    linted = env.cloudaudit("controls", "lint", str(controls))
    assert (linted.returncode, linted.stdout) == (0, "1 control, 3 examples, 0 problems\n"), linted.stderr
    shown = env.cloudaudit("facts", "inventory.host", "--lang", "en").stdout
    assert "disks.encrypted" in shown
    assert "All its disks are encrypted [inventory.encryption]" in shown
    service = Inventory()
    with service.running() as url:
        write_targets(env.elsewhere, url)
        ran = env.cloudaudit(
            "run", "-t", "targets.yaml", "-p", "kiem-ke.yaml", "--controls", str(controls), "-o", "out",
            "-f", "inventory-lines", "--quiet",
        )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (1, ""), ran.stderr
    assert ran.stdout == (
        "# cloudaudit-inventory 0.1.0\nSEC-950\tfail\tinventory.host\th-2\nSEC-950\tunknown\tinventory.host\th-9\n"
    )
    assert {method for method, _ in service.asked} == {"GET"}
    out = env.elsewhere / "out"
    named = [{"name": "inventory", "package": "cloudaudit-inventory", "version": "0.1.0"}]
    manifest = json.loads((out / "snapshot" / "manifest.json").read_text(encoding="utf-8"))
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert (manifest["run"]["plugins"], report["plugins"]) == (named, named)
    assert report["reporters"] == [{**named[0], "name": "inventory-lines"}]
    source = {"path": "targets.yaml", "line": 8}
    assert manifest["run"]["targets"] == [{"name": "kiem-ke", "kind": "inventory", "source": source}]
    page = (out / "report.html").read_text(encoding="utf-8")
    method = page[page.index('<section id="s-3">') :]
    assert "Phần mở rộng đã tham gia thu thập" in method
    assert re.search(
        r"<th[^>]*>inventory</th><td[^>]*>cloudaudit-inventory</td><td[^>]*>0\.1\.0</td>", method
    )
    assert "Phần mở rộng được dùng để trình bày kết quả" in method
    files = [path for path in out.rglob("*") if path.is_file()]
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]


def test_plan_and_preflight_know_its_calls(
    tmp_path: Path, example: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    service = Inventory()
    with service.running() as url:
        path = write_targets(tmp_path, url)
        args = ("-t", path, "-p", tmp_path / "kiem-ke.yaml", "--controls", CONTROLS, "-f", "json")
        code, out, _ = cloudaudit(capsys, "plan", *args)
        (planned,) = json.loads(out)["subjects"][0]["targets"]
        tried, seen, _ = cloudaudit(capsys, "preflight", *args)
    assert code == 0
    assert [(c["request"], c["per"], c["controls"]) for c in planned["calls"]] == [
        ("GET /v1/hosts?site={region}", "region", ["SEC-950"]),
        ("GET /v1/hosts/{id}/disks", "item", ["SEC-950"]),
    ]
    assert tried == 3
    assert "HTTP 403" in seen


def test_permissions_say_that_they_write_nothing_for_it(
    tmp_path: Path, example: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_targets(tmp_path, "http://127.0.0.1:1")
    args = ("-p", tmp_path / "kiem-ke.yaml", "--controls", CONTROLS, "--quiet")
    warning = (
        "warning: nothing is written for target 'kiem-ke' of kind 'inventory': "
        f"{NAMED} tells what rights it takes\n"
    )
    code, out, err = cloudaudit(capsys, "permissions", "-t", path, *args, "-o", tmp_path / "alone")
    assert (code, out) == (2, "")
    assert err == (
        f"{warning}error: profile '{tmp_path / 'kiem-ke.yaml'}' asks nothing of targets whose rights are known here; "
        "see what the packages of the plug-ins tell of the rights they take\n"
    )
    assert not (tmp_path / "alone").exists()
    # Beside a target of ours it is told too, on the screen and in the folder.
    store = "      - {name: kho, kind: s3, endpoint: 'https://kho.example.vn', profile: p}\n"
    path = write_targets(tmp_path, "http://127.0.0.1:1", line=store)
    path.write_text(path.read_text().replace("absent: [openstack, s3]", "absent: [openstack]"))
    args = ("-p", "s3-only", "--quiet")
    code, out, err = cloudaudit(capsys, "permissions", "-t", path, *args, "-o", tmp_path / "both")
    assert (code, out, err) == (0, "", warning)
    readme = (tmp_path / "both" / "README.txt").read_text(encoding="utf-8")
    assert f"kiem-ke: nothing is written for this target; {NAMED} tells what rights it takes." in readme


def test_a_format_of_a_package_is_named_by_the_command_that_shows_it(
    tmp_path: Path, example: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    whose = "the format 'inventory-lines' is of the package cloudaudit-inventory 0.1.0\n"
    with Inventory().running() as url:
        path = write_targets(tmp_path, url)
        args = ("-p", tmp_path / "kiem-ke.yaml", "--controls", CONTROLS)
        code, _, _ = cloudaudit(capsys, "collect", "-t", path, *args, "-o", tmp_path / "snapshot")
    assert code == 0
    at = ("--at", "2026-11-22T11:00:00+07:00", "--allow-incomplete")
    made = {}
    for name, format_ in (("a", "inventory-lines"), ("b", "inventory-lines"), ("c", "text")):
        out = tmp_path / name
        _, shown, err = cloudaudit(
            capsys, "assess", tmp_path / "snapshot", *args, *at, "-f", format_, "-o", out
        )
        assert (whose in err, shown.startswith("# cloudaudit-inventory 0.1.0\n")) == (
            (format_ != "text"),
        ) * 2
        made[name] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    # The same command gives the same report; one that asks for another format says so and nothing else.
    named = {"name": "inventory-lines", "package": "cloudaudit-inventory", "version": "0.1.0"}
    plain = {key: value for key, value in made["c"].items() if key != "generated_at"}
    for name in ("a", "b"):
        found = {key: value for key, value in made[name].items() if key != "generated_at"}
        assert found == {**plain, "reporters": [named]}
    # Writing an assessment again in another format changes nothing in it, and tells whose the format is.
    before = (tmp_path / "c" / "report.json").read_bytes()
    lines = tmp_path / "lines.tsv"
    args = ("--controls", CONTROLS, "-f", "inventory-lines", "-o", lines)
    assert cloudaudit(capsys, "report", tmp_path / "c", *args) == (0, "", whose)
    assert lines.read_text(encoding="utf-8").startswith("# cloudaudit-inventory 0.1.0\n")
    assert (tmp_path / "c" / "report.json").read_bytes() == before


# --- targets.yaml -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "place", "message"),
    [
        ("sites: [hn, hcm]", "site: [hn, hcm]", "site:", "unknown key 'site'; did you mean 'sites'?"),
        (", sites: [hn, hcm]", "", "{name", "missing key 'sites'; sites: Sites whose hosts are read."),
        ("[hn, hcm]", "[hn, ha, hn]", "hn]", "'sites', item 3: the text 'hn' is already in the list"),
        (
            "token_file: token",
            "token: abc",
            "token:",
            "'token' may not stand here: this file holds no secrets",
        ),
        ("token_file: token", "token_file: none", "none", "'token_file': there is no such file"),
        ("name: kiem-ke", "name: Kiem", "Kiem", "small letters without accents"),
        ("token_file: token", "deadline: 5", "5}", "a text is expected"),
        (
            "token_file: token",
            "page_size: 0",
            "0}",
            "'page_size': at least 1 is expected, found the number 0",
        ),
    ],
)
def test_mistakes_are_told_with_line_and_column(
    tmp_path: Path, example: dict[str, Any], before: str, after: str, place: str, message: str
) -> None:
    path = write_targets(tmp_path, "http://127.0.0.1:12345")
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    line = path.read_text(encoding="utf-8").splitlines()[7]
    with pytest.raises(TargetError) as raised:
        targets.load(path, {}, plugins.kinds())
    (problem,) = raised.value.problems
    assert f"{path}:8:{line.index(place) + 1}: " in str(problem)
    assert message in str(problem)


def test_settings_have_defaults_and_files_are_paths(tmp_path: Path, example: dict[str, Any]) -> None:
    path = write_targets(tmp_path, "http://127.0.0.1:1", ", deadline: PT5S")
    (subject,) = targets.load(path, {}, plugins.kinds()).subjects
    (entry,) = subject.targets
    assert isinstance(entry, targets.PluginEntry)
    assert entry.settings == {
        "endpoint": "http://127.0.0.1:1", "sites": ["hn", "hcm"], "token_file": tmp_path / "token", "page_size": 100,
    }  # fmt: skip
    assert (entry.max_in_flight, entry.rate_limit, entry.deadline) == (16, None, 5)


def test_a_key_file_that_others_can_read_is_told(tmp_path: Path, example: dict[str, Any]) -> None:
    path = write_targets(tmp_path, "http://127.0.0.1:1")
    (tmp_path / "token").chmod(0o644)
    (warning,) = targets.load(path, {}, plugins.kinds()).warnings
    assert "'token_file': others can read this file (mode 0644)" in str(warning)


def test_what_the_package_itself_refuses_is_told_at_the_entry(
    tmp_path: Path, example: dict[str, Any]
) -> None:
    path = write_targets(tmp_path, "http://127.0.0.1:1")
    (tmp_path / "token").write_bytes(b"\xff")
    with pytest.raises(TargetError, match=r"targets\.yaml:8:9: the token_file cannot be read"):
        read(path, tmp_path)


# --- a package that is not there ----------------------------------------------------------------------


def test_a_kind_nobody_brings(tmp_path: Path) -> None:
    path = write_targets(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(TargetError, match=r"8:.*'kind': the text 'inventory' is not known here"):
        targets.load(path, {}, plugins.kinds())


def test_a_snapshot_of_a_package_that_is_gone(
    tmp_path: Path, install: Install, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as there:
        for path in (EXAMPLE, _site(tmp_path)):
            there.syspath_prepend(str(path))
        importlib.invalidate_caches()
        with Inventory().running() as url:
            cloudaudit(
                capsys, "collect", "-t", write_targets(tmp_path, url), "-p", tmp_path / "kiem-ke.yaml",
                "--controls", CONTROLS, "-o", tmp_path / "snapshot", "-q",
            )  # fmt: skip
    importlib.invalidate_caches()
    warning = (
        "warning: the snapshot was read with the plug-in 'inventory' of the package cloudaudit-inventory 0.1.0, "
        "which is not installed here: its facts stay unread, and controls on them are refused\n"
    )
    args = ("assess", tmp_path / "snapshot", "-o", tmp_path / "out", "-q")
    code, _, err = cloudaudit(capsys, *args, "-p", tmp_path / "kiem-ke.yaml", "--controls", CONTROLS)
    assert (code, err.startswith(warning)) == (2, True)
    assert (
        f"error: {CONTROLS / 'SEC-950.yaml'}:7:13: unknown resource type 'inventory.host'; "
        "no installed package brings the kind 'inventory'; install the plug-in it comes with" in err
    )
    # Our own controls are judged, on what they can read.
    code, _, err = cloudaudit(capsys, *args, "-p", "ci-quick")
    assert (code, err.startswith(warning)) == (3, True)
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["plugins"] == [{"name": "inventory", "package": "cloudaudit-inventory", "version": "0.1.0"}]


def _site(folder: Path) -> Path:
    about = folder / "site" / "cloudaudit_inventory-0.1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: cloudaudit-inventory\nVersion: 0.1.0\n")
    (about / "entry_points.txt").write_text(
        "[cloudaudit.collectors]\ninventory = cloudaudit_inventory.collector:InventoryCollector\n"
    )
    return folder / "site"


def test_another_version_is_told() -> None:
    kind = targets.Kind("inventory", "cloudaudit-inventory", "0.2.0", "a:b")
    run = {"plugins": [{"name": "inventory", "package": "cloudaudit-inventory", "version": "0.1.0"}]}
    assert list(plugins.not_as_collected(run, {"inventory": kind})) == [
        "the snapshot was read with the plug-in 'inventory' of the package cloudaudit-inventory 0.1.0; "
        "here is cloudaudit-inventory 0.2.0"
    ]


# --- names of ours ------------------------------------------------------------------------------------

BOOBY_TRAP = "raise SystemExit('imported')\n"


def foreign(
    folder: Path, install: Install, code: str, kind: str = "inventory", name: str = "ngoai",
    types: str | None = None, keys: str | None = "{}", group: str = "cloudaudit.collectors",
) -> None:  # fmt: skip
    """A package with this code as its collector; otherwise declared as the example is."""
    package = folder / f"code-{name}" / name
    (package / "resources").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "made.py").write_text(code)
    declared = (EXAMPLE / "cloudaudit_inventory/resources/inventory.host.yaml").read_text(encoding="utf-8")
    if types != "":
        (package / "resources" / "host.yaml").write_text(types or declared)
    if keys is not None:
        (package / "target.schema.json").write_text(keys)
    install(
        package.parent, {"name": name, "version": "1", "entry-points": {group: {kind: f"{name}.made:make"}}}
    )


def test_names_of_ours_win(tmp_path: Path, install: Install) -> None:
    foreign(tmp_path, install, BOOBY_TRAP, "s3", "ngoai_a")
    foreign(tmp_path, install, BOOBY_TRAP, "json", "ngoai_b", group="cloudaudit.reporters")
    assert plugins.kinds() == {}
    assert type(plugins.reporter("json")).__module__ == "cloudaudit.reporters.report_json"
    assert not [name for name in sys.modules if name.startswith("ngoai")]


def test_linting_and_judging_run_no_code_of_a_package(tmp_path: Path, install: Install) -> None:
    foreign(tmp_path, install, BOOBY_TRAP)
    assert api.lint([CONTROLS]).problems == ()
    assert "inventory.host" in plugins.types()
    assert "ngoai" not in sys.modules


@pytest.mark.parametrize(
    ("types", "keys", "why"),
    [
        (None, None, "target.schema.json cannot be read: No such file or directory"),
        (None, "{", "target.schema.json cannot be read: it is no JSON"),
        (None, '{"type": 5}', "target.schema.json: it is no JSON Schema (SchemaError)"),
        (None, '{"properties": {"a": {"pattern": "("}}}', "target.schema.json: it is no JSON Schema"),
        (None, '{"properties": {"a": {"$ref": "#"}}}', "'$ref' is not for the keys of a target"),
        ("", "{}", "its package declares no resource type in resources/"),
        ("type: [", "{}", "resources/host.yaml:"),
        ("s/type: inventory.host/type: s3.bucket", "{}", "the resource type 's3.bucket' does not begin with 'inventory.'"),
        ("s/inventory.encryption/nova.servers", "{}", "the call 'nova.servers' does not begin with 'inventory.'"),
        ("s/service: inventory/service: inventory\ndeclared: true", "{}", "declared or derived"),
        ("s/, lists: true/", "{}", "has no call with 'lists: true'"),
    ],
)  # fmt: skip
def test_wrong_declarations_cost_their_own_kind_only(
    tmp_path: Path, install: Install, types: str | None, keys: str | None, why: str
) -> None:
    if types and types.startswith("s/"):
        _, before, after = types.split("/")
        declared = (EXAMPLE / "cloudaudit_inventory/resources/inventory.host.yaml").read_text(
            encoding="utf-8"
        )
        assert before in declared
        types = declared.replace(before, after)
    foreign(tmp_path, install, BOOBY_TRAP, types=types, keys=keys)
    assert api.lint().problems == ()
    path = write_targets(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(TargetError) as raised:
        targets.load(path, {}, plugins.kinds())
    (problem,) = {str(problem) for problem in raised.value.problems[:1]}
    assert problem.startswith(f"{path}:8:31: the plug-in 'inventory' of ngoai 1 cannot be used: ")
    assert why in problem


def test_two_packages_of_one_kind(tmp_path: Path, install: Install) -> None:
    foreign(tmp_path, install, BOOBY_TRAP, name="ngoai_a")
    foreign(tmp_path, install, BOOBY_TRAP, name="ngoai_b")
    with pytest.raises(TargetError, match=r"ngoai[-_]a 1 and ngoai[-_]b 1 both bring it"):
        targets.load(write_targets(tmp_path, "http://127.0.0.1:1"), {}, plugins.kinds())


# --- misbehaviour -------------------------------------------------------------------------------------

HEAD = """\
import time
from cloudaudit.model import *
T = "inventory.host"

class make:
    def __init__(self, entry, now, cancelled):
        self.name = entry.name

    def scopes(self, log):
        return [Scope(self.name, "hn")]

    def collect(self, scope, wanted, log):
        number = log.add(scope, "inventory", "GET /v1/hosts", 200, 1795319200)
        yield Resource(T, "h", scope, 1795319200, {"serial": "S"}, sources={"": number})
"""
LISTED = '        yield Listing(scope, T, 1, "told", number)\n'


@pytest.mark.parametrize(
    ("code", "reason", "detail"),
    [
        (BOOBY_TRAP, "not_collected", "cannot be loaded (SystemExit)"),
        ("import no_such_module_at_all\n", "not_collected", "cannot be loaded (ModuleNotFoundError)"),
        ("x = 1\n", "not_collected", "cannot be loaded (AttributeError)"),
        ("def make(*args): raise KeyError('PLANTED')\n", "not_collected", "cannot be loaded (KeyError)"),
        ("def make(*args): return 5\n", "not_collected", "made what is no collector"),
        (HEAD + LISTED + "        raise OSError('PLANTED')\n", "invalid_answer", "failed (OSError)"),
        (HEAD + LISTED + "        raise SystemExit(0)\n", "invalid_answer", "failed (SystemExit)"),
        (HEAD + LISTED + "        from cloudaudit.errors import TargetError; raise TargetError('PLANTED')\n",
         "invalid_answer", "failed (TargetError)"),
        (HEAD + LISTED + "        yield 5\n", "invalid_answer", "yielded int, which is no resource"),
        (HEAD + LISTED + "        yield Resource('s3.bucket', 'b', scope, 1795319200, {})\n",
         "invalid_answer", "yielded a type that its package does not declare"),
        (HEAD + LISTED + "        yield Listing(scope, 's3.bucket', 0, 'told')\n",
         "invalid_answer", "yielded a type that its package does not declare"),
        (HEAD + LISTED + "        yield Listing(Scope('kho'), T, 0, 'told')\n",
         "invalid_answer", "yielded what belongs to another target"),
        (HEAD + LISTED + "        yield Resource(T, 7, scope, 1795319200, {})\n",
         "invalid_answer", "yielded a malformed resource"),
        (HEAD + LISTED + "        yield Resource(T, 'x', scope, 10**20, {})\n",
         "invalid_answer", "yielded a malformed resource"),
        (HEAD + LISTED + "        yield Resource(T, 'x', scope, 1795319200, {'serial': object()})\n",
         "invalid_answer", "yielded a malformed resource"),
        (HEAD + LISTED + "        yield Resource(T, 'x', scope, 1795319200, {}, sources={'': 99})\n",
         "invalid_answer", "yielded a malformed resource"),
        (HEAD + LISTED + "        yield Listing(scope, T, -1, 'told')\n", "invalid_answer", "yielded a malformed listing"),
        (HEAD + LISTED + "        yield Gap(scope, T, 'x', 'odd')\n", "invalid_answer", "yielded a malformed gap"),
        (HEAD + LISTED + "        log.add(scope, 'x', None, 200, 1)\n", "invalid_answer", "failed (TypeError)"),
        (HEAD, "not_collected", "told neither of a list nor of a gap"),
        (HEAD + "        time.sleep(1.1)\n        yield Resource(T, 'i', scope, 1795319200, {})\n" + LISTED,
         "timeout", "was not done in the 1 s allowed for this target"),
    ],
)  # fmt: skip
def test_misbehaviour_costs_its_own_target_only(
    tmp_path: Path, install: Install, code: str, reason: str, detail: str
) -> None:
    """Beside it a sound target of the same kind of service is read whole."""
    keys = (EXAMPLE / "cloudaudit_inventory/target.schema.json").read_text(encoding="utf-8")
    foreign(tmp_path, install, code, keys=keys)
    path = write_targets(tmp_path, "http://127.0.0.1:1", ", deadline: PT1S")
    (subject,) = targets.load(path, {}, plugins.kinds()).subjects
    known = api.know(str(tmp_path / "kiem-ke.yaml"), "provider", [CONTROLS])
    wanted = plan(known.profile, known.catalogue.types)
    types = known.catalogue.types
    found = read_subject(subject, wanted, registers.load(None), now=lambda: AT)
    assert [(g.type, g.reason.value, g.listing) for g in found.gaps] == [("inventory.host", reason, True)]
    assert f"the plug-in 'inventory' of ngoai 1 {detail}" in found.gaps[0].detail
    assert "PLANTED" not in repr(found)
    assert {r.type for r in found.resources} <= {"inventory.host"}
    collect_subject(subject, wanted, types, registers.load(None), tmp_path / "s", now=lambda: AT)
    api.assess(tmp_path / "s", tmp_path / "out", known, registers.load(None), at=AT, generated_at=AT)
    report = api.load_assessment(tmp_path / "out").report
    (control,) = report["controls"]
    assert (control["verdict"], control["listing_complete"]) == ("unknown", False)


@pytest.mark.parametrize(
    ("scopes", "detail"),
    [
        ("raise OSError('PLANTED')", "failed (OSError)"),
        ("return [Scope('kho')]", "named a scope of another target"),
        ("return [5]", "named int as a scope"),
        ("return 5", "failed (TypeError)"),
        (
            "return [Gap(Scope(self.name), 's3.bucket', 'x', Reason.TIMEOUT)]",
            "yielded a type that its package",
        ),
    ],
)
def test_scopes_that_cannot_be_told(tmp_path: Path, install: Install, scopes: str, detail: str) -> None:
    foreign(
        tmp_path, install, HEAD.replace('return [Scope(self.name, "hn")]', scopes) + LISTED,
        keys=(EXAMPLE / "cloudaudit_inventory/target.schema.json").read_text(encoding="utf-8"),
    )  # fmt: skip
    found = read(write_targets(tmp_path, "http://127.0.0.1:1"), tmp_path)
    (gap,) = found.gaps
    assert (gap.scope, gap.type, gap.reason) == (Scope("kiem-ke"), "inventory.host", Reason.INVALID_ANSWER)
    assert f"the plug-in 'inventory' of ngoai 1 {detail}" in gap.detail


def test_a_sound_one_beside_a_broken_one(tmp_path: Path, install: Install, example: dict[str, Any]) -> None:
    declared = (EXAMPLE / "cloudaudit_inventory/resources/inventory.host.yaml").read_text(encoding="utf-8")
    foreign(tmp_path, install, BOOBY_TRAP, "khac", types=declared.replace("inventory.", "khac."))
    with Inventory().running() as url:
        found = read(write_targets(tmp_path, url, line="      - {name: hong, kind: khac}\n"), tmp_path)
    assert sorted(r.id for r in found.resources) == ["h-0", "h-1", "h-2", "h-9"]
    assert {one.scope.target for one in found.listings} == {"kiem-ke"}


REPORTER = "class make:\n    media_type = 'text/plain'\n    def render(self, report, context):\n        "


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (BOOBY_TRAP, "the format 'dong' of the package ngoai 1 cannot be loaded (SystemExit)"),
        ("class make: media_type = 'x'\n", "cannot be loaded (AttributeError)"),
        ("class make:\n    media_type = 'x'\n    render = 5\n", "is no reporter: it has no 'render'"),
        (REPORTER + "raise KeyError('PLANTED')\n", "failed (KeyError)"),
        (REPORTER + "return None\n", "gave NoneType in place of text or bytes"),
    ],
)
def test_a_reporter_that_fails_is_told(tmp_path: Path, install: Install, code: str, message: str) -> None:
    foreign(tmp_path, install, code, "dong", group="cloudaudit.reporters")
    report = api.load_assessment(Path(__file__).parent.parent / "reports/examples/demo").report
    with pytest.raises(CloudauditError) as raised:
        plugins.reporter("dong").render(report, None)  # type: ignore[arg-type]
    assert message in str(raised.value)
    assert "PLANTED" not in str(raised.value)


def test_classes_are_the_models_own() -> None:
    """What the guard lets through is what collectors of ours yield, facts of every class included."""
    from cloudaudit.collectors.guard import _is_sound
    from cloudaudit.model import AtLeast, AtMost, Partial

    facts = {"a": None, "b": (1, 2.5, "x", True), "c": {"d": Partial(({"e": AtMost(1)},)), "f": [AtLeast(2)]}}
    assert _is_sound(Resource("t.x", "i", Scope("t"), AT, facts, sources={"": 0}), 1)
    assert _is_sound(Gap(Scope("t"), "t.x", "o", Reason.TIMEOUT), 0)
    assert _is_sound(Listing(Scope("t"), "t.x", 0, "proof"), 0)

    class Own(dict):  # type: ignore[type-arg]
        """A mapping with a will of its own."""

    for value in (Own(), {1: 2}, {"a": Own()}, (Own(),), object(), b"x"):
        assert not _is_sound(Resource("t.x", "i", Scope("t"), AT, {"a": value}), 0)
