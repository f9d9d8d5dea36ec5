"""kopf in a thread and a loop of its own, started anew whenever it ends.

kopf stops when a watch fails for good, for example because a custom resource definition was deleted, and then every
task of its loop is ended. In its own loop that concerns nobody but itself.

Law: events cross from kopf's loop to the engine's in order, and nothing else does.
"""

import asyncio
import threading
from collections.abc import Callable, Collection
from typing import Any, Final, TypeAlias

import kopf
import structlog
import uvloop

from ringfence.adapters.kubernetes.client import KubernetesCluster
from ringfence.adapters.kubernetes.config import Bearer, Connection
from ringfence.adapters.kubernetes.session import open_session
from ringfence.handlers.events import Deliver, make_registry, make_settings
from ringfence.model.kinds import GROUP, PRIMARY_TYPES, VERSION, ResourceType
from ringfence.ports.cluster import ClusterError, Object

log = structlog.get_logger(__name__)

RETRY: Final = 2.0
"""Seconds between attempts."""
PERSISTENCE: Final = 1.0
"""Seconds until what did not end is cancelled again."""
NEEDED: Final = frozenset(kind.plural for kind in PRIMARY_TYPES)

Connect: TypeAlias = Callable[[], Connection]


class Shell:
    """Runs kopf until it is told to stop."""

    def __init__(self, connect: Connect, deliver: Deliver) -> None:
        self._connect = connect
        self._deliver = deliver
        self._engine_loop = asyncio.get_running_loop()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    async def stop(self, timeout: float = 3.0) -> None:  # noqa: ASYNC109 -- a thread can't be cancelled
        """End the watches; a thread that does not end in time goes down with the process."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.to_thread(self._thread.join, timeout)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._watch())

    async def _watch(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        registry = make_registry(self._hand_over)
        kopf.on.login(registry=registry)(self._login)
        while not self._stop.is_set():
            try:
                await self._definitions()
                tasks = await kopf.spawn_tasks(
                    registry=registry, settings=make_settings(), clusterwide=True, standalone=True, stop_flag=self._stop
                )
                await _until_one_ends(tasks)
            except Exception as error:  # whatever ended kopf, the next start lists everything anew
                log.warning("watches of custom resources ended; starting anew", error=str(error) or repr(error))
                await self._pause()

    def _hand_over(self, kind: ResourceType, event_type: str | None, thing: Object) -> None:
        self._engine_loop.call_soon_threadsafe(self._deliver, kind, event_type, thing)

    async def _definitions(self) -> None:
        """Wait until the API server serves all four kinds: kopf would never look again."""
        cluster = KubernetesCluster(self._connect())
        try:
            while missing := NEEDED - await cluster.served(GROUP, VERSION):
                log.error(
                    "custom resource definitions are missing; install them with the chart or manifests/install",
                    missing=sorted(missing),
                )
                await self._pause()
        except ClusterError as error:
            raise RuntimeError(error.message) from error
        finally:
            await cluster.close()

    async def _pause(self) -> None:
        assert self._stop is not None  # noqa: S101 -- set before anything else in this loop
        try:
            await asyncio.wait_for(self._stop.wait(), RETRY)
        except TimeoutError:
            return

    async def _login(self, retry: int, **_: Any) -> kopf.AiohttpSession:
        """Give kopf a session like our own; it asks again whenever the API server answers 401."""
        connection = self._connect()
        return kopf.AiohttpSession(
            server=connection.server, aiohttp_session=open_session(connection, Bearer(connection))
        )


async def _until_one_ends(tasks: Collection[asyncio.Task[None]]) -> None:
    """Run kopf's tasks until one of them ends; then end all others of this loop, and raise what the first failed of.

    `kopf.run_tasks` cancels once, which a watcher that is opening its stream takes for a pause: it opens the next one,
    and waits for ever for credentials that nobody brings any more.
    """
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.wait(others, timeout=PERSISTENCE)
    for task in done:
        if not task.cancelled():
            task.result()
