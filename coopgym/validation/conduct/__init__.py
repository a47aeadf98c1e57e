"""Case-study audit of any policy: which learner under which reward mode behaves like the documented actors?"""

from coopgym.validation.conduct.audit import Conduct, audit_case
from coopgym.validation.conduct.record import documented_games

__all__ = ["Conduct", "audit_case", "documented_games"]
