"""What goes in, and what goes wrong."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

from ._recoup import RecoupError


class ArrowStream(Protocol):
    """A table of the Arrow PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


class ArrowArray(Protocol):
    """A record batch of the Arrow PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any: ...


Table: TypeAlias = ArrowStream | ArrowArray
Instant: TypeAlias = str | datetime.datetime | datetime.date
Accounts: TypeAlias = str | os.PathLike[str] | Iterable[Mapping[str, Any]]
Assumptions: TypeAlias = Mapping[str, object]


class Problem(NamedTuple):
    """A row that could not be read or assessed."""

    row: int
    """The row, counted from 0."""
    what: str
    """What is wrong and what was expected."""


class RecordError(RecoupError):
    """Rows of a table that could not be read or assessed."""

    SHOWN = 5

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        lines = [f"row {problem.row}: {problem.what}" for problem in problems[: self.SHOWN]]
        if len(problems) > self.SHOWN:
            lines.append(f"and {len(problems) - self.SHOWN} more")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[RecordError], tuple[list[Problem]]]:
        # Made again from its rows where a cluster sends it from one process to another.
        return (RecordError, (self.problems,))
