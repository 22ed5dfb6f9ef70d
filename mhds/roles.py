"""The roles people hold, as names of Django groups. Owns the words; knows nothing of what a role may do."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    ENGINEER = "dataset_engineer"
    CLINICIAN = "clinician"
    BIAS = "bias_reviewer"
    LEAD = "release_lead"
    COMPLIANCE = "compliance"
    ADMIN = "administrator"

    @property
    def words(self) -> str:
        return TITLES[self]


TITLES = {
    Role.ENGINEER: "dataset engineer",
    Role.CLINICIAN: "clinician",
    Role.BIAS: "bias reviewer",
    Role.LEAD: "release lead",
    Role.COMPLIANCE: "compliance",
    Role.ADMIN: "administrator",
}
# Everyone who works on releases; an administrator keeps accounts and sees no data.
DATA_ROLES = (Role.ENGINEER, Role.CLINICIAN, Role.BIAS, Role.LEAD, Role.COMPLIANCE)
