# SPDX-License-Identifier: MIT
"""PyTorch or ONNX Runtime as a peer of clact_bench; the requests that it answers are in peer.h.

    python3 peers.py pytorch|onnxruntime THREADS
"""
import sys
import time

PATTERN, SAMPLES = 65521, 64  # as in samples.h
INTEGERS = {"f32": "int32", "f16": "int16", "bf16": "int16", "f64": "int64"}
FLOATS = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "f64": "float64"}


class Missing(Exception):
    """The library, or what it needs, is not there."""


class PyTorch:
    """Writes into a given output where PyTorch has a call for that; else its ordinary calls."""

    # op: the name of the call, what its output is called, what follows x
    FORWARD = {
        "sigmoid": ("sigmoid", "out", lambda p: ()),
        "tanh": ("tanh", "out", lambda p: ()),
        "softplus": ("softplus", "out", lambda p: (p.beta,)),
        "silu": ("silu", "out", lambda p: ()),
        "gelu": ("gelu", "out", lambda p: ()),
        "gelu_tanh": ("gelu", "out", lambda p: ()),
        "relu": ("clamp_min", "out", lambda p: (0,)),  # relu.out copies a fresh output
        "leaky_relu": ("leaky_relu", "out", lambda p: (p.alpha,)),
        "elu": ("elu", "out", lambda p: (p.alpha,)),
        "selu": ("elu", "out", lambda p: (p.alpha, p.gamma)),
        "hard_sigmoid": ("hardsigmoid", "out", lambda p: ()),
        "hard_swish": ("hardswish", "out", lambda p: ()),
        "mish": ("mish", "out", lambda p: ()),
    }
    # (op, direction): the same, what follows grad and the saved value
    GRADIENT = {
        ("sigmoid", "from_output"): ("sigmoid_backward", "grad_input", lambda p: ()),
        ("tanh", "from_output"): ("tanh_backward", "grad_input", lambda p: ()),
        ("softplus", "from_input"): ("softplus_backward", "grad_input", lambda p: (p.beta, 20)),
        ("silu", "from_input"): ("silu_backward", "grad_input", lambda p: ()),
        ("gelu", "from_input"): ("gelu_backward", "grad_input", lambda p: ()),
        ("gelu_tanh", "from_input"): ("gelu_backward", "grad_input", lambda p: ()),
        ("relu", "from_output"): ("threshold_backward", "grad_input", lambda p: (0,)),
        ("relu", "from_input"): ("threshold_backward", "grad_input", lambda p: (0,)),
        ("leaky_relu", "from_input"): (
            "leaky_relu_backward",
            "grad_input",
            lambda p: (p.alpha, False),
        ),
        ("hard_sigmoid", "from_input"): ("hardsigmoid_backward", "grad_input", lambda p: ()),
        ("hard_swish", "from_input"): ("hardswish_backward", "grad_input", lambda p: ()),
        ("mish", "from_input"): ("mish_backward", "grad_input", lambda p: ()),
    }

    def __init__(self, threads):
        try:
            import torch
        except Exception as error:
            raise Missing(f"PyTorch cannot be imported: {error}")
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.torch = torch
        self.version = f"PyTorch {torch.__version__}"

    def enter(self, job):
        if job.op == "hard_sigmoid":
            job.alpha, job.beta = 1 / 6, 0.5  # it has no other
        if job.op == "silu" and job.beta != 1:
            return None
        torch = self.torch
        kind = getattr(torch, FLOATS[job.dtype])
        self.integer = getattr(torch, INTEGERS[job.dtype])
        total = job.n * job.slices
        self.inputs = []
        for pattern in job.patterns:
            values = torch.frombuffer(pattern, dtype=kind).repeat(total // PATTERN + 1)
            self.inputs.append(values[:total].clone().reshape(job.slices, job.n))
        self.output = torch.empty(job.slices, job.n, dtype=kind)
        self.fresh = None
        try:
            self.call, way = self.choose(job)
            self.call(0)
        except (KeyError, AttributeError, NotImplementedError, RuntimeError):
            self.leave()
            return None
        return way

    def choose(self, job):
        """The function of a slice that does the job, and what it calls."""
        if job.direction == "forward" and job.op in self.FORWARD:
            return self.bind(job, *self.FORWARD[job.op])
        if (job.op, job.direction) in self.GRADIENT:
            return self.bind(job, *self.GRADIENT[job.op, job.direction])
        return self.OTHERS[job.op, job.direction](self, job)

    def bind(self, job, name, output, follows):
        function = getattr(self.torch.ops.aten, name)
        follows = follows(job)
        options = {"approximate": "tanh"} if job.op == "gelu_tanh" else {}
        inputs, y = self.inputs, self.output
        if output in function.overloads():
            writes = getattr(function, output)

            def run(i):
                writes(*[x[i] for x in inputs], *follows, **options, **{output: y[i]})

            return run, f"{name} to a given output"

        def run_fresh(i):
            self.fresh = function(*[x[i] for x in inputs], *follows, **options)

        return run_fresh, f"{name} to a fresh output"

    # What is not one call on x, or on grad and the saved value.

    def softsign(self, job):
        x, y, torch = self.inputs[0], self.output, self.torch
        scale = torch.empty_like(x[0])

        def run(i):
            torch.abs(x[i], out=scale)
            torch.add(scale, 1, out=scale)
            torch.div(x[i], scale, out=y[i])

        return run, "abs + add + div to given outputs"

    def softsign_gradient(self, job):
        (grad, x), y, torch = self.inputs, self.output, self.torch
        scale = torch.empty_like(x[0])

        def run(i):
            torch.abs(x[i], out=scale)
            torch.add(scale, 1, out=scale)
            torch.mul(scale, scale, out=scale)
            torch.div(grad[i], scale, out=y[i])

        return run, "abs + add + mul + div to given outputs"

    def straight_through(self, job):
        x, y, call = self.inputs[0], self.output, self.torch.ops.aten.ge.Scalar_out
        return lambda i: call(x[i], 0, out=y[i]), "ge to a given output"

    def forward_and_gradient(self, job):
        """Of operators whose gradient PyTorch takes from the output: that is computed first."""
        (grad, x), y = self.inputs, self.output
        name = "tanh" if job.op == "tanh" else "sigmoid"
        forward = getattr(self.torch.ops.aten, name).out
        backward = getattr(self.torch.ops.aten, name + "_backward").grad_input

        def run(i):
            forward(x[i], out=y[i])
            backward(grad[i], y[i], grad_input=y[i])

        return run, f"{name} + {name}_backward to a given output"

    def log_sigmoid(self, job):
        x, y = self.inputs[-1], self.output
        call, buffer = self.torch.ops.aten.log_sigmoid_forward.output, self.torch.empty_like(x)

        def run(i):
            call(x[i], output=y[i], buffer=buffer[i])

        self.buffer = buffer
        return run, "log_sigmoid_forward to given outputs"

    def log_sigmoid_gradient(self, job):
        """From x and what the forward pass has left in its second output."""
        (grad, x), y = self.inputs, self.output
        forward, _ = self.log_sigmoid(job)
        for i in range(job.slices):
            forward(i)
        call, buffer = self.torch.ops.aten.log_sigmoid_backward.grad_input, self.buffer
        return (
            lambda i: call(grad[i], x[i], buffer[i], grad_input=y[i]),
            "log_sigmoid_backward to a given output",
        )

    def elu_gradient(self, job):
        (grad, x), y = self.inputs, self.output
        call, scale = self.torch.ops.aten.elu_backward.grad_input, job.gamma or 1
        return (
            lambda i: call(grad[i], job.alpha, scale, 1, False, x[i], grad_input=y[i]),
            "elu_backward to a given output",
        )

    OTHERS = {
        ("softsign", "forward"): softsign,
        ("softsign", "from_input"): softsign_gradient,
        ("straight_through_sigmoid", "forward"): straight_through,
        ("straight_through_sigmoid", "from_input"): forward_and_gradient,
        ("sigmoid", "from_input"): forward_and_gradient,
        ("tanh", "from_input"): forward_and_gradient,
        ("log_sigmoid", "forward"): log_sigmoid,
        ("log_sigmoid", "from_input"): log_sigmoid_gradient,
        ("elu", "from_input"): elu_gradient,
        ("selu", "from_input"): elu_gradient,
    }

    def run(self, i):
        self.call(i)

    def poison(self, i):
        self.fresh = None
        self.output[i].view(self.integer).fill_(-1)

    def sample(self, i, places):
        result = self.output[i] if self.fresh is None else self.fresh
        return result.view(self.integer)[places].tolist()

    def leave(self):
        self.inputs = self.output = self.fresh = self.buffer = self.call = None


class OnnxRuntime:
    """A model of one node for each operator, with its input and its output bound to arrays."""

    # op: the node's type, its attributes
    NODES = {
        "sigmoid": ("Sigmoid", lambda p: {}),
        "tanh": ("Tanh", lambda p: {}),
        "softplus": ("Softplus", lambda p: {}),
        "silu": ("Swish", lambda p: {"alpha": p.beta}),
        "gelu": ("Gelu", lambda p: {"approximate": "none"}),
        "gelu_tanh": ("Gelu", lambda p: {"approximate": "tanh"}),
        "relu": ("Relu", lambda p: {}),
        "leaky_relu": ("LeakyRelu", lambda p: {"alpha": p.alpha}),
        "elu": ("Elu", lambda p: {"alpha": p.alpha}),
        "selu": ("Selu", lambda p: {"alpha": p.alpha, "gamma": p.gamma}),
        "hard_sigmoid": ("HardSigmoid", lambda p: {"alpha": p.alpha, "beta": p.beta}),
        "hard_swish": ("HardSwish", lambda p: {}),
        "mish": ("Mish", lambda p: {}),
        "softsign": ("Softsign", lambda p: {}),
    }

    def __init__(self, threads):
        try:
            import numpy
            import onnx
            import onnxruntime
        except Exception as error:
            raise Missing(f"ONNX Runtime, or onnx, cannot be imported: {error}")
        self.numpy, self.onnx, self.runtime, self.threads = numpy, onnx, onnxruntime, threads
        onnxruntime.set_default_logger_severity(4)
        self.version = f"ONNX Runtime {onnxruntime.__version__}"

    def session(self, job):
        helper, tensor = self.onnx.helper, self.onnx.TensorProto
        kind = {"f32": tensor.FLOAT, "f16": tensor.FLOAT16, "f64": tensor.DOUBLE}[job.dtype]
        name, attributes = self.NODES[job.op]
        graph = helper.make_graph(
            [helper.make_node(name, ["x"], ["y"], **attributes(job))],
            job.op,
            [helper.make_tensor_value_info("x", kind, [job.n])],
            [helper.make_tensor_value_info("y", kind, [job.n])],
        )
        opset = 24 if name == "Swish" else 20
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10
        )
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        return self.runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def enter(self, job):
        if job.direction != "forward" or (job.op == "softplus" and job.beta != 1):
            return None
        numpy = self.numpy
        try:
            self.model = self.session(job)
        except Exception:  # it has no such operator in this type
            return None
        kind = numpy.dtype(FLOATS[job.dtype])
        self.integer = INTEGERS[job.dtype]
        total = job.n * job.slices
        values = numpy.resize(numpy.frombuffer(job.patterns[0], dtype=kind), total)
        self.input = values.reshape(job.slices, job.n)
        self.output = numpy.empty_like(self.input)
        self.bindings = []
        for x, y in zip(self.input, self.output):
            binding = self.model.io_binding()
            binding.bind_input("x", "cpu", 0, kind.type, [job.n], x.ctypes.data)
            binding.bind_output("y", "cpu", 0, kind.type, [job.n], y.ctypes.data)
            self.bindings.append(binding)
        return self.NODES[job.op][0] + " to a given output"

    def run(self, i):
        self.model.run_with_iobinding(self.bindings[i])

    def poison(self, i):
        self.output[i].view(self.integer).fill(-1)

    def sample(self, i, places):
        return self.output[i].view(self.integer)[places].tolist()

    def leave(self):
        self.model = self.bindings = self.input = self.output = None


class Job:
    def __init__(self, words, stream):
        self.op, self.direction, self.dtype = words[:3]
        self.n, self.slices = int(words[3]), int(words[4])
        self.alpha, self.beta, self.gamma = map(float, words[5:8])
        data = stream.read(int(words[8]))
        inputs = 1 if self.direction == "forward" else 2
        size = len(data) // inputs
        self.patterns = [bytearray(data[i * size : (i + 1) * size]) for i in range(inputs)]


def answer(library, words, stream, state):
    if words[0] == "job":
        job = Job(words[1:], stream)
        state["job"] = job
        way = library.enter(job)
        return "no" if way is None else f"yes {job.alpha!r} {job.beta!r} {job.gamma!r} {way}"
    job = state["job"]
    if words[0] == "run":
        first, count = int(words[1]), int(words[2])
        seconds = []
        for i in range(first, first + count):
            start = time.perf_counter()
            library.run(i % job.slices)
            seconds.append(time.perf_counter() - start)
        return " ".join(f"{s:.9f}" for s in seconds)
    if words[0] == "sample":
        n = job.n
        places = [(n // SAMPLES * k + k) % n for k in range(SAMPLES - 1)] + [n - 1]
        mask = {"int16": 0xFFFF, "int32": 0xFFFFFFFF}.get(INTEGERS[job.dtype], 2**64 - 1)
        return " ".join(f"{v & mask:x}" for v in library.sample(int(words[1]), places))
    if words[0] == "poison":
        library.poison(int(words[1]))
    else:
        library.leave()
    return "done"


def main():
    try:
        library = {"pytorch": PyTorch, "onnxruntime": OnnxRuntime}[sys.argv[1]](int(sys.argv[2]))
    except Missing as error:
        print("none", " ".join(str(error).split()))
        return
    print("peer", library.version, flush=True)
    stream, state = sys.stdin.buffer, {}
    while line := stream.readline():
        print(answer(library, line.decode().split(), stream, state), flush=True)


main()
