"""Keep native libraries from clashing."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec


def load_triton_apart() -> None:
    """Load triton so that it does not use the LLVM of Mesa's OpenGL.

    If Mesa's software OpenGL has been loaded first, by a window, triton's library
    resolves its LLVM symbols to Mesa's, and the process dies of a segmentation
    fault. RTLD_DEEPBIND makes the library prefer its own symbols.

    Call this before creating the first torch optimizer and before importing
    torchvision, because both import triton. Only Linux is affected.
    """
    name = "triton._C.libtriton"
    if sys.platform != "linux" or name in sys.modules or not find_spec("triton"):
        return
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | os.RTLD_DEEPBIND)
    try:
        import_module(name)
    finally:
        sys.setdlopenflags(flags)
