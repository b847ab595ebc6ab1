"""The HTML report in a browser: how large it is, how soon it stands, how fast its filter answers.

    python benchmarks/report.py [FINDINGS]

Needs Chromium. The page measures itself, with layout, by lines that are added to its script for this alone;
medians of several fresh starts are printed. Machines are noisy: read the ratio to the empty page of the same run.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "reporters"))

import sample_report as sample  # noqa: E402

from cloudaudit.reporters.html import HtmlReporter  # noqa: E402

TIMES = 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--window-size=1280,900", "--dump-dom",
)  # fmt: skip
MEASURE = """
  addEventListener("load", () => {
    const took = {};
    const timed = (name, act) => {
      const begin = performance.now();
      act();
      document.body.getBoundingClientRect();
      took[name] = performance.now() - begin;
    };
    document.body.getBoundingClientRect();
    took["open, laid out"] = performance.now();
    if (form) {
      timed("filter: first word", () => { form.text.value = "khong co trong trang"; apply(); });
      timed("filter: a word of all", () => { form.text.value = "hn-1"; apply(); });
      timed("filter: a verdict", () => { form.text.value = ""; form.outcome.value = "unknown"; apply(); });
      timed("filter: one dimension", () => { form.outcome.value = ""; form.dimension.selectedIndex = 1; apply(); });
      timed("filter: none", () => { form.dimension.value = ""; apply(); });
      timed("one language", () => { document.getElementById("lang-vi").checked = true; speak(); });
      timed("open all", () => { for (const {element} of controls) element.open = true; });
    }
    document.body.replaceChildren(Object.assign(document.createElement("pre"), {textContent: JSON.stringify(took)}));
  });
"""
HERE = "  if (!form) return;\n"
"""The line of the page's script before which the measuring ones go."""


def measured(page: str) -> str:
    """The page with a script that measures it, let in by its own policy."""
    begin, end = page.rindex("<script>") + len("<script>"), page.rindex("</script>")
    script = page[begin:end]
    longer = script.replace(HERE, MEASURE + HERE)
    assert longer != script, "the script has no such line any more"
    old, new = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in (script, longer))
    return page[:begin].replace(f"sha256-{old}", f"sha256-{new}") + longer + page[end:]


def browse(browser: str, page: Path) -> dict[str, float]:
    """What one fresh browser measured, in milliseconds."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [browser, *FLAGS, f"--user-data-dir={profile}", page.as_uri()],
            capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
    found = re.search(r"<pre>(.*?)</pre>", done.stdout)
    if found is None:
        raise SystemExit("the page did not measure itself")
    return dict(json.loads(html.unescape(found[1])))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"no browser: install one of {', '.join(BROWSERS)}")
    for name, inputs in (("no findings", sample.all_pass()), (f"{count:,} findings", sample.many(count))):
        report, context = sample.report(inputs), sample.context(inputs=inputs)
        begin = time.process_time()
        source = HtmlReporter().render(report, context)
        rendered = time.process_time() - begin
        print(f"{name}: {len(source.encode()) / 1e6:.1f} MB, rendered in {rendered:.2f} s of CPU")
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "report.html"
            page.write_text(measured(source), encoding="utf-8")
            runs = [browse(browser, page) for _ in range(TIMES)]
        for key in runs[0]:
            print(f"  {key:24} {median(run[key] for run in runs):8.0f} ms")


if __name__ == "__main__":
    main()
