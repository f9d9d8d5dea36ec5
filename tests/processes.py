"""What runs on this machine, for tests that nothing is left."""

from pathlib import Path


def processes_of(folder: Path) -> list[str]:
    """Command lines that mention the folder."""
    commands = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder) in command:
            commands.append(command)
    return commands
