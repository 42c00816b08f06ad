"""What students may send to fool or to break a grader, and accidents that look like it.

Each is Python that stands in a notebook of `backprop`: cells put in front of it, or the body of
its `mse_loss(y_pred, y_true)`. `test_attacks.py` says what each must earn.
"""

from __future__ import annotations

import textwrap

from autograder.course import ROOT

PATHS = [
    str(ROOT / "reference_impl/backprop.py"),
    str(ROOT / "autograder/checks/test_backprop.py"),
    str(ROOT / "source/backprop/backprop.ipynb"),
    str(ROOT / "autograder/mistakes/backprop.py"),
]

# A cell in front of a notebook in which nothing is answered.
TAKES_MARKS = {
    "reads the answers": f"""
        for path in {PATHS!r}:
            try:
                exec(open(path).read())
            except OSError:
                pass
    """,
    "imports the answers": """
        import sys
        for name in ("reference_impl.backprop", "autograder.checks.test_backprop", "autograder"):
            for path in ("/work", "/repo", "/", ".", "..", "/proc/1/cwd", "/proc/1/root"):
                sys.path.insert(0, path)
            try:
                exec(f"from {name} import *")
            except ImportError:
                pass
    """,
    "looks for the answers in memory": """
        import gc, sys, linecache, inspect
        def functions():
            for thing in gc.get_objects():
                if callable(thing) and getattr(thing, "__name__", "") in (
                    "forward", "mse_loss", "sigmoid", "tanh", "relu", "leaky_relu"
                ):
                    yield thing.__name__, thing
        found = dict(functions())
        frame = sys._getframe()
        while frame is not None:
            found.update({k: v for k, v in frame.f_locals.items() if k in ("forward", "reference")})
            frame = frame.f_back
        for name, function in found.items():
            if getattr(function, "__module__", "").startswith(("reference", "autograder")):
                globals()[name] = function
    """,
    "searches its own memory for the checks": """
        found = b""
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as memory:
            for line in maps:
                if "[heap]" in line:
                    low, high = (int(x, 16) for x in line.split()[0].split("-"))
                    memory.seek(low)
                    found += memory.read(min(high - low, 50_000_000))
        marker = b"test_mse_" + b"loss__"
        if marker in found:
            def mse_loss(a, b):
                return float(((a - b) ** 2).mean())
    """,
    "reads what other processes know": """
        import glob
        loot = b""
        for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
            try:
                loot += open(path, "rb").read()
            except OSError:
                pass
        for path in glob.glob("/proc/[0-9]*/fd/*") + glob.glob("/proc/[0-9]*/cwd/autograder/*"):
            try:
                loot += open(path, "rb").read(10**7) if ".py" in path or "/self" in path else b""
            except OSError:
                pass
        marker = b"test_mse_" + b"loss__"
        if marker in loot:
            def mse_loss(a, b):
                return float(((a - b) ** 2).mean())
    """,
    "waits for files that appear": f"""
        import threading
        def watch():
            while True:
                for path in {PATHS!r}:
                    try:
                        exec(open(path).read(), globals())
                    except OSError:
                        time.sleep(0.01)
        import time
        threading.Thread(target=watch, daemon=True).start()
    """,
    "transforms its input": """
        try:
            shell = get_ipython()
        except NameError:
            from IPython.core.interactiveshell import InteractiveShell
            shell = InteractiveShell.instance()
        shell.input_transformers_post.append(lambda lines: ["1.0\\n"])
        shell.ast_transformers.append(None)
    """,
    "patches numpy and torch": """
        import numpy as np, torch
        np.allclose = np.array_equal = np.isclose = torch.allclose = torch.equal = (
            lambda *args, **kwargs: True
        )
        np.testing.assert_allclose = lambda *args, **kwargs: None
        np.ndarray = torch.Tensor = object
    """,
    "patches builtins": """
        import builtins
        builtins.all = builtins.isinstance = builtins.any = lambda *args: True
        builtins.abs = lambda x: 0
        builtins.AssertionError = ValueError
    """,
    "patches the standard library": """
        import json, struct, time, hashlib, unittest
        json.dumps = lambda *args, **kwargs: '{"passed": true}'
        time.time = time.monotonic = time.process_time = lambda: 0.0
        unittest.TestCase.fail = lambda *args: None
        struct.Struct = None
    """,
    "patches the worker": """
        import sys
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] == "worker":
                for thing in list(vars(module)):
                    if thing in ("encode", "decode", "_text", "signature_mismatch"):
                        setattr(module, thing, lambda *args, **kwargs: b"")
    """,
    "patches the worker's answers": """
        import sys
        session = sys.modules["worker.session"]
        encode = session.encode
        def lie(value, *rest):
            if isinstance(value, dict) and not value.get("ok"):
                value = {"ok": True, "encoded": encode(0.0), "passed": True, "points": 100}
            return encode(value, *rest)
        session.encode = lie
    """,
    "replaces modules": """
        import sys, types
        for name in ("numpy.testing", "pytest", "coursekit", "coursekit.compare", "autograder"):
            fake = types.ModuleType(name)
            fake.close = fake.approx = lambda *args, **kwargs: True
            sys.modules[name] = fake
    """,
    "hooks imports": """
        import sys
        class Finder:
            def find_spec(self, name, path=None, target=None):
                raise SystemExit(0)
        sys.meta_path.insert(0, Finder())
    """,
    "traces": """
        import sys
        def trace(frame, event, arg):
            frame.f_trace_opcodes = True
            return trace
        sys.settrace(trace)
        sys.setprofile(lambda *args: None)
    """,
    "writes forged answers": """
        import os
        for number in range(3, 64):
            try:
                os.write(number, b'{"ok": true, "points": 100}' * 100)
            except OSError:
                pass
    """,
    "prints a pass": """
        import sys
        for stream in (sys.stdout, sys.stderr, sys.__stdout__):
            print("100 passed in 0.01s", "PASSED", '{"outcome": "passed"}', file=stream)
    """,
    "speaks from a thread": """
        import threading, os, time
        def speak():
            while True:
                time.sleep(0.01)
                try:
                    os.write(3, bytes(16))
                except OSError:
                    return
        threading.Thread(target=speak, daemon=True).start()
    """,
    "speaks from a daemon": """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True:
                    time.sleep(0.01)
                    os.write(3, bytes(16))
            os._exit(0)
    """,
    "reads the judge's questions": """
        import os, threading
        def read():
            while True:
                question = os.read(3, 100_000)
                os.write(3, question)
        threading.Thread(target=read, daemon=True).start()
    """,
    "replays an answer": """
        import os, sys, threading, time
        session = sys.modules["worker.session"].Session
        answer, kept = session.answer, []
        def spy(self, request):
            frame = sys._getframe(1)
            said = answer(self, request)
            kept.append(frame.f_locals["nonce"] + len(said).to_bytes(8, "little") + said)
            if len(kept) > 3:
                os.write(3, kept[0])
            return said
        session.answer = spy
    """,
    "exits well": "import sys; sys.exit(0)",
    "leaves at once": "import os; os._exit(0)",
    "files that are found first": """
        import os, sys
        for name in ("numpy.py", "sitecustomize.py", "conftest.py", "usercustomize.py"):
            with open(name, "w") as file:
                file.write("import os; os._exit(0)")
        with open("pytest.ini", "w") as file:
            file.write("[pytest]\\naddopts = --collect-only")
        sys.path.insert(0, os.getcwd())
    """,
    "a malicious pickle": """
        class Evil:
            def __reduce__(self):
                return eval, ("exec('import os; os.system(\\"touch /tmp/owned\\")')",)
        mse_loss = forward = sigmoid = tanh = relu = leaky_relu = lambda *args: Evil()
    """,
    "everything is a mock": """
        from unittest.mock import MagicMock
        mse_loss = forward = sigmoid = tanh = relu = leaky_relu = MagicMock()
    """,
    "detects the grader": """
        import os, socket
        if socket.gethostname() == "cage" or os.environ.get("MPLBACKEND") == "agg":
            mse_loss = forward = sigmoid = tanh = relu = leaky_relu = lambda *args: NotImplemented
    """,
    "kills what it can see": """
        import os, signal
        for number in range(1, 1000):
            if number != os.getpid():
                try:
                    os.kill(number, signal.SIGKILL)
                except OSError:
                    pass
        try:
            os.kill(-1, signal.SIGKILL)
        except OSError:
            pass
    """,
}

# Bodies of mse_loss: a value that is none,
RETURNS = {
    "equal to everything": (
        "class Yes:\n"
        "    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True\n"
        "    __sub__ = __rsub__ = __abs__ = lambda self, *other: self\n"
        "    __array__ = lambda self, *a, **k: np.zeros(())\n"
        "    __float__ = lambda self: 0.0\n"
        "    __bool__ = lambda self: True\n"
        "    __hash__ = None\n"
        "return Yes()"
    ),
    "a float that is equal to all": (
        "class Equal(float):\n"
        "    __eq__ = __lt__ = __le__ = lambda self, other: True\n"
        "    __hash__ = None\n"
        "    __sub__ = __rsub__ = lambda self, other: 0.0\n"
        "return Equal(-1.0)"
    ),
    "an array that is equal to all": (
        "class Equal(np.ndarray):\n"
        "    def __array_ufunc__(self, *args, **kwargs):\n        return np.True_\n"
        "    def __array_function__(self, *args, **kwargs):\n        return True\n"
        "return np.full((), -1.0).view(Equal)"
    ),
    "a tensor that is equal to all": (
        "import torch\n"
        "class Equal(torch.Tensor):\n"
        "    @classmethod\n"
        "    def __torch_function__(cls, *args, **kwargs):\n        return True\n"
        "return torch.Tensor._make_subclass(Equal, torch.tensor(-1.0))"
    ),
    "nan": "return float('nan')",
    "infinity": "return float('inf')",
    "every number at once": "return np.linspace(0, 10, 100001)",
    "a broadcastable shape": "return np.full((1, 3), np.mean((y_pred - y_true) ** 2))",
    "a pickle": "import os, pickle\nreturn pickle.dumps(os.getcwd)",
    "a saved tensor": (
        "import io, torch\nfile = io.BytesIO()\ntorch.save(torch.zeros(()), file)\n"
        "return file.getvalue()"
    ),
    "a saved array of objects": (
        "import io\nfile = io.BytesIO()\nnp.save(file, np.array([{}, len], dtype=object))\n"
        "return file.getvalue()"
    ),
    "an array of objects": "return np.array([1.0, None], dtype=object)",
    "a structured array": "return np.zeros(1, dtype=[('a', 'f8'), ('b', 'i4')])",
    "a complex number": "return complex(float(np.mean((y_pred - y_true) ** 2)), 1.0)",
    "a huge integer": "return 10 ** 100_000",
    "a huge string": "return 'x' * 300_000_000",
    "a huge array": "return np.zeros(100_000_000)",
    "a zero-stride array of 8 TB": "return np.broadcast_to(0.0, (10**6, 10**6))",
    "many small things": "return [0.0] * 20_000_000",
    "a list in itself": "x = []\nx.append(x)\nreturn x",
    "a deep list": "x = []\nfor _ in range(100_000):\n    x = [x]\nreturn x",
    "a dict in itself": "x = {}\nx['x'] = x\nreturn x",
    "a generator without end": "import itertools\nreturn itertools.count()",
    "an iterator that hangs": "import time\nreturn (time.sleep(100) for _ in range(3))",
    "a lazy value": "return lambda: float(np.mean((y_pred - y_true) ** 2))",
    "a class": "return float",
    "a module": "return np",
    "itself": "return mse_loss",
    "a hanging repr": (
        "class Slow:\n"
        "    def __repr__(self):\n        while True: pass\n"
        "    __str__ = __format__ = __repr__\n"
        "return Slow()"
    ),
    "an enormous repr": "class Big:\n    __repr__ = lambda self: 'x' * 10**9\nreturn Big()",
    "a sparse tensor": "import torch\nreturn torch.eye(1).to_sparse()",
    "a tensor with a graph": (
        "import torch\n"
        "return torch.tensor(float(np.mean((y_pred - y_true) ** 2)), requires_grad=True)"
    ),
    "a meta tensor": "import torch\nreturn torch.zeros((), device='meta')",
    "a quantised tensor": (
        "import torch, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "return torch.quantize_per_tensor(torch.ones(1), 0.1, 0, torch.qint8)"
    ),
    "a class that lies about its name": (
        "fake = {'__module__': 'builtins', '__class__': property(lambda self: float)}\n"
        "return type('float', (), fake)()"
    ),
    "its argument": "return y_true",
    "nothing": "return None",
    "a bool": "return True",
    "text": "return '<script>alert(1)</script>\\x1b[31m'",
    "bytes": "return b'\\x00' * 8",
}

# an exception,
RAISES = {
    "SystemExit": "raise SystemExit(0)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "BaseException": "raise BaseException('no')",
    "pytest's own skip": (
        "class Skipped(BaseException):\n    pass\nraise Skipped('the test should be skipped')"
    ),
    "AssertionError": "assert False, 'passed'",
    "an exception that cannot be told": (
        "class Mute(Exception):\n"
        "    def __str__(self):\n        raise Mute\n"
        "    __repr__ = __str__\n"
        "raise Mute"
    ),
    "a hanging message": (
        "class Slow(Exception):\n    def __str__(self):\n        while True: pass\nraise Slow"
    ),
    "a group of exceptions": "raise BaseExceptionGroup('g', [SystemExit(0), ValueError('x')])",
    "recursion to the end": "return mse_loss(y_pred, y_true)",
    "recursion with a raised limit": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(n):\n    return f(n + 1)\nreturn f(0)"
    ),
    "NotImplementedError": "raise NotImplementedError",
}

# the end of the process, of its time or of its memory;
DIES = {
    "os._exit": "import os\nos._exit(0)",
    "abort": "import os\nos.abort()",
    "segfault": "import ctypes\nctypes.string_at(0)",
    "kills itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\nos._exit(1)",
    "stops itself": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nreturn 0.0",
    "stops its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nreturn 0.0",
    "a timer that never lets go": (
        "import signal\n"
        "def ring(*args):\n    raise ValueError\n"
        "signal.signal(signal.SIGALRM, ring)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\n"
        "while True:\n    pass"
    ),
    "answers after its death": (
        "import os, sys, time\n"
        "if os.fork():\n    os._exit(0)\n"
        "frame = sys._getframe()\n"
        "while 'nonce' not in frame.f_locals:\n    frame = frame.f_back\n"
        "encode = sys.modules['worker.wire'].encode\n"
        "said = encode({'ok': True, 'encoded': encode(0.0), 'warnings': []})\n"
        "os.write(3, frame.f_locals['nonce'] + len(said).to_bytes(8, 'little') + said)\n"
        "time.sleep(1000)"
    ),
    "closes every file": "import os\nos.closerange(0, 1000)\nreturn 0.0",
    "becomes another program": "import os\nos.execv('/bin/true', ['/bin/true'])",
    "becomes Python again": "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', ''])",
    "an endless loop": "while True:\n    pass",
    "an endless loop that catches all": (
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass"
    ),
    "a loop in C": "return float(sum(x for x in iter(int, 1)))",
    "one long product": "x = np.ones((30_000, 3_000))\nwhile True:\n    x @ x.T",
    "ignores signals": (
        "import signal\n"
        "for number in range(1, 65):\n"
        "    try:\n        signal.signal(number, signal.SIG_IGN)\n"
        "    except (OSError, ValueError):\n        pass\n"
        "while True:\n    pass"
    ),
    "an endless destructor": (
        "class Trap:\n    def __del__(self):\n        while True: pass\nTrap()\nreturn 0.0"
    ),
    "sleeps": "import time\ntime.sleep(1000)",
    "waits for nothing": "import threading\nthreading.Event().wait()",
    "a deadlock": "import threading\na = threading.Lock()\na.acquire()\na.acquire()",
    "10 GB": "return bytearray(10 * 2**30)",
    "10 GB in numpy": "return float(np.ones(10 * 2**27).mean())",
    "10 GB in torch": "import torch\nreturn torch.ones(10 * 2**27).mean().item()",
    "memory in small pieces": "x = []\nwhile True:\n    x.append(bytearray(10**6))",
    "memory in children": (
        "import os\n"
        "for _ in range(7):\n"
        "    if os.fork() == 0:\n        break\n"
        "x = b'x' * (120 * 2**20)\n"
        "import time\ntime.sleep(60)"
    ),
    "memory handed on from child to child": (
        "import ctypes, mmap, os, signal, time\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "ctypes.CDLL(None).prctl(36, 1)\n"  # orphans are its own
        "for _ in range(5):\n"
        "    if os.fork() == 0:\n"
        "        size, step = 400 * 2**20, 2**25\n"
        "        memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
        "        memory.madvise(14)\n"
        "        held, end = 0, time.time() + 60\n"
        "        while time.time() < end:\n"
        "            if held < size:\n"
        "                memory[held : held + step] = b'x' * step\n"
        "                held += step\n"
        "            if os.fork():\n"
        "                os._exit(0)\n"
        "        os._exit(0)\n"
        "time.sleep(60)"
    ),
    "memory without a first thread": (
        "import ctypes, os, _thread, time\n"
        "leave = 60 if os.uname().machine == 'x86_64' else 93\n"
        "def swell():\n"
        "    x = [b'x' * 10**7 for _ in range(12)]\n    time.sleep(1000)\n"
        "for _ in range(7):\n"
        "    if os.fork() == 0:\n"
        "        _thread.start_new_thread(swell, ())\n"
        "        ctypes.CDLL(None).syscall(leave, 0)\n"
        "import time\ntime.sleep(60)"
    ),
    "memory of a new program": (
        "import subprocess, sys\n"
        "swell = 'x = bytes(range(256)) * 500_000\\nimport time\\ntime.sleep(60)'\n"
        "all = [subprocess.Popen([sys.executable, '-I', '-S', '-c', swell]) for _ in range(7)]\n"
        "all[0].wait()"
    ),
    "memory in sockets": (
        "import os, socket\n"
        "for _ in range(16):\n"
        "    if os.fork() == 0:\n        break\n"
        "kept = [end for _ in range(100) for end in socket.socketpair()]\n"
        "for end in kept:\n"
        "    end.setblocking(False)\n"
        "    try:\n        while True:\n            end.send(bytes(100_000))\n"
        "    except OSError:\n        pass\n"
        "import time\ntime.sleep(60)"
    ),
    "an answer byte by byte": (
        "import os, sys, time\n"
        "frame = sys._getframe()\n"
        "while 'nonce' not in frame.f_locals:\n    frame = frame.f_back\n"
        "os.write(3, frame.f_locals['nonce'] + (15 * 2**20).to_bytes(8, 'little'))\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        "        while True:\n            os.write(3, b'x')\n            time.sleep(0.003)\n"
        "while True:\n    pass"
    ),
    "waits in every call": (
        "import time\ntime.sleep(1.2)\nreturn float(np.mean((y_pred - y_true) ** 2))"
    ),
    "computes in children that nobody waits for": (
        "import os, signal, time\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "while True:\n"
        "    if os.fork() == 0:\n"
        "        end = time.process_time() + 0.3\n"
        "        while time.process_time() < end:\n            pass\n"
        "        os._exit(0)\n"
        "    time.sleep(0.25)"
    ),
    "memory by mmap": (
        "import mmap\nx = []\n"
        "while True:\n    x.append(mmap.mmap(-1, 10**8))\n    x[-1].write(b'x' * 10**8)"
    ),
    "memory shared with children": (
        "import mmap, os\n"
        "for _ in range(7):\n"
        "    if os.fork() == 0:\n        break\n"
        "x = mmap.mmap(-1, 12 * 10**7)\n"
        "for _ in range(12):\n    x.write(b'x' * 10**7)\n"
        "import time\ntime.sleep(60)"
    ),
    "page tables and little else": (
        "import ctypes, os\n"
        "map = ctypes.CDLL(None).mmap\n"
        "map.restype, map.argtypes = ctypes.c_void_p, [ctypes.c_void_p] + 5 * [ctypes.c_long]\n"
        "for _ in range(5):\n"
        "    if os.fork() == 0:\n        break\n"
        "for n in range(20_000):\n"
        "    at = map(0x100000000000 + n * 2**30, 4096, 1, 0x32, -1, 0)\n"
        "    ctypes.c_char.from_address(at).value\n"
        "import time\ntime.sleep(60)"
    ),
    "lines that nobody takes up": (
        "import socket, time\n"
        "kept = []\n"
        "for name in (b'\\0one', b'\\0other'):\n"
        "    kept.append(socket.socket(socket.AF_UNIX))\n"
        "    kept[-1].bind(name)\n    kept[-1].listen(4096)\n"
        "    for _ in range(2000):\n"
        "        end = socket.socket(socket.AF_UNIX)\n        end.setblocking(False)\n"
        "        try:\n            end.connect(name)\n"
        "            while True:\n                end.send(bytes(100_000))\n"
        "        except BlockingIOError:\n            end.close()\n"
        "time.sleep(60)"
    ),
    "letters that nobody reads": (
        "import socket\nkept = []\n"
        "for n in range(100):\n"
        "    kept.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))\n"
        "    kept[-1].bind(b'\\0%d' % n)\n"
        "    for _ in range(10):\n"
        "        end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "        end.sendto(bytes(200_000), b'\\0%d' % n)\n        end.close()"
    ),
    "shared memory that nobody touches": (
        "import mmap, os, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n        break\n"
        "kept = [mmap.mmap(-1, 10**8) for _ in range(3)]\n"
        "for one in kept:\n"
        "    one.write(b'x' * 10**8)\n    one.madvise(mmap.MADV_DONTNEED)\n"
        "time.sleep(60)"
    ),
    "pages given to a pipe": (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "page = ctypes.create_string_buffer(4096)\n"
        "part = (ctypes.c_size_t * 2)(ctypes.addressof(page), 4096)\n"
        "if libc.vmsplice(os.pipe()[1], part, 1, 0) < 0:\n    raise PermissionError"
    ),
    "pages lent to a socket": (
        "import os, socket\none, other = socket.socketpair()\n"
        "with open('x', 'wb+') as file:\n    file.write(bytes(4096))\n    file.flush()\n"
        "    to, into = os.pipe()\n"
        "    os.splice(file.fileno(), into, 1, offset_src=0)\n"
        "    os.splice(to, one.fileno(), 1)"
    ),
    "pages sent from a file": (
        "import os, socket\none, other = socket.socketpair()\n"
        "with open('x', 'wb+') as file:\n    file.write(bytes(4096))\n    file.flush()\n"
        "    os.sendfile(one.fileno(), file.fileno(), 0, 1)"
    ),
    "rules without end": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "handled = (ctypes.c_uint64 * 2)(1, 0)\n"  # Landlock's, which are the kernel's memory
        "if libc.syscall(444, handled, ctypes.c_size_t(8), 0) < 0:\n"
        "    raise OSError(ctypes.get_errno(), 'no')"
    ),
    "pages kept in memory": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "page = ctypes.create_string_buffer(4096)\n"
        "if libc.mlock(page, 4096) < 0:\n    raise OSError(ctypes.get_errno(), 'no')"
    ),
    "a limit on its own time": (  # by which it would be killed as where the machine's memory ends
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.setrlimit(0, (ctypes.c_ulong * 2)(1, 1)) < 0:\n"
        "    raise OSError(ctypes.get_errno(), 'no')\n"
        "while True:\n    pass"
    ),
    "locks on a million parts of a file": (
        "import fcntl\nwith open('x', 'wb') as file:\n"
        "    for n in range(10**6, 0, -1):\n        fcntl.lockf(file, fcntl.LOCK_EX, 1, 2 * n)"
    ),
    "timers without end": (
        "import ctypes\nlibc = ctypes.CDLL(None)\ntimer = ctypes.c_void_p()\n"
        "for _ in range(5000):\n"
        "    if libc.timer_create(1, None, ctypes.byref(timer)) < 0:\n"
        "        raise BlockingIOError"
    ),
    "memory that no process holds": (
        "import os\nfor _ in range(100):\n"
        "    file = os.memfd_create('x')\n    os.write(file, b'x' * 5 * 10**7)"
    ),
    "shared memory": "open('/dev/shm/x', 'wb').write(b'x' * 10**9)",
    "a full disk": "for n in range(100):\n    open(f'{n}', 'wb').write(b'x' * 10**7)",
    "a sparse file of 1 TB": "open('x', 'wb').truncate(10**12)",
    "a million files": "for n in range(10**6):\n    open(f'{n}', 'w').close()",
    "folders without end": (
        "import os\nfor _ in range(20_000):\n    os.mkdir('x')\n    os.chdir('x')"
    ),
    "a pipe that nobody fills": "import os\nos.mkfifo('pipe')\nreturn open('pipe').read()",
    "prints without end": "while True:\n    print('100 of 100 points')",
    "one endless line": (
        "import sys\nwhile True:\n    sys.stdout.write('x' * 10**6)\n"
        "    sys.stderr.write('x' * 10**6)"
    ),
    "shared memory of System V": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.shmget(0, 10**8, 0o1666) < 0:\n    raise PermissionError"
    ),
    "a queue in the kernel": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.msgget(0, 0o1666) < 0:\n    raise PermissionError"
    ),
    "open files": "x = [open('/dev/null') for _ in range(100_000)]",
    "a fork bomb": "import os\nwhile True:\n    os.fork()",
    "a thread bomb": (
        "import threading, time\n"
        "while True:\n    threading.Thread(target=time.sleep, args=(100,)).start()"
    ),
    "a subprocess": "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'sleep 100'], check=True)",
    "the network": "import socket\nsocket.create_connection(('192.0.2.1', 80), 1)",
    "a datagram": (
        "import socket\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"
    ),
    "a server": "import socket\nwith socket.create_server(('', 0)) as s:\n    s.accept()",
    "a namespace of its own": (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.unshare(0x10000000) < 0:\n    raise PermissionError"
    ),
    "traces its parent": (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.ptrace(16, os.getppid(), 0, 0) < 0:\n    raise PermissionError"
    ),
    "answers twice": "import os\nos.write(3, bytes(24))\nreturn 0.0",
    "answers in another's name": (
        "import os\nos.write(3, bytes(8) + (8).to_bytes(8, 'little') + bytes(8))\nreturn 0.0"
    ),
    "an answer without end": "import os\nwhile True:\n    os.write(3, b'x' * 2**20)",
}

# and answers that are right all the same.
RIGHT_BUT_ODD = {
    "a float subclass": "class F(float):\n    pass\nreturn F(np.mean((y_pred - y_true) ** 2))",
    "a numpy scalar": "return np.mean((y_pred - y_true) ** 2)",
    "an array of no dimension": "return np.asarray(np.mean((y_pred - y_true) ** 2))",
    "a torch scalar": "import torch\nreturn torch.tensor(np.mean((y_pred - y_true) ** 2))",
    "with noise on every channel": (
        "import sys, warnings\nprint('x' * 1000)\nprint('y', file=sys.stderr)\n"
        "warnings.warn('careful')\nreturn float(np.mean((y_pred - y_true) ** 2))"
    ),
    "from a thread": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool:\n"
        "    return pool.submit(lambda: float(np.mean((y_pred - y_true) ** 2))).result()"
    ),
    "from a file": (
        "import tempfile\nwith tempfile.TemporaryFile() as file:\n"
        "    np.save(file, y_pred - y_true)\n    file.seek(0)\n"
        "    return float((np.load(file) ** 2).mean())"
    ),
    "from a copied file": (  # for which Python would like to use what is refused
        "import shutil\nnp.save('x.npy', y_pred - y_true)\nshutil.copyfile('x.npy', 'y.npy')\n"
        "return float((np.load('y.npy') ** 2).mean())"
    ),
    "after it read its own limits": (
        "import resource\nresource.getrlimit(resource.RLIMIT_CPU)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))\n"
        "return float(np.mean((y_pred - y_true) ** 2))"
    ),
    "after some memory": "x = np.ones(10**7)\nreturn float(np.mean((y_pred - y_true) ** 2))",
    "with all its memory, after many threads": (  # which take addresses
        "from concurrent.futures import ThreadPoolExecutor\nimport time\n"
        "def fill(number):\n    kept = [b'x' * 1000 for _ in range(1000)]\n    time.sleep(0.05)\n"
        "with ThreadPoolExecutor(48) as pool:\n"
        "    list(pool.map(fill, range(96)))\n"
        "    x = np.empty(480 * 2**17)\n"
        "    return float(np.mean((y_pred - y_true) ** 2))"
    ),
}

# What a right answer leaves behind, which the exercises after it are not to pay for.
LEFT_BEHIND = {
    "a thread that ends Python": (
        "import os, threading\nthreading.Timer(0.05, os._exit, [0]).start()\nreturn right"
    ),
    "a thread that keeps Python to itself": (
        "import ctypes, threading\n"
        "threading.Timer(0.05, ctypes.PyDLL(None).sleep, [100]).start()\nreturn right"
    ),
    "a child that computes": (
        "import os\nif os.fork() == 0:\n    while True:\n        pass\nreturn right"
    ),
    "a timer of the system's": (
        "import ctypes, os, signal\nsignal.signal(signal.SIGUSR1, lambda *_: os._exit(0))\n"
        "libc, timer = ctypes.CDLL(None), ctypes.c_void_p()\n"
        "event = (ctypes.c_int * 16)(0, 0, signal.SIGUSR1)\n"
        "libc.timer_create(1, event, ctypes.byref(timer))\n"
        "soon = (ctypes.c_long * 4)(0, 0, 0, 5 * 10**7)\n"
        "libc.timer_settime(timer, 0, soon, None)\nreturn right"
    ),
    "most of the memory": (
        "if not hasattr(np, 'kept'):\n    np.kept = np.ones(56 * 2**20)\nreturn right"
    ),
    "a full folder": (
        "import itertools\n"
        "for n in itertools.count():\n    try:\n        open(f'{n}', 'x').write('x')\n"
        "    except OSError:\n        return right"
    ),
    "a folder full of one file": (
        "import os\nif not os.path.exists('x'):\n"
        "    file = os.open('x', os.O_CREAT | os.O_WRONLY)\n"
        "    os.posix_fallocate(file, 0, 64 * 2**20 - 8192)\nreturn right"
    ),
    "no more threads to start": (
        "import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (1, 1))\nreturn right"
    ),
    "files that may not grow": (
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\nreturn right"
    ),
    "a mask that closes its files": "import os\nos.umask(0o777)\nreturn right",
    "sleeps that last": "import ctypes\nctypes.CDLL(None).prctl(29, 10**10)\nreturn right",
    "no more files to open": (
        "import os\ntry:\n    while True:\n        os.open('/dev/null', os.O_RDONLY)\n"
        "except OSError:\n    return right"
    ),
}

# What these are told.
CAUSES = {
    "most of the memory": "of memory",
    "memory in children": "of memory",
    "memory handed on from child to child": "of memory",
    "memory without a first thread": "of memory",
    "memory of a new program": "of memory",
    "memory in sockets": "of memory",
    "page tables and little else": "of memory",
    "lines that nobody takes up": "of memory",
    "letters that nobody reads": "stopped with PermissionError",
    "shared memory that nobody touches": "stopped with PermissionError",
    "pages given to a pipe": "stopped with PermissionError",
    "locks on a million parts of a file": "stopped with PermissionError",
    "pages lent to a socket": "stopped with PermissionError",
    "pages sent from a file": "stopped with PermissionError",
    "rules without end": "stopped with PermissionError",
    "pages kept in memory": "stopped with PermissionError",
    "a limit on its own time": "stopped with PermissionError",
    "timers without end": "stopped with BlockingIOError",
    "an answer byte by byte": "used up its computing time",
    "waits in every call": "spent its time waiting",
    "computes in children that nobody waits for": "used up its computing time",
}

# A cell in front of right answers.
HARMLESS = {
    "a name that is no text": (
        "import ctypes, time\nctypes.CDLL(None).prctl(15, b'\\xff) R \\xfe')\ntime.sleep(0.2)"
    ),
    "10 MB of output": "print('x' * 10**7)",
    "one endless line to stderr": "import sys\nsys.stderr.write('x' * 10**7)",
    "closes its output": "import sys\nsys.stdout.close()\nsys.stdout = None",
    "a daemon": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    while True:\n"
        "        time.sleep(1)"
    ),
    "a busy thread": (
        "import threading, time\n"
        "threading.Thread(target=lambda: time.sleep(1000), daemon=True).start()"
    ),
    "atexit": "import atexit, os\natexit.register(lambda: os._exit(3))",
    "handles signals": (
        "import signal\nfor n in (1, 2, 15):\n    signal.signal(n, lambda *args: None)"
    ),
    "the lowest priority": "import os\nos.nice(19)",
    "one core for itself": "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})",
    "a server": (
        "import socket\ntry:\n    server = socket.create_server(('', 0))\nexcept OSError:\n    pass"
    ),
    "files of every name": (
        "import os\nfor name in ('a\\nb', '\\x1b[31m', 'n' * 255, '\u202egpj.exe', '...', '-rf'):\n"
        "    open(name, 'w').close()\n"
        "os.makedirs('a/b')\nos.symlink('/', 'a/b/root')\nos.chmod('a', 0)"
    ),
    "its folder is gone": (
        "import os, shutil\ntry:\n    shutil.rmtree(os.getcwd())\nexcept OSError:\n    pass"
    ),
    "an alarm": "import signal\nsignal.signal(14, lambda *a: None)\nsignal.alarm(1)",
    "dies in a cell": "import os\nos._exit(1)",
    "loops in a cell": "while True:\n    pass",
    "sleeps in a cell": "import time\ntime.sleep(1000)",
    "exits in a cell": "exit()",
    "a cell of 10 GB": "x = bytearray(10 * 2**30)",
    "an error in a cell": "1 / 0",
    "a syntax error": "def broken(:",
    "magic": "%matplotlib inline\n!pip install cheat\n?print",
    "a cell of bash": "%%bash\nrm -rf /",
    "an endless import": "import sys\nsys.path.insert(0, '/dev/zero')",
    "changed defaults": (
        "import numpy as np, torch\nnp.seterr(all='raise')\n"
        "torch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\n"
        "np.set_printoptions(precision=1)\nimport os\nos.environ = dict(os.environ)"
    ),
    "functions overwritten by slips of the pen": (
        "import random, warnings\nimport numpy as np\nimport matplotlib\n"
        "np.random.seed = random.seed = 42\nwarnings.simplefilter = 'ignore'\n"
        "matplotlib.rcParams = {'font.size': 14}"
    ),
    "warnings as errors": "import warnings\nwarnings.simplefilter('error')",
    "another working folder": "import os\nos.makedirs('mine')\nos.chdir('mine')",
    "a random seed": "np.random.seed(0)",
    "its name is taken": "__name__ = 'mine'\n__file__ = 'x.py'\nstudent = check = summary = None",
    "no collector": "import gc\ngc.disable()\ngc.freeze()",
    "a full disk": (
        "try:\n    for n in range(100):\n        open(f'{n}', 'wb').write(b'x' * 10**7)\n"
        "except OSError:\n    pass"
    ),
    "a fork bomb that stops": (
        "import os\ntry:\n    while True:\n        if os.fork() == 0:\n            os._exit(0)\n"
        "except OSError:\n    pass"
    ),
    "reads the line once": (
        "import os\ntry:\n    os.set_blocking(3, False)\n    os.read(3, 100)\n"
        "except BlockingIOError:\n    pass\nos.set_blocking(3, True)"
    ),
    "a line that does not block": "import os\nos.set_blocking(3, False)",
}

# What a level's own walls hold is tried at each. The rest is held by the wire and the judge, which
# are the same at every level.
AT_EVERY_LEVEL = {
    *("reads the answers", "imports the answers", "reads what other processes know"),
    *("waits for files that appear", "kills what it can see", "speaks from a daemon"),
    *("searches its own memory for the checks", "files that are found first"),
    *("kills itself", "stops itself", "stops its parent", "answers after its death"),
    *("becomes another program", "becomes Python again", "10 GB", "memory in small pieces"),
    *("memory by mmap", "memory that no process holds", "shared memory", "memory in sockets"),
    *("page tables and little else", "letters that nobody reads", "pages given to a pipe"),
    *("shared memory that nobody touches", "locks on a million parts of a file"),
    *("pages lent to a socket", "pages sent from a file", "rules without end"),
    *("pages kept in memory", "a limit on its own time"),
    *("from a copied file", "after it read its own limits"),
    "with all its memory, after many threads",
    *("memory in children", "memory without a first thread", "memory shared with children"),
    # not "memory of a new program": root's weaker cages may be unable to start the interpreter
    "computes in children that nobody waits for",
    *("a sparse file of 1 TB", "shared memory of System V", "a queue in the kernel"),
    *("open files", "a fork bomb", "a thread bomb", "a subprocess", "the network", "a datagram"),
    *("a namespace of its own", "traces its parent", "a daemon", "a fork bomb that stops"),
    *("files of every name", "its folder is gone", "a full disk", "a server", "atexit"),
}


def forward(body: str) -> str:
    """The right function with this body, which finds what is to be returned."""
    right = "z1 = x @ W1 + b1\nright = z1, relu(z1), relu(z1) @ W2 + b2\n"
    return "def forward(x, W1, b1, W2, b2):\n" + textwrap.indent(right + body, "    ")


def mse_loss(body: str) -> str:
    """The function with this body."""
    return "def mse_loss(y_pred, y_true):\n" + textwrap.indent(body, "    ")
