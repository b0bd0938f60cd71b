"""``python -m napari_denoise_ae`` is the command `napari-denoise-ae`."""

import sys

from .cli.main import main

sys.exit(main())
