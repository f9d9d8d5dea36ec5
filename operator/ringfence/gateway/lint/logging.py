"""What is written down of a request.

Law: one log, in one file of the pod, of fields that are listed. None of them can hold a prompt, an answer or a key.
"""

from collections.abc import Iterator
from typing import Any, Final

from ringfence.gateway.lint.finding import Finding
from ringfence.gateway.lint.parsed import LISTENERS, Parsed, type_of

_FILE: Final = "/run/ringfence/access.log"
_MANAGER: Final = f"{LISTENERS}/resources/0/filter_chains/0/filters/0/typed_config"
WRITTEN: Final = frozenset(
    """
    ts request_id tenant namespace service_account route model revision config_rev refused_model upstream region
    attempts status flags details prompt_tokens completion_tokens total_tokens bytes_in bytes_out duration_ms
    first_byte_ms
    """.split()  # noqa: SIM905 -- a page of words is read better than a column
)


def logging(parsed: Parsed) -> Iterator[Finding]:
    """Logs that should not be there, one that is missing, and more in it than should be."""
    logs = [(where, value) for where, field, value in parsed.nodes if field == "access_log" and isinstance(value, list)]
    if [where for where, _ in logs] != [f"{_MANAGER}/access_log"]:
        yield Finding("log", _MANAGER, "there must be one place with an access log")
    for where, value in logs:
        if len(value) != 1 or not _is_ours(value[0].get("typed_config")):
            yield Finding("log", where, "the access log must be the one file, of the fields that are listed")


def _is_ours(log: Any) -> bool:
    if not type_of(log).endswith(".FileAccessLog") or log.get("path") != _FILE or set(log) != _PARTS:
        return False
    return (
        set(log["log_format"]) == {"json_format", "omit_empty_values"}
        and set(log["log_format"]["json_format"]) == WRITTEN
    )


_PARTS: Final = {"@type", "path", "log_format"}
