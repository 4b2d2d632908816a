"""What Ctrl-C does inside and outside of the blocks."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from videohoi.pipeline.interrupts import interrupts_raise, interrupts_wait


def press():
    os.kill(os.getpid(), signal.SIGINT)


def press_twice():
    press()
    press()


@pytest.fixture
def presses():
    """A handler of SIGINT that counts, in place of the usual one."""
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    yield seen
    signal.signal(signal.SIGINT, before)


def test_inside_an_interrupt_raises_and_afterwards_the_old_handler_is_back(presses):
    with pytest.raises(KeyboardInterrupt), interrupts_raise():
        press()
    assert presses == []
    press()
    assert presses == [signal.SIGINT]


def test_the_first_interrupt_waits_and_the_second_raises(presses):
    with interrupts_wait() as interrupt:
        assert not interrupt.came
        press()
        assert interrupt.came
    assert presses == []
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        press_twice()


def test_in_other_threads_they_do_nothing(presses):
    failures = []

    def work():
        try:
            with interrupts_raise(), interrupts_wait() as interrupt:
                assert not interrupt.came
        except BaseException as failure:  # noqa: BLE001 - shown by the main thread
            failures.append(failure)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failures == []
