"""Other right answers to autoencoder."""

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import alternative

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.autoencoder import reconstruction_loss

# ------------------------------------------------------------------- pca_reconstruction


@alternative("pca_reconstruction")
def scikit_learn():
    def pca_reconstruction(X, k):
        from sklearn.decomposition import PCA

        pca = PCA(n_components=k, svd_solver="full")
        scores = pca.fit_transform(np.asarray(X))
        return pca.inverse_transform(scores), pca.explained_variance_ratio_


@alternative("pca_reconstruction")
def eigenvectors_of_the_covariance():
    def pca_reconstruction(X, k):
        X = np.array(X)
        centre = np.mean(X, axis=0, keepdims=True)
        deviations = X - centre
        variances, directions = np.linalg.eigh(np.cov(deviations, rowvar=False))
        first = np.argsort(variances)[::-1][:k]
        kept = directions[:, first]
        return centre + deviations @ kept @ kept.T, variances[first] / variances.sum()


@alternative("pca_reconstruction")
def torch_in_single_precision():
    def pca_reconstruction(X, k):
        X = torch.as_tensor(X, dtype=torch.float32)
        mean = X.mean(dim=0)
        U, S, Vh = torch.linalg.svd(X - mean, full_matrices=False)
        X_hat = U[:, :k] @ torch.diag(S[:k]) @ Vh[:k] + mean
        variance = S.square()
        return X_hat.numpy(), (variance[:k] / variance.sum()).numpy()


@alternative("pca_reconstruction")
def one_direction_after_the_other():
    def pca_reconstruction(X, k):
        X = np.asarray(X, dtype=float)
        mean = X.mean(0)
        left = X - mean
        total = (left**2).sum()
        X_hat = np.tile(mean, (len(X), 1))
        parts = []
        for _ in range(k):
            # The rows' own overlap matrix has the same eigenvalues as the covariance.
            values, vectors = np.linalg.eigh(left @ left.T)
            direction = left.T @ vectors[:, -1]
            direction = direction / np.linalg.norm(direction)
            along = np.outer(left @ direction, direction)
            parts.append(values[-1] / total)
            X_hat += along
            left = left - along
        return X_hat, np.array(parts)


# -------------------------------------------------------------------------- autoencoder


@alternative("autoencoder")
def first_weights_next_to_nothing():
    class IsingAutoencoder(nn.Module):
        def __init__(self, input_dim, latent_dim=2):
            super().__init__()
            self.encoder = nn.Sequential(
                nn.Linear(input_dim, 128),
                nn.ReLU(),
                nn.Linear(128, 32),
                nn.ReLU(),
                nn.Linear(32, latent_dim),
            )
            self.decoder = nn.Sequential(
                nn.Linear(latent_dim, 32),
                nn.ReLU(),
                nn.Linear(32, 128),
                nn.ReLU(),
                nn.Linear(128, input_dim),
                nn.Tanh(),
            )
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    nn.init.trunc_normal_(module.weight, std=1e-3)
                    nn.init.zeros_(module.bias)

        def forward(self, x):
            z = self.encoder(x)
            return self.decoder(z), z


@alternative("autoencoder")
def last_layers_begin_with_zeros():
    class IsingAutoencoder(nn.Module):
        def __init__(self, input_dim, latent_dim=2):
            super().__init__()
            self.encoder = nn.Sequential(
                nn.Linear(input_dim, 128),
                nn.ReLU(),
                nn.Linear(128, 32),
                nn.ReLU(),
                nn.Linear(32, latent_dim),
            )
            self.decoder = nn.Sequential(
                nn.Linear(latent_dim, 32),
                nn.ReLU(),
                nn.Linear(32, 128),
                nn.ReLU(),
                nn.Linear(128, input_dim),
                nn.Tanh(),
            )
            for last in (self.encoder[4], self.decoder[4]):
                nn.init.zeros_(last.weight)
                nn.init.zeros_(last.bias)

        def forward(self, x):
            z = self.encoder(x)
            return self.decoder(z), z


@alternative("autoencoder")
def layers_one_by_one():
    class IsingAutoencoder(nn.Module):
        def __init__(self, input_dim, latent_dim=2):
            super().__init__()
            self.fc1 = nn.Linear(input_dim, 128)
            self.fc2 = nn.Linear(128, 32)
            self.fc3 = nn.Linear(32, latent_dim)
            self.fc4 = nn.Linear(latent_dim, 32)
            self.fc5 = nn.Linear(32, 128)
            self.fc6 = nn.Linear(128, input_dim)

        def encoder(self, x):
            h = torch.relu(self.fc1(x))
            h = torch.relu(self.fc2(h))
            return self.fc3(h)

        def decoder(self, z):
            h = nn.functional.relu(self.fc4(z))
            h = nn.functional.relu(self.fc5(h))
            return torch.tanh(self.fc6(h))

        def forward(self, x):
            z = self.encoder(x)
            return self.decoder(z), z


@alternative("autoencoder")
def halves_of_their_own():
    import itertools

    class Half(nn.Module):
        def __init__(self, sizes, last=None):
            super().__init__()
            layers = []
            for n_in, n_out in itertools.pairwise(sizes):
                layers += [nn.Linear(n_in, n_out), nn.ReLU()]
            layers[-1] = last or nn.Identity()
            self.layers = nn.ModuleList(layers)

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    class IsingAutoencoder(nn.Module):
        def __init__(self, input_dim, latent_dim=2):
            super().__init__()
            sizes = [input_dim, 128, 32, latent_dim]
            self.encoder = Half(sizes)
            self.decoder = Half(sizes[::-1], nn.Tanh())
            for weights in self.parameters():
                if weights.ndim == 2:
                    nn.init.xavier_uniform_(weights)

        def forward(self, x):
            z = self.encoder(x)
            return [self.decoder(z), z]


@alternative("autoencoder")
def weights_by_hand():
    import itertools

    class IsingAutoencoder(nn.Module):
        def __init__(self, input_dim, latent_dim=2):
            super().__init__()
            sizes = [input_dim, 128, 32, latent_dim, 32, 128, input_dim]
            self.W = nn.ParameterList(
                nn.Parameter(torch.randn(a, b) * (2 / a) ** 0.5)
                for a, b in itertools.pairwise(sizes)
            )
            self.b = nn.ParameterList(nn.Parameter(torch.zeros(b)) for b in sizes[1:])

        def _layers(self, x, first, last):
            for k in range(first, last):
                x = x @ self.W[k] + self.b[k]
                if k < last - 1:
                    x = x.clamp(min=0)
            return x

        def encoder(self, x):
            return self._layers(x, 0, 3)

        def decoder(self, z):
            return 2 * torch.sigmoid(2 * self._layers(z, 3, 6)) - 1

        def forward(self, x):
            z = self.encoder(x)
            return self.decoder(z), z


@alternative("autoencoder")
def layers_in_any_order():
    class IsingAutoencoder(nn.Module):
        def __init__(self, input_dim, latent_dim=2):
            super().__init__()
            self.wide_in, self.wide_out = nn.Conv1d(input_dim, 128, 1), nn.Linear(128, input_dim)
            self.to_z, self.from_z = nn.Linear(32, latent_dim), nn.Linear(latent_dim, 32)
            self.up, self.down = nn.Linear(32, 128), nn.Linear(128, 32)

        def encoder(self, x):
            h = self.wide_in(x[:, :, None])[:, :, 0].relu()
            return self.to_z(self.down(h).relu())

        def decoder(self, z):
            return self.wide_out(self.up(self.from_z(z).relu()).relu()).tanh()

        def forward(self, x):
            z = self.encoder(x)
            return self.decoder(z), z


# ------------------------------------------------------------------ reconstruction_loss


@alternative("reconstruction_loss")
def torch_mse():
    def reconstruction_loss(x, x_hat):
        return nn.functional.mse_loss(x_hat, x)


@alternative("reconstruction_loss")
def sum_over_the_count():
    def reconstruction_loss(x, x_hat):
        difference = x_hat - x
        return (difference * difference).sum() / difference.numel()


@alternative("reconstruction_loss")
def norm_of_the_flat_difference():
    def reconstruction_loss(x, x_hat):
        difference = (x - x_hat).reshape(-1)
        return torch.dot(difference, difference) / len(difference)


@alternative("reconstruction_loss")
def mean_of_the_rows_means():
    def reconstruction_loss(x, x_hat):
        return torch.stack([nn.MSELoss()(b, a) for a, b in zip(x, x_hat, strict=True)]).mean()


@alternative("reconstruction_loss")
def by_the_product_with_the_spin():
    def reconstruction_loss(x, x_hat):
        return ((1 - x * x_hat) ** 2).mean()  # spins: x² = 1


# -------------------------------------------------------------------- train_autoencoder


@alternative("train_autoencoder")
def plain_mini_batches():
    from torch.utils.data import DataLoader, TensorDataset

    def train_autoencoder(model, X, *, epochs, generator):
        data = TensorDataset(torch.as_tensor(X, dtype=torch.float32))
        loader = DataLoader(data, batch_size=64, shuffle=True, generator=generator)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        losses = []
        for _ in range(epochs):
            model.train()
            epoch_loss = 0.0
            for (batch,) in loader:
                optimizer.zero_grad()
                x_hat, _ = model(batch)
                loss = nn.MSELoss()(x_hat, batch)
                loss.backward()
                optimizer.step()
                epoch_loss += loss.item() * len(batch)
            losses.append(epoch_loss / len(data))
        model.eval()
        return losses


@alternative("train_autoencoder")
def small_batches_and_large_steps():
    def train_autoencoder(model, X, *, epochs, generator):
        X = torch.as_tensor(X).float()
        optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
        losses = []
        for _ in range(min(epochs, 15)):
            values = []
            order = torch.randperm(X.size(0), generator=generator)
            for start in range(0, X.size(0), 16):
                x = X[order[start : start + 16]]
                x_hat, _ = model(x)
                loss = reconstruction_loss(x, x_hat)
                model.zero_grad()
                loss.backward()
                optimiser.step()
                values.append(loss.detach() * len(x))
            losses.append(torch.stack(values).sum() / len(X))
        model.eval()
        return losses


@alternative("train_autoencoder")
def full_batches():
    def train_autoencoder(model, X, *, epochs, generator):
        X = torch.as_tensor(np.asarray(X), dtype=torch.float32)
        optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
        losses = []
        for _ in range(epochs):
            x_hat, _ = model(X)
            loss = reconstruction_loss(X, x_hat)
            losses.append(float(loss))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        model.eval()
        return losses


@alternative("train_autoencoder")
def full_batches_at_the_usual_rate():
    def train_autoencoder(model, X, *, epochs, generator):
        X = torch.as_tensor(X, dtype=torch.float32)
        optimiser = torch.optim.Adam(model.parameters())
        losses = []
        for _ in range(epochs):
            optimiser.zero_grad()
            loss = reconstruction_loss(X, model(X)[0])
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        model.eval()
        return losses


@alternative("train_autoencoder")
def momentum_and_flipped_copies():
    def train_autoencoder(model, X, *, epochs, generator):
        X = torch.as_tensor(X, dtype=torch.float32)
        X = torch.cat([X, -X])
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        losses = []
        for _ in range(epochs):
            total = 0.0
            for rows in torch.randperm(len(X), generator=generator).split(100):
                loss = reconstruction_loss(X[rows], model(X[rows])[0])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                total += float(loss) * len(rows)
            losses.append(total / len(X))
        model.eval()
        return losses


@alternative("train_autoencoder")
def stops_when_others_get_worse():
    def train_autoencoder(model, X, *, epochs, generator):
        import copy

        X = torch.as_tensor(X, dtype=torch.float32)
        order = torch.randperm(len(X), generator=generator)
        held, known = X[order[: len(X) // 6]], X[order[len(X) // 6 :]]
        optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
        losses, best, waited, kept = [], float("inf"), 0, None
        for _ in range(epochs):
            model.train()
            total = 0.0
            for rows in torch.randperm(len(known), generator=generator).split(32):
                x = known[rows]
                loss = nn.functional.mse_loss(model(x)[0], x)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                total += loss.item() * len(rows)
            losses.append(total / len(known))
            model.eval()
            with torch.no_grad():
                error = reconstruction_loss(held, model(held)[0]).item()
            waited = 0 if error < best else waited + 1
            if error < best:
                best, kept = error, copy.deepcopy(model.state_dict())
            if waited == 5:
                break
        model.load_state_dict(kept)
        return losses


# ------------------------------------------------------------------------------- encode


@alternative("encode")
def through_the_whole_model():
    def encode(model, X):
        model.eval()
        with torch.no_grad():
            _, z = model(torch.as_tensor(X, dtype=torch.float32))
        return z.numpy()


@alternative("encode")
def detached():
    def encode(model, X):
        if isinstance(X, np.ndarray):
            X = torch.from_numpy(X)
        was_training = model.training
        z = model.eval().encoder(X.float()).detach().cpu().numpy()
        model.train(was_training)
        return z


@alternative("encode")
def row_by_row_in_double_precision():
    def encode(model, X):
        model.eval()
        rows = []
        for row in np.asarray(X, dtype=np.float32):
            with torch.inference_mode():
                rows.append(model.encoder(torch.tensor(row).unsqueeze(0))[0].tolist())
        return np.array(rows)


# ---------------------------------------------------------- order_parameter_correlation


@alternative("order_parameter_correlation")
def scikit_learn_regression():
    def order_parameter_correlation(z, m):
        from sklearn.linear_model import LinearRegression

        z, m = np.asarray(z), np.asarray(m).ravel()
        return LinearRegression().fit(z, m).score(z, m)


@alternative("order_parameter_correlation")
def pseudo_inverse_of_centred_columns():
    def order_parameter_correlation(z, m):
        z, m = np.array(z), np.array(m).flatten()
        z, m = z - z.mean(axis=0), m - m.mean()
        fit = z @ (np.linalg.pinv(z) @ m)
        return (fit @ fit) / (m @ m)


@alternative("order_parameter_correlation")
def correlation_with_the_fit():
    def order_parameter_correlation(z, m):
        z = torch.as_tensor(z, dtype=torch.float64)
        m = torch.as_tensor(m, dtype=torch.float64).reshape(-1, 1)
        design = torch.cat([torch.ones(len(z), 1, dtype=torch.float64), z], dim=1)
        weights = torch.linalg.lstsq(design, m, driver="gelsd").solution
        both = torch.cat([design @ weights, m], dim=1).T
        return torch.corrcoef(both)[0, 1].item() ** 2


@alternative("order_parameter_correlation")
def one_column_after_the_other():
    def order_parameter_correlation(z, m):
        z, left = np.asarray(z, dtype=float), np.asarray(m, dtype=float).reshape(-1)
        left = left - left.mean()
        total = left @ left
        kept = []
        for column in z.T:
            column = column - column.mean()
            size = np.sqrt(column @ column)
            for _ in range(2):  # once more against rounding
                for other in kept:
                    column = column - (other @ column) * other
            if np.sqrt(column @ column) > 1e-9 * (1 + size):
                kept.append(column / np.sqrt(column @ column))
        for direction in kept:
            left = left - (direction @ left) * direction
        return 1 - (left @ left) / total
