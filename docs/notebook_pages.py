"""Run a notebook and make a page of it, with its outputs."""

from __future__ import annotations

import os
import textwrap
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

if TYPE_CHECKING:
    from pathlib import Path

# Seconds that a cell may take.
TIMEOUT = 300
# Characters in a line of output.
WIDTH = 80


def executed(path: Path) -> tuple[str, dict[str, bytes]]:
    """Run a notebook in an empty folder.

    Parameters
    ----------
    path : pathlib.Path
        The notebook, which is stored without outputs.

    Returns
    -------
    text : str
        The page, as Markdown. Pictures are in the folder ``{path.stem}_files``.
    pictures : dict
        The bytes of each picture, by file name.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    with TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=TIMEOUT, resources=resources)
        client.extra_arguments = ["--log-level=ERROR"]
        # More threads would compete for the cores.
        client.execute(env={**os.environ, "OMP_NUM_THREADS": "1"})
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "stream":
                output.text = wrapped(output.text)
    folder = f"{path.stem}_files"
    text, made = MarkdownExporter().from_notebook_node(
        notebook, resources={"output_files_dir": folder, "unique_key": path.stem}
    )
    download = f'<a href="../{path.name}" download>Download this notebook</a>'
    text = text.replace("![png](", "![Output of the code above](")
    heading, _, rest = text.lstrip().partition("\n")
    pictures = {name.rpartition("/")[2]: data for name, data in made["outputs"].items()}
    return f"{heading}\n\n{download}\n{rest}", pictures


def wrapped(text: str) -> str:
    """Break the lines of an output that are too long for the page."""
    return "\n".join(
        textwrap.fill(line, WIDTH, subsequent_indent="  ")
        if len(line) > WIDTH
        else line
        for line in text.splitlines()
    )
