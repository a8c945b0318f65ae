"""Functions of libraries by name."""

import numpy as np
import pytest

from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.callables import on_codes, version_of
from spikeproof.specs.formats import BFLOAT16, FP16, FP32


@pytest.mark.parametrize("name", ["torch.exp2", "numpy.exp2", "libm.exp2f"])
def test_libraries_get_and_give_codes(name):
    codes = np.array([0x3F800000, 0x40400000, 0xBF800000, 0x00000000, 0x7F800000], dtype=np.uint32)
    assert on_codes(name, FP32)(codes).tolist() == [
        0x40000000,
        0x41000000,
        0x3F000000,
        0x3F800000,
        0x7F800000,
    ]


@pytest.mark.parametrize(("fmt", "one", "two"), [(FP16, 0x3C00, 0x4000), (BFLOAT16, 0x3F80, 0x4000)])
def test_narrow_formats_of_torch(fmt, one, two):
    codes = np.array([one, 0], dtype=np.uint16)
    assert on_codes("torch.exp2", fmt)(codes).tolist() == [two, one]


@pytest.mark.parametrize(
    ("name", "fmt", "said"),
    [
        ("torch.nothing", FP32, "cannot be had: there is no nothing in torch"),
        ("nothing", FP32, "cannot be had: that names nothing"),
        ("no_such_library.exp", FP32, "cannot be had: there is no module no_such_library"),
        ("absent.py:exp", FP32, "cannot be had: cannot read absent"),
        ("numpy.pi", FP32, "is no function"),
        ("torch.nn.Sigmoid", FP32, "is no function"),
        ("libm.exp", FP32, "takes doubles; its function of fp32 is libm.expf"),
        ("libm.erf", FP32, "takes doubles; its function of fp32 is libm.erff"),
        ("libm.nothing", FP32, "has no function 'nothing'"),
        ("libm.expf", FP16, "in fp32 alone"),
        ("numpy.exp", BFLOAT16, "NumPy has no bfloat16"),
    ],
)
def test_what_is_none_is_refused_in_a_line(name, fmt, said):
    with pytest.raises(StatementError, match=said) as refused:
        on_codes(name, fmt)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["numpy.signbit", "torch.signbit", "numpy.sum", "torch.sum"])
def test_results_of_another_kind_or_shape_are_refused(name):
    with pytest.raises(StatementError, match=r"gives .* not .*float32 of \(4,\)"):
        on_codes(name, FP32)(np.zeros(4, dtype=np.uint32))


def test_functions_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text(
        "def doubled(x): return x + x\n"
        "def failing(x): raise ValueError('not today')\n"
        "def listing(x): return 'nothing'\n"
    )
    monkeypatch.chdir(tmp_path)
    codes = np.array([0x3C00, 0x4000], dtype=np.uint16)
    for name in ("own.doubled", "own:doubled", "own.py:doubled", str(tmp_path / "own.py") + ":doubled"):
        assert on_codes(name, FP16)(codes).tolist() == [0x4000, 0x4400]
    with pytest.raises(StatementError, match="failing fails when it is given ndarray of float16"):
        on_codes("own.failing", FP16)(codes)
    with pytest.raises(StatementError, match="gives <U7 of shape"):
        on_codes("own.listing", FP16)(codes)


def test_versions():
    assert version_of("numpy.exp") == f"numpy {np.__version__}"
    assert version_of("libm.expf")
