"""`ringfence verify` and `ringfence explain-deny`: who reaches whom, from a cluster or from files.

Law: nothing is written anywhere. Exit codes: 0 as it should be (or allowed), 1 not so (or denied), 2 a command line
that makes no sense, 3 it can't be known.
"""
