from typing import Any, final

from ._types import Table

__version__: str

class RecoupError(Exception): ...

@final
class Schema:
    """Columns, for whatever understands `__arrow_c_schema__`."""

    @property
    def names(self) -> list[str]: ...
    def __arrow_c_schema__(self) -> Any: ...

@final
class Assessments:
    """The rulings on a table, one row for each exit of each resource."""

    @property
    def problems(self) -> list[tuple[int, str]]:
        """Rows of the table that could not be read or assessed, counted from 0, and what is wrong."""
    @property
    def remarks(self) -> list[tuple[int, str]]:
        """Names that were left out of account: the first row that has one, and the words."""
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> Any: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...

@final
class AssessmentStream:
    """The rulings on a stream of batches, made while they are read. Can be read once."""

    @property
    def problems(self) -> list[tuple[int, str]]:
        """Rows read so far that could not be read or assessed."""
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...

@final
class Assessor:
    def __new__(
        cls,
        at: str,
        adapters: str,
        edition: str | None = None,
        assume: list[tuple[str, str]] = ...,
        accounts: str | None = None,
        threads: int = 1,
    ) -> Assessor: ...
    @property
    def providers(self) -> list[str]: ...
    def assess(self, table: Table) -> Assessments: ...
    def stream(self, table: Table, raise_on_problem: bool = True) -> AssessmentStream: ...
    def explain(self, table: Table, id: str, width: int = 100) -> str: ...
    def policy(self, provider: str) -> str: ...

def portfolio_schema() -> Schema:
    """The columns of a portfolio, in the types that are taken without a copy."""

def rulings_schema() -> Schema:
    """The columns of the rulings that come out."""
