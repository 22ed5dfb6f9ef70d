"""The registry of our own recognisers: one file each, one line here. Owns the order; knows no engine."""

from __future__ import annotations

from gates.scan.detectors.base import Rule

from . import (
    address,
    age,
    bank_card,
    birth_date,
    gps,
    handle,
    insurance,
    mrn,
    names_by_cue,
    phone_shape,
    plate,
    secrets,
    zh_address,
    zh_date,
    zh_handle,
    zh_mobile,
    zh_names_by_cue,
    zh_resident_id,
)

RULES: tuple[Rule, ...] = (
    mrn.RULE,
    phone_shape.RULE,
    insurance.RULE,
    address.STREET,
    address.POST_BOX,
    address.POSTCODE,
    birth_date.CUED,
    birth_date.LONG,
    age.RULE,
    gps.RULE,
    plate.RULE,
    handle.RULE,
    secrets.RULE,
    names_by_cue.STATED,
    names_by_cue.TITLED,
    names_by_cue.RELATED,
    zh_mobile.RULE,
    zh_resident_id.RULE,
    bank_card.RULE,
    zh_handle.RULE,
    zh_date.CUED,
    zh_date.FULL,
    zh_date.AGE,
    zh_names_by_cue.STATED,
    zh_names_by_cue.TITLED,
    zh_address.RULE,
)
