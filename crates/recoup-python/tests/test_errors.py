"""What is wrong is an exception that says where and what was expected."""

from __future__ import annotations

import datetime
import pickle
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import AT

import recoup


def spoilt(table: pa.Table) -> pa.Table:
    """Two rows with a billing that nobody knows."""
    words = table["billing"].to_pylist()
    words[3] = words[5] = "rented"
    return table.set_column(table.schema.get_field_index("billing"), "billing", pa.array(words))


def test_a_row_that_cannot_be_read_is_named(table: pa.Table) -> None:
    with pytest.raises(recoup.RecordError) as caught:
        recoup.assess(spoilt(table), at=AT)
    assert [problem.row for problem in caught.value.problems] == [3, 5]
    id = table["id"][3].as_py()
    assert str(caught.value).startswith(f'row 3: {id}: "billing": "rented" is not a known billing')
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems


def test_the_other_rows_may_be_kept(table: pa.Table) -> None:
    rulings = recoup.assess(spoilt(table), at=AT, errors="keep")
    assert [row for row, _ in rulings.problems] == [3, 5]
    good = table.filter(pa.array([row not in (3, 5) for row in range(len(table))]))
    assert pa.table(rulings).equals(pa.table(recoup.assess(good, at=AT)))


def test_a_stream_says_the_row_of_the_whole_table(table: pa.Table) -> None:
    question = recoup.Assessor(at=AT)
    with pytest.raises(Exception, match='row 3: .*: "billing"'):
        pa.RecordBatchReader.from_stream(question.stream(spoilt(table).to_reader(max_chunksize=2))).read_all()
    stream = question.stream(spoilt(table).to_reader(max_chunksize=2), errors="keep")
    pa.RecordBatchReader.from_stream(stream).read_all()
    assert [row for row, _ in stream.problems] == [3, 5]


def test_a_provider_without_an_adapter_is_a_row_that_cannot_be_assessed(table: pa.Table) -> None:
    one = table.slice(0, 1)
    one = one.set_column(one.schema.get_field_index("provider"), "provider", pa.array(["nobody"]))
    with pytest.raises(recoup.RecordError, match='no adapter serves the provider "nobody", installed are'):
        recoup.assess(one, at=AT)


def test_a_name_that_is_not_understood_is_remarked_upon(table: pa.Table) -> None:
    rulings = recoup.assess(table.append_column("colour", pa.array(["blue"] * len(table))), at=AT)
    assert rulings.remarks == [(0, 'field "colour" is not understood and was left out of account')]


def test_another_table_is_refused() -> None:
    with pytest.raises(recoup.RecoupError, match="not a portfolio.*first of the table's own are cost, day"):
        recoup.assess(pa.table({"cost": [1], "day": ["2026-01-01"]}), at=AT)
    with pytest.raises(ValueError, match="__arrow_c_stream__"):
        recoup.assess([1, 2, 3], at=AT)  # type: ignore[arg-type]


def test_money_in_floats_is_refused(table: pa.Table) -> None:
    floats = table.slice(0, 2).set_column(table.schema.get_field_index("quantity"), "quantity", pa.array([1.5, 2.5]))
    with pytest.raises(recoup.RecordError, match='"quantity": 1.5 is in floating point'):
        recoup.assess(floats, at=AT)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"at": "yesterday"}, "at: .*yesterday"),
        ({"at": datetime.datetime(2026, 1, 1)}, "has no time zone"),
        ({"at": AT, "edition": "soon"}, "edition: soon: expected a date"),
        ({"at": AT, "assume": {"promotoin": False}}, 'did you mean "promotion"'),
        ({"at": AT, "adapters": "/nowhere"}, "/nowhere"),
        ({"at": AT, "accounts": [{"provider": "p"}]}, "account 1: .*is missing"),
    ],
)
def test_a_question_that_is_wrong_says_so(question: dict[str, object], words: str) -> None:
    with pytest.raises(recoup.RecoupError, match=words):
        recoup.Assessor(**question)  # type: ignore[arg-type]


def test_an_id_that_is_not_there(table: pa.Table) -> None:
    with pytest.raises(recoup.RecoupError, match='has the id "no-such"'):
        recoup.explain(table, "no-such", at=AT)


def test_an_accounts_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        recoup.Assessor(at=AT, accounts=tmp_path / "accounts.json")
