import subprocess
import sys

import pytest

from sync_core.foundation.settings import ROOT


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_no_promise_is_broken_by_faults_that_come_by_chance() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--minutes", "0.3", "--seed", "7"]
    chaos = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(chaos.stdout)
    assert (chaos.returncode, chaos.stderr) == (0, "")
