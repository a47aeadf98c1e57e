"""Constraints for pip: the lowest version that pyproject.toml allows of everything that the faces and learners need.

    python .ci/lowest.py > constraints.txt

Some are higher, for the reasons that stand beside them.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("cli", "report", "learn", "sb3", "rllib", "torchrl")
HIGHER = {
    "gymnasium": "1.1.1",  # RLlib 2.49 pins it
    "torch": re.search(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)[1],  # built for a CPU
}
BESIDE = ("pyparsing<3.3",)  # matplotlib 3.8 calls what this version warns of, and tests take warnings as errors


def lowest() -> list[str]:
    """``name==version`` of each requirement that has a lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(x for extra in EXTRAS for x in project["optional-dependencies"][extra])]
    found = [re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?>=([0-9.]+)", requirement) for requirement in wanted]
    bounds = {match[1]: match[2] for match in found if match}
    return [f"{name}=={version}" for name, version in sorted((bounds | HIGHER).items())]


if __name__ == "__main__":
    print("\n".join([*lowest(), *BESIDE]))
