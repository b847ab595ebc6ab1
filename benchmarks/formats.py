"""Reports of 5,000 findings: what each format costs, and all of them together in one process.

    python benchmarks/formats.py [FINDINGS [FORMAT]...]

Every format is written in a process of its own, three times; medians of wall and CPU seconds are printed, with
peak memory, that above what the inputs themselves take, and the size of what was written. Needs the extras `pdf`,
`docx` and `xlsx`. What must hold for 5,000 findings: PDF under 15 s; all together under 30 s and 500 MB.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.append(str(Path(__file__).parent.parent / "tests" / "reporters"))

FORMATS = (
    "json", "html", "pdf", "docx", "xlsx", "md", "csv", "oscal-ar", "oscal-catalog", "oscal-profile",
    "sarif", "junit", "gitlab-codequality", "ocsf", "github", "github-summary",
)  # fmt: skip
TIMES = 3


def run(formats: list[str], count: int) -> None:
    """Write formats one after the other and print what that took."""
    import data_samples as data
    import sample_report as sample

    from cloudaudit.plugins import reporter

    inputs = sample.many(count)
    report, records = sample.report(inputs), data.records(inputs)
    before = peak()
    wall, cpu = time.perf_counter(), time.process_time()
    size = 0
    for name in formats:
        made = reporter(name).render(report, sample.context(inputs=inputs, findings=iter(records)))
        size += len(made.encode() if isinstance(made, str) else made)
        del made
    told = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "size": size}
    json.dump({**told, "peak": peak(), "above": peak() - before}, sys.stdout)


def peak() -> float:
    """The most memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(formats: list[str], count: int) -> dict[str, Any]:
    told = []
    for _ in range(TIMES):
        command = [sys.executable, __file__, "--run", str(count), *formats]
        told.append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    return {key: median(one[key] for one in told) for key in told[0]}


def main() -> None:
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[3:], int(sys.argv[2]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    formats = sys.argv[2:] or list(FORMATS)
    print(f"{count:,} findings, median of {TIMES}")
    for name, chosen in [*((name, [name]) for name in formats), ("all together", formats)]:
        m = measured(chosen, count)
        print(
            f"{name:14} {m['wall']:6.1f} s  {m['cpu']:6.1f} s CPU  {m['peak']:5.0f} MiB peak"
            f" (+{m['above']:.0f})  {m['size'] / 2**20:6.1f} MiB written"
        )


if __name__ == "__main__":
    main()
