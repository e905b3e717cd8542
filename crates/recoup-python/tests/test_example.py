"""The example runs, and plots what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

EXAMPLE = Path(__file__).resolve().parents[1] / "examples/refund_over_time.py"


def test_refund_over_time_is_plotted(table: pa.Table, tmp_path: Path) -> None:
    portfolio = tmp_path / "portfolio.parquet"
    pq.write_table(table, portfolio)
    done = subprocess.run(
        [sys.executable, EXAMPLE, portfolio, "2026-02-10"],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(table)} resources of" in done.stdout
    picture = (tmp_path / "refund_over_time.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 20_000
