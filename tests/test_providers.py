"""Presets of domestic stores: shipped data with its sources, and what they fill in targets.yaml."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cloudaudit.cli import _run
from cloudaudit.collecting import _s3_target, _target
from cloudaudit.errors import CatalogError, TargetError
from cloudaudit.model import Text
from cloudaudit.providers import SETTINGS, Source, _read, preset, presets
from cloudaudit.targets import S3Entry, load

HEAD = "version: 1\nsubjects:\n- {id: a, kind: provider, title: {vi: A}, targets: [\n  "
RCLONE = (
    "https://github.com/rclone/rclone/blob/1d01a32cbafb034538d7ce494c640a164675f355/backend/s3/provider/"
    "BizflyCloud.yaml"
)
FILE = """\
version: 1
provider: {vi: Nhà cung cấp, en: Provider}
presets:
  - {id: a, title: {vi: A, en: A}, endpoint: "https://a.vn", sources: [{url: "https://x.vn", read: 2026-11-22, for: [endpoint]}]}
"""


def entry(folder: Path, target: str, **environ: str) -> S3Entry:
    path = folder / "targets.yaml"
    path.write_text(f"{HEAD}{target}\n  ]}}\n", encoding="utf-8")
    (found,) = load(path, environ).subjects[0].targets
    assert isinstance(found, S3Entry)
    return found


def refused(folder: Path, target: str, **environ: str) -> list[str]:
    with pytest.raises(TargetError) as caught:
        entry(folder, target, **environ)
    return [str(problem).removeprefix(f"{folder}/targets.yaml:") for problem in caught.value.problems]


# --- what ships -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", presets())
def test_everything_a_preset_says_has_a_source(name: str) -> None:
    one = preset(name)
    said = set(one.settings) | ({"place"} if one.province else set())
    assert {what for source in one.sources for what in source.what} == said
    assert all(urlsplit(source.url).scheme == "https" for source in one.sources)
    # A branch moves on; what was read must be found again.
    assert all("/blob/main/" not in s.url and "/blob/master/" not in s.url for s in one.sources)


def test_the_presets_that_ship() -> None:
    assert {name: (*one.settings.values(), one.province) for name, one in presets().items()} == {
        "bizfly-hcm": ("https://hcm.ss.bfcplatform.vn", "hcm", "path", "Thành phố Hồ Chí Minh"),
        "bizfly-hn": ("https://hn.ss.bfcplatform.vn", "hn", "path", "Hà Nội"),
        "vng-vstorage-han01": ("https://han01.vstorage.vngcloud.vn", "HAN01", "path", "Hà Nội"),
        "vng-vstorage-han02": ("https://han02.vstorage.vngcloud.vn", "HAN02", "path", "Hà Nội"),
        "vng-vstorage-hcm03": ("https://hcm03.vstorage.vngcloud.vn", "path", "Thành phố Hồ Chí Minh"),
        "vng-vstorage-hcm04": (
            "https://hcm04.vstorage.vngcloud.vn",
            "HCM04",
            "path",
            "Thành phố Hồ Chí Minh",
        ),
    }
    assert preset("bizfly-hn").sources == (
        Source(RCLONE, "2026-11-22", ("endpoint", "region", "addressing", "place")),
    )
    assert all(set(one.settings) <= set(SETTINGS) for one in presets().values())


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (FILE.replace("https://a.vn", "http://a.vn"), "4:46: 'endpoint': an https address of a "
         "host alone is expected, found the text 'http://a.vn'; Address of the S3 service."),
        (FILE.replace("[endpoint]", "[giá]"),
         "4:118: 'for', item 1: the text 'giá' is not known here; write one of: endpoint, region, addressing, place"),
        (FILE + FILE.splitlines()[-1] + "\n", "5:10: 'a' is already given; choose another id"),
        (FILE.replace(', sources: [{url: "https://x.vn", read: 2026-11-22, for: [endpoint]}]', ""),
         "4:5: missing key 'sources'; sources: Where this was read."),
    ],
)  # fmt: skip
def test_a_wrong_file_of_presets_is_told_at_its_place(written: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(written, encoding="utf-8")
    with pytest.raises(CatalogError) as caught:
        _read(tmp_path)
    assert [str(p).removeprefix(f"{tmp_path}/x.yaml:") for p in caught.value.problems] == [problem]


# --- in targets.yaml ------------------------------------------------------------------------------


def test_a_preset_fills_what_the_entry_does_not_give(tmp_path: Path) -> None:
    found = entry(tmp_path, "{name: kho, kind: s3, provider: bizfly-hn, profile: p}")
    assert (found.provider, found.endpoint, found.region, found.addressing) == (
        "bizfly-hn", "https://hn.ss.bfcplatform.vn", "hn", "path",
    )  # fmt: skip
    target = _s3_target(found)
    assert (target.endpoint, target.region, target.addressing) == (
        "https://hn.ss.bfcplatform.vn", "hn", "path",
    )  # fmt: skip
    assert _target(found) == {
        "name": "kho", "kind": "s3", "endpoint": "https://hn.ss.bfcplatform.vn", "provider": "bizfly-hn",
        "buckets": "all", "source": {"path": "targets.yaml", "line": 4},
    }  # fmt: skip


def test_what_the_entry_gives_wins_and_what_nobody_says_is_the_default(tmp_path: Path) -> None:
    given = "endpoint: 'https://rieng.vn', region: us-east-1, addressing: virtual"
    found = entry(tmp_path, f"{{name: kho, kind: s3, provider: vng-vstorage-hcm04, profile: p, {given}}}")
    assert (found.endpoint, found.region, found.addressing) == ("https://rieng.vn", "us-east-1", "virtual")
    found = entry(tmp_path, "{name: kho, kind: s3, provider: '${P}', profile: p}", P="vng-vstorage-hcm03")
    assert (found.provider, found.region) == ("vng-vstorage-hcm03", "us-east-1")


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("{name: kho, kind: s3, provider: vng-vstorage-hcm3, profile: p}",
         "4:35: 'provider': 'vng-vstorage-hcm3' is no known preset; did you mean 'vng-vstorage-hcm03'?"),
        ("{name: kho, kind: s3, provider: xyz, profile: p}",
         "4:35: 'provider': 'xyz' is no known preset; known: bizfly-hcm, bizfly-hn, vng-vstorage-han01, "
         "vng-vstorage-han02, vng-vstorage-hcm03, vng-vstorage-hcm04"),
        ("{name: kho, kind: s3, provider: '${P}', profile: p}",
         "4:35: 'provider': a value from the environment is no known preset; cloudaudit providers list tells "
         "which there are"),
        ("{name: kho, kind: s3, profile: p}",
         "4:3: one of 'endpoint' or 'provider' is needed; add 'endpoint:'"),
    ],
)  # fmt: skip
def test_an_unknown_preset_stands_at_its_place(target: str, problem: str, tmp_path: Path) -> None:
    assert refused(tmp_path, target, P="hunter2") == [problem]


# --- on the screen --------------------------------------------------------------------------------


def test_presets_are_shown_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["providers", "show", "bizfly-hn", "--lang", "vi"]) == 0
    assert capsys.readouterr().out == (
        "bizfly-hn: Bizfly Cloud, dịch vụ Simple Storage, Vùng Hà Nội\n"
        "  điểm cuối (endpoint): https://hn.ss.bfcplatform.vn\n"
        "  vùng ký yêu cầu (region): hn\n"
        "  cách gọi bucket (addressing): path\n"
        "  nơi đặt theo nhà cung cấp: Hà Nội, VN\n"
        "  lưu ý: Nguồn là bảng nhà cung cấp của rclone, chưa phải tài liệu của chính nhà cung cấp.\n"
        "  nguồn (điểm cuối, vùng ký yêu cầu, cách gọi bucket, nơi đặt theo nhà cung cấp; đọc ngày 2026-11-22): "
        f"{RCLONE}\n"
    )
    assert _run(["providers", "list", "--lang", "en"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(presets())


def test_what_is_not_known_is_shown_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["providers", "show", "vng-vstorage-hcm03", "--lang", "en"]) == 0
    assert "  signing region (region): not known\n" in capsys.readouterr().out
    assert preset("vng-vstorage-hcm03").title == Text("Cụm HCM03", "Farm HCM03")


def test_an_unknown_preset_is_a_mistake_of_the_caller(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["providers", "show", "bizfly-hcn"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.strip()) == (
        "", "error: there is no provider preset 'bizfly-hcn'; did you mean 'bizfly-hn'?",
    )  # fmt: skip
