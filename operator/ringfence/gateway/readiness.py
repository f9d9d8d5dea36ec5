"""When a pod is ready: once it has taken a listener, clusters and routes.

Law: a pod without a working configuration replaces none that has one. Envoy calls itself ready also when it refused all
that it could start with (measured on 1.40: its port is closed, or everything is answered by 404 or 503), so a rollout
would go on until nobody serves. What refuses a later configuration serves the last one, and stays ready.
"""

from typing import Final

from ringfence.gateway.routes import NAME
from ringfence.gateway.typed import HTTP, Json, named

FILTER: Final = "ringfence.ready"
READY: Final = "/ready"
_SCRIPT: Final = """local parts = {"listener_manager.lds", "cluster_manager.cds", "http.gateway.rds.ROUTES"}
function envoy_on_request(handle)
  if string.sub(handle:headers():get(":path"), 1, PATH_LENGTH) ~= "PATH" then return end
  local asked = {[":method"] = "GET", [":path"] = "/stats?filter=version_text$", [":authority"] = "ringfence"}
  local _, told = handle:httpCall("CLUSTER", asked, nil, 1000)
  for _, part in ipairs(parts) do
    if not string.find(told or "", part .. '.version_text: "[0-9a-f]', 1) then
      handle:respond({[":status"] = "503"}, part .. " has taken nothing yet")
    end
  end
end"""


def taken(administration: str) -> Json:
    """The filter before the page that says so; ``administration`` is the cluster that knows what was taken."""
    known = (("ROUTES", NAME), ("PATH_LENGTH", str(len(READY))), ("PATH", READY), ("CLUSTER", administration))
    script = _SCRIPT
    for word, value in known:
        script = script.replace(word, value)
    return named(FILTER, f"{HTTP}.lua.v3.Lua", default_source_code={"inline_string": script})
