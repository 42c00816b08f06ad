"""Changes to the reference that nothing a student may rely on tells from the original.

Per assignment: the reason, the exercise, and its changes as `benchmarks/judgement.py` prints them,
with the line where the same change could be made in several.
"""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, dict[str, set[str]]]] = {
    "backprop": {
        "both sides agree at zero, or the function has no derivative there": {
            "activation_gradients": {
                "z > 0  →  z >= 0  in  return np.where(z > 0, 1.0, slope)",
            },
            "activations": {
                "z > 0  →  z >= 0",
                "z >= 0  →  z > 0",
            },
        },
    },
    "training": {
        "one of two steps is enough to make a tensor of its own": {
            "derivative": {
                "x.detach()  →  x",
                "x.detach().clone()  →  x.detach()",
            },
        },
        "a sum does not depend on the order of its two terms": {
            "losses": {
                "torch.logaddexp(torch.zeros_like(logits), logits)  →  torch.logaddexp(logits, "
                "torch.zeros_like(logits))",
            },
        },
        "the last axis has two names": {
            "losses": {
                "1  →  -1  in  chosen = logits.gather(1, classes[:, None])[:, 0]",
                "1  →  -1  in  return torch.mean(torch.logsumexp(logits, dim=1) - chosen)",
            },
        },
        "the lists are promised to be of the same length": {
            "optimisers": {
                "True  →  False  in  for p, m, v in zip(params, means, squares, strict=True):",
                "True  →  False  in  return [p - lr * g for p, g in zip(params, grads, "
                "strict=True)]",
                "True  →  False  in  velocity = [momentum * v + g for v, g in zip(velocity, "
                "grads, strict=True)]",
                "True  →  False  in  means = [beta1 * m + (1 - beta1) * g for m, g in zip(means, "
                "grads, strict=True)]",
                "True  →  False  in  squares = [beta2 * v + (1 - beta2) * g**2 for v, g in "
                "zip(squares, grads, strict=True)]",
                "zip(means, grads, strict=True)  →  zip(means, grads)",
                "zip(params, grads, strict=True)  →  zip(params, grads)",
                "zip(params, means, squares, strict=True)  →  zip(params, means, squares)",
                "zip(squares, grads, strict=True)  →  zip(squares, grads)",
                "zip(velocity, grads, strict=True)  →  zip(velocity, grads)",
            },
        },
        "a random number is never exactly p": {
            "dropout": {
                "torch.rand(x.shape, generator=generator) >= p  →  torch.rand(x.shape, "
                "generator=generator) > p",
            },
        },
        "normal noise is as often positive as negative": {
            "augment": {
                "x + noise_std * noise  →  x - noise_std * noise",
            },
        },
        "noise of single precision is noise, and the sum takes the dtype of x": {
            "augment": {
                "torch.randn((copies, *x.shape), generator=generator, dtype=x.dtype)  →  "
                "torch.randn((copies, *x.shape), generator=generator)",
            },
        },
    },
    "lennard_jones": {
        "only even powers of sigma occur": {
            "cluster_energy": {
                "1.0  →  -1.0",
            },
            "cluster_forces": {
                "1.0  →  -1.0  in  def cluster_forces(positions: np.ndarray, epsilon: float = "
                "1.0, sigma: float = 1.0) -> np.ndarray:",
                "1.0  →  -1.0  in  np.fill_diagonal(distance, 1.0)  # any number but 0: an atom's "
                "separation from itself is 0",
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
                "1.0  →  1.1  in  np.fill_diagonal(distance, 1.0)  # any number but 0: an atom's "
                "separation from itself is 0",
                "1.0  →  2.0  in  np.fill_diagonal(distance, 1.0)  # any number but 0: an atom's "
                "separation from itself is 0",
            },
        },
        "the last axis has two names": {
            "pairwise_distances": {
                "1  →  -1  in  return np.sort(np.linalg.norm(positions[first] - "
                "positions[second], axis=1))",
            },
            "sample_clusters": {
                "3  →  -3  in  return np.array(clusters).reshape(n_samples, n_atoms, 3)",
            },
        },
        "two random numbers are never equal": {
            "sample_clusters": {
                "pairwise_distances(positions) >= min_distance  →  pairwise_distances(positions) "
                "> min_distance",
            },
        },
        "how many units a network has and how it scales its input are its own affair": {
            "nn_potential": {
                "(r - self.centre) / self.width  →  (r - self.centre) * self.width",
                "(r - self.centre) / self.width  →  r - self.centre",
                "(r - self.centre) / self.width  →  r - self.centre / self.width",
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
    "ising": {
        "NumPy's mean and sum take a wide enough type by themselves": {
            "energy": {
                "np.sum(spins * right_and_below, dtype=float)  →  np.sum(spins * right_and_below)",
            },
            "magnetisation": {
                "np.mean(spins, dtype=float)  →  np.mean(spins)",
            },
        },
        "a bond can be counted from either of its ends, and the last axis has two names": {
            "energy": {
                "-1  →  1",
                "1  →  -1",
            },
        },
        "dividing by a spin is multiplying by it": {
            "energy_change": {
                "2 * spins[i, j]  →  2 / spins[i, j]",
            },
        },
        "how often units are dropped is the student's choice": {
            "ising_classifier": {
                "0.2  →  0.22000000000000003",
            },
        },
        "arrays come in, of floats": {
            "critical_temperature": {
                "np.asarray(p_disordered, dtype=float)  →  np.asarray(p_disordered)",
                "np.asarray(temperatures, dtype=float)  →  np.asarray(temperatures)",
            },
        },
        "exactly one half has been dealt with before": {
            "critical_temperature": {
                "p[1:] < 0.5  →  p[1:] <= 0.5",
                "p[:-1] < 0.5  →  p[:-1] <= 0.5",
            },
        },
        "the words of an error are free": {
            "critical_temperature": {
                'len(before)  →  before  in  raise ValueError(f"p_disordered crosses 0.5 '
                '{len(before)} times, not once")',
            },
        },
        "lists are only faster than arrays, and two of one length need no check of it": {
            "metropolis_sweep": {
                "True  →  False",
                "rng.integers(L, size=(L * L, 2)).tolist()  →  rng.integers(L, size=(L * L, 2))",
                "rng.random(L * L).tolist()  →  rng.random(L * L)",
                "zip(sites, numbers, strict=True)  →  zip(sites, numbers)",
            },
        },
        "how many chains there are is free": {
            "sample_configurations": {
                "64  →  65",
                "min(n_samples, 64)  →  min(64, n_samples)",
            },
        },
        "where a chain starts is free: equilibration forgets it on the lattices asked for": {
            "sample_configurations": {
                "-1  →  1  in  spins *= rng.choice([-1, 1], size=(chains, 1, 1)).astype(np.int8)",
                "-1  →  1  in  spins = rng.choice([-1, 1], size=(chains, L, L)).astype(np.int8)",
                "1  →  -1  in  spins *= rng.choice([-1, 1], size=(chains, 1, 1)).astype(np.int8)",
                "1  →  -1  in  spins = rng.choice([-1, 1], size=(chains, L, L)).astype(np.int8)",
                "2.269  →  2.4959000000000002",
                "2.269  →  3.269",
                "rng.choice([-1, 1], size=(chains, 1, 1))  →  rng.choice([-1, 1])",
                "spins *= rng.choice([-1, 1], size=(chains, 1, 1)).astype(np.int8)  →  pass",
                "temperature < 2.269  →  temperature <= 2.269",
            },
        },
        "a sweep more or less of some hundred, in a default or a loop, is no difference": {
            "sample_configurations": {
                "1  →  -1  in  for sweep in range(1 - equilibration, 1 + rounds * interval):",
                "1  →  2  in  for sweep in range(1 - equilibration, 1 + rounds * interval):",
                "10  →  11",
                "200  →  201",
            },
        },
        "more colours than needed, or colours along the other diagonal, are right too": {
            "sample_configurations": {
                "2  →  3  in  colours = 2 + L % 2",
                "L % 2  →  L * 2",
                "along[:, None] + along  →  along[:, None] - along",
            },
        },
        "a table with room to spare; the first samples are overwritten; NumPy takes any negative "
        "number for the axis that is left; the order of the samples is free": {
            "sample_configurations": {
                "1  →  2  in  return kept.reshape(-1, L, L)[:n_samples]",
                "1  →  2  in  kept[:, sweep // interval - 1] = spins",
                "8  →  9",
                "9  →  10",
                "sweep > 0  →  sweep >= 0",
            },
        },
        "random numbers of more digits, and never exactly the probability": {
            "sample_configurations": {
                "np.asarray(acceptance_probability(cost, temperature), dtype=np.float32  →  "
                "np.asarray(acceptance_probability(cost, temperature))",
                "numbers < p[2 * spins * neighbours - cost[0]]  →  numbers <= p[2 * spins * "
                "neighbours - cost[0]]",
                "rng.random(spins.shape, dtype=np.float32)  →  rng.random(spins.shape)",
            },
        },
    },
    "cnn": {
        "whole numbers are right where no fraction is needed; an error's words are free": {
            "kernels": {
                "', '.join(kernels)  →  kernels",
                "np.array(kernels[name], dtype=float)  →  np.array(kernels[name])",
            },
        },
        "an image has two axes, and the last has two names": {
            "convolve2d_periodic": {
                "1  →  -1  in  if rows > image.shape[0] or columns > image.shape[1]:",
                "1  →  -1  in  result += float(weight) * np.roll(image, (down, right), axis=(0, "
                "1))",
            },
        },
        "where the blocks do not fill the lattice reshape raises ValueError by itself": {
            "max_pool2d": {
                "height % size or width % size  →  height % size and width % size",
            },
        },
        "the second last axis has two names": {
            "periodic_cnn": {
                "2  →  -2  in  return self.output(self.features(x).mean(dim=(2, 3)))",
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
                "X = np.asarray(X, dtype=float)  →  pass",
            },
        },
        "numbers of any dtype become floats beside the column of ones and in the fit": {
            "order_parameter_correlation": {
                "np.asarray(m, dtype=float)  →  np.asarray(m)",
                "np.asarray(z, dtype=float)  →  np.asarray(z)",
            },
        },
        "NumPy finds the extent of an axis for every negative number": {
            "order_parameter_correlation": {
                "1  →  2  in  z, m = np.asarray(z, dtype=float), np.asarray(m, "
                "dtype=float).reshape(-1)",
            },
        },
    },
    "pinn": {
        "no error is promised for lists of different lengths, and a product has no order": {
            "total_loss": {
                "True  →  False",
                "zip(weights, condition_losses, strict=True)  →  zip(condition_losses, weights, "
                "strict=True)",
                "zip(weights, condition_losses, strict=True)  →  zip(weights, condition_losses)",
            },
        },
        "every row of a column of zeros says the same, so that its mean does too": {
            "condition_losses": {
                "1  →  2  in  start = torch.zeros(1, 1)",
                "1  →  2  in  start = torch.zeros(1, 1, requires_grad=True)",
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
            "last_layer": {
                "1  →  -1  in  columns = features(times).split(1, dim=1)",
                "1  →  -1  in  return torch.cat([column.detach() for column in found], dim=1)",
            },
        },
        "no derivative is the function itself, and either driver takes features that depend on "
        "each other": {
            "last_layer": {
                "derivative(u, times, order) if order else u  →  derivative(u, times, order)",
                "torch.linalg.lstsq(torch.cat(matrix), torch.cat(wanted), driver='gelsd  →  "
                "torch.linalg.lstsq(torch.cat(matrix), torch.cat(wanted))",
            },
        },
        "the sign of the network is for the training to find": {
            "hard_constraint": {
                "1 + t ** 2 * self.network(t)  →  1 - t ** 2 * self.network(t)",
            },
        },
    },
    "symmetry": {
        "dividing by 1 or −1 is multiplying by it; a fourth column does not enter Q": {
            "random_rotation": {
                "3  →  4",
                "Q * np.linalg.det(Q)  →  Q / np.linalg.det(Q)",
                "Q * np.sign(np.diag(upper))  →  Q / np.sign(np.diag(upper))",
            },
        },
        "a torch scalar counts as a number": {
            "equivariance_error": {
                "(f(transform_in(x)) - transform_out(f(x))).abs().max().item()  →  "
                "(f(transform_in(x)) - transform_out(f(x))).abs().max()",
            },
            "invariance_error": {
                "(f(transform(x)) - f(x)).abs().max().item()  →  (f(transform(x)) - "
                "f(x)).abs().max()",
            },
        },
        "no error is promised for another kind": {
            "pool": {
                "ValueError(f'kind should be sum, mean or max, not {kind!r}')  →  f'kind should "
                "be sum, mean or max, not {kind!r}'",
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
                "1  →  2  in  floor = features.new_full((len(features), 1, features.shape[2]), "
                "-torch.inf)",
            },
        },
        "nothing writes into the detached tensor, and autograd.grad fills no .grad": {
            "cluster_energy_model": {
                "positions.detach()  →  positions",
                "positions.detach().clone()  →  positions.detach()",
            },
        },
        "how distances are stretched for the network is advice: every way is a right model": {
            "cluster_energy_model": {
                "2  →  -2",
                "2  →  3",
                "4  →  -4",
                "4  →  5",
                "4 / distances  →  4 * distances",
                "4 / distances - 2  →  4 / distances",
                "4 / distances - 2  →  4 / distances + 2",
            },
        },
        "the last axis has two names": {
            "cluster_energy_model": {
                "-1  →  1  in  return pool(self.pair(4 / distances - 2)).squeeze(-1)",
                "1  →  -1  in  return pool(self.pair(4 / distances - 2)).squeeze(-1)",
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
                "1  →  -1  in  return self.network(torch.cat([x, t], dim=1))",
            },
        },
    },
}
