"""The thread that writes: it collects what many tasks append and makes each log's share durable in one commit.

Law: the event loop never waits for a disk, and one log's trouble is answered to those who append to that log.
"""

import os
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias

from ringfence.adapters.sqlite.connection import ledger_errors
from ringfence.adapters.sqlite.files import Files
from ringfence.adapters.sqlite.logfile import LogFile, Position, Random, open_log_file
from ringfence.lineage.entry import Entry, LogId, Receipt
from ringfence.ports.ledger import ForkRefusedError

_MAX_BATCH: Final = 512


@dataclass(frozen=True, slots=True, eq=False)
class Append:
    """Entries that somebody waits for."""

    log: LogId
    entries: Sequence[Entry]
    done: "Future[Receipt]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Any other work on one log's file."""

    log: LogId
    work: Callable[[LogFile], Any]
    done: "Future[Any]" = field(default_factory=Future)


Job: TypeAlias = Append | Call
Work: TypeAlias = Callable[[LogFile], Sequence[Any]]
"""Gives one answer for each job."""


class Writer:
    """Owns every connection that writes; at most ``max_open`` of them are open at a time."""

    def __init__(self, files: Files, *, collect_seconds: float, max_open: int, random: Random = os.urandom) -> None:
        self._files = files
        self._collect_seconds = collect_seconds
        self._max_open = max_open
        self._random = random
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._open: OrderedDict[LogId, LogFile] = OrderedDict()
        self._positions: dict[LogId, Position] = {}
        self._forked: dict[LogId, ForkRefusedError] = {}
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Have ``job`` done; its future says how it went."""
        self._jobs.put(job)

    def stop(self) -> None:
        """Do what was submitted, then close every file."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        going, expected = True, 1
        while going:
            batch = self._collect(expected)
            going = None not in batch
            jobs = [job for job in batch if job is not None]
            expected = len(jobs)
            self._do(jobs)
        for file in self._open.values():
            file.close()

    def _collect(self, expected: int) -> list[Job | None]:
        """The next job and those that are there already; as many as last time are waited for, but not long.

        So nobody waits who appends alone, and under load a commit serves many.
        """
        batch = [self._jobs.get()]
        deadline = time.monotonic() + self._collect_seconds
        while len(batch) < _MAX_BATCH and batch[-1] is not None:
            patience = max(0, deadline - time.monotonic()) if len(batch) < expected else 0
            try:
                batch.append(self._jobs.get(timeout=patience))
            except queue.Empty:
                break
        return batch

    def _do(self, jobs: Sequence[Job]) -> None:
        appends: dict[LogId, list[Append]] = {}
        for job in jobs:
            if isinstance(job, Append):
                appends.setdefault(job.log, []).append(job)
        for log, group in appends.items():
            self._answer(log, group, partial(LogFile.append, requests=[job.entries for job in group]))
        for job in jobs:
            if isinstance(job, Call):
                self._answer(job.log, [job], partial(_one_answer, job.work))

    def _answer(self, log: LogId, jobs: Sequence[Job], work: Work) -> None:
        """Do the work on the log's file and settle the futures, whatever happens: this thread serves all logs."""
        running = [job for job in jobs if job.done.set_running_or_notify_cancel()]
        try:
            answers = self._on_file(log, work)
        except BaseException as error:
            for job in running:
                job.done.set_exception(error)
        else:
            for job, answer in zip(jobs, answers, strict=True):
                if job in running:
                    job.done.set_result(answer)

    def _on_file(self, log: LogId, work: Work) -> Sequence[Any]:
        if log in self._forked:
            raise self._forked[log]
        try:
            with ledger_errors(self._files.database(log)):
                return work(self._file(log))
        except ForkRefusedError as error:
            self._forked[log] = error
            self._drop(log)
            raise
        except BaseException:
            self._drop(log)
            raise

    def _file(self, log: LogId) -> LogFile:
        if file := self._open.get(log):
            self._open.move_to_end(log)
            return file
        self._files.prepare()
        while len(self._open) >= self._max_open:
            self._drop(next(iter(self._open)))
        file = open_log_file(self._files, log, self._positions.get(log), self._random)
        self._positions[log] = file.position
        self._open[log] = file
        return file

    def _drop(self, log: LogId) -> None:
        if file := self._open.pop(log, None):
            with suppress(Exception):  # it is given up because it failed, or can be opened again
                file.close()


def _one_answer(work: Callable[[LogFile], Any], file: LogFile) -> Sequence[Any]:
    return [work(file)]
