import sys, tempfile, http.client, ssl, json
from pathlib import Path
from tests.gateway.pod import Pod
from tests.gateway.certificates import Certificates
from tests.gateway.tokens import TokenIssuer
from tests.gateway.provider import Provider
from ringfence.gateway.served import *

folder = Path(tempfile.mkdtemp())
c = Certificates(folder)
A = Provider("api.first.example", c.server("api.first.example"), folder)
B = Provider("api.second.example", c.server("api.second.example"), folder)
t = TokenIssuer()
ups = (Upstream("first", "api.first.example", 443), Upstream("second", "api.second.example", 443, path="/openai/v1"))
chat = Route("chat", "chat", "rev-1", ((Target("first", "gpt-4o"),), (Target("second", "gpt-x"),)))
lim = Route("lim", "lim", "rev-1", ((Target("first", "gpt-4o"),),), Limits(requests_per_minute=3))
g = Gateway(
    "acme",
    t.issuer,
    ups,
    {"acme-dev": Callers("dev", (Grant(chat), Grant(lim))), "acme-prod": Callers("prod")},
    Probe("ringfence-system", "ringfence-probe"),
)
pod = Pod(Path("/tmp/ev/x/envoy/_bin/envoy"), folder, c, {"api.first.example": A.port, "api.second.example": B.port})
Path("/tmp/ev/x/envoy/_bin/envoy").chmod(0o755)
try:
    pod.start(g, {"first": "sk-first", "second": "sk-second"})
except Exception as e:
    print(repr(e))
    print(pod.log.read_text()[-3000:])
    pod.stop()
    sys.exit(1)
ctx = ssl.create_default_context(cafile=str(c.authority))


def ask(path="/v1/chat/completions", body=None, token=None, method="POST", **h):
    k = http.client.HTTPSConnection("localhost", pod.port, context=ctx)
    h = {"content-type": "application/json", **h}
    if token:
        h["authorization"] = "Bearer " + token
    k.request(method, path, json.dumps(body) if body is not None else None, h)
    r = k.getresponse()
    return r.status, dict(r.getheaders()).get("content-type"), r.read()[:300]


tok = t.token("acme-dev")
ask(body={"model": "chat", "messages": []}, token=tok)
import time

time.sleep(1.2)
print(pod.lines(), [l[:600] for l in pod.log.read_text().splitlines() if "work-in-progress" not in l])
print("ok", ask(body={"model": "chat", "messages": []}, token=tok))
print(A.received[-1])
print("none", ask(body={"model": "chat"}))
print("forbidden", ask(body={"model": "nope"}, token=tok))
print("models", ask("/v1/models", token=tok, method="GET"))
print("else", ask("/v1/files", token=tok, method="GET"))
print("prod", ask(body={"model": "chat"}, token=t.token("acme-prod")))
print("other", ask(body={"model": "chat"}, token=t.token("other-dev")))
A.status = 503
print("fallback", ask(body={"model": "chat"}, token=tok))
print(B.received[-1:])
A.status = 200
print("stream", ask(body={"model": "chat", "stream": True}, token=tok))
for i in range(5):
    print("lim", ask(body={"model": "lim"}, token=tok)[:1])
print(ask(body={"model": "lim"}, token=tok))
print("aud", ask(body={"model": "chat"}, token=t.token("acme-dev", aud=["other"])))
print("GETchat", ask(method="GET", token=tok))
pod.stop()
for l in pod.lines():
    print(l)
print(pod.log.read_text()[-1500:])
