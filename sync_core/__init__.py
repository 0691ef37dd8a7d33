"""Sync Desk: brings master data into Postgres, and proves afterwards what it did."""

from sync_core.foundation import logs

logs.install()  # here, so that no process of ours logs errors in another way
