"""Existing files are replaced only if the user says so."""

from __future__ import annotations

import pytest
from batches import run

from napari_denoise_ae.cli.main import main


@pytest.mark.parametrize(
    ("existing", "options"),
    [
        ("out.png", ()),
        ("out_noisy.png", ("--add-noise", "gaussian:0.1")),
        ("figure.png", ("--figure", "figure.png")),
    ],
)
def test_an_existing_file_is_kept(folder, existing, options, capsys, monkeypatch):
    monkeypatch.chdir(folder.parent)
    (folder.parent / existing).write_bytes(b"a result of a week")
    command = (folder / "2.png", *options)
    assert run(folder, *command, output="out.png") == 2
    assert f"{existing}: it exists" in capsys.readouterr().err
    assert (folder.parent / existing).read_bytes() == b"a result of a week"
    for _ in range(2):
        assert run(folder, *command, "--overwrite", output="out.png") == 0
    assert (folder.parent / existing).read_bytes()[:4] == b"\x89PNG"


@pytest.mark.filterwarnings("default::napari_denoise_ae.errors.DenoiseAEWarning")
def test_the_demo_replaces_its_own_figure_only(tmp_path, capsys, monkeypatch):
    from napari_denoise_ae.evaluation import demo

    small = demo.astronaut()[200:264, 200:264]
    monkeypatch.setattr(demo, "astronaut", lambda: small)
    command = ["demo", "--output", str(tmp_path), "--model", "conv"]
    assert [main(command), main(command)] == [0, 0]
    (tmp_path / "demo.png").write_bytes(b"another picture")
    assert main(command) == 2
    assert "is not a figure of the demo" in capsys.readouterr().err
    assert (tmp_path / "demo.png").read_bytes() == b"another picture"
    assert main([*command, "--overwrite"]) == 0
