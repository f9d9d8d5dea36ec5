"""`ringfence promote|approve|rollback|trace`: the way of a route's revisions through environments.

Laws: whoever asks does so as himself, and admission judges it; nothing is decided here. Exit codes: 0 done, 1 refused,
2 a command line that makes no sense, 3 the cluster or the ledger can't be asked.
"""
