"""Case-study audit of any policy: which learner under which reward mode behaves like the documented actors?"""

from coopgym.validation.conduct.audit import Conduct, audit_case
from coopgym.validation.conduct.record import documented_games
from coopgym.validation.conduct.table import Likeness, audit_folder, likeness

__all__ = ["Conduct", "Likeness", "audit_case", "audit_folder", "documented_games", "likeness"]
