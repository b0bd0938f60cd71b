"""Completion by a real shell."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from command import run

from napari_denoise_ae.models.builtin import builtin_models
from napari_denoise_ae.models.config import LOSSES
from napari_denoise_ae.models.presets import PRESETS

# Asks bash for the words that complete the last one, as the Tab key does.
ASK = """
source "$0"
complete() {
    COMP_WORDS=(napari-denoise-ae "$@") COMP_CWORD=$# COMPREPLY=()
    $(builtin complete -p napari-denoise-ae | sed 's/.*-F \\([^ ]*\\).*/\\1/') \\
        napari-denoise-ae "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
    echo "${COMPREPLY[@]}"
}
while read -ra words; do complete "${words[@]}"; done
"""
COMPLETED = [
    ("den", "denoise"),
    ("denoise --rep", "--replace-hot-pixels --report"),
    ("denoise --noise-type pois", "poisson-gaussian"),
    ("denoise --model r", "rgb residual residual-no-skips run.pt"),
    ("denoise --device cu", "cuda"),
    ("denoise phot", "photo.png"),
    ("denoise photo.png --json ru", "run.pt"),
    ("train --preset res", "residual"),
    ("train --loss mse_", "mse_ssim"),
    ("train --images phot", "photo.png"),
    ("info con", "conv"),
    ("completion z", "zsh"),
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_options_values_and_files(tmp_path, capsys):
    assert run("completion", "bash") == 0
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    for name in ("photo.png", "run.pt"):
        (tmp_path / name).touch()
    typed, expected = zip(*COMPLETED, strict=True)
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, str(script)],
        input="\n".join(typed) + "\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    found = [set(line.split()) for line in done.stdout.splitlines()]
    for words, shown, wanted in zip(typed, found, expected, strict=True):
        assert shown == set(wanted.split()), words


def test_the_script_for_zsh_knows_options_models_and_presets(tmp_path, capsys):
    assert run("completion", "zsh") == 0
    script = capsys.readouterr().out
    assert script.startswith("#compdef napari-denoise-ae\n")
    for names in (builtin_models(), PRESETS, LOSSES):
        assert " ".join(names) in script
    assert "--replace-hot-pixels[" in script
    if (zsh := shutil.which("zsh")) is not None:
        (tmp_path / "_it").write_text(script, encoding="utf-8")
        subprocess.run([zsh, "--no-exec", str(tmp_path / "_it")], check=True)
