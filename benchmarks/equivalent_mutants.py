"""Changes to the reference that nothing a student may rely on tells from the original.

Per assignment: the reason, the exercise, and its changes as `benchmarks/judgement.py` prints them.
"""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, dict[str, set[str]]]] = {
    "backprop": {
        "both sides agree at zero, or the function has no derivative there": {
            "activation_gradients": {
                "z > 0  →  z >= 0",
            },
            "activations": {
                "z > 0  →  z >= 0",
                "z >= 0  →  z > 0",
            },
        },
    },
    "lennard_jones": {
        "only even powers of sigma occur": {
            "cluster_energy": {
                "1.0  →  -1.0",
            },
            "cluster_forces": {
                "1.0  →  -1.0",
            },
            "lj_force": {
                "1.0  →  -1.0",
            },
            "lj_potential": {
                "1.0  →  -1.0",
            },
        },
        "the separation of an atom from itself is zero, whatever it is divided by": {
            "cluster_forces": {
                "1.0  →  1.1",
                "1.0  →  2.0",
            },
        },
        "the last axis has two names": {
            "pairwise_distances": {
                "1  →  -1",
            },
            "sample_clusters": {
                "3  →  -3",
            },
        },
        "two random numbers are never equal": {
            "sample_clusters": {
                "pairwise_distances(positions) >= min_distance  →  "
                "pairwise_distances(positions) > min_distance",
            },
        },
        "how many units a network has and how it scales its input are its own affair": {
            "nn_potential": {
                "(r - self.centre) / self.width  →  (r - self.centre) * self.width",
                "(r - self.centre) / self.width  →  r - self.centre",
                "0.0  →  1.0",
                "1.0  →  -1.0",
                "1.0  →  1.1",
                "1.0  →  2.0",
                "64  →  65",
                "r - self.centre  →  r",
                "r - self.centre  →  r + self.centre",
            },
        },
        "one of two steps is enough to make a tensor of its own": {
            "nn_potential": {
                "r.detach()  →  r",
                "r.detach().clone()  →  r.detach()",
            },
        },
    },
}
