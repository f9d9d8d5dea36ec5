"""A provider of nothing: it answers every POST at once, so that what is measured is what stands before it."""

import sys
from typing import Final

from aiohttp import web

_ANSWER: Final = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello " * 20}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 20, "total_tokens": 29},
}


async def answer(request: web.Request) -> web.Response:
    """Read a request, and answer it."""
    await request.read()
    return web.json_response(_ANSWER)


def main(port: int) -> None:
    """Serve on a port of this machine until the process ends."""
    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
