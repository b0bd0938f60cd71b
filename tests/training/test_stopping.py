"""Training and downloads that are stopped from outside."""

import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from napari_denoise_ae.errors import DatasetError
from napari_denoise_ae.io import download
from napari_denoise_ae.io.cifar10 import ImageSet
from napari_denoise_ae.io.download import fetch_cifar10
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.models.devices import choose_device
from napari_denoise_ae.training.results import BatchResult, EpochResult
from napari_denoise_ae.training.trainer import Trainer


def make_trainer():
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    config = TrainingConfig(
        epochs=3, batch_size=8, network_options={"base_channels": 4}
    )
    return Trainer(config, ImageSet("random", images), choose_device("cpu"))


def test_training_stops_at_the_next_batch():
    trainer, stop = make_trainer(), threading.Event()
    for result in trainer.run(stop):
        if isinstance(result, BatchResult) and (result.epoch, result.batch) == (2, 3):
            stop.set()
    assert (result.epoch, result.batch) == (2, 3)
    assert [result.epoch for result in trainer.history] == [1]
    assert trainer.stop_reason == ""


def test_a_stop_while_validating_leaves_no_trace(monkeypatch):
    trainer, stop = make_trainer(), threading.Event()
    validate = trainer._validate

    def stop_and_validate(given):
        stop.set()
        return validate(given)

    monkeypatch.setattr(trainer, "_validate", stop_and_validate)
    assert all(isinstance(result, BatchResult) for result in trainer.run(stop))
    assert trainer.history == []


def test_a_run_that_was_stopped_after_an_epoch_goes_on_as_if_it_had_not():
    stopped, whole, stop = make_trainer(), make_trainer(), threading.Event()
    for result in stopped.run(stop):
        if isinstance(result, EpochResult):
            stop.set()
    assert len(stopped.history) == 1
    list(stopped.run())
    list(whole.run())
    assert [r.val_loss for r in stopped.history] == [r.val_loss for r in whole.history]


class _Trickle(BaseHTTPRequestHandler):
    """Send some bytes of a large file, then nothing more for a while."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(10**8))
        self.end_headers()
        self.wfile.write(bytes(10**6))
        self.server.released.wait(30)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), _Trickle)
    server.released = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "*")
    url = f"http://127.0.0.1:{server.server_port}/cifar-10-python.tar.gz"
    monkeypatch.setattr(download, "CIFAR10_URL", url)
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_stalled_download_is_given_up_at_once(server, tmp_path):
    stop = threading.Event()
    for progress in fetch_cifar10(tmp_path / "data", stop):
        if progress.done > 0:
            assert progress.total == 10**8
            start = time.perf_counter()
            stop.set()
    assert time.perf_counter() - start < 1
    server.released.set()
    deadline = time.perf_counter() + 20
    while (tmp_path / "data").exists() and time.perf_counter() < deadline:
        time.sleep(0.05)
    assert not (tmp_path / "data").exists()


def test_a_download_that_fails_says_so(server, tmp_path):
    server.released.set()  # fewer bytes come than were announced
    with pytest.raises(DatasetError, match="Fetching it failed"):
        list(fetch_cifar10(tmp_path / "data", threading.Event()))
