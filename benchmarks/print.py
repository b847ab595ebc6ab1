"""What a report on paper costs: seconds and memory of PDF and DOCX of many findings, each in a process of its own.

    python benchmarks/print.py [FINDINGS]

The numbers that must hold for 5,000 findings: PDF under 15 s, and any format under 500 MB.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ONE = """
import resource, sys, time
import sample_report as sample
from cloudaudit.reporters import chapters
from cloudaudit.plugins import reporter
name, count = sys.argv[1], int(sys.argv[2])
inputs = sample.many(count)
report = sample.report(inputs)
context = sample.context("vi", inputs=inputs, findings=iter(report["findings"]))
before, start = time.process_time(), time.perf_counter()
made = reporter(name).render(report, context)
used = time.process_time() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{name:<5} {used:5.1f} s CPU  {time.perf_counter() - start:5.1f} s  {peak:4.0f} MB at most  {len(made) / 1e6:4.1f} MB file")
"""


def main() -> None:
    count = sys.argv[1] if len(sys.argv) > 1 else "5000"
    print(f"{count} findings")
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "reporters")))
    for name in ("pdf", "docx"):
        subprocess.run(
            [sys.executable, "-c", ONE, name, count], check=True, env={**os.environ, "PYTHONPATH": path}
        )


if __name__ == "__main__":
    main()
