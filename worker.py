"""The launcher of a worker, which takes runs off the queue: `python worker.py --help`."""

from sync_core.execution import worker

if __name__ == "__main__":
    worker.main()
