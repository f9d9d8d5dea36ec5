"""`ringfence key`: gateway keys, for callers without a pod in the cluster.

Laws: a key is a token that the API server signs, shown once and kept nowhere; results go to standard output, all else
to standard error. Exit codes: 0 done, 1 refused, 2 a command line that makes no sense, 3 the cluster can't be asked.
"""

import typer

from ringfence.cli.key.issue import issue
from ringfence.cli.key.listing import list_keys
from ringfence.cli.key.revoke import revoke

app = typer.Typer(name="key", help="Gateway keys, for callers without a pod in the cluster.", no_args_is_help=True)
app.command()(issue)
app.command(name="list")(list_keys)
app.command()(revoke)
