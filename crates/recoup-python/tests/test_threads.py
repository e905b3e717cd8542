"""The interpreter's lock is not held while rules run."""

from __future__ import annotations

import sys
import threading
import time

import pyarrow as pa
from conftest import AT

import recoup


def test_other_threads_go_on_while_rules_run(large: pa.Table) -> None:
    question = recoup.Assessor(at=AT, threads=1)
    question.assess(large.slice(0, 1))
    begun, done = threading.Event(), threading.Event()
    turns = []

    def count() -> None:
        begun.wait()
        while not done.is_set():
            turns.append(None)
            time.sleep(0)

    other = threading.Thread(target=count)
    other.start()
    # No thread gives up the lock by itself within this time: only whoever releases it lets others in.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(3600)
    try:
        begun.set()
        question.assess(large)
        turned = len(turns)
    finally:
        sys.setswitchinterval(interval)
        done.set()
        other.join()
    # Reading the table lets them in as well, but for a few turns only; rules run for many.
    assert turned > 100


def test_one_assessor_serves_several_threads(large: pa.Table) -> None:
    question = recoup.Assessor(at=AT, threads=1)
    expected = pa.table(question.assess(large))
    answers: list[pa.Table] = []
    threads = [threading.Thread(target=lambda: answers.append(pa.table(question.assess(large)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 3 and all(answer.equals(expected) for answer in answers)
