"""A run that the system ends removes its temporary files."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from command import run, state_of
from PIL import Image

from napari_denoise_ae.cli.signals import ended_by_signals
from napari_denoise_ae.io.tiff_target import TiffTarget
from napari_denoise_ae.training import saved

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
    pytest.mark.skipif(
        threading.current_thread() is not threading.main_thread(),
        reason="signals arrive in the main thread",
    ),
]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_in_good_order(
    name, tmp_path, monkeypatch, capsys, request
):
    number = getattr(signal, name)
    # Under nohup, SIGHUP is ignored.
    before_test = signal.signal(number, signal.SIG_DFL)
    request.addfinalizer(lambda: signal.signal(number, before_test))
    stack = np.zeros((4, 32, 32), np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", stack, photometric="minisblack")
    before = state_of(tmp_path)
    written: list[Path] = []

    def end(target: TiffTarget, *_: object) -> None:
        written.extend(tmp_path.glob(".writing-*"))
        os.kill(os.getpid(), number)

    monkeypatch.setattr(TiffTarget, "write", end)
    command = ["denoise", tmp_path / "in.tif", tmp_path / "out.tif"]
    with pytest.raises(SystemExit) as ended:
        run(*command, "--axes", "TYX", "--sigma", 3)
    assert ended.value.code == 128 + number
    assert len(written) > 0
    assert capsys.readouterr().err == f"ended by {name}\n"
    assert state_of(tmp_path) == before
    assert signal.getsignal(number) == signal.SIG_DFL


def test_a_training_run_that_is_ended_leaves_what_it_resumes_from(
    tmp_path, photo, monkeypatch
):
    (tmp_path / "photos").mkdir()
    for number in range(4):
        Image.fromarray(photo).save(tmp_path / "photos" / f"{number}.png")

    def end(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(saved, "save_checkpoint", end)
    command = f"--images {tmp_path / 'photos'} --preset conv --epochs 1 --device cpu"
    small = "--network-option base_channels=4 --batches-per-epoch 2"
    output = tmp_path / "model.pt"
    with pytest.raises(SystemExit) as ended:
        run("train", *command.split(), *small.split(), "--output", output)
    assert ended.value.code == 143
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"photos", "model.resume", "model.run.toml"}


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
