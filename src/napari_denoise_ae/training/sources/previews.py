"""Choose patches to show during training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch.nn.functional import avg_pool2d

if TYPE_CHECKING:
    from torch import Tensor

# Contrast is that of the means of blocks of this side, which have little noise.
_BLOCK = 4
# A patch shows something if it has this fraction of the largest contrast.
_LEAST_CONTRAST = 0.5


def choose_previews(patches: Tensor, n: int) -> list[int]:
    """Choose patches that show something, not flat background.

    Parameters
    ----------
    patches : torch.Tensor
        (N, channels, Y, X), in comparable intensities; they may be noisy.
    n : int
        How many to choose, at most.

    Returns
    -------
    list of int
        Their indices, sorted; the same for the same patches. Those with at least half
        the largest contrast are cut into `n` runs, and the best of each run is chosen,
        so that different images are shown.
    """
    block = min(_BLOCK, *patches.shape[-2:])
    means = avg_pool2d(patches.float(), block)
    contrast = means.std(dim=(2, 3), correction=0).mean(dim=1).cpu().numpy()
    n = min(n, len(contrast))
    n_kept = max(n, int((contrast >= _LEAST_CONTRAST * contrast.max()).sum()))
    # Stable, so that the first of equal patches are chosen.
    kept = np.sort(np.argsort(-contrast, kind="stable")[:n_kept])
    return [int(run[np.argmax(contrast[run])]) for run in np.array_split(kept, n)]
