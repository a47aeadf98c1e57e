"""Jobs run here or in processes of their own, tell their news, fail alone, and end when interrupted."""

from __future__ import annotations

import multiprocessing
import os
import time

import pytest

from coopgym.study.workers import run_jobs


def square(job, report):
    report(job * job)
    if job == 3:
        raise ValueError("three is refused")


def vanish(job, report):
    os._exit(9)


def linger(job, report):
    report("started")
    time.sleep(60)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_runs_and_a_failure_is_its_own(workers):
    heard = {}
    failures = run_jobs(square, [2, 3, 4], workers=workers, on_news=heard.__setitem__)
    assert heard == {0: 4, 1: 9, 2: 16}
    assert [(f.job, f.reason) for f in failures] == [(3, "ValueError: three is refused")]
    assert "Traceback" in failures[0].details


def test_a_process_that_vanishes_is_a_failure_that_names_its_exit_code():
    (failure,) = run_jobs(vanish, ["x"], workers=2, on_news=lambda *_: None)
    assert failure.reason == "its process ended with exit code 9"


def test_an_interrupt_ends_all_processes():
    def interrupt(index, news):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_jobs(linger, [1, 2], workers=2, on_news=interrupt)
    assert multiprocessing.active_children() == []
