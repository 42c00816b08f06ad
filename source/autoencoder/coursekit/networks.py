"""Networks whose first weights are not the question."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import torch

from .compare import holds


def stirred(model: Any, draw: np.random.Generator) -> Any:
    """The network with drawn weights, such as keep a signal's size, so that what is asked of it
    does not depend on how it draws its own, which may be next to nothing."""
    own = {
        name: torch.tensor(draw.normal(size=weights.shape) / math.sqrt(weights[:1].numel() or 1))
        for name, weights in model.named_parameters()
        if weights.ndim
    }
    model.load_state_dict(own, strict=False)  # a layer with two names would get its old ones back
    return model


def drawn(model: Any, example: torch.Tensor, seed: int = 1) -> Any:
    """The same, for a check that draws nothing else. Lazy layers have their weights once a network
    was called with the example."""
    model(example)
    return stirred(model, np.random.default_rng(seed))


def units_begin_apart(model: Any) -> None:
    """Units whose weights begin equal, those that come in and those that go out, have equal
    gradients, and stay one unit for ever. A single layer may begin so."""
    matrices = [w for w in model.parameters() if w.numel() > max(w.shape, default=1)]
    alike = [not bool((w != w.flatten()[0]).any()) for w in matrices]
    stays = any(both == (True, True) for both in itertools.pairwise(alike))
    holds(not stays, "the units of a layer begin alike, and what is equal stays equal")
