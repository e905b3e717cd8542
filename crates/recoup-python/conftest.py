"""What all tests share: the program, a portfolio of real-looking resources, and the program's own answers."""

from __future__ import annotations

import datetime
import decimal
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import recoup

ROOT = Path(__file__).resolve().parents[2]
AT = "2026-03-05T12:34:56Z"
# Every so many of the cases is in the portfolio: all providers, and still a quick test.
STEP = 5
# So many times over stand the resources of the cases in a portfolio, under ids of their own.
COPIES = 4


def value(json_value: Any, data_type: pa.DataType) -> Any:
    """A value of a portfolio's JSON as the column of its type holds it."""
    if json_value is None:
        return None
    if pa.types.is_struct(data_type):
        types = TYPES.setdefault(data_type, {field.name: field.type for field in data_type})
        return {name: value(item, types[name]) for name, item in json_value.items()}
    if pa.types.is_list(data_type):
        return [value(item, data_type.value_type) for item in json_value]
    if pa.types.is_decimal(data_type):
        return decimal.Decimal(str(json_value))
    if pa.types.is_timestamp(data_type):
        instant = datetime.datetime.fromisoformat(json_value)
        return instant if instant.tzinfo else instant.replace(tzinfo=datetime.timezone.utc)
    if pa.types.is_string(data_type) and not isinstance(json_value, str):
        return json.dumps(json_value)
    if pa.types.is_integer(data_type):
        return int(json_value)
    return json_value


def cases() -> list[dict[str, Any]]:
    """The cases of the fixtures, all providers'."""
    files = sorted((ROOT / "fixtures").glob("*/cases/*.json"))
    return [case for file in files for case in json.loads(file.read_text(encoding="utf-8"), parse_float=str)]


def converted(resource: dict[str, Any]) -> dict[str, Any] | None:
    """A resource as a column holds it; none where no column can, since some cases are about what is wrong."""
    try:
        row: dict[str, Any] = value(resource, TYPE)
    except (ValueError, TypeError, KeyError, AttributeError, decimal.DecimalException):
        return None
    return row


TYPES: dict[pa.DataType, dict[str, pa.DataType]] = {}
SCHEMA = pa.schema(recoup.portfolio_schema())
TYPE = pa.struct(list(SCHEMA))


@pytest.fixture(scope="session")
def table() -> pa.Table:
    """A portfolio as a table, in the columns' own types: the resources of all cases, each under its own id."""
    rows = [row for case in cases()[::STEP] if (row := converted(case["resource"]))]
    for number, row in enumerate(rows):
        row["id"] = f"{row['id']}-{number}"
    once = pa.Table.from_struct_array(pa.array(rows, TYPE))
    # What cannot be read is for the tests of errors.
    bad = {row for row, _ in recoup.assess(once, at=AT, errors="keep").problems}
    assert len(bad) < 20 < 300 < len(once), bad
    return once.filter(pa.array([row not in bad for row in range(len(once))]))


@pytest.fixture(scope="session")
def large(table: pa.Table) -> pa.Table:
    """The portfolio many times over, under other ids."""
    place = table.schema.get_field_index("id")
    copies = []
    for number in range(COPIES):
        ids = pa.array([f"{number}:{id}" for id in table["id"].to_pylist()], pa.string())
        copies.append(table.set_column(place, "id", ids))
    return pa.concat_tables(copies)


class Program:
    """The program with its adapters, as it is built beside the wheel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *args: str | os.PathLike[str]) -> subprocess.CompletedProcess[str]:
        command = [self.folder / "recoup", *args]
        # As wide as it is anywhere, whatever the terminal of the tests.
        wide = {**os.environ, "COLUMNS": "120"}
        return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8", env=wide)

    def assess(self, portfolio: pa.Table, folder: Path, *args: str) -> pa.Table:
        """The program's answer to a table, by way of files."""
        before, after = folder / "portfolio.parquet", folder / "rulings.parquet"
        pq.write_table(portfolio, before)
        self.done("assess", before, "--at", AT, *args, "--format", "parquet", "-o", after)
        return pq.read_table(after)

    def generate(self, count: int, file: Path) -> Path:
        """A portfolio that looks like a real one."""
        self.done("generate", "--count", str(count), "-o", file)
        return file

    def done(self, *args: str | os.PathLike[str]) -> None:
        done = self.run(*args)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def program() -> Program:
    folder = os.environ.get("RECOUP_DIST")
    assert folder, "run these tests by `cargo xtask python`, which builds the program that they compare with"
    return Program(Path(folder))


@pytest.fixture(scope="session")
def generated(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portfolio that the program made up, as it writes one."""
    return program.generate(500, tmp_path_factory.mktemp("generated") / "portfolio.parquet")
