"""What an answer can give back that is none: bodies of a function, with numpy, torch and nn there.

`args` are what it was called with. None of them hangs or ends Python (`attacks.py` has those).
"""

from __future__ import annotations

NUMBERS = {
    "none": "return None",
    "an ellipsis": "return ...",
    "not implemented": "return NotImplemented",
    "true": "return True",
    "false": "return False",
    "zero": "return 0",
    "minus zero": "return -0.0",
    "one": "return 1",
    "a float": "return 0.5",
    "nan": "return float('nan')",
    "infinity": "return float('inf')",
    "a complex number": "return 1j",
    "a large number": "return 1e308",
    "a large integer": "return 10 ** 100",
    "an integer too large": "return 10 ** 1000",
    "a fraction": "import fractions\nreturn fractions.Fraction(1, 3)",
    "a decimal": "import decimal\nreturn decimal.Decimal('0.1')",
    "a float of its own": (
        "class F(float):\n"
        "    __eq__ = __lt__ = __le__ = lambda s, o: True\n"
        "    __hash__ = None\n"
        "    __sub__ = __rsub__ = __float__ = None\n"
        "return F(1.0)"
    ),
    "an index": "return type('I', (), {'__index__': lambda s: 3, '__len__': lambda s: 3})()",
}
TEXTS = {
    "no text": "return ''",
    "text": "return 'force'",
    "a number as text": "return '0.5'",
    "text that is no text": "return '\\ud800\\x00\\x1b[31m<b>{0}%s'",
    "bytes": "return b'0.5'",
    "a bytearray": "return bytearray(8)",
    "a memoryview": "return memoryview(bytes(8))",
    "an exception": "return ValueError('no')",
    "an exception's class": "return StopIteration",
    "an assertion": "return AssertionError()",
}
CONTAINERS = {
    "an empty list": "return []",
    "an empty tuple": "return ()",
    "an empty dict": "return {}",
    "an empty set": "return set()",
    "a list of nothing": "return [None]",
    "a list of lists": "return [[], [[]], 1.0]",
    "a list of unequal rows": "return [[1.0], [1.0, 2.0]]",
    "a list of text": "return ['a', 'b']",
    "a tuple of one": "return (1.0,)",
    "a pair": "return 1.0, 2.0",
    "a triple of nothing": "return None, None, None",
    "a pair of arrays": "return np.zeros(2), np.zeros(3)",
    "a pair of text and array": "return 'loss', np.zeros(3)",
    "a list in itself": "x = []\nx.append(x)\nreturn x",
    "a deep list": "x = [1.0]\nfor _ in range(90):\n    x = [x]\nreturn x",
    "a dict": "return {'loss': [1.0, 0.5]}",
    "a dict of numbers": "return {0: 1.0}",
    "a dict in itself": "x = {}\nx['x'] = x\nreturn x",
    "a named tuple": "import collections\nreturn collections.namedtuple('P', 'a b')(1.0, None)",
    "a range": "return range(3)",
    "a slice": "return slice(None)",
    "a generator": "return (x for x in (1.0, 2.0))",
    "a generator of nothing": "return iter(())",
    "a generator that fails": "return (1 / 0 for _ in range(3))",
    "a map": "return map(float, ['1', 'x'])",
    "a zip": "return zip([1.0], ['a'])",
    "an iterator of its own": (
        "return type('I', (), {'__iter__': lambda s: s, '__next__': lambda s: 1})()"
    ),
    "a list of many": "return [0.5] * 5000",
    "a list of its own": (
        "class L(list):\n    __len__ = lambda s: -1\n    __getitem__ = None\nreturn L([1.0])"
    ),
}
THINGS = {
    "a function": "return lambda *a: 0.5",
    "a function that gives itself": "def f(*a, **k):\n    return f\nreturn f",
    "a function that fails": "def f(*a, **k):\n    raise KeyError('x')\nreturn f",
    "a coroutine": "async def f():\n    pass\nx = f()\nx.close()\nreturn x",
    "a class": "return float",
    "a class of torch": "return torch.Tensor",
    "a module": "return np",
    "an object": "return object()",
    "an object that has everything": (
        "class A:\n"
        "    def __getattr__(self, name):\n        return self\n"
        "    def __call__(self, *a, **k):\n        return self\n"
        "    def __getitem__(self, key):\n        return self\n"
        "    def __iter__(self):\n        return iter([self])\n"
        "    __len__ = lambda s: 1\n"
        "return A()"
    ),
    "an object that has nothing": (
        "class N:\n"
        "    def __getattribute__(self, name):\n        raise AttributeError(name)\n"
        "return N()"
    ),
    "an object that fails": (
        "class N:\n"
        "    def __getattribute__(self, name):\n        raise StopIteration\n"
        "    __iter__ = __len__ = __array__ = __float__ = __bool__ = lambda *a: 1 / 0\n"
        "return N()"
    ),
    "a type of an odd name": "return type('x' * 300 + '\\n<b>', (), {})()",
    "a mock": "from unittest import mock\nreturn mock.MagicMock()",
    "a file": "import io\nreturn io.StringIO('x')",
    "a dtype": "return torch.float32",
    "a device": "return torch.device('cpu')",
    "a generator of numbers": "return np.random.default_rng(0)",
    "a generator of torch's": "return torch.Generator()",
    "its argument": "return args[0] if args else None",
    "its arguments": "return args",
}
ARRAYS = {
    "an array of no dimension": "return np.array(0.5)",
    "a numpy scalar": "return np.float32(0.5)",
    "an empty array": "return np.zeros(0)",
    "an empty array of five axes": "return np.zeros((3, 0, 2, 1, 1))",
    "an array of many axes": "return np.zeros((1,) * 32)",
    "an array of ones": "return np.ones(3)",
    "a large array": "return np.zeros((500, 500))",
    "an array of nan": "return np.full((4, 1), np.nan)",
    "an array of integers": "return np.arange(4)",
    "an array of bytes": "return np.zeros(4, np.uint8)",
    "an array of bools": "return np.ones(4, bool)",
    "an array of complex numbers": "return np.ones(4, complex)",
    "an array of halves": "return np.full(4, 6e4, np.float16) * 2",
    "an array of text": "return np.array(['a', 'b'])",
    "an array of dates": "return np.array(['2026-01-01'], 'M8[D]')",
    "an array of objects": "return np.array([None, object()])",
    "an array of lists": "return np.array([[], [1]], object)",
    "a structured array": "return np.zeros(2, [('a', 'f8')])",
    "a masked array": "return np.ma.masked_array([1.0, 2.0], [True, False])",
    "a matrix": "return np.matrix([[1.0, 2.0]])",
    "an array of its own": (
        "class E(np.ndarray):\n"
        "    def __array_ufunc__(s, *a, **k):\n        return True\n"
        "    def __array_function__(s, *a, **k):\n        return True\n"
        "    shape = ndim = dtype = None\n"
        "return np.zeros(3).view(E)"
    ),
    "an array in the other order of bytes": "return np.ones(3, '>f8')",
    "an array of eight terabytes": "return np.broadcast_to(0.0, (10**6, 10**6))",
}
TENSORS = {
    "a tensor of no dimension": "return torch.tensor(0.5)",
    "an empty tensor": "return torch.zeros(0)",
    "a tensor of one": "return torch.ones(1)",
    "a column": "return torch.ones(5, 1)",
    "a tensor of nan": "return torch.full((4, 1), float('nan'))",
    "a tensor of infinities": "return torch.full((4, 1), float('inf'))",
    "a tensor of integers": "return torch.arange(4)",
    "a tensor of bools": "return torch.ones(4, 1, dtype=torch.bool)",
    "a tensor of complex numbers": "return torch.ones(4, 1, dtype=torch.complex64)",
    "a tensor of halves": "return torch.ones(4, 1, dtype=torch.bfloat16)",
    "a tensor of doubles": "return torch.ones(4, 1, dtype=torch.float64)",
    "a leaf that wants a gradient": "return torch.ones(4, 1, requires_grad=True)",
    "a number with a graph": "return torch.ones((), requires_grad=True) * 2",
    "a parameter": "return nn.Parameter(torch.ones(4, 1))",
    "a sparse tensor": "return torch.eye(2).to_sparse()",
    "a tensor of no data": "return torch.zeros(4, 1, device='meta')",
    "a quantised tensor": (
        "import warnings\nwarnings.simplefilter('ignore')\n"
        "return torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)"
    ),
    "a nested tensor": (
        "import warnings\nwarnings.simplefilter('ignore')\n"
        "return torch.nested.nested_tensor([torch.ones(1), torch.ones(2)])"
    ),
    "a conjugate": "return torch.ones(4, 1, dtype=torch.complex64).conj()",
    "a tensor made where none keeps a graph": (
        "with torch.inference_mode():\n    return torch.ones(4, 1)"
    ),
    "an expanded tensor": "return torch.ones(1).expand(10**6, 10**6)",
    "a tensor of its own": (
        "class E(torch.Tensor):\n"
        "    @classmethod\n"
        "    def __torch_function__(cls, *a, **k):\n        return True\n"
        "return torch.Tensor._make_subclass(E, torch.ones(4, 1))"
    ),
    "a network": "return nn.Linear(1, 1)",
    "a network without weights": "return nn.Identity()",
    "a network that fails": (
        "class M(nn.Module):\n    def forward(self, *a):\n        raise StopIteration\nreturn M()"
    ),
    "a network that gives nothing": (
        "class M(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.w = nn.Parameter(torch.ones(1))\n"
        "    def forward(self, *a):\n        return None\n"
        "return M()"
    ),
    "a network of other weights": (
        "class M(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.w = nn.Parameter(torch.ones((), dtype=torch.complex64))\n"
        "    def forward(self, *a):\n        return self.w\n"
        "return M()"
    ),
    "a network and nothing": "return nn.Linear(1, 1), None",
    "a network and text": "return nn.Linear(1, 1), 'history'",
    "a network and numbers": "return nn.Linear(1, 1), [0.5, 0.25]",
    "a state": "return nn.Linear(1, 1).state_dict()",
    "a distribution": "return torch.distributions.Normal(0.0, 1.0)",
}
_OF_A_MODEL = "for x in args:\n    if isinstance(x, nn.Module):\n        {}\nreturn [1.0, 0.5]"
SPOILT = {
    name: _OF_A_MODEL.format(code)
    for name, code in {
        "left alone": "pass",
        "rounded": "x.half()",
        "complex": "x.to(torch.complex64)",
        "without data": "x.to('meta')",
        "disturbed": "[p.data.mul_(0.999) for p in x.parameters()]",
        "with a hook": "x.register_forward_hook(lambda m, i, o: np.ones(3))",
        "with noise": "x.register_forward_hook(lambda m, i, o: o * torch.rand(()))",
        "beside a huge constant": "x.register_forward_hook(lambda m, i, o: 0 * o + 1e18)",
        "another function": "x.forward = lambda *a: 3",
        "of another class": "x.__class__ = nn.Identity",
        "larger": "x.more = nn.Parameter(torch.ones(10**6))",
        "without weights": "[m._parameters.clear() for m in x.modules()]",
    }.items()
}
"""Trainings that do this to the model that they are given, and nothing else."""
GROUPS = {
    "numbers": NUMBERS,
    "texts": TEXTS,
    "containers": CONTAINERS,
    "things": THINGS,
    "arrays": ARRAYS,
    "tensors": TENSORS,
}
