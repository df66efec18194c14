"""torch.nn.functional: what layers, activations and losses compute, as functions."""
from __future__ import annotations

from . import activations, layers, losses
from .activations import *  # noqa: F403
from .layers import *  # noqa: F403
from .losses import *  # noqa: F403

__all__ = sorted([*activations.__all__, *layers.__all__, *losses.__all__])  # noqa: PLE0605
