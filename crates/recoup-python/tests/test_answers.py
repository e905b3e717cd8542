"""The answers are the program's own, whichever library the table comes from and goes to."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import AT, Program, cases

import recoup


def test_a_table_is_answered_as_the_program_answers_its_file(table: pa.Table, program: Program, tmp_path: Path) -> None:
    ours = pa.table(recoup.assess(table, at=AT))
    theirs = program.assess(table, tmp_path)
    assert len(set(ours["provider"].to_pylist())) > 15
    assert len(ours) > len(table)
    assert ours.equals(theirs)


def test_accounts_are_those_of_the_accounts_file(table: pa.Table, program: Program, tmp_path: Path) -> None:
    accounts = {}
    for account in (case["account"] for case in cases() if case.get("account")):
        accounts.setdefault((account["provider"], account.get("site"), account["account"]), account)
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps(list(accounts.values())), encoding="utf-8")
    theirs = program.assess(table, tmp_path, "--accounts", str(file))
    assert pa.table(recoup.assess(table, at=AT, accounts=file)).equals(theirs)
    assert pa.table(recoup.assess(table, at=AT, accounts=accounts.values())).equals(theirs)
    assert not pa.table(recoup.assess(table, at=AT)).equals(theirs)


def test_assumptions_and_editions_are_the_programs(table: pa.Table, program: Program, tmp_path: Path) -> None:
    theirs = program.assess(table, tmp_path, "--assume", "promotion=false", "--edition", "2025-01-01")
    ours = recoup.assess(table, at=AT, assume={"promotion": False}, edition=datetime.date(2025, 1, 1))
    assert pa.table(ours).equals(theirs)


def test_every_library_for_tables_is_understood(table: pa.Table) -> None:
    expected = pa.table(recoup.assess(table, at=AT))
    frames = {
        "polars": pl.DataFrame(table),
        "duckdb": duckdb.connect().from_arrow(table),
        "pandas": pd.DataFrame({name: pd.array(table[name], dtype=pd.ArrowDtype(table[name].type)) for name in table.column_names}),
        "a reader": table.to_reader(max_chunksize=100),
        "a batch": table.combine_chunks().to_batches()[0],
    }
    for name, frame in frames.items():
        assert pa.table(recoup.assess(frame, at=AT)).equals(expected), name


def test_frames_that_libraries_read_by_themselves_are_understood(generated: Path) -> None:
    """With the types that each of them chooses: texts as views, whole numbers with gaps as floats."""
    expected = pa.table(recoup.assess(pq.read_table(generated), at=AT))
    frames = {
        "polars": pl.read_parquet(generated),
        "duckdb": duckdb.connect().sql(f"from '{generated}'"),
        "pandas": pd.read_parquet(generated),
        "pandas with types of Arrow": pd.read_parquet(generated, dtype_backend="pyarrow"),
    }
    for name, frame in frames.items():
        assert pa.table(recoup.assess(frame, at=AT)).equals(expected), name


def test_the_answer_goes_to_every_library(table: pa.Table) -> None:
    rulings = recoup.assess(table, at=AT)
    assert len(rulings) == len(pl.DataFrame(rulings)) == len(pa.table(rulings)) == len(pd.DataFrame.from_arrow(rulings))
    sums = duckdb.sql("select sum(refund) from rulings where is_best and currency = 'USD'").fetchall()
    frame = pl.DataFrame(rulings).filter(pl.col("is_best") & (pl.col("currency") == "USD"))
    assert sums[0][0] == frame["refund"].sum()


def test_the_answer_is_not_copied_on_its_way(table: pa.Table) -> None:
    rulings = recoup.assess(table, at=AT)

    def places(name: str, whole: pa.Table) -> list[int]:
        return [buffer.address for chunk in whole[name].chunks for buffer in chunk.buffers() if buffer]

    for name in ["resource", "refund", "until", "is_best", "refusals"]:
        assert places(name, pa.table(rulings)) == places(name, pa.table(rulings)), name


def test_a_stream_gives_what_the_table_gives(large: pa.Table) -> None:
    whole = pa.table(recoup.assess(large, at=AT))
    question = recoup.Assessor(at=AT)
    stream = question.stream(large.to_reader(max_chunksize=100))
    batches = list(pa.RecordBatchReader.from_stream(stream))
    assert len(batches) > 10
    assert pa.Table.from_batches(batches).equals(whole)
    with pytest.raises(recoup.RecoupError, match="read once"):
        pa.RecordBatchReader.from_stream(stream)


def test_threads_change_nothing(large: pa.Table) -> None:
    one = pa.table(recoup.assess(large, at=AT, threads=1))
    assert pa.table(recoup.assess(large, at=AT, threads=3)).equals(one)


def test_an_instant_is_a_text_a_datetime_or_a_date(table: pa.Table) -> None:
    small = table.slice(0, 60)
    zone = datetime.timezone(datetime.timedelta(hours=8))
    instant = datetime.datetime(2026, 3, 5, 20, 34, 56, tzinfo=zone)
    assert pa.table(recoup.assess(small, at=instant)).equals(pa.table(recoup.assess(small, at=AT)))
    midnight = pa.table(recoup.assess(small, at=datetime.date(2026, 3, 5)))
    assert midnight.equals(pa.table(recoup.assess(small, at="2026-03-05")))
    assert set(pa.table(recoup.assess(small))["at"].to_pylist()) != set(midnight["at"].to_pylist())


def test_an_explanation_is_the_programs(table: pa.Table, program: Program, tmp_path: Path) -> None:
    id = table["id"][7].as_py()
    file = tmp_path / "portfolio.parquet"
    pq.write_table(table, file)
    said = program.run("explain", file, "--id", id, "--at", AT).stdout
    text = recoup.explain(table, id, at=AT, width=120)
    # The program goes on to what comes later.
    assert "http" in text and said.startswith(text)


def test_a_policy_names_its_sources() -> None:
    names = recoup.providers()
    assert len(names) > 15
    policy = recoup.policy(names[0])
    assert policy["provider"] == names[0]
    assert policy["source"] and policy["clause"]


def test_the_columns_are_known_beforehand(table: pa.Table) -> None:
    assert pa.schema(recoup.rulings_schema()) == pa.table(recoup.assess(table.slice(0, 1), at=AT)).schema
    assert {"provider", "id", "orders", "facts"} <= set(recoup.portfolio_schema().names)
