"""Runs one command for exactly as long as its owner lives.

Law: the owner holds the other end of our standard input. When it closes, by whatever death of the owner, the command
is killed; when we are killed, the kernel kills the command. The owner itself could not use PR_SET_PDEATHSIG: it fires
when the thread ends that started the command. Run by path with `python -I -S`, standard library only, to start in
milliseconds.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys

_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    """Run `command`, tell its process id on standard output, and return its exit status as a shell would."""
    libc = ctypes.CDLL(None)
    guard = os.getpid()

    def die_with_guard() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(1)

    # A guard has one thread, so that preexec_fn is safe. Our standard error is the command's log.
    with subprocess.Popen(  # noqa: S603 - the owner's own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=2,
        preexec_fn=die_with_guard,  # noqa: PLW1509 - see above
    ) as child:
        os.write(1, f"{child.pid}\n".encode())
        exited = os.pidfd_open(child.pid)
        ready, _, _ = select.select([0, exited], [], [])
        if exited not in ready:
            child.kill()
        status = child.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
