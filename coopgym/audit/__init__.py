"""Audits: what a game invites, and what trained policies really do in it."""
