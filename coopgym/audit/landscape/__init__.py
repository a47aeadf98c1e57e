"""Audits of a game without any policy: what constants earn, and what leaving them pays."""

from coopgym.audit.landscape.corrected import CorrectedAudit, Temptation, corrected_audit
from coopgym.audit.landscape.released import StaticAudit, TemporalAudit, static_audit, temporal_audit
from coopgym.audit.landscape.whole import Landscape, landscape

__all__ = [
    "CorrectedAudit",
    "Landscape",
    "StaticAudit",
    "TemporalAudit",
    "Temptation",
    "corrected_audit",
    "landscape",
    "static_audit",
    "temporal_audit",
]
