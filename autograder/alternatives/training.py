"""Other right answers to training."""

import numpy as np
import torch
from torch import nn

from autograder.judging.answers import alternative

# An answer may use the exercises before its own; in the notebook these are the student's.
from reference_impl.training import EarlyStopping, adam_step, minibatches, sgd_step

# --------------------------------------------------------------------------- derivative


@alternative("derivative")
def backward_on_a_copy():
    def derivative(f, x):
        copy = x.clone().detach()
        copy.requires_grad = True
        f(copy).sum().backward()
        return copy.grad


@alternative("derivative")
def grad_outputs_of_ones():
    def derivative(f, x):
        with torch.enable_grad():
            z = torch.empty_like(x).copy_(x.detach()).requires_grad_()
            y = f(z)
        return torch.autograd.grad(y, z, grad_outputs=torch.ones_like(y), create_graph=True)[0]


@alternative("derivative")
def forward_mode():
    def derivative(f, x):
        return torch.func.jvp(f, (x.detach(),), (torch.ones_like(x),))[1]


@alternative("derivative")
def one_line_of_torch_func():
    derivative = lambda f, x: torch.func.grad(lambda t: f(t).sum())(x.detach())  # noqa: E731


@alternative("derivative")
def element_by_element():
    def derivative(f, x):
        slopes = []
        for value in x.detach().flatten():
            single = value.clone().requires_grad_(True)
            f(single).backward()
            slopes.append(single.grad)
        return torch.stack(slopes).reshape(x.shape)


# ---------------------------------------------------------------------------------- mlp


@alternative("mlp")
def first_weights_next_to_nothing():
    class MLP(nn.Module):
        def __init__(self, input_dim, hidden_dims, output_dim):
            super().__init__()
            sizes = [*hidden_dims, output_dim]
            self.layers = nn.ModuleList()
            for width in sizes:
                self.layers.append(nn.Linear(input_dim, width))
                input_dim = width
            for layer in self.layers:
                nn.init.normal_(layer.weight, std=0.001)
                nn.init.zeros_(layer.bias)
            nn.init.zeros_(self.layers[-1].weight)

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = torch.relu(layer(x))
            return self.layers[-1](x)


@alternative("mlp")
def module_list():
    class MLP(nn.Module):
        def __init__(self, input_dim, hidden_dims, output_dim):
            super().__init__()
            sizes = [input_dim, *list(hidden_dims), output_dim]
            self.linears = nn.ModuleList(
                [nn.Linear(sizes[i], sizes[i + 1]) for i in range(len(sizes) - 1)]
            )

        def forward(self, x):
            for linear in self.linears[:-1]:
                x = torch.relu(linear(x))
            return self.linears[-1](x)


@alternative("mlp")
def layers_with_two_names():
    class MLP(nn.Module):
        def __init__(self, input_dim, hidden_dims, output_dim):
            super().__init__()
            sizes = [input_dim, *hidden_dims, output_dim]
            self.layers = nn.ModuleList(map(nn.Linear, sizes[:-1], sizes[1:]))
            for layer in self.layers:
                nn.init.normal_(layer.weight, std=0.01)
            both = [part for layer in self.layers for part in (layer, nn.ReLU())]
            self.net = nn.Sequential(*both[:-1])

        def forward(self, x):
            return self.net(x)


@alternative("mlp")
def a_sequential_itself():
    class MLP(nn.Sequential):
        def __init__(self, input_dim, hidden_dims, output_dim):
            super().__init__()
            n = input_dim
            for k, h in enumerate(hidden_dims):
                self.add_module(f"linear{k}", nn.Linear(n, h))
                self.add_module(f"relu{k}", nn.ReLU(inplace=True))
                n = h
            self.add_module("output", nn.Linear(n, output_dim))


@alternative("mlp")
def matrices_by_hand():
    class MLP(nn.Module):
        def __init__(self, input_dim, hidden_dims, output_dim):
            super().__init__()
            sizes = (input_dim, *hidden_dims, output_dim)
            self.depth = len(sizes) - 1
            for k in range(self.depth):
                w = torch.randn(sizes[k], sizes[k + 1]) * (2 / sizes[k]) ** 0.5
                setattr(self, f"w{k}", nn.Parameter(w))
                setattr(self, f"b{k}", nn.Parameter(torch.zeros(sizes[k + 1])))

        def forward(self, x):
            for k in range(self.depth):
                x = x @ getattr(self, f"w{k}") + getattr(self, f"b{k}")
                if k < self.depth - 1:
                    x = x.clamp(min=0)
            return x


@alternative("mlp")
def recursive():
    class MLP(nn.Module):
        def __init__(self, input_dim, hidden_dims, output_dim):
            super().__init__()
            if hidden_dims:
                self.here = nn.Linear(input_dim, hidden_dims[0])
                self.rest = MLP(hidden_dims[0], hidden_dims[1:], output_dim)
            else:
                self.here, self.rest = nn.Linear(input_dim, output_dim), None

        def forward(self, x):
            x = self.here(x)
            return x if self.rest is None else self.rest(nn.functional.relu(x))


@alternative("mlp")
def lazy_layers():
    class MLP(nn.Module):
        def __init__(self, input_dim, hidden_dims, output_dim):
            super().__init__()
            parts = [part for n in hidden_dims for part in (nn.LazyLinear(n), nn.ReLU())]
            self.net = nn.Sequential(*parts, nn.LazyLinear(output_dim))

        def forward(self, x):
            return self.net(x)


# ------------------------------------------------------------------------------- losses


@alternative("losses")
def torch_functional():
    import torch.nn.functional as F

    def mae_loss(y_pred, y_true):
        return F.l1_loss(y_pred, y_true)

    def bce_with_logits(logits, targets):
        return F.binary_cross_entropy_with_logits(logits, targets)

    def cross_entropy(logits, classes):
        return F.cross_entropy(logits, classes)


@alternative("losses")
def textbook_tricks():
    def mae_loss(y_pred, y_true):
        return (y_pred - y_true).abs().sum() / y_pred.numel()

    def bce_with_logits(logits, targets):
        return (
            logits.clamp(min=0) - logits * targets + torch.log1p(torch.exp(-logits.abs()))
        ).mean()

    def cross_entropy(logits, classes):
        z = logits - logits.max(dim=1, keepdim=True).values
        log_p = z - z.exp().sum(dim=1, keepdim=True).log()
        return -log_p[torch.arange(len(classes)), classes].mean()


@alternative("losses")
def objects_that_are_called():
    _absolute, _binary = nn.L1Loss(), nn.BCEWithLogitsLoss(reduction="sum")
    mae_loss = lambda y_pred, y_true: _absolute(y_pred, y_true)  # noqa: E731

    def bce_with_logits(logits, targets):
        return _binary(logits, targets) / logits.numel()

    class CrossEntropy:
        def __call__(self, logits, classes):
            return nn.NLLLoss()(nn.LogSoftmax(dim=1)(logits), classes)

    cross_entropy = CrossEntropy()


@alternative("losses")
def row_by_row():
    def mae_loss(y_pred, y_true):
        total = 0
        for a, b in zip(y_pred.flatten(), y_true.flatten(), strict=True):
            total = total + torch.abs(a - b)
        return total / len(y_pred.flatten())

    def bce_with_logits(logits, targets):
        costs = []
        for z, t in zip(logits.flatten(), targets.flatten(), strict=True):
            wrong = -z if t == 1 else z  # positive where the logit is on the wrong side
            costs.append(torch.relu(wrong) + torch.log(1 + torch.exp(-torch.abs(wrong))))
        return torch.stack(costs).mean()

    def cross_entropy(logits, classes):
        costs = [torch.logsumexp(z, 0) - z[int(c)] for z, c in zip(logits, classes, strict=True)]
        return sum(costs) / len(costs)


@alternative("losses")
def one_hot_and_log_sigmoid():
    def mae_loss(y_pred, y_true):
        return torch.maximum(y_pred - y_true, y_true - y_pred).mean()

    def bce_with_logits(logits, targets):
        yes, no = nn.functional.logsigmoid(logits), nn.functional.logsigmoid(-logits)
        return torch.mean(-(targets * yes + (1 - targets) * no))

    def cross_entropy(logits, classes):
        mask = nn.functional.one_hot(classes, logits.shape[1])
        return -(mask * torch.log_softmax(logits, dim=1)).sum() / len(logits)


# --------------------------------------------------------------------------- optimisers


@alternative("optimisers")
def loops_and_a_dictionary():
    def sgd_step(params, grads, lr):
        new = []
        for i in range(len(params)):
            new.append(params[i] - lr * grads[i])
        return new

    def momentum_step(params, grads, velocity, lr, momentum=0.9):
        new_params, new_velocity = [], []
        for i in range(len(params)):
            v = grads[i].clone() if velocity is None else momentum * velocity[i] + grads[i]
            new_velocity.append(v)
            new_params.append(params[i] - lr * v)
        return new_params, new_velocity

    def adam_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8):
        b1, b2 = betas
        if state is None:
            state = {"t": 0, "m": [0 * p for p in params], "v": [0 * p for p in params]}
        t = state["t"] + 1
        new_params, m_new, v_new = [], [], []
        for p, g, m, v in zip(params, grads, state["m"], state["v"], strict=True):
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g * g
            rate = lr / (1 - b1**t)
            new_params.append(p - rate * m / (v.sqrt() / (1 - b2**t) ** 0.5 + eps))
            m_new.append(m)
            v_new.append(v)
        return new_params, {"t": t, "m": m_new, "v": v_new}

    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        new, state = adam_step(params, grads, state, lr, betas, eps)
        return [n - lr * weight_decay * p for n, p in zip(new, params, strict=True)], state


@alternative("optimisers")
def torch_optim_on_copies():
    import copy

    def take(kind, params, grads, state, **options):
        leaves = [p.detach().clone().requires_grad_() for p in params]
        optimiser = kind(leaves, **options)
        if state is not None:
            optimiser.load_state_dict(copy.deepcopy(state))
        for leaf, g in zip(leaves, grads, strict=True):
            leaf.grad = g.clone()
        optimiser.step()
        return [leaf.detach() for leaf in leaves], optimiser.state_dict()

    def sgd_step(params, grads, lr):
        return take(torch.optim.SGD, params, grads, None, lr=lr)[0]

    def momentum_step(params, grads, velocity, lr, momentum=0.9):
        return take(torch.optim.SGD, params, grads, velocity, lr=lr, momentum=momentum)

    def adam_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8):
        return take(torch.optim.Adam, params, grads, state, lr=lr, betas=betas, eps=eps)

    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        return take(torch.optim.AdamW, params, grads, state, **options)


@alternative("optimisers")
def all_gradients_remembered():
    # The state is the history of gradients; every mean is worked out from the beginning.
    def sgd_step(params, grads, lr):
        return tuple(torch.add(p, g, alpha=-lr) for p, g in zip(params, grads, strict=True))

    def momentum_step(params, grads, velocity, lr, momentum=0.9):
        history = [*(velocity or []), grads]
        new = []
        for k, p in enumerate(params):
            v = sum(momentum**age * old[k] for age, old in enumerate(reversed(history)))
            new.append(p - lr * v)
        return new, history

    def adam_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8):
        history = [*(state or []), grads]
        t, new = len(history), []
        for k, p in enumerate(params):
            m = sum((1 - betas[0]) * betas[0] ** (t - 1 - n) * g[k] for n, g in enumerate(history))
            v = sum(
                (1 - betas[1]) * betas[1] ** (t - 1 - n) * g[k] ** 2 for n, g in enumerate(history)
            )
            m, v = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
            new.append(p - lr * m / (torch.sqrt(v) + eps))
        return new, history

    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        shrunk = [(1 - lr * weight_decay) * p for p in params]
        return adam_step(shrunk, grads, state, lr, betas=betas, eps=eps)


@alternative("optimisers")
def state_of_a_class():
    class Moments:
        def __init__(self, step, first, second):
            self.step, self.first, self.second = step, first, second

    def sgd_step(params, grads, lr):
        params = [p.clone() for p in params]
        for p, g in zip(params, grads, strict=True):
            p.sub_(lr * g)
        return params

    def momentum_step(params, grads, velocity, lr, momentum=0.9):
        if velocity is None:
            velocity = [torch.zeros(p.shape) for p in params]
        velocity = [v.mul(momentum).add(g) for v, g in zip(velocity, grads, strict=True)]
        return sgd_step(params, velocity, lr), velocity

    def pairs(first, second):
        return zip(first, second, strict=True)

    def adam_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8):
        state = state or Moments(0, [0.0] * len(params), [0.0] * len(params))
        step = state.step + 1
        first = [torch.lerp(g, g * 0 + m, betas[0]) for m, g in pairs(state.first, grads)]
        second = [betas[1] * v + (1 - betas[1]) * g.square() for v, g in pairs(state.second, grads)]
        moves = [
            (m / (1 - betas[0] ** step)) / ((v / (1 - betas[1] ** step)) ** 0.5 + eps)
            for m, v in zip(first, second, strict=True)
        ]
        return sgd_step(params, moves, lr), Moments(step, first, second)

    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        params = sgd_step(params, [weight_decay * p for p in params], lr)
        return adam_step(params, grads, state, lr, betas, eps)


@alternative("optimisers")
def state_of_a_named_tuple():
    from typing import NamedTuple

    class Means(NamedTuple):
        step: int
        first: list
        second: list

    def sgd_step(params, grads, lr):
        return [torch.add(p, g, alpha=-lr) for p, g in zip(params, grads, strict=True)]

    def momentum_step(params, grads, velocity, lr, momentum=0.9):
        velocity = velocity or [torch.zeros_like(g) for g in grads]
        velocity = [torch.add(g, v, alpha=momentum) for g, v in zip(grads, velocity, strict=True)]
        return sgd_step(params, velocity, lr), velocity

    def adam_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8):
        state = state or Means(0, [torch.zeros_like(g) for g in grads], [0 * g for g in grads])
        first = [m + (1 - betas[0]) * (g - m) for m, g in zip(state.first, grads, strict=True)]
        squares = zip(state.second, grads, strict=True)
        second = [v + (1 - betas[1]) * (g * g - v) for v, g in squares]
        state = state._replace(step=state.step + 1, first=first, second=second)
        unbiased = [1 - beta**state.step for beta in betas]
        moves = [
            (m / unbiased[0]) / (torch.sqrt(v / unbiased[1]) + eps)
            for m, v in zip(state.first, state.second, strict=True)
        ]
        return sgd_step(params, moves, lr), state

    def adamw_step(params, grads, state, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        params = [p * (1 - lr * weight_decay) for p in params]
        return adam_step(params, grads, state, lr, betas, eps)


# -------------------------------------------------------------------------- minibatches


@alternative("minibatches")
def a_list_of_pairs():
    def minibatches(x, y, batch_size, generator):
        order = torch.randperm(x.shape[0], generator=generator)
        batches = []
        for start in range(0, x.shape[0], batch_size):
            rows = order[start : start + batch_size]
            batches.append([x[rows], y[rows]])
        return batches


@alternative("minibatches")
def a_data_loader():
    from torch.utils.data import DataLoader, TensorDataset

    def minibatches(x, y, batch_size, generator):
        return DataLoader(
            TensorDataset(x, y), batch_size=batch_size, shuffle=True, generator=generator
        )


@alternative("minibatches")
def zip_of_splits():
    def minibatches(x, y, batch_size, generator):
        order = torch.argsort(torch.rand(len(x), generator=generator))
        x, y = x[order], y[order]
        return zip(x.split(batch_size), y.split(batch_size), strict=True)


@alternative("minibatches")
def an_iterator_of_its_own():
    class minibatches:
        def __init__(self, x, y, batch_size, generator):
            self.x, self.y, self.size, self.at = x, y, batch_size, 0
            self.order = torch.randperm(len(x), generator=generator)

        def __iter__(self):
            return self

        def __next__(self):
            if self.at >= len(self.order):
                raise StopIteration
            rows = self.order[self.at : self.at + self.size]
            self.at += self.size
            return self.x[rows], self.y[rows]


@alternative("minibatches")
def batches_of_a_class_of_their_own():
    from dataclasses import dataclass

    @dataclass
    class Batch:
        x: torch.Tensor
        y: torch.Tensor

        def __iter__(self):
            return iter((self.x, self.y))

    def minibatches(x, y, batch_size, generator):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            yield Batch(x[rows], y[rows])


@alternative("minibatches")
def an_object_with_a_generator_method():
    class Epoch:
        def __init__(self, x, y, batches):
            self.x, self.y, self.batches = x, y, batches

        def __len__(self):
            return len(self.batches)

        def __iter__(self):
            for rows in self.batches:
                yield self.x[rows], self.y[rows]

    def minibatches(x, y, batch_size, generator):
        return Epoch(x, y, torch.randperm(len(x), generator=generator).split(batch_size))


@alternative("minibatches")
def batches_by_number():
    class Batches:
        def __init__(self, x, y, rows):
            self.x, self.y, self.rows = x, y, rows

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, number):
            rows = self.rows[number]
            return self.x[rows], self.y[rows]

    def minibatches(x, y, batch_size, generator):
        order = torch.randperm(len(x), generator=generator).tolist()
        return Batches(x, y, [order[i : i + batch_size] for i in range(0, len(order), batch_size)])


@alternative("minibatches")
def numpy_shuffles():
    def minibatches(x, y, batch_size, generator):
        seed = int(torch.randint(2**31, (1,), generator=generator))
        rows = np.arange(len(x))
        np.random.default_rng(seed).shuffle(rows)
        for start in range(0, len(rows), batch_size):
            chosen = torch.from_numpy(rows[start : start + batch_size])
            yield x.index_select(0, chosen), y.index_select(0, chosen)


# ------------------------------------------------------------------------------ dropout


@alternative("dropout")
def bernoulli():
    def dropout(x, p, training, generator):
        if not training or p == 0:
            return x
        mask = torch.bernoulli(torch.full_like(x, 1 - p), generator=generator)
        return mask * x / (1 - p)


@alternative("dropout")
def torch_dropout_seeded():
    def dropout(x, p, training, generator):
        if training:
            torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        return nn.functional.dropout(x, p=p, training=training)


@alternative("dropout")
def one_element_at_a_time():
    def dropout(x, p, training, generator):
        if not training:
            return x.clone()
        mask = [
            0.0 if torch.rand(1, generator=generator).item() < p else 1 / (1 - p)
            for _ in range(x.numel())
        ]
        return x * torch.tensor(mask, dtype=x.dtype).reshape(x.shape)


@alternative("dropout")
def masked_fill():
    def dropout(x, p, training, generator):
        if training:
            drop = torch.empty(x.shape).uniform_(generator=generator) < p
            x = (x / (1.0 - p)).masked_fill(drop, 0)
        return x


# --------------------------------------------------------------------------- l2_penalty


@alternative("l2_penalty")
def by_name():
    def l2_penalty(model):
        total = 0.0
        for name, p in model.named_parameters():
            if name.endswith("weight"):
                total = total + p.pow(2).sum()
        return total


@alternative("l2_penalty")
def linear_layers():
    def l2_penalty(model):
        layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
        return torch.stack([torch.norm(layer.weight) ** 2 for layer in layers]).sum()


@alternative("l2_penalty")
def one_long_vector():
    def l2_penalty(model):
        weights = torch.cat([p.flatten() for n, p in model.named_parameters() if "bias" not in n])
        return weights @ weights


@alternative("l2_penalty")
def children_of_children():
    def l2_penalty(model):
        if hasattr(model, "weight"):
            return torch.einsum("ij,ij->", model.weight, model.weight)
        return sum(l2_penalty(child) for child in model.children())


# ----------------------------------------------------------------------- early_stopping


@alternative("early_stopping")
def a_counter_and_a_deep_copy():
    import copy

    class EarlyStopping:
        def __init__(self, patience, min_delta=0.0):
            self.patience = patience
            self.min_delta = min_delta
            self.best_loss = np.inf
            self.best_epoch = None
            self.epoch = 0
            self.counter = 0

        def step(self, val_loss, model):
            if self.best_loss - val_loss > self.min_delta:
                self.best_loss = val_loss
                self.best_epoch = self.epoch
                self.counter = 0
                self.best_state = copy.deepcopy(model.state_dict())
            else:
                self.counter += 1
            self.epoch += 1
            return self.counter >= self.patience

        def restore(self, model):
            model.load_state_dict(self.best_state)
            return model


@alternative("early_stopping")
def saved_to_bytes():
    import io

    class EarlyStopping:
        def __init__(self, patience, min_delta=0.0):
            self.patience, self.min_delta = patience, min_delta
            self.losses, self.best_epoch, self.saved = [], 0, b""

        @property
        def best_loss(self):
            return self.losses[self.best_epoch]

        def step(self, val_loss, model):
            self.losses.append(float("inf") if np.isnan(val_loss) else float(val_loss))
            first = not self.saved and self.losses[-1] < float("inf")
            if first or self.losses[-1] < self.best_loss - self.min_delta:
                self.best_epoch = len(self.losses) - 1
                buffer = io.BytesIO()
                torch.save(model.state_dict(), buffer)
                self.saved = buffer.getvalue()
            return np.bool_(len(self.losses) - 1 - self.best_epoch >= self.patience)

        def restore(self, model):
            model.load_state_dict(torch.load(io.BytesIO(self.saved)))


@alternative("early_stopping")
def parameter_by_parameter():
    class EarlyStopping:
        def __init__(self, patience, min_delta=0.0):
            self.patience, self.min_delta, self.waiting, self.calls = patience, min_delta, 0, 0
            self.best_loss, self.best_epoch, self.weights = None, -1, []

        def step(self, val_loss, model):
            number = float(val_loss)
            good = number == number and (
                self.best_loss is None or number < self.best_loss - self.min_delta
            )
            if good:
                self.best_loss, self.best_epoch, self.waiting = number, self.calls, 0
                self.weights = [p.detach().clone() for p in model.parameters()]
            self.waiting += not good
            self.calls += 1
            return self.waiting >= self.patience

        @torch.no_grad()
        def restore(self, model):
            for p, best in zip(model.parameters(), self.weights, strict=True):
                p.copy_(best)


@alternative("early_stopping")
def a_function_with_closures():
    def EarlyStopping(patience, min_delta=0.0):
        class Stop:
            best_loss, best_epoch, calls, waiting, weights = float("inf"), -1, 0, 0, None

        stop = Stop()

        def step(val_loss, model):
            stop.waiting += 1
            if val_loss < stop.best_loss - min_delta:
                stop.best_loss, stop.best_epoch, stop.waiting = val_loss, stop.calls, 0
                stop.weights = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
            stop.calls += 1
            return stop.waiting >= patience

        def restore(model):
            torch.nn.utils.vector_to_parameters(stop.weights.clone(), model.parameters())

        stop.step, stop.restore = step, restore
        return stop


@alternative("early_stopping")
def a_whole_copy_of_the_model():
    from copy import deepcopy

    class EarlyStopping:
        def __init__(self, patience, min_delta=0.0):
            self.patience, self.min_delta = patience, min_delta
            self.epoch = self.stale = 0
            self.best_epoch = 0
            self.best_loss = torch.tensor(float("inf"), dtype=torch.float64)

        def step(self, val_loss, model):
            self.stale += 1
            if val_loss + self.min_delta < self.best_loss:
                self.best_loss = torch.tensor(val_loss, dtype=torch.float64)
                self.best_epoch, self.stale = self.epoch, 0
                self.best_model = deepcopy(model)
            self.epoch += 1
            return self.stale == self.patience

        def restore(self, model):
            for p, best in zip(model.parameters(), self.best_model.parameters(), strict=True):
                p.data = best.data.clone()


# ------------------------------------------------------------------------------ augment


@alternative("augment")
def block_by_block():
    def augment(x, y, copies, noise_std, generator):
        xs, ys = [x], [y]
        for _ in range(copies):
            xs.append(x + torch.randn(x.shape, generator=generator) * noise_std)
            ys.append(y)
        return torch.cat(xs).to(x.dtype), torch.cat(ys)


@alternative("augment")
def noise_on_a_repetition():
    def augment(x, y, copies, noise_std, generator):
        big = x.repeat(copies + 1, 1)
        big[len(x) :] += noise_std * torch.empty_like(big[len(x) :]).normal_(generator=generator)
        return big, y.repeat(copies + 1, *[1] * (y.ndim - 1))


@alternative("augment")
def numpy_normal():
    def augment(x, y, copies, noise_std, generator):
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        noisy = np.concatenate(
            [x.numpy()] + [x.numpy() + rng.normal(0, noise_std, x.shape) for _ in range(copies)]
        )
        rows = np.tile(np.arange(len(y)), copies + 1)
        return torch.tensor(noisy, dtype=x.dtype), y[torch.from_numpy(rows)]


@alternative("augment")
def torch_normal():
    def augment(x, y, copies, noise_std, generator):
        n = len(x)
        rows = torch.arange(n * (copies + 1)) % n
        std = torch.full((len(rows), 1), noise_std, dtype=x.dtype).expand(-1, x.shape[1]).clone()
        std[:n] = 0
        return torch.normal(x[rows], std, generator=generator), y[rows]


# -------------------------------------------------------------------------------- train


@alternative("train")
def plain_loop():
    def train(
        model, x, y, *, epochs, learning_rate, batch_size=None, optimiser="adam", generator=None
    ):
        if optimiser == "adam":
            opt = torch.optim.Adam(model.parameters(), lr=learning_rate)
        elif optimiser == "sgd":
            opt = torch.optim.SGD(model.parameters(), lr=learning_rate)
        else:
            raise ValueError(optimiser)
        criterion = nn.MSELoss()
        losses = []
        model.train()
        for _epoch in range(epochs):
            batches = [(x, y)]
            if batch_size is not None:
                batches = minibatches(x, y, batch_size, generator)
            sums, count = 0.0, 0
            for xb, yb in batches:
                opt.zero_grad()
                pred = model(xb)
                assert pred.shape == yb.shape, "shapes of prediction and target differ"
                loss = criterion(pred, yb)
                loss.backward()
                opt.step()
                sums += loss.item() * len(yb)
                count += len(yb)
            losses.append(sums / count)
        model.eval()
        return losses


@alternative("train")
def data_loader_and_zero_grad_last():
    from torch.utils.data import DataLoader, TensorDataset

    def train(
        model, x, y, *, epochs, learning_rate, batch_size=None, optimiser="adam", generator=None
    ):
        with torch.no_grad():
            if model(x).shape != y.shape:
                raise RuntimeError("x and y do not go together")
        loader = DataLoader(
            TensorDataset(x, y), batch_size or len(x), shuffle=True, generator=generator
        )
        kind = getattr(torch.optim, {"adam": "AdamW", "sgd": "SGD"}[optimiser])
        opt = kind(model.parameters(), lr=learning_rate, weight_decay=0.0)
        history = []
        for _ in range(epochs):
            model.train()
            batch_losses, sizes = [], []
            for xb, yb in loader:
                loss = (model(xb) - yb).square().mean()
                loss.backward()
                opt.step()
                opt.zero_grad()
                batch_losses.append(float(loss))
                sizes.append(len(xb))
            history.append(float(np.average(batch_losses, weights=sizes)))
            model.eval()
        return history


@alternative("train")
def with_the_steps_of_exercise_4():
    def train(
        model, x, y, *, epochs, learning_rate, batch_size=None, optimiser="adam", generator=None
    ):
        model.train()
        weights, state, losses = list(model.parameters()), None, []
        for _ in range(epochs):
            total = torch.tensor(0.0)
            for xb, yb in minibatches(x, y, batch_size or len(x), generator):
                error = model(xb) - yb
                if error.shape != yb.shape:
                    raise ValueError("y should have the shape of the model's output")
                loss = (error**2).mean()
                grads = torch.autograd.grad(loss, weights)
                with torch.no_grad():
                    if optimiser == "sgd":
                        new = sgd_step(weights, grads, learning_rate)
                    else:
                        new, state = adam_step(weights, grads, state, learning_rate)
                    for old, value in zip(weights, new, strict=True):
                        old.copy_(value)
                total = total + loss.detach() * len(xb)
            losses.append((total / len(x)).item())
        model.train(False)
        return losses


@alternative("train")
def falling_rate_and_best_weights():
    def train(
        model, x, y, *, epochs, learning_rate, batch_size=None, optimiser="adam", generator=None
    ):
        if optimiser == "sgd":
            opt = torch.optim.SGD(model.parameters(), lr=learning_rate)
        else:
            opt = torch.optim.Adam(model.parameters(), lr=learning_rate, amsgrad=True)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=40)
        stopper, losses = EarlyStopping(patience=150), []
        model.train()
        for _ in range(epochs):
            total = 0.0
            before = {name: value.clone() for name, value in model.state_dict().items()}
            for rows in (
                [None]
                if batch_size is None
                else torch.randperm(len(x), generator=generator).split(batch_size)
            ):
                xb, yb = (x, y) if rows is None else (x[rows], y[rows])
                prediction = model(xb)
                if prediction.shape != yb.shape:
                    raise TypeError("another shape than the prediction's")
                loss = nn.functional.mse_loss(prediction, yb)
                opt.zero_grad(set_to_none=False)
                loss.backward()
                opt.step()
                total += np.float32(loss.item() * len(xb))
            losses.append(total / len(x))
            plateau.step(losses[-1])
            if stopper.step(losses[-1], model):
                break
        model.eval()
        return losses
