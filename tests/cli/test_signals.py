"""A run that the system ends removes its temporary files."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
import tifffile
from command import run, state_of

from napari_denoise_ae.cli.signals import ended_by_signals
from napari_denoise_ae.denoising.denoiser import Denoiser

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
    pytest.mark.skipif(
        threading.current_thread() is not threading.main_thread(),
        reason="signals arrive in the main thread",
    ),
]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_in_good_order(name, tmp_path, monkeypatch, capsys):
    number = getattr(signal, name)
    stack = np.zeros((4, 32, 32), np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", stack, photometric="minisblack")
    before = state_of(tmp_path)
    compute, called = Denoiser.run_network, []

    def compute_and_end(*arguments, **options):
        called.append(1)
        if len(called) == 2:
            os.kill(os.getpid(), number)
        return compute(*arguments, **options)

    monkeypatch.setattr(Denoiser, "run_network", compute_and_end)
    command = ["denoise", tmp_path / "in.tif", tmp_path / "out.tif"]
    with pytest.raises(SystemExit) as ended:
        run(*command, "--axes", "TYX", "--sigma", 3)
    assert ended.value.code == 128 + number
    assert capsys.readouterr().err == f"ended by {name}\n"
    assert state_of(tmp_path) == before
    assert signal.getsignal(number) == signal.SIG_DFL


def test_a_signal_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_run_without_handlers():
    ended = []

    def use() -> None:
        with ended_by_signals():
            ended.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert ended == [signal.SIG_DFL]
