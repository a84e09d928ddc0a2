"""Signals become interrupts, unless they are ignored."""

import os
import signal

import pytest

from phytoflow.system.interrupts import InterruptError, signals_as_interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_and_the_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as interrupt, signals_as_interrupts():
        os.kill(os.getpid(), number)
        signal.sigtimedwait([], 5)
    assert isinstance(interrupt.value, InterruptError) and interrupt.value.number == number
    assert signal.getsignal(number) == before


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_as_interrupts():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
