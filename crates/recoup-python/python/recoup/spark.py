"""recoup on a Spark cluster: every executor assesses the batches of its own partitions.

    import recoup.spark

    rulings = recoup.spark.assess(spark.read.parquet("portfolio.parquet"), at="2026-02-10")
    rulings.where("is_best").groupBy("provider", "currency").sum("refund").show()

The wheel must be installed where the executors run; it carries the adapters. Decimals are columns of
`decimal(38,18)` or texts, instants of `timestamp`.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import Accounts, Assessor, Assumptions, Instant, _accounts, _instant, rulings_schema

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


@functools.lru_cache(maxsize=8)
def _assessor(question: str) -> Assessor:
    """The assessor of a question; a worker keeps it, and its opened adapters, from task to task."""
    asked = json.loads(question, parse_float=str)
    # One thread, since Spark gives each core a task of its own.
    return Assessor(**asked, threads=1)


def schema() -> StructType:
    """The columns of the rulings, as Spark has them."""
    import pyarrow
    from pyspark.sql.pandas.types import from_arrow_schema

    columns: StructType = from_arrow_schema(pyarrow.schema(rulings_schema()))
    return columns


def batches(
    *,
    at: Instant | None = None,
    accounts: Accounts | None = None,
    adapters: str | os.PathLike[str] | None = None,
    assume: Assumptions | None = None,
) -> Callable[[Iterable[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    """A function for `DataFrame.mapInArrow`: batches of a portfolio in, batches of rulings out.

    The instant and the accounts are read once, here, so that every executor answers the same question.
    `adapters` is a folder on the executors; the one in their installed wheel where it is not given.
    """
    text = _accounts(accounts)
    question = json.dumps(
        {
            "at": _instant(at),
            "accounts": None if text is None else json.loads(text, parse_float=str),
            "adapters": None if adapters is None else os.fspath(adapters),
            "assume": dict(assume or {}),
        },
        default=str,
    )

    def answer(resources: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        for batch in resources:
            yield from pyarrow.table(_assessor(question).assess(batch)).to_batches()

    return answer


def assess(
    portfolio: DataFrame,
    *,
    at: Instant | None = None,
    accounts: Accounts | None = None,
    adapters: str | os.PathLike[str] | None = None,
    assume: Assumptions | None = None,
) -> DataFrame:
    """The rulings on every resource of a DataFrame, one row for each exit; see `batches`."""
    function = batches(at=at, accounts=accounts, adapters=adapters, assume=assume)
    return portfolio.mapInArrow(function, schema())
