"""Sync Desk: brings master data into Postgres, and proves afterwards what it did."""
