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
        "a constant column is zero after its mean is taken off, whatever it is divided by": {
            "standardise": {
                "1.0  →  -1.0",
                "1.0  →  1.1",
                "1.0  →  2.0",
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
    "cnn": {
        "whole numbers are right where no fraction is needed; an error's words are free": {
            "kernels": {
                "np.array(kernels[name], dtype=float)  →  np.array(kernels[name])",
                "', '.join(kernels)  →  kernels",
            },
        },
        "the contract leaves the rate of the dropout open: 0 < p < 1": {
            "ising_cnn": {
                "0.3  →  0.33",
            },
        },
        "an image has two axes, and the last has two names": {
            "convolve2d_periodic": {
                "1  →  -1",
            },
        },
        "where the blocks do not fill the lattice reshape raises ValueError by itself": {
            "max_pool2d": {
                "height % size or width % size  →  height % size and width % size",
            },
        },
        "the second last axis has two names": {
            "periodic_cnn": {
                "2  →  -2",
            },
        },
    },
    "autoencoder": {
        "directions beyond the k first are not looked at": {
            "pca_reconstruction": {
                "False  →  True",
                "np.linalg.svd(X - mean, full_matrices=False)  →  np.linalg.svd(X - mean)",
            },
        },
        "numbers of any dtype become floats when the mean is taken off": {
            "pca_reconstruction": {
                "np.asarray(X, dtype=float)  →  np.asarray(X)",
            },
        },
        "numbers of any dtype become floats beside the column of ones and in the fit": {
            "order_parameter_correlation": {
                "np.asarray(z, dtype=float)  →  np.asarray(z)",
                "np.asarray(m, dtype=float)  →  np.asarray(m)",
            },
        },
        "NumPy finds the extent of an axis for every negative number": {
            "order_parameter_correlation": {
                "1  →  2",
            },
        },
    },
    "symmetry": {
        "dividing by 1 or −1 is multiplying by it; a fourth column does not enter Q": {
            "random_rotation": {
                "Q * np.sign(np.diag(upper))  →  Q / np.sign(np.diag(upper))",
                "Q * np.linalg.det(Q)  →  Q / np.linalg.det(Q)",
                "3  →  4",
            },
        },
        "a torch scalar counts as a number": {
            "equivariance_error": {
                "(f(transform_in(x)) - transform_out(f(x))).abs().max().item()  →  "
                "(f(transform_in(x)) - transform_out(f(x))).abs().max()",
            },
            "invariance_error": {
                "(f(transform(x)) - f(x)).abs().max().item()  →  "
                "(f(transform(x)) - f(x)).abs().max()",
            },
        },
        "no error is promised for another kind": {
            "pool": {
                "ValueError(f'kind should be sum, mean or max, not {kind!r}')  →  "
                "f'kind should be sum, mean or max, not {kind!r}'",
            },
        },
        "all tensors lie on the processor": {
            "pool": {
                "torch.ones(features.shape[:2], dtype=torch.bool, device=features.devic  →  "
                "torch.ones(features.shape[:2], dtype=torch.bool)",
            },
        },
        "a second row of −∞ does not change the maximum": {
            "pool": {
                "1  →  2",
            },
        },
        "nothing writes into the detached tensor, and autograd.grad fills no .grad": {
            "cluster_energy_model": {
                "positions.detach().clone()  →  positions.detach()",
                "positions.detach()  →  positions",
            },
        },
        "how distances are stretched for the network is advice: every way is a right model": {
            "cluster_energy_model": {
                "4 / distances - 2  →  4 / distances",
                "4 / distances - 2  →  4 / distances + 2",
                "4 / distances  →  4 * distances",
                "2  →  -2",
                "2  →  3",
                "4  →  -4",
                "4  →  5",
            },
        },
        "the last axis has two names": {
            "cluster_energy_model": {
                "-1  →  1",
                "1  →  -1",
            },
        },
    },
}
