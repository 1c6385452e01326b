"""Who may speak to a BMC."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pxe.power.errors import BmcBusy, BmcRefused
from pxe.power.fake_driver import in_process
from pxe.power.gate import Gate
from tests.fixtures.bmc_rigs import USER, fake_machine


def test_a_refused_login_is_tried_once_by_however_many() -> None:
    """Eight threads that begin together try it once between them."""
    machine, timing = fake_machine()
    driver, together = in_process(machine, USER, "another password", timing), threading.Barrier(8)

    def ask() -> None:
        together.wait(30)
        driver.power.state()

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(ask) for _ in range(8)]
    assert all(isinstance(item.exception(), BmcRefused) for item in asked)
    assert machine.refused == 1


def test_whoever_will_not_wait_is_told_that_somebody_else_speaks() -> None:
    """As validate will not."""
    gate, inside, done = Gate(), threading.Event(), threading.Event()

    def speak() -> None:
        with gate.talk():
            inside.set()
            done.wait(30)

    thread = threading.Thread(target=speak)
    thread.start()
    assert inside.wait(30)
    with pytest.raises(BmcBusy, match="another operation"), gate.talk(0.01):
        pass
    done.set()
    thread.join()
    with gate.talk(0.01):
        pass
