"""What the kernel tells of a process."""


def anonymous_kb(pid):
    """Memory that is the process's own: not the shared buffers. 0 once it has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("RssAnon")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0
