"""Whether a log is what it was.

Law: records in, findings out, nothing is read or fetched here. A finding names the place, so that one flipped bit is
one finding and everything else in the log stays proven.
"""

from ringfence.lineage.verify.findings import Evidence, Finding, FindingKind, Verdict
from ringfence.lineage.verify.log import verify

__all__ = ["Evidence", "Finding", "FindingKind", "Verdict", "verify"]
