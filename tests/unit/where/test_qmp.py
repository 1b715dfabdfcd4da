"""Orders to qemu; none is there."""

import pytest

from where.home import Home
from where.problem import WhereError
from where.qmp import order


def test_a_qemu_that_does_not_answer_may_be_busy(home: Home) -> None:
    """It takes one client at a time, and a snapshot takes a while: it is ended last."""
    with pytest.raises(WhereError, match="does not answer") as silence:
        order(home, "query-status")
    wait, kill = silence.value.remedy
    assert silence.value.id == "vm-no-control"
    assert "wait" in wait
    assert f"kill $(cat {home.folder}/qemu.pid)" in kill
