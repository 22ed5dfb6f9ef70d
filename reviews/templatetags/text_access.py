"""One question for templates of the apps below: may this reader look around the findings of a candidate?"""

from __future__ import annotations

from django import template

from mhds.models import User
from releases.models import Candidate
from reviews.text_access import may_read_findings

register = template.Library()


@register.simple_tag(takes_context=True)
def may_look(context: template.Context, candidate: Candidate) -> bool:
    """For a link only: the page that it leads to asks again."""
    user = context.get("user")
    return isinstance(user, User) and not may_read_findings(user, candidate)
