"""What can be returned of cloud commitments, by each provider's own published rules.

Tables come and go through the Arrow PyCapsule interface: pass a table of pyarrow, Polars, DuckDB or
pandas, and give the answer to any of them::

    import polars as pl
    import recoup

    rulings = pl.DataFrame(recoup.assess(pl.read_parquet("portfolio.parquet"), at="2026-02-10"))
    rulings.filter(pl.col("is_best")).group_by("provider").agg(pl.col("refund").sum())

The columns of a table are those of a portfolio (see `portfolio_schema`); columns that have its types are
read where they are, without a copy. Rules run on all cores and without the interpreter's lock.
"""

from __future__ import annotations

import datetime as _datetime
import json as _json
import os as _os

from pathlib import Path as _Path
from typing import Any as _Any, Literal as _Literal

from ._recoup import (
    Assessments,
    AssessmentStream,
    RecoupError,
    Schema,
    __version__,
    portfolio_schema,
    rulings_schema,
)
from ._recoup import Assessor as _Question
from ._types import Accounts, Assumptions, Instant, Problem, RecordError, Table

__all__ = [
    "Accounts",
    "Assessments",
    "AssessmentStream",
    "Assessor",
    "Assumptions",
    "Instant",
    "Problem",
    "RecordError",
    "RecoupError",
    "Schema",
    "Table",
    "__version__",
    "adapters_folder",
    "assess",
    "explain",
    "policy",
    "portfolio_schema",
    "providers",
    "rulings_schema",
]


def adapters_folder() -> _Path:
    """The folder whose adapters are used where none is named.

    That is `RECOUP_ADAPTERS` where it is set, else the folder of adapters in the installed package.
    """
    named = _os.environ.get("RECOUP_ADAPTERS")
    return _Path(named) if named else _Path(__file__).parent / "adapters"


def _instant(at: Instant | None) -> str:
    if at is None:
        at = _datetime.datetime.now(_datetime.timezone.utc)
    if isinstance(at, _datetime.datetime):
        if at.tzinfo is None:
            raise RecoupError(f"at: {at} has no time zone; give it one, or pass a date for midnight at each site")
        return at.isoformat()
    return at.isoformat() if isinstance(at, _datetime.date) else at


def _accounts(accounts: Accounts | None) -> str | None:
    if accounts is None:
        return None
    if isinstance(accounts, (str, _os.PathLike)):
        return _Path(accounts).read_text(encoding="utf-8")
    # Decimals and dates are written as texts, as the format has them.
    return _json.dumps(list(accounts), default=str)


def _assumed(assume: Assumptions | None) -> list[tuple[str, str]]:
    def word(value: object) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    return [(name, word(value)) for name, value in (assume or {}).items()]


class Assessor:
    """A question to the rules: when, for which accounts, by which adapters. Answers any number of tables.

    `at` is an instant (text in RFC 3339 or a `datetime` with a zone) or a date, which is midnight at each
    provider's site; now where it is not given. `accounts` is the path of an accounts file or its content.
    `adapters` is a folder of adapters. `assume` gives facts to go by where nothing is known.
    """

    def __init__(
        self,
        *,
        at: Instant | None = None,
        accounts: Accounts | None = None,
        adapters: str | _os.PathLike[str] | None = None,
        assume: Assumptions | None = None,
        edition: str | _datetime.date | None = None,
        threads: int | None = None,
    ) -> None:
        self._question = _Question(
            _instant(at),
            _os.fspath(adapters if adapters is not None else adapters_folder()),
            edition=None if edition is None else str(edition),
            assume=_assumed(assume),
            accounts=_accounts(accounts),
            threads=threads or _os.cpu_count() or 1,
        )

    @property
    def providers(self) -> list[str]:
        """The providers that the adapters serve."""
        return self._question.providers

    def assess(self, table: Table, *, errors: _Literal["raise", "keep"] = "raise") -> Assessments:
        """The rulings on every resource of a table, one row for each exit.

        A row that cannot be read or assessed raises `RecordError`, which names all of them; with
        `errors="keep"` the others are assessed and `Assessments.problems` says what is wrong.
        """
        answer = self._question.assess(table)
        if errors == "raise" and answer.problems:
            raise RecordError([Problem(row, what) for row, what in answer.problems])
        return answer

    def stream(self, table: Table, *, errors: _Literal["raise", "keep"] = "raise") -> AssessmentStream:
        """The rulings on a stream of batches, made while they are read, in bounded memory."""
        return self._question.stream(table, errors == "raise")

    def explain(self, table: Table, id: str, *, width: int = 100) -> str:
        """One resource in full: every exit, every clause with its page, the arithmetic step by step."""
        return self._question.explain(table, id, width)

    def policy(self, provider: str) -> dict[str, _Any]:
        """A provider's policy: its clauses with their sources, its figures and their dates."""
        policy: dict[str, _Any] = _json.loads(self._question.policy(provider))
        return policy

    def __repr__(self) -> str:
        return f"recoup.Assessor({len(self.providers)} providers)"


def assess(
    table: Table,
    *,
    at: Instant | None = None,
    accounts: Accounts | None = None,
    adapters: str | _os.PathLike[str] | None = None,
    assume: Assumptions | None = None,
    edition: str | _datetime.date | None = None,
    threads: int | None = None,
    errors: _Literal["raise", "keep"] = "raise",
) -> Assessments:
    """The rulings on every resource of a table, one row for each exit; see `Assessor`."""
    question = Assessor(
        at=at, accounts=accounts, adapters=adapters, assume=assume, edition=edition, threads=threads
    )
    return question.assess(table, errors=errors)


def explain(
    table: Table,
    id: str,
    *,
    at: Instant | None = None,
    accounts: Accounts | None = None,
    adapters: str | _os.PathLike[str] | None = None,
    assume: Assumptions | None = None,
    edition: str | _datetime.date | None = None,
    width: int = 100,
) -> str:
    """One resource of a table in full, as text for people: clauses, sources, arithmetic."""
    question = Assessor(at=at, accounts=accounts, adapters=adapters, assume=assume, edition=edition)
    return question.explain(table, id, width=width)


def policy(provider: str, *, adapters: str | _os.PathLike[str] | None = None) -> dict[str, _Any]:
    """A provider's policy: its clauses with their sources, its figures and their dates."""
    return Assessor(adapters=adapters).policy(provider)


def providers(*, adapters: str | _os.PathLike[str] | None = None) -> list[str]:
    """The providers that the installed adapters serve."""
    return Assessor(adapters=adapters).providers
