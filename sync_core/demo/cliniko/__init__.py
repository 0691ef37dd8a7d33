"""A made-up Cliniko on loopback, as the real one documents itself: an account, lists, a server."""

from sync_core.demo.cliniko.account import Account
from sync_core.demo.cliniko.server import Answer, Cliniko, Request, User

__all__ = ["Account", "Answer", "Cliniko", "Request", "User"]
