"""The second reader of a request: where its model stands, and whether a field must not go on.

Law: a body goes on as the client wrote it, byte for byte but for the value of its model; so two readers must agree on
where that is, or it goes nowhere. The first one (`transform`) parses the whole body, and refuses a key that is there
twice; what it would write is not what it read: `100000` becomes `1e+05`, and integers lose digits beyond 2^53.
"""

from collections.abc import Iterable
from typing import Final

from ringfence.gateway import fields
from ringfence.gateway.typed import HTTP, MODEL_HEADER, Json, named

NOTED: Final = "ringfence.body"
"""The namespace of metadata in which it stands what is done to a request at each try: `place`, where the quotes around
the model are, counted from 1, with a hyphen between them, and `path`. Headers would not last: tries share them."""
FIELD: Final = "field"
"""What is noted there of a request with a field that is not listed: the field's name, where it is a plain one. And the
rule that refuses such a request."""
REFUSED_FIELD: Final = f"%DYNAMIC_METADATA({NOTED}:{FIELD})%"
"""The operator by which an answer names that field."""
UNCLEAR: Final = "unclear"
"""The rule that refuses what two readers may read in two ways; the details of a refusal name the rule."""

_SCRIPT: Final = """
local function words(text)
  local found = {}
  for word in string.gmatch(text, '%S+') do found[word] = true end
  return found
end

local allowed = words('ALLOWED')
-- These fields hold objects that have no other keys, and stand so deep; around them there are lists.
local inner = {
  stream_options = {depth = 2, keys = words('STREAM_OPTIONS')},
  tools = {depth = 3, keys = words('TOOL_KEYS'), types = words('TOOL_TYPES')},
}

-- Where the string ends that begins with the quote at `first`.
local function ending(text, first)
  local at = first + 1
  while true do
    local found = string.find(text, '["\\\\]', at)
    if not found or string.byte(text, found) == 34 then return found end
    at = found + 2
  end
end

-- Notes where the model is; false where other readers might see another one: there is a second one, or it is in other
-- letters (Go's parsers take those), or it is no string.
local function is_model(seen, text, key, value)
  if seen.first or key ~= 'model' or string.byte(text, value) ~= 34 then return false end
  seen.first, seen.last = value, ending(text, value)
  return seen.last ~= nil
end

-- Whether the outermost object may have this key, whose value begins at `value`.
local function is_outer(seen, text, key, value)
  if string.find(key, '\\\\', 1, true) then return false end
  seen.field, seen.rule = key, inner[key]
  if string.lower(key) == 'model' then return is_model(seen, text, key, value) end
  seen.refused = not allowed[key] or key == 'store' and not string.find(text, '^false', value)
  return not seen.refused
end

-- Whether an object in one of the fields above may have this key; without a `value` it is no key, but a string.
local function is_inner(rule, depth, text, key, value)
  if not value then return depth == rule.depth end
  if key == 'type' and rule.types then return rule.types[string.match(text, '^"(%a+)"', value) or ''] end
  return rule.keys[key]
end

-- Whether a string may stand where it does, between the quotes at `first` and `last`.
local function is_in_place(seen, text, depth, first, last)
  local rule = seen.rule
  if depth > (rule and rule.depth or 1) then return true end
  local _, colon = string.find(text, '^%s*:%s*', last + 1)
  local key, value = colon and string.sub(text, first + 1, last - 1), colon and colon + 1
  if key and depth == 1 then return is_outer(seen, text, key, value) end
  seen.refused = rule and not is_inner(rule, depth, text, key, value)
  return not seen.refused
end

-- Whether a bracket may open what is so deep in one of the fields above.
local function opens(seen, depth, byte)
  local rule = seen.rule
  seen.refused = depth <= rule.depth and byte ~= (depth == rule.depth and 123 or 91)
  return not seen.refused
end

-- What is seen in a body: the quotes around the outermost object's one `model`, and the field that it is refused for.
-- Nothing, where that is not certain, or where it is no JSON.
local function read(text)
  local seen, depth, at = {}, 0, 1
  while true do
    local found = string.find(text, '[^%s%w.,:+-]', at)
    if not found then return seen end
    local byte = string.byte(text, found)
    at = found + 1
    if byte == 34 then
      local last = ending(text, found)
      if not last or not is_in_place(seen, text, depth, found, last) then break end
      at = last + 1
    elseif byte == 123 or byte == 91 then
      depth = depth + 1
      if seen.rule and not opens(seen, depth, byte) then break end
    elseif byte == 125 or byte == 93 then
      depth = depth - 1
    else
      break
    end
  end
  return {refused = seen.refused and seen.field}
end

-- What a client wrote, where it may be repeated.
local function plain(name)
  return #name <= 64 and string.find(name, '^[%a_][%w_]*$') and name or ''
end

function envoy_on_request(handle)
  local model = handle:headers():get('MODEL_HEADER')
  if not model then return end
  local body = handle:body()
  local text = body:getBytes(0, body:length())
  local seen = read(text)
  local noted = handle:streamInfo():dynamicMetadata()
  if seen.refused then
    noted:set('NOTED', 'FIELD', plain(seen.refused))
  elseif seen.first and string.sub(text, seen.first + 1, seen.last - 1) == model then
    noted:set('NOTED', 'place', seen.first .. '-' .. seen.last)
    noted:set('NOTED', 'path', handle:headers():get(':path'))
  end
end
"""


def second_reader() -> Json:
    """The filter that notes where the model stands, if that is certain; it stands after the first reader."""
    return named("ringfence.reading", f"{HTTP}.lua.v3.Lua", default_source_code={"inline_string": _script()})


def _script() -> str:
    written = {
        "ALLOWED": _words(fields.ALLOWED),
        "STREAM_OPTIONS": _words(fields.STREAM_OPTIONS),
        "TOOL_KEYS": _words(fields.TOOL_KEYS),
        "TOOL_TYPES": _words(fields.TOOL_TYPES),
        "MODEL_HEADER": MODEL_HEADER,
        "NOTED": NOTED,
        "FIELD": FIELD,
    }
    script = _SCRIPT
    for placeholder, text in written.items():
        script = script.replace(f"'{placeholder}'", f"'{text}'")
    return script


def _words(names: Iterable[str]) -> str:
    return " ".join(sorted(names))


def agreement() -> Json:
    """The filter that refuses what one reader has seen and the other has not: a script that fails refuses nothing."""
    seen = {"header": {"name": MODEL_HEADER, "present_match": True}}
    unlisted = _is_noted(FIELD)
    rules = [seen, {"not_rule": _is_noted("place")}, {"not_rule": unlisted}]
    policies = {FIELD: _of_anybody(unlisted), UNCLEAR: _of_anybody({"and_rules": {"rules": rules}})}
    return named("ringfence.agreement", f"{HTTP}.rbac.v3.RBAC", rules={"action": "DENY", "policies": policies})


def _is_noted(key: str) -> Json:
    noted = {"filter": NOTED, "path": [{"key": key}], "value": {"present_match": True}}
    return {"sourced_metadata": {"metadata_matcher": noted, "metadata_source": "DYNAMIC"}}


def _of_anybody(permission: Json) -> Json:
    return {"permissions": [permission], "principals": [{"any": True}]}
