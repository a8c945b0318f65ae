"""An adder of FP8 numbers (E4M3FN, nearest even, saturating) of threshold neurons, in plain PyTorch."""

import itertools

import torch

# What codes 0 to 126 stand for, in units of 2^-9; 127 is NaN.
MAGNITUDES = [m if e == 0 else (8 + m) << (e - 1) for e in range(16) for m in range(8)][:127]


def fire(potential, threshold):
    """One step of neurons that start at rest."""
    return (potential >= threshold).to(potential.dtype)


class FP8Adder(torch.nn.Module):
    """Takes two tensors of 8 bits a row, least significant first, and returns their sum likewise."""

    def __init__(self):
        super().__init__()
        codes = torch.tensor([[float(e >> bit & 1) for e in range(16)] for bit in range(4)])
        self.register_buffer("decode", 2 * codes - 1)
        self.register_buffer("ones_in_code", codes.sum(0))
        places = [
            [2.0 ** (max(e, 1) - 1 + bit) * (e > 0 or bit < 3) for bit in range(4)] for e in range(16)
        ]
        self.register_buffer("places", torch.tensor(places).flatten())
        # Half way between neighbours a sum goes to the even code.
        halves = [low + high for low, high in itertools.pairwise(MAGNITUDES)]
        reached = [(half + 1) // 2 if code % 2 else half // 2 + 1 for code, half in enumerate(halves)]
        self.register_buffer("reached", torch.tensor(reached, dtype=torch.float32))
        self.register_buffer("powers", torch.tensor([[2.0**bit] for bit in reversed(range(19))]))
        steps = [[self.step(code, bit) for bit in range(7)] for code in range(1, 127)]
        self.register_buffer("steps", torch.tensor(steps))

    @staticmethod
    def step(code, bit):
        """How a bit of the code changes as the code is reached: up, down, or not."""
        return float((code >> bit & 1) - ((code - 1) >> bit & 1))

    def operand(self, bits):
        """An operand's signed value as a potential, its sign, and whether it is NaN."""
        fraction, exponent, sign = bits[:, :3], bits[:, 3:7], bits[:, 7:]
        exponents = fire(exponent @ self.decode, self.ones_in_code)
        significand = torch.cat([fraction, torch.ones_like(sign)], dim=1)
        both = exponents[:, :, None] + significand[:, None, :]
        positive = fire(both - sign[:, None], 2).flatten(1)
        negative = fire(both + sign[:, None], 3).flatten(1)
        nan = fire(exponents[:, 15:] + fraction.sum(1, keepdim=True), 4)
        return (positive - negative) @ self.places[:, None], sign, nan

    def digits(self, potential):
        """The binary digits of a potential, the first first: each spike takes its weight away."""
        spikes = []
        for power in self.powers[:, 0]:
            spikes.append(fire(potential, power))
            potential = potential - power * spikes[-1]
        return torch.cat(spikes, dim=1)

    def forward(self, x, y):
        """The bits of the rounded sum."""
        x_value, x_sign, x_nan = self.operand(x)
        y_value, y_sign, y_nan = self.operand(y)
        total = x_value + y_value
        digits = fire(self.digits(total) + self.digits(-total), 1)  # one of them is silent
        codes = fire(digits @ self.powers, self.reached)
        nan = fire(x_nan + y_nan, 1)
        bits = fire(codes @ self.steps + nan, 1)
        sign = fire(2 * fire(-total, 1) + x_sign + y_sign - 4 * nan, 2)
        return torch.cat([bits, sign], dim=1)
