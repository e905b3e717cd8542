"""Two executors assess a portfolio in Parquet, and answer as the program does.

A standalone master and its two workers run as processes of their own on this machine's loopback, as they
would on machines of their own: each starts an executor, and Python workers below it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
import pytest
from conftest import AT, Program
from pyspark.errors import PythonException
from pyspark.sql import SparkSession

import recoup
import recoup.spark

HOME = Path(pyspark.__file__).parent
WORKERS = 2
# Into so many files a portfolio is split, so that there is work for all.
FILES = 8
GENERATED = 20_000


def started(folder: Path, name: str, *args: str) -> tuple[subprocess.Popen[bytes], Path]:
    """A daemon of Spark, in the foreground, and its log."""
    log = folder / f"{name}.log"
    environment = {**os.environ, "SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [HOME / "bin/spark-class", *args], stdout=out, stderr=subprocess.STDOUT, env=environment
        )
    return process, log


def said(log: Path, pattern: str, seconds: float = 60) -> str:
    """What a log says, once it does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := re.search(pattern, log.read_text(encoding="utf-8", errors="replace")):
            return found.group(1)
        time.sleep(0.2)
    raise AssertionError(f"{log.name} does not say {pattern!r}:\n{log.read_text(errors='replace')}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a master with two workers of one core each."""
    folder = tmp_path_factory.mktemp("cluster")
    master, log = started(
        folder, "master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"
    )
    daemons = [master]
    try:
        address = said(log, r"Starting Spark master at (spark://\S+)")
        for number in range(WORKERS):
            worker, log = started(
                folder,
                f"worker-{number}",
                "org.apache.spark.deploy.worker.Worker",
                *("--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "1g"),
                *("--work-dir", str(folder / f"work-{number}"), address),
            )
            daemons.append(worker)
            said(log, r"(Successfully registered with master)")
        yield address
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            daemon.wait(timeout=30)


@pytest.fixture(scope="module")
def spark(cluster: str) -> Iterator[SparkSession]:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    session = (
        SparkSession.builder.master(cluster)
        .appName("recoup")
        .config("spark.executor.cores", "1")
        .config("spark.executor.memory", "600m")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        # One file a task.
        .config("spark.sql.files.openCostInBytes", str(1 << 27))
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "1000")
        .getOrCreate()
    )
    yield session
    session.stop()


def in_files(table: pa.Table, folder: Path) -> Path:
    """A portfolio in several files."""
    rows = len(table) // FILES + 1
    for number in range(FILES):
        pq.write_table(table.slice(number * rows, rows), folder / f"part-{number}.parquet")
    return folder


@pytest.fixture(scope="module")
def folder(large: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return in_files(large, tmp_path_factory.mktemp("portfolio"))


def in_order(rulings: pa.Table) -> pa.Table:
    """Rulings in an order that no cluster changes; Spark has nulls everywhere, and its own zone."""
    rulings = rulings.cast(pa.schema(recoup.rulings_schema()))
    keys = [("provider", "ascending"), ("resource", "ascending"), ("exit", "ascending"), ("account", "ascending")]
    return rulings.sort_by(keys)


def test_two_executors_answer_as_the_program(
    spark: SparkSession, folder: Path, large: pa.Table, program: Program, tmp_path: Path
) -> None:
    """On what the cases of all providers have, which is every shape of a resource."""
    ours = recoup.spark.assess(spark.read.parquet(str(folder)), at=AT).toArrow()
    theirs = program.assess(large, tmp_path)
    assert len(ours) == len(theirs) > len(large)
    assert in_order(ours).equals(in_order(theirs))


def test_a_larger_portfolio_is_answered_as_by_the_program(
    spark: SparkSession, program: Program, tmp_path: Path
) -> None:
    whole = pq.read_table(program.generate(GENERATED, tmp_path / "generated.parquet"))
    files = tmp_path / "files"
    files.mkdir()
    portfolio = spark.read.parquet(str(in_files(whole, files)))
    begun = time.monotonic()
    ours = recoup.spark.assess(portfolio, at=AT).toArrow()
    seconds = time.monotonic() - begun
    theirs = program.assess(whole, tmp_path)
    assert len(ours) == len(theirs) > GENERATED
    assert in_order(ours).equals(in_order(theirs))
    print(f"\n{len(whole)} resources, {len(ours)} rulings, {seconds:.1f} s on {WORKERS} executors: as the program says")


def test_both_executors_take_part(spark: SparkSession, folder: Path) -> None:
    def who(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import recoup.spark

        # The worker directory of an executor is its own.
        rulings = sum(pa.table(recoup.assess(batch, at=AT)).num_rows for batch in batches)
        yield pa.RecordBatch.from_pydict({"executor": [os.getcwd()], "rulings": [rulings]})

    rows = spark.read.parquet(str(folder)).mapInArrow(who, "executor string, rulings long").collect()
    busy = {row.executor for row in rows if row.rulings}
    assert len(busy) >= WORKERS, rows


def test_the_answer_is_a_table_for_sql(spark: SparkSession, folder: Path, large: pa.Table) -> None:
    recoup.spark.assess(spark.read.parquet(str(folder)), at=AT).createOrReplaceTempView("rulings")
    rows = spark.sql("select provider, sum(refund) as refund from rulings where is_best group by provider").collect()
    table = pa.table(recoup.assess(large, at=AT))
    best = table.filter(table["is_best"])
    expected = best.group_by("provider").aggregate([("refund", "sum")]).to_pylist()
    assert {row.provider: row.refund for row in rows} == {row["provider"]: row["refund_sum"] for row in expected}


def test_a_row_that_cannot_be_assessed_fails_the_query(spark: SparkSession, folder: Path) -> None:
    spoilt = spark.read.parquet(str(folder)).selectExpr("* except (status)", "'gone' as status")
    with pytest.raises(PythonException, match=r'row \d+: .+: "status": "gone" is not a known status'):
        recoup.spark.assess(spoilt, at=AT).count()
