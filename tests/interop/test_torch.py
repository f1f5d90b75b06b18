"""Circuits, devices and layers as modules of PyTorch, against engine, training room and differences."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.devices import Device, Digital, WeightBank
from photosim.training.devices.mesh.circuit import mesh_chip
from photosim.training.layers.activations import activation
from photosim.training.layers.circuit import CircuitLayer
from photosim.training.layers.network import dense_network
from photosim.training.losses import CLASSIFICATION
from photosim.training.passes import run
from photosim.training.rules import Backprop

torch: Any = pytest.importorskip("torch", reason="PyTorch is an extra: pip install 'photosim[torch]'")

CIRCUITS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "add_drop_ring": (["in", "add"], ["drop", "through"], ["ring.radius", "ring.coupling"]),
    "all_pass_ring": (["in"], ["out"], ["*.coupling"]),
    "clements_4x4": (["in0", "in1", "in2", "in3"], ["out0", "out3"], ["*.phase"]),
    "mzi_unbalanced": (["in"], ["out"], ["*length"]),
    "mzi_balanced": (["in"], ["out"], ["*length"]),
    "mzi_lattice": (["in"], ["out"], ["*.coupling"]),
    "crow": (["in"], ["drop"], ["*.coupling"]),
    "fabry_perot": (["in"], ["out"], ["*length"]),
    "bragg_filter": (["in"], ["drop"], ["*.isolation_dB"]),
    "wdm_rings": (["in"], ["out"], ["*coupling"]),
}


def usable(name: str) -> tuple[ps.Circuit, list[str], list[str], list[str]]:
    """Return a gallery circuit with ports that it has, and patterns of settings."""
    circuit = ps.Circuit(name)
    inputs, outputs, patterns = CIRCUITS[name]
    ins = [port for port in inputs if port in circuit.ports] or [circuit.ports[0]]
    outs = [port for port in outputs if port in circuit.ports] or [circuit.ports[-1]]
    return circuit, ins, outs, patterns


def called(module: Any) -> Any:
    """Return the operator as a function of x and the parameters."""
    number = module.operation.number
    none = torch.tensor(0)
    return lambda x, *own: torch.ops.photosim.forward(x, list(own), none, number)


@pytest.mark.parametrize("name", CIRCUITS)
def test_gradients_of_circuits_agree_with_differences(name: str) -> None:
    circuit, inputs, outputs, parameters = usable(name)
    module = ps.interop.torch.CircuitModule(circuit, inputs, outputs, parameters, wl=[1.5503, 1.5511])
    torch.manual_seed(0)
    x = torch.randn(2, 1, len(inputs), dtype=torch.complex128, requires_grad=True)
    assert torch.autograd.gradcheck(called(module), (x, module.values), eps=1e-7, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("output", ["field", "power"])
def test_a_module_answers_as_its_circuit(output: str) -> None:
    circuit = ps.Circuit("add_drop_ring")
    wl = np.array([1.549, 1.55, 1.551])
    module = ps.interop.torch.CircuitModule(circuit, ["in"], ["drop"], ["ring.*"], wl=wl, output=output)
    with torch.no_grad():
        module.values[module.names.index("ring.radius")] = 10.02
        found = module(torch.tensor([[2.0]], dtype=torch.complex128)).numpy()
    field = 2.0 * circuit(wl, ring={"radius": 10.02})["in", "drop"].values
    wanted = field if output == "field" else np.abs(field) ** 2
    assert np.allclose(found[0, :, 0], wanted, rtol=1e-13, atol=0.0)
    assert module.settings()["ring.radius"] == 10.02


def test_currents_are_those_of_the_circuit() -> None:
    netlist = {
        "instances": {
            "coupler": {"component": "coupler", "settings": {"coupling": 0.3}},
            "a": {"component": "photodetector", "settings": {"responsivity": 0.8, "dark_current": 3e-9}},
            "b": {"component": "balanced_photodetector", "settings": {"responsivity": 0.6}},
        },
        "connections": {"coupler,o3": "a,o1", "coupler,o4": "b,o1"},
        "terminate": ["b,o2"],
        "ports": {"in": "coupler,o1", "other": "coupler,o2"},
    }
    circuit = ps.Circuit(netlist)
    module = ps.interop.torch.CircuitModule(
        circuit, ["in", "other"], ["a", "b"], ["coupler.coupling"], wl=1.55, output="current"
    )
    x = torch.tensor([[0.03, 0.01j]], dtype=torch.complex128, requires_grad=True)
    waves = circuit.transfer([1.55], ["a,o1", "b,o1"], ["in", "other"])[0] @ x.detach().numpy()[0]
    powers = np.abs(waves) ** 2
    found = module(x).detach().numpy()[0]
    assert np.allclose(found[0], 0.8 * powers[0] + 3e-9, rtol=1e-12)
    assert np.allclose(np.abs(found[1]), 0.6 * powers[1], rtol=1e-12)
    assert torch.autograd.gradcheck(called(module), (x.detach().reshape(1, 1, 2), module.values), eps=1e-6)
    with pytest.raises(ParameterError, match="not a detector"):
        ps.interop.torch.CircuitModule(circuit, ["in"], ["c"], wl=1.55, output="current")
    with pytest.raises(ParameterError, match="no derivative"):
        ps.interop.torch.CircuitModule(circuit, ["in"], ["a"], ["a.responsivity"], wl=1.55, output="current")


def test_batches_and_wavelengths_have_axes_of_their_own() -> None:
    circuit = ps.Circuit("add_drop_ring")
    one = ps.interop.torch.CircuitModule(circuit, ["in", "add"], ["drop"], wl=1.55)
    many = ps.interop.torch.CircuitModule(circuit, ["in", "add"], ["drop"], wl=[1.549, 1.55])
    x = torch.randn(3, 5, 2)
    assert one(x).shape == (3, 5, 1)
    assert many(x).shape == (3, 5, 2, 1)
    assert many(x).dtype == torch.complex64  # single in, single out
    each = torch.randn(5, 2, 2, dtype=torch.float64)  # fields of each wavelength
    assert many(each).shape == (5, 2, 1)
    assert torch.allclose(many(each)[:, 1], one(each[:, 1]), rtol=1e-12)


def test_values_beyond_bounds_act_as_the_bound() -> None:
    circuit = ps.Circuit("add_drop_ring")
    module = ps.interop.torch.CircuitModule(
        circuit, ["in"], ["drop"], ["ring.coupling"], wl=1.55, output="power"
    )
    with torch.no_grad():
        module.values[0] = -0.5
    y = module(torch.ones(1, 1, dtype=torch.float64))
    assert module.settings()["ring.coupling"] == 0.0
    (slope,) = torch.autograd.grad(-y.sum(), module.values)  # more power needs more coupling
    assert slope[0] <= 0.0


def modules() -> dict[str, Any]:
    """Return one module of each kind."""
    bridge = ps.interop.torch
    chip = mesh_chip("clements_mesh", 4)
    double = {"dtype": torch.float64}
    matrix = np.random.default_rng(1).standard_normal((3, 4))
    return {
        "mesh": bridge.mesh(chip, detection="power", **double),
        "ideal mesh": bridge.mesh(chip, detection="power", gradient="ideal", **double),
        "held": bridge.programmed(Digital(np.zeros((3, 4))), 4, 3, **double),
        "fixed": bridge.Projection(Digital(matrix)),
    }


@pytest.mark.parametrize("name", ["mesh", "ideal mesh", "held", "fixed"])
def test_operators_pass_the_checks_of_torch(name: str) -> None:
    module = modules()[name].eval()
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    own = list(module.parameters())
    number, seed = module.operation.number, torch.tensor(-1 if own else 0)
    torch.library.opcheck(torch.ops.photosim.forward.default, (x, own, seed, number))
    assert torch.autograd.gradcheck(
        lambda x, *own: torch.ops.photosim.forward(x, list(own), seed, number), (x, *own)
    )


def test_a_module_compiles_whole() -> None:
    for module in modules().values():
        x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
        compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
        assert torch.equal(compiled(x), module(x))
        compiled(x).sum().backward()
        (found,) = torch.autograd.grad(module(x).sum(), x)
        assert torch.allclose(x.grad, found, rtol=1e-12)


def test_gradients_of_gradients_are_refused() -> None:
    module = modules()["mesh"]
    x = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
    with pytest.raises(ParameterError, match="first derivatives only"):
        slope.sum().backward()
    own, number = list(module.parameters()), module.operation.number
    compiled = torch.ops.photosim.forward(x, own, torch.tensor(0), number)
    (slope,) = torch.autograd.grad(compiled.sum(), x, create_graph=True)
    with pytest.raises(ParameterError, match="first derivatives only"):
        slope.sum().backward()


def test_ways_back_differ_where_the_hardware_is_imperfect() -> None:
    lossy = mesh_chip("clements_mesh", 4, loss_dB=1.0)
    bridge = ps.interop.torch
    x = torch.randn(3, 4, dtype=torch.complex128)
    ways = {}
    for gradient in ("exact", "ideal", "feedback"):
        module = bridge.mesh(lossy, gradient=gradient, dtype=torch.float64)
        given = x.clone().requires_grad_()
        y = module(given)
        y.abs().square().sum().backward()
        ways[gradient] = (y.detach(), given.grad, module.theta.grad)
    assert torch.equal(ways["exact"][0], ways["ideal"][0])  # the hardware is one
    assert torch.equal(ways["exact"][0], ways["feedback"][0])
    assert not torch.allclose(ways["exact"][2], ways["ideal"][2])
    assert torch.allclose(ways["exact"][2], ways["feedback"][2])  # own phases learn exactly
    assert not torch.allclose(ways["exact"][1], ways["feedback"][1])


def test_networks_and_their_parameters_cross_in_both_directions() -> None:
    network = dense_network((6, 5, 3))
    rng = np.random.default_rng(3)
    parameters = network.initial(rng)
    modules_ = ps.interop.torch.sequential(network, parameters, dtype=torch.float64)
    x, labels = rng.standard_normal((8, 6)), rng.integers(0, 3, 8)
    forward, _ = run(network, parameters, x, labels, CLASSIFICATION)
    wanted = Backprop().updates(forward)
    loss = torch.nn.functional.cross_entropy(modules_(torch.from_numpy(x)), torch.from_numpy(labels))
    loss.backward()
    for number, own in enumerate(wanted):
        for name, value in (own or {}).items():
            assert np.allclose(getattr(modules_[number], name).grad.numpy(), value, rtol=1e-10, atol=1e-14)
    other = ps.interop.torch.sequential(network, dtype=torch.float64)
    other.load_state_dict(modules_.state_dict())
    back = ps.interop.torch.parameters_of(other)
    for own, first in zip(back, parameters, strict=True):
        assert own.keys() == first.keys()
        assert all(np.array_equal(own[name], first[name]) for name in own)
    with pytest.raises(ParameterError, match="not a layer of photosim"):
        ps.interop.torch.parameters_of(torch.nn.Sequential(torch.nn.ReLU()))


def test_a_pass_computed_again_has_the_same_noise() -> None:
    from torch.utils.checkpoint import checkpoint

    medium = ps.training.devices.ScatteringMedium.from_circuit(
        ps.Circuit("opu"), 10, [6], ps.training.devices.Projection(noise="physical")
    )[0]
    module = ps.interop.torch.Projection(medium)
    x = torch.sign(torch.randn(4, 10, dtype=torch.float64)).requires_grad_()
    torch.manual_seed(5)
    plain = module(x)
    torch.manual_seed(5)
    again = checkpoint(module, x, use_reentrant=False)
    assert torch.equal(plain, again)
    assert not torch.equal(plain, module(x))  # and another one in the next pass
    again.sum().backward()
    assert torch.allclose(x.grad, torch.from_numpy(medium.matrix()).sum(0).expand(4, 10))


def test_the_noise_of_a_circuit_whose_settings_learn_has_its_gradient() -> None:
    ends = {f"mesh,out{k}": f"d{k},o1" for k in range(4)}
    parts: dict[str, Any] = {"mesh": {"component": "clements_mesh", "settings": {"n": 4}}}
    parts |= {
        f"d{k}": {"component": "photodetector", "settings": {"load_resistance": 50.0}} for k in range(4)
    }
    ports = {f"in{k}": f"mesh,in{k}" for k in range(4)}
    circuit = ps.Circuit({"instances": parts, "connections": ends, "ports": ports})
    device = Device.from_circuit(circuit, noise="physical", power=1e-5)
    layer = CircuitLayer(device, 4, 4, activation("linear"))
    module = ps.interop.torch.LayerModule(layer, dtype=torch.float64)
    x = torch.rand(3, 4, dtype=torch.float64, requires_grad=True)

    def passed(x: Any) -> Any:
        torch.manual_seed(2)
        return module(x)

    assert torch.equal(passed(x), passed(x))
    assert not torch.equal(module(x), module(x))
    assert torch.autograd.gradcheck(passed, (x,), eps=1e-6, atol=1e-5)
    again = torch.utils.checkpoint.checkpoint(passed, x, use_reentrant=False)
    (slope,) = torch.autograd.grad((again**2).sum(), x)
    (wanted,) = torch.autograd.grad((passed(x) ** 2).sum(), x)
    torch.testing.assert_close(slope, wanted)


def test_a_programmed_device_has_the_gradient_of_the_matrix_it_holds() -> None:
    bank = WeightBank.from_circuit(ps.load("mrr_weight_bank"), "bank")
    noisy = bank.with_noise("physical", np.random.default_rng(0))
    module = ps.interop.torch.programmed(noisy, 4, 3)
    x = torch.randn(5, 4, requires_grad=True)
    found = []
    for _ in range(2):
        torch.manual_seed(7)
        (found_by_x,) = torch.autograd.grad((module(x) ** 2).sum(), x)
        found.append(found_by_x)
    assert torch.equal(*found)
    held = module.layer.device(module.parameters_held()["weights"]).matrix()
    torch.manual_seed(7)
    y = module(x)
    assert torch.allclose(found[0].double(), 2 * y.detach().double() @ torch.from_numpy(held), atol=1e-5)
    with pytest.raises(AssertionError):  # hardware that does not hold the weights quite
        np.testing.assert_allclose(held, module.weights.detach().numpy(), rtol=1e-6)


def test_copies_and_pickles_answer_alike() -> None:
    x = torch.randn(3, 4, dtype=torch.float64)
    for module in modules().values():
        for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):  # noqa: S301 - our own
            assert other.operation.number != module.operation.number
            assert torch.equal(other.eval()(x), module.eval()(x))


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((2, 4)), "takes a tensor, got ndarray"),
        (torch.zeros(2, 3), "x must be"),
        (torch.zeros(2, 4, dtype=torch.int64), "float32, float64, complex64 or complex128, got int64"),
        (torch.zeros(2, 4, device="meta"), "runs on the CPU"),
    ],
)
def test_tensors_that_cannot_pass_are_refused(x: Any, words: str) -> None:
    for module in modules().values():
        with pytest.raises(ParameterError, match=words):
            module(x)


def test_wrong_names_are_refused() -> None:
    circuit = ps.Circuit("add_drop_ring")
    bridge = ps.interop.torch
    with pytest.raises(ParameterError, match=r"ring\.radius"):
        bridge.CircuitModule(circuit, ["in"], ["drop"], ["ring.radus"], wl=1.55)
    with pytest.raises(ParameterError, match="drop"):
        bridge.CircuitModule(circuit, ["in"], ["dropp"], wl=1.55)
    with pytest.raises(ParameterError, match="output"):
        bridge.CircuitModule(circuit, ["in"], ["drop"], wl=1.55, output="powers")
    with pytest.raises(ParameterError, match="takes a layer"):
        bridge.LayerModule(circuit)
    with pytest.raises(ParameterError, match="gradient"):
        bridge.mesh(mesh_chip("clements_mesh", 4), gradient="exakt")
