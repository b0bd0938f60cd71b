from __future__ import annotations

import errno
import os
import zipfile

import pytest

from napari_denoise_ae.errors import CheckpointError
from napari_denoise_ae.models.builtin import builtin_models
from napari_denoise_ae.models.load import load_checkpoint


def test_builtin_model_loads_by_name_with_its_record():
    assert "conv" in builtin_models()
    checkpoint = load_checkpoint("conv")
    assert checkpoint.name == "conv"
    assert checkpoint.record is not None
    assert checkpoint.record.config.noise == "gaussian:0.5"


def test_unknown_name_lists_the_builtin_models():
    with pytest.raises(CheckpointError, match=r"'unet9'.*conv"):
        load_checkpoint("unet9")


def test_folder_is_rejected(tmp_path):
    with pytest.raises(CheckpointError, match="There is no model"):
        load_checkpoint(tmp_path)


def test_too_long_name_is_rejected():
    with pytest.raises(CheckpointError, match="There is no model"):
        load_checkpoint("a" * 300)


def test_unreadable_file_is_rejected(model_file, monkeypatch):
    def deny(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(zipfile, "ZipFile", deny)
    with pytest.raises(CheckpointError, match="Permission denied"):
        load_checkpoint(model_file)
