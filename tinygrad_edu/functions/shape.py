"""All that moves numbers and leaves them as they are, in one place: layout, indexing, joining and cutting.

``__all__`` are the public functions; the rest serves Tensor's methods and the modules above.
"""
from __future__ import annotations

from .index import *  # noqa: F403
from .join import *  # noqa: F403
from .layout import *  # noqa: F403

__all__ = """atleast_1d atleast_2d atleast_3d broadcast_shapes broadcast_tensors broadcast_to cat chunk clone concat
concatenate diag diag_embed diagonal flatten flip gather hstack index_select masked_fill masked_select meshgrid
moveaxis movedim narrow permute ravel repeat_interleave reshape roll scatter scatter_add select split squeeze stack
swapaxes swapdims t take take_along_dim tile transpose tril triu unbind unflatten unsqueeze vstack""".split()
