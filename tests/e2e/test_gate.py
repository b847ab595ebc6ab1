"""The gate end to end: exit codes, baseline, waivers, diff and check-config, over a few buckets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import gate_play as play
import jsonschema
import pytest

from cloudaudit import api
from cloudaudit.baseline import load
from cloudaudit.cli import _run
from cloudaudit.cli.options import EXITS
from cloudaudit.data import folder
from cloudaudit.model import fingerprint
from cloudaudit.yamlsource import schema

LATER = "2026-11-24T09:00:00Z"


@dataclass
class Bench:
    """A folder to work in, with controls, profile and snapshots in it."""

    home: Path
    capsys: pytest.CaptureFixture[str]
    at: str = "2026-11-22T09:00:00Z"
    profile: Path = field(init=False)

    def __post_init__(self) -> None:
        play.own_controls(self.home / "own")
        self.profile = play.own_profile(self.home / "rieng.yaml")

    def __call__(self, *args: object) -> tuple[int, str, str]:
        code = _run([str(arg) for arg in args])
        shown = self.capsys.readouterr()
        return code, shown.out, shown.err

    def assess(self, name: str, states: dict[str, str | None], *more: object) -> tuple[int, str]:
        """Judge buckets into the folder `name`: exit code and what stderr says of it."""
        snapshot = self.home / "snapshots" / name
        if not snapshot.exists():
            play.collected(snapshot, states)
        code, _, err = self(
            "assess", snapshot, "-p", self.profile, "--controls", self.home / "own", "-o", self.home / name,
            "--at", self.at, "--lang", "en", "-f", "json", *more,
        )  # fmt: skip
        return code, err.replace(f"assessment: {self.home / name}\n", "")

    def baseline(self, name: str, *more: object) -> tuple[int, str]:
        code, out, err = self("baseline", self.home / name, "-o", self.home / "baseline.json", *more)
        assert out == ""
        return code, err

    @property
    def file(self) -> Path:
        return self.home / "baseline.json"


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795342500")
    return Bench(tmp_path, capsys)


# --- exit codes ---------------------------------------------------------------------------------------


def test_the_readme_and_every_help_tell_the_same_codes(bench: Bench) -> None:
    readme = (folder("controls").parent / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (\d+) \| (.+) \|$", readme, re.MULTILINE)
    assert {int(code): what for code, what in table} == EXITS
    for command in ("run", "assess", "diff"):
        code, out, _ = bench(command, "--help")
        assert code == 0
        assert max(map(len, out.splitlines())) <= 80
        told = " ".join(out.split("Exit codes:")[1].split())
        assert told == " ".join(f"{code} {what}" for code, what in EXITS.items())


@pytest.mark.parametrize(
    ("states", "more", "code"),
    [
        ({"a": "enabled"}, (), 0),
        ({"a": "off"}, (), 1),
        ({"a": None}, (), 3),
        ({"a": None}, ("--allow-incomplete",), 0),
        ({"a": "off", "b": None}, ("--allow-incomplete",), 1),
        ({"a": "off"}, ("--fail-on", "critical"), 0),
        ({"a": "off"}, ("--exit-zero",), 0),
        ({"a": None}, ("--exit-zero",), 0),
        ({"a": "off"}, ("--fail-on", "gate"), 2),
        ({"a": "off"}, ("--fail-on", "gate", "--exit-zero"), 2),
        ({"a": "off"}, ("-f", "khong-co", "--exit-zero"), 2),
    ],
)
def test_each_code_of_assess(
    bench: Bench, states: dict[str, str | None], more: tuple[str, ...], code: int
) -> None:
    assert bench.assess("now", states, *more)[0] == code


def test_what_exit_zero_let_through_is_told(bench: Bench) -> None:
    assert bench.assess("now", {"a": "off"}, "--exit-zero") == (
        0,
        "Exit code 1: at or above 'High', 1 findings fail or have expired and 0 are not known\n"
        "--exit-zero: ends with 0 in place of 1\n",
    )


def test_a_defect_of_ours_is_4_even_with_exit_zero(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr(api, "exit_code", broken)
    code, err = bench.assess("now", {"a": "off"}, "--exit-zero")
    assert (code, "internal error: RuntimeError" in err) == (4, True)


def test_an_interrupted_command_is_130_even_with_exit_zero(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "load_earlier", interrupted)
    assert bench("diff", bench.home, bench.home, "--exit-zero") == (130, "", "\ninterrupted\n")


# --- baseline -----------------------------------------------------------------------------------------


def test_a_baseline_lets_known_violations_through_and_no_other(bench: Bench) -> None:
    assert bench.assess("then", {"a": "off", "b": "enabled"})[0] == 1
    assert bench.baseline("then", "--reason", "Chờ hợp đồng mới") == (
        0, f"baseline: {bench.file}: 2 known violations\n",
    )  # fmt: skip
    bench.at = LATER
    assert bench.assess("same", {"a": "off", "b": "enabled"}, "--baseline", bench.file) == (
        0,
        "Known since 2026-11-22 16:00 (2 days): 2 (SEC-901, SEC-902): Chờ hợp đồng mới\n"
        "Exit code 0: at or above 'High', 0 new findings fail or have expired and 0 are not known; "
        "1 known from the baseline do not count\n",
    )
    assert bench.assess("new", {"a": "off", "b": "off"}, "--baseline", bench.file) == (
        1,
        "Known since 2026-11-22 16:00 (2 days): 2 (SEC-901, SEC-902): Chờ hợp đồng mới\n"
        "Exit code 1: at or above 'High', 1 new findings fail or have expired and 0 are not known; "
        "1 known from the baseline do not count\n",
    )


def test_a_baseline_says_what_it_holds_a_line_for_each(bench: Bench) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    prints = {id_: fingerprint(id_, "kho", "s3.bucket", "a") for id_ in ("SEC-901", "SEC-902")}
    place = '"resource": {"type": "s3.bucket", "id": "a", "name": "a", "target": "kho", "region": null}'
    since = '"since": "2026-11-22T09:00:00Z", "reason": "Chờ"'
    assert bench.file.read_text(encoding="utf-8") == (
        '{\n "schema_version": 1,\n "subject": "so",\n "scope": "provider",\n'
        ' "profile": {"id": "rieng", "version": "1.0.0"},\n "made_at": "2026-11-22T10:15:00Z",\n "entries": [\n'
        f'  {{"control": "SEC-901", {place}, {since}, "fingerprint": "{prints["SEC-901"]}"}},\n'
        f'  {{"control": "SEC-902", {place}, {since}, "fingerprint": "{prints["SEC-902"]}"}}\n'
        " ]\n}\n"
    )
    jsonschema.validate(json.loads(bench.file.read_bytes()), schema("baseline"))


def test_what_is_not_known_is_never_covered(bench: Bench) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    code, err = bench.assess("now", {"a": None}, "--baseline", bench.file)
    assert (code, "warning" in err) == (3, False)


def test_a_baseline_changes_no_byte_of_a_report(bench: Bench) -> None:
    bench.assess("then", {"a": "off", "b": None})
    before = (bench.home / "then/report.json").read_bytes()
    bench.baseline("then", "--reason", "Chờ")
    bench.assess("then", {}, "--baseline", bench.file)
    assert (bench.home / "then/report.json").read_bytes() == before


@pytest.mark.parametrize("threshold", ["gate", "level=2"])
def test_a_baseline_cannot_open_a_gate(bench: Bench, threshold: str) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    code, _, err = bench(
        "assess", bench.home / "snapshots/then", "-o", bench.home / "x", "--fail-on", threshold, "--baseline",
        bench.file,
    )  # fmt: skip
    assert code == 2
    assert "--baseline names findings, and gates and levels are figures" in err
    assert "let --fail-on name a severity" in err


def test_an_update_keeps_dates_takes_out_what_is_fixed_and_adds_nothing_by_itself(bench: Bench) -> None:
    bench.assess("then", {"a": "off", "b": "off", "c": "off", "d": "off"})
    bench.baseline("then", "--reason", "Chờ")
    before = bench.file.read_bytes()
    bench.at = LATER
    bench.assess("now", {"a": "off", "b": "enabled", "d": None, "e": "off"})
    assert bench.baseline("now", "--reason", "Mới")[0] == 2
    assert bench.file.read_bytes() == before
    assert bench.baseline("now", "--update", bench.file) == (
        0,
        f"baseline: {bench.file}: 4 known violations\n"
        "  2 kept, with their dates and reasons\n"
        "  4 taken out: fixed, gone or no longer judged\n"
        "  2 kept although not known now: nothing shows that they are fixed\n"
        "warning: 2 new violations are not added: give --reason for them\n",
    )
    assert [(e.control, e.id, e.since, e.reason) for e in load(bench.file).entries] == [
        (control, id_, "2026-11-22T09:00:00Z", "Chờ") for control in ("SEC-901", "SEC-902") for id_ in "ad"
    ]
    assert bench.baseline("now", "--update", bench.file, "--reason", "Dự án mới")[0] == 0
    assert [(e.id, e.since, e.reason) for e in load(bench.file).entries if e.control == "SEC-901"] == [
        ("a", "2026-11-22T09:00:00Z", "Chờ"),
        ("d", "2026-11-22T09:00:00Z", "Chờ"),
        ("e", "2026-11-24T09:00:00Z", "Dự án mới"),
    ]


def test_entries_that_are_no_violation_any_more_are_told(bench: Bench) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    code, err = bench.assess("now", {"a": "enabled"}, "--baseline", bench.file)
    assert code == 0
    assert err.splitlines()[0] == (
        f"warning: {bench.file}: 2 of 2 entries are no violation now (SEC-901 a, SEC-902 a): fixed, waived or not "
        "seen; cloudaudit baseline --update takes them out"
    )


def test_a_renamed_control_text_version_and_profile_version_keep_a_baseline(bench: Bench) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    play.own_controls(bench.home / "own", title="Other words", severity="critical")
    play.own_profile(bench.profile, version="2.0.0")
    code, err = bench.assess("now", {"a": "off"}, "--baseline", bench.file)
    assert code == 0
    assert err.splitlines()[0] == (
        f"warning: {bench.file}: made with rieng 1.0.0, judged by 2.0.0; what changed controls find counts as new"
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "subject",
            "khac",
            "this baseline is of the subject 'khac', which is not audited here; give one of 'so'",
        ),
        (
            "scope",
            "agency",
            "this baseline is in agency scope, and not in provider scope; make one in this scope",
        ),
        (
            "profile",
            {"id": "ci-quick", "version": "1.0.0"},
            "this baseline is of the profile 'ci-quick', and not of 'rieng'; judge by -p ci-quick, or make one for "
            "'rieng' with cloudaudit baseline",
        ),
    ],
)
def test_a_baseline_of_something_else_is_refused(bench: Bench, key: str, value: object, message: str) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    bench.file.write_text(json.dumps(json.loads(bench.file.read_bytes()) | {key: value}), encoding="utf-8")
    code, err = bench.assess("now", {"a": "off"}, "--baseline", bench.file)
    assert (code, err) == (2, f"error: {bench.file}: {message}\n")
    assert bench.baseline("then", "--update", bench.file)[0] == 2
    assert bench("report", bench.home / "then", "--baseline", bench.file)[0] == 2


def test_two_baselines_of_one_subject_are_refused(bench: Bench) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    code, err = bench.assess("now", {"a": "off"}, "--baseline", bench.file, "--baseline", bench.file)
    assert (code, err) == (
        2,
        f"error: {bench.file}: the subject 'so' has a baseline already: {bench.file}; give one for each subject\n",
    )


def test_a_baseline_that_does_not_fit_is_told_before_any_cloud_is_asked(bench: Bench) -> None:
    bench.file.write_text(whole(entry(), subject="khac"), encoding="utf-8")
    for name in ("a", "b"):
        (bench.home / name).write_text("khoa\n", encoding="utf-8")
        (bench.home / name).chmod(0o600)
    (bench.home / "so-dang-ky").mkdir()
    targets = bench.home / "targets.yaml"
    keys = "access_key_file: a, secret_key_file: b"
    targets.write_text(play.TARGETS.replace("profile: mau", keys), encoding="utf-8")
    code, out, err = bench(
        "run", "-t", targets, "-p", bench.profile, "--controls", bench.home / "own", "-o", bench.home / "out",
        "--baseline", bench.file,
    )  # fmt: skip
    assert (code, out, err) == (
        2,
        "",
        f"error: {bench.file}: this baseline is of the subject 'khac', which is not audited here; "
        "give one of 'so'\n",
    )
    assert not (bench.home / "out").exists()


def test_reports_show_what_is_known_and_since_when(bench: Bench) -> None:
    bench.assess("then", {"a": "off", "b": "off"})
    bench.baseline("then", "--reason", "Chờ hợp đồng")
    bench.at = LATER
    bench.assess("now", {"a": "off", "c": "off"})
    _, text, _ = bench("report", bench.home / "now", "--baseline", bench.file, "--lang", "en")
    assert "known for 2 days" in " ".join(text.split())
    assert (
        "Known from the baseline\n"
        " – since 2026-11-22 16:00 (2 days) · Chờ hợp đồng (Count: 2; SEC-901, SEC-902)\n"
    ) in text
    assert text.index("Bucket c") < text.index("Bucket a")
    for format_ in ("md", "html"):
        code, shown, _ = bench("report", bench.home / "now", "--baseline", bench.file, "-f", format_)
        assert (code, "Chờ hợp đồng" in shown) == (0, True)
        assert "Chờ hợp đồng" not in bench("report", bench.home / "now", "-f", format_)[1]


# --- baselines that are none --------------------------------------------------------------------------


def entry(**changes: object) -> dict[str, object]:
    return {
        "control": "SEC-901",
        "resource": {"type": "s3.bucket", "id": "a", "name": None, "target": "kho", "region": None},
        "since": "2026-11-22T09:00:00Z",
        "reason": "Chờ",
        "fingerprint": fingerprint("SEC-901", "kho", "s3.bucket", "a"),
    } | changes


def whole(*entries: object, **changes: object) -> str:
    made = {
        "schema_version": 1,
        "subject": "so",
        "scope": "provider",
        "profile": {"id": "rieng", "version": "1.0.0"},
        "made_at": "2026-11-22T10:00:00Z",
        "entries": list(entries),
    }
    return json.dumps({k: v for k, v in (made | changes).items() if v is not ...}, indent=1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (whole(entry())[:-40], ":22:19: the file ends before the baseline does; take the copy"),
        ("", ":1:1: the file ends before the baseline does; take the copy"),
        ("version: 1\n", ":1:1: this is not JSON: Expecting value; take the copy"),
        ("[]", ":1:1: this is no baseline of cloudaudit; make one with cloudaudit baseline"),
        ('{"findings": []}', ":1:1: this is no baseline of cloudaudit; make one with cloudaudit baseline"),
        ('{"made_at": 1, "readiness": {}}', "unknown key 'readiness'"),
        ('{"readiness": {}}', ":1:1: this is no baseline of cloudaudit; this is a report; make a baseline of it"),
        (whole(schema_version=2), ":2:20: 'schema_version': the number 1 is expected, found the number 2"),
        (whole(scope="all"), ":4:11: 'scope': the text 'all' is not known here; write one of: provider, agency"),
        (whole(extra=1), ":11:2: unknown key 'extra'; known keys: "),
        (whole(entry(raeson="x")), ":23:4: unknown key 'raeson'; known keys: "),
        (whole(entry(reason=" ")), ":21:14: 'reason': a text is expected, found the text ' '; Why it is let be"),
        (whole(entry(since="hôm qua")), ":20:13: 'since': 'hôm qua' is no time"),
        (whole(entry(fingerprint="12")), ":22:19: 'fingerprint': 64 digits and letters a to f are expected"),
        (whole(entry(fingerprint="0" * 64)), ":22:19: this fingerprint is not that of SEC-901 on s3.bucket 'a'"),
        (whole(entry(), entry()), ":35:19: this fingerprint is already given at line 22; remove one of the two"),
        (whole(subject=...), ":1:1: missing key 'subject'; subject: Id of the subject, as in targets.yaml."),
        (whole().replace('"so"', '"so",\n "subject": "khac"'), ":4:2: the key 'subject' is already given at line 3"),
        (whole(made_at=None), ":9:13: 'made_at': a text is expected, found nothing"),
        (whole().replace("1", "NaN", 1), ":2:20: 'schema_version': the number 1 is expected, found the text 'NaN'"),
        ("[" * 100_000, ""),
    ],
)  # fmt: skip
def test_a_damaged_or_foreign_baseline_is_refused_with_its_line(bench: Bench, text: str, told: str) -> None:
    bench.file.write_text(text, encoding="utf-8")
    code, err = bench.assess("now", {"a": "off"}, "--baseline", bench.file)
    assert code == 2
    assert err.startswith(f"error: {bench.file}:"), err
    assert told in err


def test_a_baseline_that_is_not_there_is_told(bench: Bench) -> None:
    code, err = bench.assess("now", {"a": "off"}, "--baseline", bench.file)
    assert (code, err) == (
        2,
        f"error: {bench.file}: there is no such baseline; make it: cloudaudit baseline ASSESSMENT -o FILE\n",
    )


# --- waivers ------------------------------------------------------------------------------------------


def waived(bench: Bench, **changes: str) -> Path:
    registers = bench.home / "so-dang-ky"
    registers.mkdir(exist_ok=True)
    given = {
        "control": "SEC-901", "resource": "a", "authority": "internal", "starts": "2026-11-01",
        "until": "2026-11-23",
    } | changes  # fmt: skip
    (registers / "waivers.yaml").write_text(play.WAIVER.format(**given), encoding="utf-8")
    return registers


def test_a_waiver_holds_until_its_end_and_then_the_finding_counts_again(bench: Bench) -> None:
    registers = waived(bench)
    assert bench.assess("held", {"a": "off"}, "--registers", registers) == (
        0,
        "Exit code 0: at or above 'High', 0 findings fail or have expired and 0 are not known\n",
    )
    bench.at = LATER
    assert bench.assess("ended", {"a": "off"}, "--registers", registers) == (
        1,
        f"warning: {registers}/waivers.yaml:3:5: the waiver 'mt-1' ended on 2026-11-23: it waives nothing; "
        "decide again, or delete it\n"
        "SEC-901: waiver mt-1 has expired; findings that count: 1\n"
        "Exit code 1: at or above 'High', 1 findings fail or have expired and 0 are not known\n",
    )
    shown = bench("report", bench.home / "ended", "--lang", "en")[1]
    assert "SEC-901 · Waiver refused: waiver mt-1 has expired (Count: 1)" in shown
    code, out, _ = bench("diff", bench.home / "held", bench.home / "ended", "--lang", "en")
    assert code == 1
    assert "Waived → Fail" in " ".join(out.split())


def test_a_waiver_that_has_not_begun_is_told(bench: Bench) -> None:
    registers = waived(bench, starts="2026-12-01", until="2026-12-31")
    code, err = bench.assess("now", {"a": "off"}, "--registers", registers)
    assert code == 1
    assert "the waiver 'mt-1' begins on 2026-12-01: it waives nothing; correct its begin" in err
    assert "SEC-901: waiver mt-1 is not in force yet; findings that count: 1" in err


@pytest.mark.parametrize(("authority", "code"), [("internal", 1), ("competent", 0)])
def test_only_the_competent_authority_waives_a_legal_duty(bench: Bench, authority: str, code: int) -> None:
    play.own_controls(bench.home / "own", obligation="ND165-03")
    found, err = bench.assess("now", {"a": "off"}, "--registers", waived(bench, authority=authority))
    told = "SEC-901: waiver mt-1 is not approved by the competent authority; ND165-03 is a legal duty"
    assert (found, told in err) == (code, authority == "internal")


def test_a_waiver_without_an_end_is_refused(bench: Bench) -> None:
    registers = waived(bench)
    path = registers / "waivers.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("    until: 2026-11-23\n", ""), encoding="utf-8")
    code, err = bench.assess("now", {"a": "off"}, "--registers", registers)
    assert code == 2
    assert err.startswith(
        f"error: {path}:3:5: missing key 'until'; until: End, at most 12 months after the begin."
    )


def test_a_waiver_does_not_let_an_unknown_through(bench: Bench) -> None:
    assert bench.assess("now", {"a": None}, "--registers", waived(bench))[0] == 3


def test_what_is_waived_is_in_no_baseline_and_leaves_one(bench: Bench) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    bench.assess("now", {"a": "off"}, "--registers", waived(bench))
    assert bench.baseline("now", "--update", bench.file) == (
        0,
        f"baseline: {bench.file}: 1 known violations\n  1 kept, with their dates and reasons\n"
        "  1 taken out: waived now\n",
    )  # fmt: skip


def test_a_waiver_that_ended_opens_again_what_an_older_baseline_names(bench: Bench) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    registers = ("--registers", waived(bench))
    bench.at = LATER
    code, err = bench.assess("ended", {"a": "off"}, *registers, "--baseline", bench.file)
    assert (code, "SEC-901: waiver mt-1 has expired; findings that count: 1" in err) == (1, True)
    assert "Known since 2026-11-22 16:00 (2 days): 1 (SEC-902): Chờ" in err
    assert bench.baseline("ended", "--update", bench.file)[1].endswith(
        "1 new violations are not added: give --reason for them\n"
    )
    bench.baseline("ended", "--update", bench.file, "--reason", "Đã xem xét lại")
    assert [(e.control, e.since, e.reason) for e in load(bench.file).entries] == [
        ("SEC-901", LATER, "Đã xem xét lại"),
        ("SEC-902", "2026-11-22T09:00:00Z", "Chờ"),
    ]
    assert bench.assess("again", {"a": "off"}, *registers, "--baseline", bench.file)[0] == 0


# --- diff ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "more", "code"),
    [
        ({"a": "off"}, {"a": "off"}, (), 0),
        ({"a": "off"}, {"a": "enabled"}, (), 0),
        ({"a": "enabled"}, {"a": "off"}, (), 1),
        ({"a": "enabled"}, {"a": "off"}, ("--fail-on", "critical"), 0),
        ({"a": "enabled"}, {"a": "off"}, ("--exit-zero",), 0),
        ({"a": None}, {"a": "off"}, (), 1),
        ({"a": "enabled"}, {"a": None}, (), 3),
        ({"a": "off"}, {"a": None}, (), 3),
        ({"a": "off"}, {"a": None}, ("--allow-incomplete",), 0),
        ({"a": "off", "b": "off"}, {"a": "off"}, (), 3),
        ({"a": "off", "b": "off"}, {"a": "off"}, ("--allow-incomplete",), 0),
        ({"a": None}, {"a": "enabled"}, (), 0),
        ({"a": None}, {"a": None}, (), 0),
        # A bucket that passed may be gone: there is less to judge, and less may be wrong.
        ({"a": "enabled", "b": "enabled"}, {"a": "enabled"}, (), 0),
    ],
)
def test_each_code_of_diff(
    bench: Bench,
    before: dict[str, str | None],
    after: dict[str, str | None],
    more: tuple[str, ...],
    code: int,
) -> None:
    bench.assess("old", before)
    bench.at = LATER
    bench.assess("new", after)
    assert bench("diff", bench.home / "old", bench.home / "new", *more)[0] == code
    by_file = bench("diff", bench.home / "old/report.json", bench.home / "new/report.json", *more)
    assert by_file[0] == code


def test_the_screen_of_a_night(bench: Bench) -> None:
    bench.assess("old", {"a": "off", "b": "enabled", "c": "off", "d": "off", "e": "enabled"})
    bench.at = LATER
    bench.assess("new", {"a": "off", "b": "off", "c": "enabled", "e": None})
    code, out, err = bench("diff", bench.home / "old", bench.home / "new", "--lang", "en")
    assert (code, out, err) == (
        1,
        """\
Two assessments compared
Department · Provider scope · rieng
Before: 2026-11-22 16:00 · [14.2 ; 72.7]
Now: 2026-11-24 16:00 · [7.6 ; 80.0]

New or reopened violations (2)
Id       Severity  Resource  Finding
────────────────────────────────────────────────────────────────────────────────
SEC-901  High      b         Fail: Bucket b: off
SEC-902  Low       b         Fail: Bucket b: off

No longer known or no longer seen (4)
Id       Severity  Resource  Finding
────────────────────────────────────────────────────────────────────────────────
SEC-901  High      d         Fail → not seen
SEC-901  High      e         Unknown: Bucket e: not known; Timed out
SEC-902  Low       d         Fail → not seen
SEC-902  Low       e         Unknown: Bucket e: not known; Timed out

What is looked at no longer
Count  Detail
────────────────────────────────────────────────────────────────────────────────
5 → 4  Fewer results of a control: SEC-901
5 → 4  Fewer results of a control: SEC-902
5 → 4  A count fell: Buckets listed
5 → 4  A count fell: Buckets readable

Fixed (2)
Id       Severity  Resource  Finding
────────────────────────────────────────────────────────────────────────────────
SEC-901  High      c         Fail → Pass
SEC-902  Low       c         Fail → Pass

New 4 · changed 0 · fixed 2 · no longer seen 2 · still open 2 (High 1, Low 1)
""",
        "Exit code 1: at or above 'High', new or reopened violations: 1; no longer known or seen: 2\n",
    )


def test_the_json_of_a_night_fits_its_schema_and_stays_the_same(bench: Bench) -> None:
    bench.assess("old", {"a": "off", "b": "enabled"})
    bench.at = LATER
    bench.assess("new", {"b": "off"})
    args = ("diff", bench.home / "old", bench.home / "new", "-f", "json", "-q")
    code, out, err = bench(*args)
    assert (code, err, bench(*args)[1]) == (1, "", out)
    found = json.loads(out)
    jsonschema.validate(found, schema("diff"))
    assert found["counts"] == {
        "violations": 1, "lost": 1, "new": 2, "fixed": 0, "changed": 0, "still_open": 0, "vanished": 2,
    }  # fmt: skip
    assert found["changes"]["violations"][0] == {
        "fingerprint": fingerprint("SEC-901", "kho", "s3.bucket", "b"),
        "control": "SEC-901",
        "severity": "high",
        "counts": True,
        "was": None,
        "now": "fail",
        "reason_code": None,
        "resource": {
            "type": "s3.bucket", "id": "b", "name": "b", "target": "kho", "region": None, "project": None,
        },
        "message": {"vi": "Bucket b: chưa bật", "en": "Bucket b: off"},
    }  # fmt: skip


def test_markdown_of_a_night_marks_nothing_up(bench: Bench) -> None:
    bench.assess("old", {"a": "enabled"})
    bench.at = LATER
    bench.assess("new", {"a": "enabled", "a|b<c>": "off"})
    out = bench("diff", bench.home / "old", bench.home / "new", "-f", "md", "--lang", "en")[1]
    assert "| SEC-901 | High | a\\|b\\<c\\> | Fail: Bucket a\\|b\\<c\\>: off |" in out


def test_reports_that_do_not_compare_are_refused(bench: Bench) -> None:
    bench.assess("old", {"a": "off"})
    play.collected(bench.home / "snapshots/other", {"a": "off"}, subject="khac")
    bench.assess("other", {})
    bench.profile = play.own_profile(bench.home / "hai.yaml", "hai")
    bench.at = LATER
    bench.assess("hai", {"a": "off"})
    old, other, hai = (bench.home / name for name in ("old", "other", "hai"))
    assert bench("diff", old, other) == (
        2, "", f"error: {old} is of the subject 'so', and not of 'khac'; give reports of the same subject and scope\n",
    )  # fmt: skip
    assert bench("diff", old, hai) == (
        2, "",
        f"error: {old} is judged by the profile 'rieng', and {hai} by 'hai'; judge the older snapshot again: "
        "cloudaudit assess SNAPSHOT -p hai\n",
    )  # fmt: skip
    bench.profile = bench.home / "rieng.yaml"
    bench.assess("new", {"a": "off"})
    new = bench.home / "new"
    assert bench("diff", new, old) == (
        2, "", f"error: {new} was assessed after {old}; give the older one first\n",
    )  # fmt: skip
    assert bench("diff", old, bench.home)[0] == 2


def test_without_all_findings_nothing_is_called_fixed(bench: Bench) -> None:
    bench.assess("old", {"a": "off"})
    bench.at = LATER
    bench.assess("new", {"a": "enabled"})
    (bench.home / "new/findings.jsonl.gz").unlink()
    code, out, err = bench("diff", bench.home / "old", bench.home / "new", "--lang", "en")
    assert (code, "Fixed" in out) == (3, False)
    assert "without findings.jsonl.gz nothing can be called fixed" in err


# --- check-config -------------------------------------------------------------------------------------


@pytest.fixture
def config(bench: Bench) -> Path:
    path = bench.home / "targets.yaml"
    path.write_text(play.TARGETS, encoding="utf-8")
    waived(bench, until="2027-10-31")
    return path


def check(bench: Bench, config: Path, *more: object) -> tuple[int, str, str]:
    own = ("--controls", bench.home / "own")
    return bench("check-config", "-t", config, "-p", bench.profile, *own, *more)


def test_a_sound_configuration_is_told_part_by_part(bench: Bench, config: Path) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    assert check(bench, config, "--baseline", bench.file) == (
        0,
        f"{config}: 1 subjects, 1 targets\n"
        "profile rieng 1.0.0: 2 controls, provider scope\n"
        f"{bench.home}/so-dang-ky: waivers; 1 waivers\n"
        f"{bench.file}: 2 known violations of 'so'\n",
        "",
    )


def test_variables_and_files_of_another_machine_do_not_count_unless_asked_for(
    bench: Bench, config: Path
) -> None:
    text = play.TARGETS.replace("profile: mau", "access_key_file: a, secret_key_file: b, ca_file: ca.pem")
    config.write_text(text.replace("https://127.0.0.1:1", "${KHO_URL}"), encoding="utf-8")
    code, _, err = check(bench, config)
    assert code == 0
    assert [line.partition(": ")[2].partition(": ")[2] for line in err.splitlines()] == [
        "the environment variable KHO_URL is not set",
        "'access_key_file': there is no such file",
        "'secret_key_file': there is no such file",
        "'ca_file': there is no such file",
    ]
    code, _, err = check(bench, config, "--credentials")
    assert code == 2
    assert f"error: {config}:8:41: the environment variable KHO_URL is not set; set it, or write" in err


def test_credentials_that_are_not_there_are_told_when_asked_for(
    bench: Bench, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(bench.home / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(bench.home / "none"))
    assert check(bench, config)[0] == 0
    code, _, err = check(bench, config, "--credentials")
    assert (code, f"error: {config}:8" in err) == (2, True)


def test_every_part_tells_its_mistakes_in_one_run(bench: Bench, config: Path) -> None:
    waivers = bench.home / "so-dang-ky/waivers.yaml"
    waivers.write_text(
        waivers.read_text(encoding="utf-8").replace("control: SEC-901", "control: SEC-990"), encoding="utf-8"
    )
    bench.file.write_text("{", encoding="utf-8")
    code, _, err = check(bench, config, "--baseline", bench.file)
    assert code == 2
    told = err.splitlines()
    assert told[0].startswith(f"error: {waivers}:4:14: there is no control 'SEC-990'")
    assert told[1].startswith(f"error: {bench.file}:1:2: the file ends before the baseline does")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("kind: s3", "kind: s4", ":8:27: "),
        ("so-dang-ky", "khong-co", ":6:16: 'registers': there is no such folder"),
        ("region: vn-hn", "region: vn-hn, secret_key: x", "'secret_key' may not stand here"),
        ("https://127.0.0.1:1", "${", "a variable is not written rightly"),
        ("- {name: kho", "- {name: registers", "no target can be named 'registers'"),
    ],
)
def test_a_mistake_in_targets_is_told_with_its_line(
    bench: Bench, config: Path, before: str, after: str, told: str
) -> None:
    config.write_text(play.TARGETS.replace(before, after, 1), encoding="utf-8")
    code, _, err = check(bench, config)
    assert (code, told in err) == (2, True), err


def test_profile_controls_and_baseline_that_do_not_fit_are_told(bench: Bench, config: Path) -> None:
    bench.assess("then", {"a": "off"})
    bench.baseline("then", "--reason", "Chờ")
    (bench.home / "own/SEC-902.yaml").unlink()
    code, _, err = check(bench, config)
    assert (code, "SEC-902" in err) == (2, True)
    play.own_controls(bench.home / "own")
    code, _, err = bench("check-config", "-t", config, "-p", "ci-quick", "--controls", bench.home / "own",
                         "--baseline", bench.file)  # fmt: skip
    assert code == 2
    assert f"error: {bench.file}: this baseline is of the profile 'rieng', and not of 'ci-quick'" in err


def test_a_waiver_past_its_end_is_warned_of(bench: Bench, config: Path) -> None:
    waived(bench, starts="2020-01-01", until="2020-02-01")
    code, _, err = check(bench, config)
    assert (code, err) == (
        0,
        f"warning: {bench.home}/so-dang-ky/waivers.yaml:3:5: the waiver 'mt-1' ended on 2020-02-01: it waives "
        "nothing; decide again, or delete it\n",
    )
