"""Keep native libraries from clashing."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec


def load_triton_apart() -> None:
    """Keep triton's LLVM apart from that of Mesa's OpenGL.

    The first optimizer makes torch import triton, and so does torchvision: call
    this before either. Where a window has loaded Mesa's software OpenGL before,
    triton's library then finds Mesa's LLVM symbols instead of its own and the
    process dies of a segmentation fault. Loaded with RTLD_DEEPBIND, a library
    prefers its own symbols.
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
