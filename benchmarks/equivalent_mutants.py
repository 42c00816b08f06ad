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
    "pinn": {
        "every row of a column of zeros says the same, so that its mean does too": {
            "condition_losses": {
                "1  →  2",
            },
        },
        "a tensor with one number, in whatever shape": {
            "condition_losses": {
                "torch.mean((model(start) - 1) ** 2)  →  (model(start) - 1) ** 2",
                "torch.mean((x - 1) ** 2)  →  (x - 1) ** 2",
                "torch.mean(derivative(x, start) ** 2)  →  derivative(x, start) ** 2",
            },
        },
        "whole numbers become float32 next to the random ones": {
            "collocation_points": {
                "torch.tensor(bounds, dtype=torch.get_default_dtype())  →  torch.tensor(bounds)",
            },
        },
        "no error is promised for more or fewer columns than bounds": {
            "centred": {
                "True  →  False",
                "zip(columns, self.bounds, strict=True)  →  zip(columns, self.bounds)",
            },
        },
        "the last axis has two names": {
            "centred": {
                "1  →  -1",
            },
        },
        "the sign of the network is for the training to find": {
            "hard_constraint": {
                "1 + t ** 2 * self.network(t)  →  1 - t ** 2 * self.network(t)",
            },
        },
    },
    "inverse_pinn": {
        "normal noise is as likely with the other sign": {
            "observe": {
                "exact_heat(x, t, alpha) + noise  →  exact_heat(x, t, alpha) - noise",
            },
        },
        "how many units a network has is its own affair": {
            "inverse_model": {
                "64  →  65",
            },
        },
        "the last axis has two names": {
            "inverse_model": {
                "1  →  -1",
            },
        },
    },
}
