"""Appends to the ledger that the command line names until it is killed, and prints each run that is durable."""

import asyncio
import sys
from pathlib import Path

from ringfence.adapters.sqlite.ledger import SqliteLedger
from tests.lineage_samples import ACME, ended, make_run, started


async def _append_for_ever(directory: Path) -> None:
    ledger = SqliteLedger(directory)

    async def one_task() -> None:
        while True:
            run = make_run()
            await ledger.append(ACME, [started(run)])
            await ledger.append(ACME, [ended(run)])
            print(run.run_id, flush=True)

    await asyncio.gather(*(one_task() for _ in range(4)))


if __name__ == "__main__":
    asyncio.run(_append_for_ever(Path(sys.argv[1])))
