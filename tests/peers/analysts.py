"""What analysts would use instead, on the same policy and records.

Run by `cargo xtask bench peers`, which gives the folder with the files that recoup-peers wrote, and the program.
Every peer's answers are compared with recoup's before anything is timed; then all of them take turns, so that each has
the same machine. Times are wall clock, medians of the rounds.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

try:
    import datafusion
except ImportError as missing:
    datafusion = None  # type: ignore[assignment]
    print(f"skipped is DataFusion: {missing}")

ROUNDS = 5
NEVER = ["domain", "certificate", "meeting", "hardware"]
FEES = {(0, 1): 10, (1, 1): 10, (2, 1): 15, (2, 2): 10, (3, 1): 15, (3, 2): 10, (3, 3): 5}

# The bits of the reasons stand in the order in which recoup names them.
SQL = """
SELECT id, account, product, reasons, paid_cents, consumed, fee, paid_cents - consumed - fee AS refund FROM (
  SELECT *, least(paid_cents - consumed, (paid_cents * share + 50) // 100) AS fee FROM (
    SELECT *, (2 * paid_cents * used + bought) // (2 * bought) AS consumed,
      CASE WHEN years <= 1 THEN 10
           WHEN years = 2 THEN CASE WHEN used < 8760 THEN 15 ELSE 10 END
           ELSE CASE WHEN used < 8760 THEN 15 WHEN used < 2 * 8760 THEN 10 ELSE 5 END END AS share
    FROM (
      SELECT id, account, product, CAST(CAST(paid AS DECIMAL(18, 2)) * 100 AS BIGINT) AS paid_cents,
        least(CAST(3 AS BIGINT), CAST(term_months AS BIGINT) // 12) AS years,
        (epoch(CAST(ends_at AS TIMESTAMP))::BIGINT - epoch(CAST(starts_at AS TIMESTAMP))::BIGINT) // 3600 AS bought,
        greatest(0, least(
          (epoch(CAST(ends_at AS TIMESTAMP))::BIGINT - epoch(CAST(starts_at AS TIMESTAMP))::BIGINT) // 3600,
          CAST(floor(({at} - epoch(CAST(starts_at AS TIMESTAMP))::BIGINT) / 3600) AS BIGINT))) AS used,
        (billing = 'pay_as_you_go')::INT
        + 2 * (status = 'expired' OR epoch(CAST(ends_at AS TIMESTAMP))::BIGINT <= {at})::INT
        + 4 * frozen_security::INT + 8 * unpaid_order::INT + 16 * promotion::INT + 32 * invoiced::INT
        + 64 * (seller = 'marketplace')::INT
        + 128 * (product IN ('domain', 'certificate', 'meeting', 'hardware'))::INT AS reasons
      FROM {source})))
"""

# DataFusion divides whole numbers by /, and counts seconds by another name.
DATAFUSION_SQL = (
    SQL.replace("//", "/")
    .replace("epoch(CAST(ends_at AS TIMESTAMP))::BIGINT", "to_unixtime(CAST(ends_at AS TIMESTAMP))")
    .replace("epoch(CAST(starts_at AS TIMESTAMP))::BIGINT", "to_unixtime(CAST(starts_at AS TIMESTAMP))")
)


class Bench:
    """The files of a run, and what is expected of everybody."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder = folder
        self.program = program
        asked = json.loads((folder / "asked.json").read_text())
        self.at: int = asked["at"]
        self.count: int = asked["count"]
        lines = (folder / "expected.ndjson").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        self.expected = {row["id"]: (row["reasons"], row["refund"]) for row in rows}

    def sql(self, source: str, text: str = SQL) -> str:
        return text.format(at=self.at, source=source)

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def check(self, peer: str, ids: list[str], reasons: list[int], refunds: list[int]) -> None:
        said = dict(zip(ids, zip(reasons, refunds, strict=True), strict=True))
        wrong = [key for key, answer in self.expected.items() if said.get(key) != answer]
        if wrong or len(said) != self.count:
            first = wrong[0] if wrong else "?"
            sys.exit(f"{peer}: {len(wrong)} of {self.count} differ, {first}: {said.get(first)} for {self.expected.get(first)}")


def duck(threads: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def fused(partitions: int) -> datafusion.SessionContext:
    return datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(partitions))


def columns_of(batches: list[pa.RecordBatch], *names: str) -> list[list[object]]:
    table = pa.Table.from_batches(batches)
    return [table[name].to_pylist() for name in names]


def polars_query(frame: pl.LazyFrame, at: int) -> pl.LazyFrame:
    """The policy in expressions."""

    def seconds(name: str) -> pl.Expr:
        column = pl.col(name)
        if frame.collect_schema()[name] == pl.String:
            column = column.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us")
        return column.dt.epoch("s")

    expired = (pl.col("status") == "expired") | (pl.col("end") <= at)
    bits = [
        pl.col("billing") == "pay_as_you_go",
        expired,
        pl.col("frozen_security"),
        pl.col("unpaid_order"),
        pl.col("promotion"),
        pl.col("invoiced"),
        pl.col("seller") == "marketplace",
        pl.col("product").is_in(NEVER),
    ]
    reasons = sum((bit.cast(pl.Int32) * (1 << place) for place, bit in enumerate(bits)), pl.lit(0, pl.Int32))
    year = 8760
    share = (
        pl.when(pl.col("years") <= 1)
        .then(10)
        .when(pl.col("years") == 2)
        .then(pl.when(pl.col("used") < year).then(15).otherwise(10))
        .otherwise(pl.when(pl.col("used") < year).then(15).when(pl.col("used") < 2 * year).then(10).otherwise(5))
    )
    cents = (pl.col("paid").cast(pl.Decimal(18, 2)) * 100).cast(pl.Int64)
    return (
        frame.with_columns(start=seconds("starts_at"), end=seconds("ends_at"), paid_cents=cents)
        .with_columns(
            reasons=reasons,
            bought=(pl.col("end") - pl.col("start")) // 3600,
            years=pl.min_horizontal(pl.lit(3), pl.col("term_months").cast(pl.Int64) // 12),
        )
        .with_columns(used=((at - pl.col("start")) // 3600).clip(0, pl.col("bought")))
        .with_columns(
            consumed=(2 * pl.col("paid_cents") * pl.col("used") + pl.col("bought")) // (2 * pl.col("bought")), share=share
        )
        .with_columns(
            fee=pl.min_horizontal(
                pl.col("paid_cents") - pl.col("consumed"), (pl.col("paid_cents") * pl.col("share") + 50) // 100
            )
        )
        .with_columns(refund=pl.col("paid_cents") - pl.col("consumed") - pl.col("fee"))
        .select("id", "account", "product", "reasons", "paid_cents", "consumed", "fee", "refund")
    )


def pandas_query(frame: pd.DataFrame, at: int) -> pd.DataFrame:
    """As an analyst would write it: money in floats, rounded at the end of each step."""
    start = frame["starts_at"].astype("datetime64[s]").astype("int64")
    end = frame["ends_at"].astype("datetime64[s]").astype("int64")
    bits = [
        frame["billing"] == "pay_as_you_go",
        (frame["status"] == "expired") | (end <= at),
        frame["frozen_security"],
        frame["unpaid_order"],
        frame["promotion"],
        frame["invoiced"],
        frame["seller"] == "marketplace",
        frame["product"].isin(NEVER),
    ]
    reasons = sum(bit.astype("int64") * (1 << place) for place, bit in enumerate(bits))
    bought = (end - start) // 3600
    used = ((at - start) // 3600).clip(lower=0, upper=bought)
    years = (frame["term_months"].astype("int64") // 12).clip(upper=3)
    year = np.minimum(used // 8760, np.maximum(years, 1) - 1)
    share = np.select(
        [years <= 1, (years == 2) & (year == 0), years == 2, year == 0, year == 1], [0.10, 0.15, 0.10, 0.15, 0.10], 0.05
    )
    paid = frame["paid"].astype("float64")
    consumed = (paid * used / bought).round(2)
    fee = np.minimum(paid - consumed, (paid * share).round(2))
    refund = ((paid - consumed - fee) * 100).round().astype("int64")
    return pd.DataFrame({"id": frame["id"], "reasons": reasons, "refund": refund})


def by_hand(row: dict[str, object], at: int) -> tuple[int, int]:
    """One record in plain Python, with Decimal."""
    start, end = int(row["start"]), int(row["end"])  # type: ignore[call-overload]
    bits = (
        row["billing"] == "pay_as_you_go",
        row["status"] == "expired" or end <= at,
        row["frozen_security"],
        row["unpaid_order"],
        row["promotion"],
        row["invoiced"],
        row["seller"] == "marketplace",
        row["product"] in NEVER,
    )
    reasons = sum(1 << place for place, bit in enumerate(bits) if bit)
    cent = Decimal("0.01")
    bought = (end - start) // 3600
    used = max(0, min(bought, (at - start) // 3600))
    years = min(3, int(row["term_months"]) // 12)  # type: ignore[call-overload]
    year = min(used // 8760, max(years, 1) - 1) + 1
    paid = row["paid_decimal"]
    assert isinstance(paid, Decimal)
    consumed = (paid * used / bought).quantize(cent, ROUND_HALF_UP)
    fee = min(paid - consumed, (paid * FEES[years, year] / 100).quantize(cent, ROUND_HALF_UP))
    return reasons, int((paid - consumed - fee) * 100)


def table(title: str, jobs: list[tuple[str, Callable[[], object]]], count: int, against: str) -> None:
    """Times the jobs by turns, and shows the medians beside that of one of them, which is named by its first word."""
    times: dict[str, list[float]] = {name: [] for name, _ in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs:
            begin = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(own) for name, own in times.items()}
    print(f"\n{title}")
    print(f"  {'':<58}{'ns a record':>14}{'records':>14}{'against ' + against.split()[0].strip(','):>16}")
    for name, own in medians.items():
        print(f"  {name:<58}{own / count * 1e9:>14.0f}{count / own / 1e6:>10.2f} M/s{own / medians[against]:>15.2f}x")


def in_memory(bench: Bench) -> None:
    flat = pq.read_table(bench.path("flat.parquet"))
    frame, at = pl.from_arrow(flat), bench.at
    assert isinstance(frame, pl.DataFrame)
    said = polars_query(frame.lazy(), at).collect()
    bench.check("Polars", said["id"].to_list(), said["reasons"].to_list(), said["refund"].to_list())
    panda = flat.to_pandas()
    answers = pandas_query(panda, at)
    differ = sum(
        bench.expected[key] != answer
        for key, *answer in zip(answers["id"], answers["reasons"], answers["refund"], strict=True)
        for answer in [tuple(int(part) for part in answer)]
    )
    rows = flat.slice(0, 20_000).to_pylist()
    for row in rows:
        row["start"], row["end"] = row["starts_at"].timestamp(), row["ends_at"].timestamp()
        row["paid_decimal"] = Decimal(str(row["paid"]))
    wrong = [row["id"] for row in rows if by_hand(row, at) != bench.expected[row["id"]]]
    if wrong:
        sys.exit(f"plain Python: {len(wrong)} differ, {wrong[0]}")
    one, two = duck(1), duck(2)
    for connection in (one, two):
        connection.register("arrow", flat)
        connection.execute("CREATE TABLE flat AS SELECT * FROM arrow")
    said = one.sql(bench.sql("flat")).fetchall()
    bench.check("DuckDB", [row[0] for row in said], [row[3] for row in said], [row[7] for row in said])
    sum_up = "SELECT product, count(*), sum(refund), bit_or(reasons) FROM ({}) GROUP BY product"
    sums = sum_up.format(bench.sql("flat"))
    print(f"\npandas in floats: {differ} of {bench.count} answers differ")
    name = "Polars, all rows, its own threads"
    jobs: list[tuple[str, Callable[[], object]]] = [
        (name, lambda: polars_query(frame.lazy(), at).collect()),
        ("DuckDB, sums by product, one thread", lambda: one.sql(sums).fetchall()),
        ("DuckDB, sums by product, two threads", lambda: two.sql(sums).fetchall()),
        ("pandas, vectorised, floats", lambda: pandas_query(panda, at)),
    ]
    if datafusion:
        fused_sums = sum_up.format(bench.sql("flat", DATAFUSION_SQL))
        for partitions in (1, 2):
            context = fused(partitions)
            # As many parts as are worked on at once.
            parts = flat.to_batches(max_chunksize=8192)
            share = -(-len(parts) // partitions)
            context.register_record_batches("flat", [parts[at : at + share] for at in range(0, len(parts), share)])
            said = context.sql(bench.sql("flat", DATAFUSION_SQL)).collect()
            bench.check("DataFusion", *columns_of(said, "id", "reasons", "refund"))
            label = f"DataFusion, sums by product, {partitions} partition(s)"
            jobs.append((label, lambda context=context: context.sql(fused_sums).collect()))  # type: ignore[misc]
    begin = time.perf_counter()
    for row in rows:
        by_hand(row, at)
    spent = (time.perf_counter() - begin) / len(rows) * 1e9
    table("analysts, tables in memory, reasons as bits and cents", jobs, bench.count, name)
    print(f"  {'plain Python, Decimal, records already parsed':<58}{spent:>14.0f}")


def file_to_file(bench: Bench, threads: int) -> None:
    # Polars takes its number of threads from its surroundings, once a process, so it is asked in one of its own.
    def polars(source: str, out: str) -> None:
        command = [sys.executable, __file__, "--polars", source, out, str(bench.at)]
        subprocess.run(command, check=True, env={**os.environ, "POLARS_MAX_THREADS": str(threads)})

    def nothing() -> None:
        command = [sys.executable, __file__, "--nothing"]
        subprocess.run(command, check=True, env={**os.environ, "POLARS_MAX_THREADS": str(threads)})

    def duckdb_job(source: str, out: str) -> None:
        reader = f"read_ndjson('{source}')" if source.endswith(".ndjson") else f"'{source}'"
        form = "JSON" if out.endswith(".ndjson") else "PARQUET"
        duck(threads).execute(f"COPY ({bench.sql(reader)}) TO '{out}' (FORMAT {form})")

    def datafusion_job(source: str, out: str) -> None:
        context = fused(threads)
        if source.endswith(".ndjson"):
            context.register_json("flat", source, file_extension=".ndjson")
        else:
            context.register_parquet("flat", source)
        form = "JSON" if out.endswith(".ndjson") else "PARQUET"
        context.sql(f"COPY ({bench.sql('flat', DATAFUSION_SQL)}) TO '{out}' STORED AS {form}").collect()

    def recoup(source: str, out: str) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(bench.at))
        command = [str(bench.program), "--plugins", bench.path("plugins"), "assess", source, "--at", at]
        subprocess.run([*command, "--threads", str(threads), "-o", out], check=True, capture_output=True)

    for form in ("ndjson", "parquet"):
        flat, portfolio, out = (bench.path(f"{name}.{form}") for name in ("flat", "portfolio", "out"))
        name = f"recoup, {form} to {form}: whole rulings"
        jobs: list[tuple[str, Callable[[], object]]] = [
            (name, lambda p=portfolio, o=out: recoup(p, o)),  # type: ignore[misc]
            (f"DuckDB, {form} to {form}", lambda f=flat, o=out: duckdb_job(f, o)),  # type: ignore[misc]
            (f"Polars, {form} to {form}, with its start", lambda f=flat, o=out: polars(f, o)),  # type: ignore[misc]
            ("(starting Python and Polars, for comparison)", nothing),
        ]
        if datafusion:
            jobs.insert(2, (f"DataFusion, {form} to {form}", lambda f=flat, o=out: datafusion_job(f, o)))  # type: ignore[misc]
        sizes = [Path(path).stat().st_size // bench.count for path in (portfolio, flat)]
        table(
            f"file to file, {form}, {threads} thread(s); {sizes[0]} bytes a record for recoup, {sizes[1]} for the others",
            jobs,
            bench.count,
            name,
        )


def polars_job(source: str, out: str, at: int) -> None:
    frame = pl.scan_ndjson(source) if source.endswith(".ndjson") else pl.scan_parquet(source)
    answers = polars_query(frame, at)
    if out.endswith(".ndjson"):
        answers.sink_ndjson(out)
    else:
        answers.sink_parquet(out)


def main() -> None:
    match sys.argv[1:]:
        case ["--nothing"]:
            return
        case ["--polars", source, out, at]:
            return polars_job(source, out, int(at))
        case [folder, program]:
            bench = Bench(Path(folder), Path(program))
        case _:
            sys.exit("expected the folder of the files and the program; run `cargo xtask bench peers`")
    # The flat records once more, typed as a warehouse would hold them.
    typed = duck(2).sql(
        "SELECT * REPLACE (CAST(paid AS DECIMAL(18, 2)) AS paid, CAST(purchased_at AS TIMESTAMP) AS purchased_at,"
        f" CAST(starts_at AS TIMESTAMP) AS starts_at, CAST(ends_at AS TIMESTAMP) AS ends_at)"
        f" FROM read_ndjson('{bench.path('flat.ndjson')}')"
    )
    typed.write_parquet(bench.path("flat.parquet"))
    in_memory(bench)
    for threads in (1, 2):
        file_to_file(bench, threads)


if __name__ == "__main__":
    main()
