"""What the kernel is asked for a process: to end with its parent."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1  # of prctl(2)


def end_with_parent(number: signal.Signals) -> None:
    """Let the kernel send this process the signal when its parent ends, however that one ends.

    Other systems than Linux have no such thing: there, nothing happens.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
