"""The second reader of a request: where its model stands, found by other means than the first reader's.

Law: a body goes on as the client wrote it, byte for byte but for the value of its model; so two readers must agree on
where that is, or it goes nowhere. The first one (`transform`) parses the whole body, and refuses a key that is there
twice; what it would write is not what it read: `100000` becomes `1e+05`, and integers lose digits beyond 2^53.
"""

from typing import Final

from ringfence.gateway.typed import HTTP, MODEL_HEADER, Json, named

NOTED: Final = "ringfence.body"
"""The namespace of metadata in which it stands what is done to a request at each try: `place`, where the quotes around
the model are, counted from 1, with a hyphen between them, and `path`. Headers would not last: tries share them."""
UNCLEAR: Final = "unclear"
"""The rule that refuses; the details of a refusal name it."""

_SCRIPT: Final = """
-- Where the string ends that begins with the quote at `first`.
local function ending(text, first)
  local at = first + 1
  while true do
    local found = string.find(text, '["\\\\]', at)
    if not found or string.byte(text, found) == 34 then return found end
    at = found + 2
  end
end

-- Where the quotes stand around the value of the outermost object's one `model`; nothing, where other readers might see
-- another one: under an escaped key, one in other letters (Go's parsers take those), or in what is no JSON.
local function model_in(text)
  local depth, at, first, last = 0, 1, nil, nil
  while true do
    local found = string.find(text, '[^%s%w.,:+-]', at)
    if not found then return first, last end
    local byte = string.byte(text, found)
    if byte == 34 then
      local close = ending(text, found)
      if not close then return nil end
      at = close + 1
      local _, before = string.find(text, '^%s*:%s*', at)
      if depth == 1 and before then
        local key = string.sub(text, found + 1, close - 1)
        if string.find(key, '\\\\', 1, true) then return nil end
        if string.lower(key) == 'model' then
          if first or key ~= 'model' or string.byte(text, before + 1) ~= 34 then return nil end
          first, last = before + 1, ending(text, before + 1)
          if not last then return nil end
          at = last + 1
        end
      end
    elseif byte == 123 or byte == 91 then
      depth, at = depth + 1, found + 1
    elseif byte == 125 or byte == 93 then
      depth, at = depth - 1, found + 1
    else
      return nil
    end
  end
end

function envoy_on_request(handle)
  local model = handle:headers():get('MODEL_HEADER')
  if not model then return end
  local body = handle:body()
  local text = body:getBytes(0, body:length())
  local first, last = model_in(text)
  if first and string.sub(text, first + 1, last - 1) == model then
    local noted = handle:streamInfo():dynamicMetadata()
    noted:set('NOTED', 'place', first .. '-' .. last)
    noted:set('NOTED', 'path', handle:headers():get(':path'))
  end
end
"""


def second_reader() -> Json:
    """The filter that notes where the model stands, if that is certain; it stands after the first reader."""
    script = _SCRIPT.replace("MODEL_HEADER", MODEL_HEADER).replace("NOTED", NOTED)
    return named("ringfence.reading", f"{HTTP}.lua.v3.Lua", default_source_code={"inline_string": script})


def agreement() -> Json:
    """The filter that refuses what one reader has seen and the other has not: a script that fails refuses nothing."""
    seen = {"header": {"name": MODEL_HEADER, "present_match": True}}
    place = {"filter": NOTED, "path": [{"key": "place"}], "value": {"present_match": True}}
    placed = {"sourced_metadata": {"metadata_matcher": place, "metadata_source": "DYNAMIC"}}
    policy = {"permissions": [{"and_rules": {"rules": [seen, {"not_rule": placed}]}}], "principals": [{"any": True}]}
    rules = {"action": "DENY", "policies": {UNCLEAR: policy}}
    return named("ringfence.agreement", f"{HTTP}.rbac.v3.RBAC", rules=rules)
