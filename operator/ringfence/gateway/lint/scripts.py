"""What scripts may do: read where a body's model stands and which fields it has, and put another name and a path in.

Law: a script that is not one of these is refused. The reader is known by its digest, so that nobody changes it in
passing; the other has the names of a cluster in it, and is known line by line.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from ringfence.gateway.lint.finding import Finding
from ringfence.gateway.lint.parsed import BOOTSTRAP, LISTENERS, Json, Parsed

READER: Final = "1bbb9aa0808d2d5bb56bc0027c856825230531f8962c3d31808cd14740910328"
"""SHA-256 of the script of the listener."""
READINESS: Final = "e69c62dcefa6715dcc2a9d8fa9096c650a157c6beb0c386da3cf880c57a32e5c"
"""SHA-256 of the script before the page that says whether a pod is ready."""
_BY_DIGEST: Final = {LISTENERS: READER, BOOTSTRAP: READINESS}
_TEXT: Final = r'"[^"\\\n]*"'
_SENT: Final = '[":method"] = true, [":scheme"] = true, [":authority"] = true, [":path"] = true, '
_SAID: Final = '["content-length"] = true, ["anthropic-version"] = true, ["user-agent"] = true, ["content-type"] = true'
_LINES: Final = (
    re.escape(f"local sent = {{{_SENT}{_SAID}}}"),
    r"function envoy_on_request\(handle\)",
    r'  local noted = handle:streamInfo\(\):dynamicMetadata\(\):get\("ringfence\.body"\)',
    re.escape('  local first, last = string.match(noted.place, "^(%d+)-(%d+)$")'),
    rf"  local model = handle:metadata\(\):get\({_TEXT}\)",
    re.escape("  local body = handle:body()"),
    re.escape("  local headers, text = handle:headers(), body:getBytes(0, body:length())"),
    re.escape("  local length = body:setBytes(string.sub(text, 1, first) .. model .. string.sub(text, last))"),
    re.escape("  local told = {}"),
    re.escape("  for name in pairs(headers) do"),
    re.escape("    if not sent[name] then told[#told + 1] = name end"),
    re.escape("  end"),
    re.escape("  for _, name in ipairs(told) do headers:remove(name) end"),
    re.escape('  headers:replace("content-length", tostring(length))'),
    rf'  headers:replace\(":path", {_TEXT}(?: \.\. string\.sub\(noted\.path, \d+\))?\)',
    re.escape("end"),
)
_ADDRESSING: Final = re.compile("\n".join(_LINES))


def scripts(parsed: Parsed) -> Iterator[Finding]:
    """Scripts that do something else."""
    for where, lua in parsed.typed("Lua"):
        if set(lua) != {"@type", "default_source_code"} or not _is_known(where, lua["default_source_code"]):
            yield Finding("script", where, "a script does something else than it may")


def _is_known(where: str, code: Json) -> bool:
    source = str(code.get("inline_string", ""))
    if digest := _BY_DIGEST.get(where.partition("/")[0]):
        return hashlib.sha256(source.encode()).hexdigest() == digest
    return bool(_ADDRESSING.fullmatch(source))
