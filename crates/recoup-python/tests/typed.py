"""How the package is used, for a type checker: `mypy` reads this, nothing runs it."""

from __future__ import annotations

import datetime

import pyarrow as pa

import recoup


def use(table: pa.Table) -> str:
    rulings: recoup.Assessments = recoup.assess(table, at=datetime.date(2026, 2, 10), errors="keep")
    rows: list[tuple[int, str]] = rulings.problems
    clauses = recoup.policy("example")["clause"]
    question = recoup.Assessor(at="2026-02-10", accounts=[{"provider": "example", "account": "1"}])
    stream: recoup.AssessmentStream = question.stream(table)
    # What is not understood is a mistake that the checker finds.
    recoup.assess(table, errors="maybe")  # type: ignore[arg-type]
    recoup.assess(7)  # type: ignore[arg-type]
    return f"{rows} {clauses} {stream.problems} {recoup.explain(table, 'id')}"
