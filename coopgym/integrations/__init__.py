"""Games and policies in the conventions of other libraries: Stable-Baselines3, TorchRL, RLlib."""
