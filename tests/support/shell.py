"""The command line, in this process."""

from click.testing import CliRunner, Result

from sync_core.cli.main import cli


def ask(*words: str) -> Result:
    return CliRunner().invoke(cli, words)
