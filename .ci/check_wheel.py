"""The built wheel, alone with its core dependencies: imports light, makes an environment, plays a game to its end."""

from __future__ import annotations

import subprocess
import sys
import time

HEAVY = ("torch", "ray", "scipy", "pandas", "plotly", "matplotlib")


def main(command: str) -> None:
    """Check the installed package; ``command`` is the path of its console script."""
    import gymnasium
    import pettingzoo

    started = time.perf_counter()
    import coopgym

    spent = time.perf_counter() - started
    loaded = [name for name in HEAVY if name in sys.modules]
    assert not loaded, f"import coopgym loads {loaded}"

    env = gymnasium.make("coopgym/TrustDilemma-v1")
    env.reset(seed=7)
    env.action_space.seed(7)
    steps, ended = 0, False
    while not ended:
        _, _, terminated, truncated, info = env.step(env.action_space.sample())
        steps, ended = steps + 1, bool(terminated or truncated)
    assert len(info["payoffs"]) == 2
    assert len(coopgym.list_games()) == 20
    parallel = coopgym.make_parallel("AppleAppStore-v1")
    assert set(parallel.reset(seed=7)[0]) == set(parallel.agents)

    told = subprocess.run([command, "list"], capture_output=True, text=True, check=False)
    assert told.returncode == 1 and 'pip install "coopgym[learn]"' in told.stderr, told
    versions = f"gymnasium {gymnasium.__version__}, pettingzoo {pettingzoo.__version__}"
    print(f"wheel {coopgym.__version__} with {versions}: import +{spent:.2f} s, {steps} steps played")


if __name__ == "__main__":
    main(sys.argv[1])
