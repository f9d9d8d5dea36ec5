"""`ringfence lineage`: read and verify the record, with or without an operator and without a cluster.

Law: results go to standard output, everything else to standard error; reading changes nothing. Exit codes: 0 fine,
1 something is wrong with the record, 2 a command line that makes no sense, 3 the ledger can't be read.
"""

import typer

from ringfence.cli.lineage.dump import dump
from ringfence.cli.lineage.log import log
from ringfence.cli.lineage.show import show
from ringfence.cli.lineage.verify import verify

app = typer.Typer(name="lineage", help="Read and verify the record.", no_args_is_help=True)
for command in (log, show, verify, dump):
    app.command()(command)
