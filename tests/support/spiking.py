"""Layers of spiking neurons in PyTorch, as people write them, for tests."""

import torch


class Spiking(torch.nn.Module):
    """An integrate-and-fire layer from rest."""

    def __init__(self, threshold):
        super().__init__()
        self.v_threshold = threshold

    def forward(self, x):
        return (x >= self.v_threshold).to(x.dtype)


class Strict(Spiking):
    """Fires only above the threshold, as snnTorch's neurons do."""

    def forward(self, x):
        return (x > self.v_threshold).to(x.dtype)


def linear(weights, biases=None):
    layer = torch.nn.Linear(len(weights[0]), len(weights), bias=biases is not None)
    layer.weight.data = torch.tensor(weights)
    if biases is not None:
        layer.bias.data = torch.tensor(biases)
    return layer


def xor_module(threshold=0.5, layer=Spiking):
    """XOR as OR and NAND, then AND: two layers."""
    return torch.nn.Sequential(
        linear([[1.0, 1.0], [-1.0, -1.0]], [0.0, 2.0]),
        layer(threshold),
        linear([[1.0, 1.0]], [-1.0]),
        layer(threshold),
    )


def comparator(bits, *spiking):
    """Reaches a sum of 0 iff x = y, which no sample of inputs is likely to show."""
    places = [2.0**place for place in range(bits)]
    return torch.nn.Sequential(linear([[*places, *(-place for place in places)]]), *spiking).double()
